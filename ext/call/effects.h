/* What a call that has returned changes in the context and in its caller: fds, names, roots. */
#ifndef SCOPE_CALL_EFFECTS_H
#define SCOPE_CALL_EFFECTS_H

#include "call/context.h"

/*
 * Whether an fd is worth its place in a table. One that is high may have been made up, by a supervisor
 * (seccomp_unotify(2)) or in memory that the program can write to (the pair of pipe(2), control
 * messages, results of io_uring), and a table would grow for nothing.
 */
bool may_be_open(const struct caller *caller, int fd);
void apply_call(struct context *context, struct caller *caller, const struct pending *call,
                int64_t result);

#endif
