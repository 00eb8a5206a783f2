/* What a call that has returned changes in the context and in its caller: fds, names, roots. */
#ifndef SCOPE_CALL_EFFECTS_H
#define SCOPE_CALL_EFFECTS_H

#include "call/context.h"

/*
 * Whether an fd may be added to a table. The number of an fd can be false: a supervisor (seccomp_unotify(2))
 * may have answered the call, or the number lies in memory that the program can write to (the pair of
 * pipe(2), control messages, results of io_uring). A high one would make the table grow, so /proc is
 * asked whether it is open.
 */
bool may_be_open(const struct caller *caller, int fd);
void apply_call(struct context *context, struct caller *caller, const struct pending *call,
                int64_t result);

#endif
