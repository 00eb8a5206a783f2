/* What the tracer's other files have to say to the gate: the rule stands in gated.c. */
#ifndef SCOPE_PTRACE_GATED_H
#define SCOPE_PTRACE_GATED_H

#include "ptrace/state.h"

void gated_init(struct engine *engine);
void gated_deinit(struct engine *engine);

/* Take what threads have tallied: before a stop is handled. */
void gated_collect(struct engine *engine);

/* Have names of files asked for again that were renamed where no call was seen. */
void gated_follow_renames(struct engine *engine);

/* When the next round is due without a stop, or 0: each turn of the loop begins with one. */
uint64_t gated_next_round(const struct engine *engine, uint64_t now_ns);

enum gated_entry {
    GATED_TRACE, /* go on: the call is traced */
    GATED_DONE,  /* it was no call of the program, or is made in the gate */
    GATED_GONE,  /* the thread is ending, and in another stop */
};

/* A thread has stopped by our filter. `refused`: in a trampoline, as the gate did not make the call. */
enum gated_entry gated_call_entry(struct engine *engine, struct task *task, const call_info *info,
                                  bool refused);

/* A traced call has returned and is recorded. */
void gated_after_call(struct engine *engine, struct task *task, const struct pending *call,
                      int64_t result);

/* A traced call has returned: whether it has received while another thread sends through its fd in the gate. */
bool gated_received_early(struct engine *engine, const struct task *task,
                          const struct pending *call);

/* A traced write to an fd has returned: from now on the gate may make those of the thread. */
void gated_own_file(struct task *task, int fd);

/* Have no thread write to the file of an fd in the gate. False: one does so now, and is not slow. */
bool gated_lock_file(struct engine *engine, struct task *task, struct fd_entry *entry,
                     uint64_t now_ns);
void gated_unlock_file(struct engine *engine, struct task *task);

/* Whether the record of a close that is about to be made was written by the gate. */
bool gated_has_closed(struct task *task, const struct pending *call);

/* The address behind the site, if a trampoline made the call from which a thread returns to `ip`. */
uint64_t gated_ip(const struct task *task, uint64_t ip);

/* At a signal-delivery-stop: move the thread out of the gate. True: the signal is not to be delivered. */
bool gated_leave(struct engine *engine, struct task *task, int signal);

/* Compare the record of a thread's last call with what a traced call would have had. */
void gated_verify(struct engine *engine, struct task *task);

/* A running thread is to make no more calls in the gate until it has stopped. */
void gated_hold(struct task *task);

void gated_before_resume(struct engine *engine, struct task *task);

/* A child is made; it is in its first stop; a thread leaves its program, by exec or its end. */
void gated_birth(const struct engine *engine, struct task *parent, struct task *child,
                 uint64_t flags);
void gated_start(struct engine *engine, struct task *child);

/*
 * At a clone event: a thread that is made in the gate begins where its parent stands, and goes on behind the site, of
 * which the parent's slot knows by then. Whether a child in its first stop awaits this event.
 */
void gated_note_birth(struct task *parent, struct task *child);
bool gated_awaits_parent(const struct task *child);

/*
 * Whether a child in its first stop was made in the gate, and by this task. Its gs leads to the slot of its maker, which
 * has the same address in many programs: what the slot says of itself (gate_thread_holder) is of this one alone.
 */
enum gated_maker { GATED_NO_MAKER, GATED_THIS_MAKER, GATED_OTHER_MAKER };
enum gated_maker gated_maker_of(const struct task *dead, const struct task *child);

/* Whether a thread is in a call in the gate that makes a child. */
bool gated_makes_child(const struct engine *engine, const struct task *task);

/* A thread has ended: take also what it has published and not said so (mark_slot). */
void gated_take_last(struct engine *engine, struct task *task);

/* Two threads of a program, one of which has ended, have each other's slots from now on. */
void gated_swap(struct task *task, struct task *other);

void gated_leave_image(struct engine *engine, struct task *task);

/* Nothing is recorded any more: calls go on in the gate. */
void gated_end_recording(struct engine *engine);

/* Write how many calls were made in each way so far (RAW_WAY). */
void gated_write_ways(struct engine *engine, const struct caller *caller);

/* Before an fd table is freed. */
void gated_release_words(struct fd_table *fds);

#endif
