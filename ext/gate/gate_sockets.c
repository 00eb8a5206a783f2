/*
 * Calls on sockets that transfer nothing. What the tracer asks of a socket that it borrows (call/sockets.c) the
 * thread asks here. Of sockets other than those of IP there is more to know: the tracer records them.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "gate/gate_calls.h"

enum { ADDRESS_MOST = sizeof(struct sockaddr_storage), TYPE_MASK = 0xf };

/* -- questions -------------------------------------------------------------------------------- */

IN_THE_PROGRAM static int32_t option_of(uint32_t fd, uint64_t name)
{
    int32_t value = 0;
    uint32_t size = sizeof value;

    return gate_make_call(SYS_getsockopt, fd, SOL_SOCKET, name, (uintptr_t)&value, (uintptr_t)&size)
               ? 0
               : value;
}

/* `question`: getsockname or getpeername. False: it has no answer. */
IN_THE_PROGRAM static int write_end(struct gate_record *record, enum raw_part_kind kind,
                                    uint64_t question, uint32_t fd)
{
    struct raw_part *part = next_part(record, kind);
    uint32_t size = ADDRESS_MOST;

    return !gate_make_call(question, fd, (uintptr_t)part->bytes, (uintptr_t)&size, 0, 0) && size &&
           end_part(record, part, size, ADDRESS_MOST + 1);
}

IN_THE_PROGRAM enum gate_ends write_ends(struct gate_record *record, uint32_t fd, uint64_t inode)
{
    struct raw_part *part = next_part(record, PART_SOCKET);
    struct raw_socket *socket = (struct raw_socket *)part->bytes;

    socket->domain = option_of(fd, SO_DOMAIN);
    if (socket->domain != AF_INET && socket->domain != AF_INET6)
        return ENDS_UNKNOWN;
    socket->type = option_of(fd, SO_TYPE);
    socket->protocol = option_of(fd, SO_PROTOCOL);
    socket->listening = option_of(fd, SO_ACCEPTCONN) != 0;
    socket->inode = inode;
    socket->peer_inode = 0;
    end_part(record, part, sizeof *socket, ADDRESS_MOST);
    write_end(record, PART_LOCAL, SYS_getsockname, fd);
    return write_end(record, PART_PEER, SYS_getpeername, fd) ? ENDS_BOTH : ENDS_LOCAL;
}

IN_THE_PROGRAM uint64_t inode_of(uint32_t fd)
{
    struct stat found;

    return gate_make_call(SYS_fstat, fd, (uintptr_t)&found, 0, 0, 0) ? 0 : found.st_ino;
}

IN_THE_PROGRAM void note_connected(struct gate_slot *slot)
{
    if (has(slot, GATE_FD_CONNECTING))
        change_word(slot, 0, GATE_FD_CONNECTING);
}

/* The same, and that a record has its ends. */
IN_THE_PROGRAM static void note_ends(struct gate_slot *slot)
{
    change_word(slot, has(slot, GATE_FD_STREAM) ? GATE_FD_ENDS : 0, GATE_FD_CONNECTING);
}

IN_THE_PROGRAM int write_first_ends(struct gate_slot *slot, struct gate_record *record)
{
    uint32_t fd = (uint32_t)slot->registers.rdi;

    if (write_ends(record, fd, inode_of(fd)) == ENDS_UNKNOWN)
        return 0;
    change_word(slot, GATE_FD_ENDS, GATE_FD_CONNECTING);
    return 1;
}

IN_THE_PROGRAM uint32_t hangup_of(uint32_t fd)
{
    struct pollfd asked = { (int)fd, POLLRDHUP, 0 };

    return gate_make_call(SYS_poll, (uintptr_t)&asked, 1, 0, 0, 0) > 0 ? (uint16_t)asked.revents
                                                                       : 0;
}

IN_THE_PROGRAM int write_hangup_part(struct gate_record *record, uint32_t events)
{
    struct raw_part *part = next_part(record, PART_HANGUP);

    if (!events)
        return 1;
    *(uint32_t *)part->bytes = events;
    return end_part(record, part, sizeof events, ADDRESS_MOST);
}

/* -- new sockets ------------------------------------------------------------------------------ */

/* What the word of a new socket says. */
IN_THE_PROGRAM static uint64_t flags_of(const struct gate_slot *slot, uint64_t type, uint64_t more)
{
    const uint64_t stream = GATE_FD_STREAM | GATE_FD_HANGUP;

    return GATE_FD_NAMELESS | (!slot->flows                        ? 0
                               : (type & TYPE_MASK) == SOCK_STREAM ? stream | more
                               : (type & TYPE_MASK) == SOCK_DGRAM  ? GATE_FD_MESSAGES
                                                                   : 0);
}

enum {
    MADE_MOST =
        sizeof(struct gate_record) + ENDS_MOST + sizeof(struct raw_part) + sizeof(struct raw_stat)
};

