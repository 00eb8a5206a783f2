/*
 * A call from its entry to its record: what the code that catches calls (ptrace/) has to say of each one.
 *
 *  1. call_reset; then the catcher fills in abi and args.
 *  2. Of a row with stop ENTRY (syscalls.def), or if closes_range: call_entered_only, and the call is recorded.
 *     Of a row with stop BOTH: call_entered, before the kernel performs the call, and then one of
 *  3. call_returned: it has returned, with this result.
 *  4. call_withdrawn: the kernel does not perform it; the thread will enter it again.
 *  5. call_unfinished: its thread has ended inside the call.
 */
#ifndef SCOPE_CALL_CALL_H
#define SCOPE_CALL_CALL_H

#include "call/context.h"

/*
 * Whether a call of close_range(2) closes its fds: without flags the kernel refuses none whose ends are in order. Then
 * other threads may be given their numbers before it returns.
 */
bool closes_range(const struct pending *call);

/* Forget the call that was pending before: one of `row` is entered now. */
void call_reset(const struct context *context, struct pending *call, int row);
void call_entered_only(struct context *context, struct caller *caller, struct pending *call);
void call_entered(struct context *context, struct caller *caller, struct pending *call);
void call_returned(struct context *context, struct caller *caller, struct pending *call,
                   int64_t result);

/* The same of a call that may have returned some time ago: how long it took is known. */
void call_ended(struct context *context, struct caller *caller, struct pending *call,
                int64_t result, uint64_t elapsed_ns);
void call_withdrawn(struct context *context, struct caller *caller, struct pending *call);

/* `performed`: the kernel has begun to perform it. */
void call_unfinished(struct context *context, struct caller *caller, struct pending *call,
                     bool performed);

/* A call that sends has ended: its bytes are out, or never will be. */
void end_sending(struct context *context, struct pending *call);

/* Write the record of a close, with the fd's tally, and remove its entry. */
void close_fd(struct context *context, struct caller *caller, struct pending *call);

/* The same of a close that was made before, so that nothing can be asked about its fd. */
void record_close(struct context *context, struct caller *caller, struct pending *call);

/* Apply a call that has succeeded, whose parts are there, and write its record. */
void record_ended(struct context *context, struct caller *caller, struct pending *call,
                  int64_t result, uint64_t elapsed_ns);

static inline bool is_connect(int64_t row)
{
    return row == ROW_connect || row == ROW_io_uring_enter__connect;
}

/* Whether a connection has begun and the program is to wait for its end: connect(2). */
static inline bool is_under_way(int64_t result)
{
    return result == -EINPROGRESS || result == -EINTR || result == -EALREADY;
}

#endif
