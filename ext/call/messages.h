/* Messages of sockets: struct msghdr (recvmsg(2)), and socketcall(2). */
#ifndef SCOPE_CALL_MESSAGES_H
#define SCOPE_CALL_MESSAGES_H

#include "call/context.h"

enum message_parts { MESSAGE_NAME = 1, MESSAGE_DATA = 2, MESSAGE_CONTROL = 4 };

/* Whether a message has a buffer that can hold a byte; true if it cannot be read. */
bool message_has_room(const struct caller *caller, const struct pending *call, uint64_t address);

/* How far the messages of sendmmsg(2) and recvmmsg(2) are apart: a struct mmsghdr. */
uint32_t messages_stride(const struct abi *abi);

/* Remember the room for the name of a message that is received, as read_address_room does. */
void read_name_room(const struct caller *caller, struct pending *call);

/* Copy the parts `wanted` of the struct msghdr at `address`; of its buffers at most `most` bytes. */
void add_message(struct context *context, const struct caller *caller, struct pending *call,
                 uint64_t address, unsigned wanted, uint64_t most);

/* RAW_FD records of the fds that came with control messages: SCM_RIGHTS, unix(7), cmsg(3). */
void write_received_fds(struct context *context, struct caller *caller, const struct pending *call);

/* Give a socketcall(2) the row and the arguments of the call that it is; false if that is not watched. */
bool expand_socketcall(struct context *context, const struct caller *caller, struct pending *call);

#endif