IN_THE_PROGRAM static int after_socket(struct gate_slot *slot)
{
    struct gate_record *record = begin_made(slot, MADE_MOST);
    struct raw_stat *stat;

    return record && write_stat(record, record->fd, &stat) &&
           publish_made(slot, record, flags_of(slot, slot->registers.rsi, 0));
}

/* If the peer is gone by now, its address is only where the program has it: the tracer looks there. */
IN_THE_PROGRAM static int after_accept(struct gate_slot *slot)
{
    struct gate_record *record = begin_made(slot, MADE_MOST);
    struct raw_stat *stat;

    if (!record || !write_stat(record, record->fd, &stat) ||
        write_ends(record, record->fd, stat->ino) != ENDS_BOTH)
        return 0;
    return publish_made(slot, record,
                        flags_of(slot, (uint64_t)option_of(record->fd, SO_TYPE), GATE_FD_ENDS));
}

/* -- connections ------------------------------------------------------------------------------ */

IN_THE_PROGRAM static int write_address(const struct gate_slot *slot, struct gate_record *record)
{
    struct raw_part *part = next_part(record, PART_ADDRESS);
    uint64_t size = (uint32_t)slot->registers.rdx;

    if (size > ADDRESS_MOST)
        size = ADDRESS_MOST;
    return !gate_copy_bytes(part->bytes, slot->registers.rsi, size) &&
           end_part(record, part, (int64_t)size, ADDRESS_MOST + 1);
}

/* Begin the record of a call on a socket that has succeeded. NULL: the tracer has to record it. */
IN_THE_PROGRAM static struct gate_record *begin_on(struct gate_slot *slot, uint64_t most)
{
    uint64_t left = now_ticks();
    uint32_t fd = (uint32_t)slot->registers.rdi;

    return begin_about(slot, fd, *word_of(slot, fd) ^ slot->fd_word, left, most);
}

/* It is connected, or has begun to be, or was before: the ends of the last were asked for by then. */
IN_THE_PROGRAM static int after_connect(struct gate_slot *slot)
{
    enum { MOST = MADE_MOST + ADDRESS_MOST };
    uint32_t fd = (uint32_t)slot->registers.rdi;
    int64_t result = (int64_t)slot->result;
    struct gate_record *record = begin_on(slot, MOST);

    if (!record || !write_address(slot, record) ||
        (result != -EISCONN && write_ends(record, fd, inode_of(fd)) == ENDS_UNKNOWN))
        return 0;
    if (!result)
        note_ends(slot);
    else
        change_word(slot, result == -EINPROGRESS ? GATE_FD_CONNECTING : 0,
                    result == -EINPROGRESS ? 0 : GATE_FD_CONNECTING);
    return publish_with_payload(slot, record);
}

/* SO_ERROR says how a connection has ended that was begun, and what has happened to one since. */
IN_THE_PROGRAM static int after_socket_error(struct gate_slot *slot)
{
    enum {
        VALUE = sizeof(int32_t),
        MOST = sizeof(struct gate_record) + sizeof(struct raw_part) + 8
    };
    struct gate_record *record = begin_on(slot, MOST);
    struct raw_part *part = record ? next_part(record, PART_VALUE) : NULL;

    if (!record || gate_copy_bytes(part->bytes, slot->registers.r10, VALUE) ||
        !end_part(record, part, VALUE, ADDRESS_MOST))
        return 0;
    if ((uint32_t)slot->registers.rsi == SOL_SOCKET)
        note_connected(slot);
    return publish_with_payload(slot, record);
}

IN_THE_PROGRAM static int after_shutdown(struct gate_slot *slot)
{
    struct gate_record *record = begin_on(slot, MADE_MOST);

    return record && write_hangup_part(record, (uint32_t)slot->hangup) &&
           publish_with_payload(slot, record);
}

/* -- messages --------------------------------------------------------------------------------- */

/*
 * Read how many bytes the program has for the address of a sender; after the call the size of the whole address
 * stands there.
 */
IN_THE_PROGRAM static int read_room(struct gate_slot *slot)
{
    slot->room = 0;
    return read_program(&slot->room, slot->registers.r9, sizeof(uint32_t));
}

IN_THE_PROGRAM int may_pass_message(struct gate_slot *slot, enum gate_action action, uint64_t flags)
{
    struct msghdr message;

    if (action == GATE_RECEIVE_MESSAGE)
        flags |= MSG_CMSG_CLOEXEC;
    if (slot->registers.rdx & ~flags ||
        !read_program(&message, slot->registers.rsi, sizeof message) ||
        (action == GATE_SEND_MESSAGE && message.msg_control && message.msg_controllen))
        return 0;
    slot->room = message.msg_name ? message.msg_namelen : 0;
    return 1;
}

