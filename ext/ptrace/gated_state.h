/* What the files gated*.c share. gated.c has the rules. */
#ifndef SCOPE_PTRACE_GATED_STATE_H
#define SCOPE_PTRACE_GATED_STATE_H

#include "call/resolve.h"
#include "gate/image.h"
#include "gate/rounds.h"
#include "gate/tallies.h"
#include "ptrace/state.h"

enum {
    GATED_PROGRAMS = 256,
    RENAMES_WATCHED = 64,
    ANOTHER_SERIAL =
        1, /* the first_fd_serial of a call whose fd another thread has closed meanwhile */
};

/* A file that was executed. */
struct gated_program {
    struct program_file file;
    uint64_t long_lives,
        short_lives;              /* how often it made so many calls that the gate paid, or not */
    uint64_t vforks, vforks_used; /* children of its programs, and those with a use for a slot */
};

/* gated_renames.c */
struct rename_watch {
    int fd;                     /* once `count` is not 0; -1: there is none to be had */
    int files[RENAMES_WATCHED]; /* watches, each of which the `count` after takes the place of */
    uint64_t count;             /* of the watches so far */
};

struct arch_regs;

struct gate {
    uint8_t actions[GATE_NUMBERS];
    struct module_cache modules;
    struct arena *arenas;
    struct gate_thread *threads;
    uint64_t *locks; /* of files: gated_files.c; their segment, */
    int locks_id;
    bool traced[GATE_LOCKS];                       /* and whether a traced write has one */
    struct gated_program programs[GATED_PROGRAMS]; /* likewise; another one takes its place */
    unsigned differences;                          /* that verified records had */
    bool names_opens;                              /* can_name_opens */
    bool sees_folders; /* every call stops that makes or removes a folder */
    uint64_t renames;  /* context.renames when names of files were last doubted */
    struct rename_watch renamed_elsewhere;
    uint64_t origin_ticks, origin_ns; /* of both clocks at the beginning, */
    uint64_t now_ticks, now_ns;       /* and at the last round */
    double ns_per_tick;
    uint64_t ways[WAYS]; /* how calls were made; without those in the gate of threads that live */
    uint64_t led;        /* calls in the gate that are counted elsewhere: they stopped before */
    struct folders folders; /* to which paths of a round have led */
    struct gate_round round;
    size_t round_room; /* of its arrays */
    struct tallies tallies;
    bool idle; /* the last round has found nothing */
};

/* The counter of the CPU by which calls in the gate are timed. */
uint64_t ticks_now(void);
uint64_t time_of_ticks(const struct gate *gate, uint64_t ticks);

enum gate_mode gated_mode(const struct engine *engine, const struct task *task);

/* The row of a call's number; -1: the gate makes no such call. */
int gated_row(const struct engine *engine, uint64_t number);

/* The first of a call's rows, from `row` on, that is watched and applies to its arguments; -1: there is none. */
int gated_row_for(const struct engine *engine, int row, const uint64_t args[6]);

/* gated_slots.c: whether the program of a thread has an arena, and its fd table words in one. */
bool gated_has_gate(const struct task *task);
bool gated_has_words(const struct task *task);

/* Give the fd table words, if it has none. False: all tables of all arenas are in use. */
bool gated_take_words(const struct task *task);

/* All calls of a program are traced from now on. */
void gated_refuse(struct engine *engine, const struct task *task, enum raw_note note,
                  enum raw_ungated why);

/* Whether calls of a thread could be made in the gate. */
bool gated_may_enter(const struct task *task);

/*
 * At a traced call: give its thread what is missing for the next one. If the gate can make this one by then, the thread
 * is led there. `refused`: the call came from the gate, so its site is patched.
 */
enum gated_entry gated_prepare(struct engine *engine, struct task *task, const call_info *info,
                               bool refused);

/*
 * gated_signals.c: where a child goes on whose parent has been killed before its event. The parent's slot is as it was,
 * as no other thread has it yet.
 */
void gated_find_birthplace(struct task *child, const struct arch_regs *regs);

/* gated_calls.c: begin the call of the thread's slot, as if it had stopped at its entry. False: it is none. */
bool gated_begin_call(struct engine *engine, struct task *task);

/* Record the call of the thread's slot, which has returned. */
void gated_end_call(struct engine *engine, struct task *task, int64_t result);

/* gated_files.c: a thread leaves the gate, and gives back its lock; it ends. */
void gated_give_lock(const struct gate *gate, struct gate_thread *thread);
bool gated_init_locks(struct gate *gate);
void gated_deinit_locks(struct gate *gate);

/* gated_renames.c: have the loop woken if another program renames the file of an fd, which is written to. */
void gated_watch_renames(struct gate *gate, const struct task *task, int fd);
/* Whether that has happened since this was last asked. */
bool gated_take_renames(struct gate *gate);
void gated_deinit_renames(struct gate *gate);

/* gated_streams.c: whether another thread began to send before that tick, and its record is not taken yet. */
bool gated_is_sent_to(const struct engine *engine, const struct caller *receiver, int fd,
                      uint64_t ticks);

/* Whether opens of which the gate sends no name can be given one here. */
bool can_name_opens(const struct engine *engine);

/* Add the name of the file that a call has opened through no symbolic link, if it has none yet. */
void add_opened_name(struct engine *engine, struct gate_thread *thread,
                     const struct gate_record *record, struct pending *call);

/* gated_sockets.c: a socket was made, connected or shut down in the gate. */
void apply_socket_record(struct engine *engine, const struct gate_thread *thread,
                         struct pending *call, const struct gate_record *record,
                         uint64_t elapsed_ns);

void init_round(struct engine *engine);
void deinit_round(struct gate *gate);

#endif
