/*
 * What threads have tallied: each call is taken once, and before the fd is closed whose it is.
 *
 * A place is given away only if all of it was taken, or after a GATE_TALLY record that says all of it. The turn of
 * that record may come after the close of its fd, if another thread has closed it. So these records are looked at ahead of
 * their turn, in their order, and before what their place has now. What one says of an fd that is not known
 * yet, as the record of its open waits, too, is kept until the fd is closed or the turn of the GATE_TALLY comes.
 */
#ifndef SCOPE_GATE_TALLIES_H
#define SCOPE_GATE_TALLIES_H

#include <stdbool.h>
#include <stdint.h>

#include "gate/arena.h"

enum { TALLIES_CHAINS = 4096 };

/* What a GATE_TALLY says of an fd that was not known when it was looked at. */
struct tally_kept {
    const struct gate_thread *thread;
    uint64_t position;                /* of the record: what was read of the ring before it */
    struct gate_tally more;           /* no calls: it was taken */
    struct tally_kept *next;          /* of the thread */
    struct tally_kept *below, **link; /* in its chain */
};

/* Where tallies go. */
struct tallies {
    bool (*is_known)(const struct gate_thread *thread, uint64_t fd);
    /* `more`: what has come to a tally since the last time. */
    void (*take)(const void *context, const struct gate_thread *thread,
                 const struct gate_tally *more);
    const void *context;
    struct tally_kept *chains[TALLIES_CHAINS]; /* by fd */
};

/* Take what a thread has tallied. False: there is something to take later, as its fd is not known yet. */
bool tallies_collect(struct tallies *tallies, struct gate_thread *thread);

/* The turn of the GATE_TALLY comes at which the thread's reader is. */
void tallies_take_turn(struct tallies *tallies, struct gate_thread *thread);

/* Take what is kept of an fd, which is about to be closed. */
void tallies_take_kept(struct tallies *tallies, uint64_t fd);

/* Forget what is kept of a thread that has ended. */
void tallies_forget(struct gate_thread *thread);

#endif