/* Besides bytes: through a connection also an address. */
IN_THE_PROGRAM int brings_more(const struct gate_slot *slot)
{
    struct msghdr message;

    return gate_copy_bytes((uint8_t *)&message, slot->registers.rsi, sizeof message) ||
           message.msg_controllen ||
           (has(slot, GATE_FD_STREAM) && message.msg_name && message.msg_namelen);
}

IN_THE_PROGRAM int before_message(struct gate_slot *slot, enum gate_action action)
{
    const uint64_t plain = MSG_DONTWAIT | MSG_NOSIGNAL;

    if (is_of_message(action))
        return !may_pass_message(slot, action, plain);
    if (action != GATE_SEND && action != GATE_RECEIVE)
        return 0;
    return slot->registers.r10 & ~plain ||
           (action == GATE_RECEIVE && slot->registers.r8 && !read_room(slot));
}

/* False: the tracer has to look. It is another domain's, whose addresses may be names of files. */
IN_THE_PROGRAM static int is_address_of_ip(const struct raw_part *part)
{
    uint16_t family = *(const uint16_t *)part->bytes;

    return part->size >= sizeof family && (family == AF_INET || family == AF_INET6);
}

/* Where the address of a call's message is, and its size, as it is now. False: it could not be read. */
IN_THE_PROGRAM static int find_address(const struct gate_slot *slot, uint64_t *at, uint32_t *size)
{
    enum gate_action action = action_of(slot);
    struct msghdr message;

    *at = action == GATE_SEND || action == GATE_RECEIVE ? slot->registers.r8 : 0;
    *size = (uint32_t)slot->registers.r9;
    if (action == GATE_RECEIVE && *at)
        return !gate_copy_bytes((uint8_t *)size, slot->registers.r9, sizeof *size);
    if (!is_of_message(action))
        return 1;
    if (gate_copy_bytes((uint8_t *)&message, slot->registers.rsi, sizeof message))
        return 0;
    *at = (uintptr_t)message.msg_name;
    *size = message.msg_namelen;
    return 1;
}

IN_THE_PROGRAM int write_message_address(const struct gate_slot *slot, struct gate_record *record)
{
    enum gate_action action = action_of(slot);
    int comes_in = action == GATE_RECEIVE || action == GATE_RECEIVE_MESSAGE;
    struct raw_part *part = next_part(record, PART_ADDRESS);
    uint64_t at;
    uint32_t size;

    if (!find_address(slot, &at, &size))
        return 0;
    if (comes_in && size > slot->room)
        size = (uint32_t)slot->room;
    if (size > ADDRESS_MOST)
        size = ADDRESS_MOST;
    if (!at || !size)
        return 1;
    return !gate_copy_bytes(part->bytes, at, size) &&
           end_part(record, part, size, ADDRESS_MOST + 1) && (comes_in || is_address_of_ip(part));
}

/* -- before and after a call ------------------------------------------------------------------ */

/*
 * Whether the tracer is to see a call on a socket: by a connect a connection may end that stood before, and before
 * a shutdown the end of one that is being made is asked for.
 */
IN_THE_PROGRAM int before_socket_call(struct gate_slot *slot, enum gate_action action)
{
    const uint64_t stood = GATE_FD_ENDS | GATE_FD_MUTED;
    uint32_t fd = (uint32_t)slot->registers.rdi;

    if (action <= GATE_SOCKET)
        return GATE_MAKE;
    if (fd >= slot->fds_size ||
        (action == GATE_SOCKET_ERROR && (uint32_t)slot->registers.rdx != SO_ERROR))
        return GATE_TRACE_CALL;
    slot->fd_word = *word_of(slot, fd);
    if (!has(slot, GATE_FD_NAMELESS) || has(slot, GATE_FD_KNOWN))
        return GATE_TRACE_CALL;
    if (action == GATE_CONNECT)
        return (slot->fd_word & stood) != 0;
    if (action == GATE_SHUTDOWN)
        slot->hangup = has(slot, GATE_FD_HANGUP) ? hangup_of(fd) : 0;
    return action == GATE_SHUTDOWN && has(slot, GATE_FD_CONNECTING);
}

IN_THE_PROGRAM int after_socket_call(struct gate_slot *slot, enum gate_action action)
{
    int64_t result = (int64_t)slot->result;

    if (action == GATE_CONNECT && (!result || result == -EINPROGRESS || result == -EISCONN))
        return after_connect(slot);
    if (action == GATE_CONNECT) /* it is asked whether it has ended */
        return result == -EALREADY;
    if (result < 0) /* a call that is to be made again has no record */
        return action == GATE_ACCEPT && (result == -EAGAIN || result == -EINTR);
    if (action == GATE_SOCKET)
        return after_socket(slot);
    if (action == GATE_ACCEPT)
        return after_accept(slot);
    return action == GATE_SHUTDOWN ? after_shutdown(slot) : after_socket_error(slot);
}
