/* Messages of sockets: struct msghdr (recvmsg(2)), and socketcall(2). */
#ifndef SCOPE_CALL_MESSAGES_H
#define SCOPE_CALL_MESSAGES_H

#include "call/context.h"

enum message_parts { MESSAGE_NAME = 1, MESSAGE_DATA = 2, MESSAGE_CONTROL = 4 };

/* Whether a message has a buffer that can hold a byte, or cannot be read. */
bool message_has_room(const struct caller *caller, const struct pending *call, uint64_t address);

/* Copy the parts `wanted` of the struct msghdr at `address`; of its buffers at most `most` bytes. */
void add_message(struct context *context, const struct caller *caller, struct pending *call,
                 uint64_t address, unsigned wanted, uint64_t most);

/* Write the fds that the control messages of a record's parts brought. */
void write_received_fds(struct context *context, struct caller *caller, const struct pending *call);

/* From the arguments of socketcall(2) to the call that it is; false if that is not watched. */
bool expand_socketcall(struct context *context, const struct caller *caller, struct pending *call);

#endif
