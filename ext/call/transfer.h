/*
 * The return of a call that transfers bytes (rows with .transfer): what is counted and what is recorded.
 *
 *  1. The bytes are added to the tally of the fd; those of a look ahead (MSG_PEEK) are not.
 *  2. A file: writes have a record with their bytes, unless the fd is muted. Reads have none.
 *  3. A stream socket: both directions have records, unless the fd is muted; then only the end of what
 *     is received has one.
 *  4. A socket of messages: each message has a record, muted or not, since each can have another peer.
 *  5. A call that failed has a record, unless it is to be repeated (EAGAIN, EINTR).
 */
#ifndef SCOPE_CALL_TRANSFER_H
#define SCOPE_CALL_TRANSFER_H

#include "call/context.h"

void finish_transfer(struct context *context, struct caller *caller, struct pending *call,
                     int64_t result, uint64_t elapsed_ns);

#endif
