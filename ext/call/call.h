/*
 * A call from its entry to its record.
 *
 * Whoever catches calls fills in the arguments of a struct pending and then says, in this order:
 *
 *   call_begins           always
 *   call_made             of a row with stop ENTRY (syscalls.def), and that is all
 *   call_entered          of a row with stop BOTH, before the kernel runs the call
 *   then one of
 *   call_returned         with its result
 *   call_withdrawn        the kernel does not run it now: it will be entered again
 *   call_unfinished       its thread ended inside the call
 */
#ifndef SCOPE_CALL_CALL_H
#define SCOPE_CALL_CALL_H

#include "call/context.h"

/* Reset what is known of the call that was pending before; the catcher sets abi and args. */
void call_begins(const struct context *context, struct pending *call, int row);
void call_made(struct context *context, struct caller *caller, struct pending *call);
void call_entered(struct context *context, struct caller *caller, struct pending *call);
void call_returned(struct context *context, struct caller *caller, struct pending *call,
                   int64_t result);
void call_withdrawn(struct context *context, struct caller *caller, struct pending *call);
/* `run`: the kernel ran at least a part of it. */
void call_unfinished(struct context *context, struct caller *caller, struct pending *call,
                     bool run);
/* A call that sends has ended: its bytes are in the stream, or never will be. */
void end_sending(struct context *context, struct pending *call);
/* An fd is closed: its record, with its tally. */
void close_fd(struct context *context, struct caller *caller, struct pending *call);

static inline bool is_connect(int64_t row)
{
    return row == ROW_connect || row == ROW_io_uring_enter__connect;
}

/* A connection was begun, and how it ends will show later: connect(2). */
static inline bool is_under_way(int64_t result)
{
    return result == -EINPROGRESS || result == -EINTR;
}

#endif
