/*
 * An arena: memory that the threads of a program share with the tracer.
 *
 * It is a segment of System V shared memory, which a program can map without an fd: so the other threads of a
 * program need not stand still meanwhile. It survives a fork: parent and children have the same one. A
 * program whose arena is full is given another one behind it. It contains
 *
 *  1. a slot that is none: gs of a thread without a slot points to that of the first arena, and its magic
 *     is 0. Behind it there is a bit for each slot, set when there is something to take;
 *  2. tables: a word for each fd (enum gate_fd), for each fd table;
 *  3. slots: one for each thread that makes calls in the gate;
 *  4. rings: one for each slot.
 *
 * The program can write there what it likes. So nothing that the tracer reads there is an address or an
 * index for it, and a lie spoils the tallies of the liar only.
 */
#ifndef SCOPE_GATE_ARENA_H
#define SCOPE_GATE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "call/context.h"
#include "gate/layout.h"
#include "gate/relocate.h"
#include "gate/rounds.h"

enum {
    ARENA_FDS = 4096, /* of a table; higher numbers are traced */
    ARENA_TABLES = 32,
    ARENA_SLOTS = 128,
    ARENA_DIRTY_WORDS = ARENA_SLOTS / 64,
    ARENA_DIRTY_AT = GATE_SLOT_BYTES / 4,
    ARENA_RING_BYTES = 1 << 16,
    ARENA_TABLES_AT = GATE_SLOT_BYTES,
    ARENA_TABLE_BYTES = ARENA_FDS * sizeof(uint64_t),
    ARENA_SLOTS_AT = ARENA_TABLES_AT + ARENA_TABLES * ARENA_TABLE_BYTES,
    ARENA_RINGS_AT = ARENA_SLOTS_AT + ARENA_SLOTS * GATE_SLOT_BYTES,
};

#define GATE_NO_SLOT ((uint64_t)GATE_ARENA_BASE) /* gs of a thread without one */

struct gate_thread;

struct arena {
    unsigned uses; /* images, tables and slots */
    int id;        /* of the segment: shmat(2) */
    uint64_t address;
    uint8_t *memory;
    struct gate_thread *slots[ARENA_SLOTS]; /* NULL: not in use */
    bool tables[ARENA_TABLES];              /* in use */
    uint64_t left[ARENA_DIRTY_WORDS];       /* slots to be looked at again in the next round */
    struct arena *next, **link;             /* among all arenas */
};

/* The name of a folder where paths start, for a while. */
struct gate_folder {
    uint64_t fd;      /* as a tally has it, or of AT_FDCWD */
    uint64_t epoch;   /* how often names and cwds had changed */
    uint64_t read_ns; /* when it was asked for */
    char *name;       /* NULL: it is not known */
    size_t size;
};

/* What the tracer has of a slot that is in use. */
struct gate_thread {
    struct arena *arena;
    unsigned index;
    union gate_page *page;
    struct gate_reader reader;            /* of its ring */
    struct gate_tally seen[GATE_TALLIES]; /* as they were when they were last taken */
    uint64_t made;                        /* likewise */
    bool is_taken;                        /* all that was there then */
    uint64_t looked;                      /* up to where its GATE_TALLY records were looked at */
    struct tally_kept *kept, *last_kept;  /* of those whose turn has not come */
    uint64_t
        calls; /* that were made; where the program lies about it, at most 2^32 for each time */
    struct gate_folder folder;        /* where its last opens started */
    struct caller *caller;            /* its thread */
    bool since_birth;                 /* it has the slot since before its first call */
    struct parts last;                /* of its last record, if records are verified */
    struct gate_thread *next, **link; /* among all threads with a slot */
};

/*
 * A new arena for the address `index` of a program, whose effective user id is `owner`; NULL: the kernel gives
 * no such memory. It lasts as long as anyone has it mapped.
 */
struct arena *arena_new(unsigned index, uid_t owner, struct arena **list);
struct arena *arena_share(struct arena *arena);
void arena_drop(struct arena *arena);

/* The words of a table that is not in use, all 0; NULL: all are. The table counts as a use. */
uint64_t *arena_take_table(struct arena *arena);
void arena_give_table(struct arena *arena, uint64_t *words);

/* What the thread writes to the locks that it has. */
static inline uint64_t gate_thread_holder(const struct gate_thread *thread)
{
    enum { INDEX_BITS = 8, FIRST = 2 }; /* 0: it is not locked; 1: the tracer has it */

    return (uint64_t)(uint32_t)thread->arena->id << INDEX_BITS | (thread->index + FIRST);
}

/* Where the program has memory of the arena. */
uint64_t arena_address(const struct arena *arena, const void *memory);

/* The slot at an address of the program, in use or not; NULL: none is there. */
union gate_page *arena_page(const struct arena *arena, uint64_t address);

/* A slot that is not in use, in mode GATE_TRACED; NULL: all are, or there is no memory. */
struct gate_thread *gate_thread_new(struct arena *arena, struct caller *caller,
                                    struct gate_thread **list);
void gate_thread_free(struct gate_thread *thread);

/* Call `visit` for each thread with something to take, and have it looked at again: gate_thread_mark. */
typedef void visit_thread(void *context, struct gate_thread *thread);
void arena_visit_dirty(struct arena *arena, visit_thread *visit, void *context);

/* Have the slot looked at in the next round: what the thread has published is not all taken. */
void gate_thread_mark(struct gate_thread *thread);

/* Whether the thread is in a call that is not recorded yet. */
bool gate_thread_is_in_call(const struct gate_thread *thread);

/* Whether the record of the thread's call is published. */
bool gate_thread_published(const struct gate_thread *thread);

/*
 * The thread is moved out of the gate after its call has returned: complete what it has written of it.
 * False: the call is not tallied.
 */
bool gate_thread_complete(struct gate_thread *thread);

#endif
