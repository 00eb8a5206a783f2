/* The end of a call that transfers bytes: they are counted, and recorded if they are wanted. */
#ifndef SCOPE_CALL_TRANSFER_H
#define SCOPE_CALL_TRANSFER_H

#include "call/context.h"

void finish_move(struct context *context, struct caller *caller, struct pending *call,
                 int64_t result, uint64_t elapsed_ns);

#endif
