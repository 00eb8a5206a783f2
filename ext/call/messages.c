#include "call/messages.h"

#include <linux/net.h>
#include <string.h>
#include <sys/socket.h>

#include "call/effects.h"
#include "call/payload.h"
#include "call/tally.h"

enum {
    CONTROL_LIMIT = 4096,
    NAME_SIZE_WORD = 1, /* the word of a struct msghdr that says how large the name is */
    STRIDE_MAX = 64,
    ROOMS_MAX = 64, /* messages of recvmmsg(2) whose room for a name is asked for */
};

/* struct msghdr, whose members are as wide as the program's words (recvmsg(2)). */
struct message {
    uint64_t name, vector, count, control, control_size;
    uint32_t name_size;
};

static uint64_t word_at(const uint8_t *bytes, uint32_t word, int position)
{
    uint64_t value = 0;

    memcpy(&value, bytes + (size_t)position * word, word);
    return value;
}

static int read_message(const struct caller *caller, const struct pending *call, uint64_t address,
                        struct message *message_out)
{
    uint32_t word = call->abi->word;
    uint8_t bytes[48];

    int status = memory_read_whole(caller->space, caller->tid, address, bytes, 6 * word);
    if (status < 0)
        return status;
    *message_out = (struct message){
        .name = word_at(bytes, word, 0),
        .name_size = (uint32_t)word_at(bytes, word, NAME_SIZE_WORD),
        .vector = word_at(bytes, word, 2),
        .count = word_at(bytes, word, 3),
        .control = word_at(bytes, word, 4),
        .control_size = word_at(bytes, word, 5),
    };
    return 0;
}

uint32_t messages_stride(const struct abi *abi)
{
    return abi->word == 8 ? STRIDE_MAX : STRIDE_MAX / 2;
}

/* Whether the kernel fills in the name of a message, not the program. */
static bool returns_name(const struct pending *call)
{
    const struct call *row = &CALLS[call->row];

    return row->message && row->transfer == TRANSFER_IN;
}

/* The least of the rooms of several messages, since they are usually alike. */
void read_name_room(const struct caller *caller, struct pending *call)
{
    const struct call *row = &CALLS[call->row];
    uint32_t word = call->abi->word, stride = messages_stride(call->abi);
    uint8_t headers[ROOMS_MAX * STRIDE_MAX];
    size_t copied;

    if (!returns_name(call))
        return;
    uint64_t count = row->messages ? argument(call, row->messages) : 1;
    size_t size = row->messages ? stride * (count < ROOMS_MAX ? count : ROOMS_MAX) : 6 * word;
    call->address_room = UINT32_MAX;
    if (memory_read(caller->space, caller->tid, argument(call, row->message), headers, size,
                    &copied) < 0)
        call->address_room = 0;
    for (size_t at = 0; at + 6 * word <= copied; at += stride) {
        uint32_t room = (uint32_t)word_at(headers + at, word, NAME_SIZE_WORD);
        if (room < call->address_room)
            call->address_room = room;
    }
}

/* How much of the buffer for its name holds one: the kernel says how long that is, though it is cut. */
static uint64_t name_size(const struct pending *call, const struct message *message)
{
    bool cut = returns_name(call) && call->address_room < message->name_size;

    return cut ? call->address_room : message->name_size;
}

bool message_has_room(const struct caller *caller, const struct pending *call, uint64_t address)
{
    struct message message;

    return read_message(caller, call, address, &message) < 0 ||
           vector_has_room(caller, call, message.vector, message.count);
}

void add_message(struct context *context, const struct caller *caller, struct pending *call,
                 uint64_t address, unsigned wanted, uint64_t most)
{
    struct message message;

    int status = read_message(caller, call, address, &message);
    if (status < 0) {
        count_unreadable(context, status);
        if (wanted & MESSAGE_DATA)
            parts_add(&call->parts, PART_DATA, PART_UNREADABLE, NULL, 0);
        return;
    }
    if (wanted & MESSAGE_NAME)
        add_address(context, caller, call, message.name, name_size(call, &message));
    if (wanted & MESSAGE_DATA)
        add_vector(context, caller, call, message.vector, message.count, most);
    if (!(wanted & MESSAGE_CONTROL) || !message.control || !message.control_size)
        return;
    bool cut = message.control_size > CONTROL_LIMIT;
    add_memory(context, caller, &call->parts, PART_CONTROL, message.control,
               cut ? CONTROL_LIMIT : message.control_size, cut ? PART_CUT : 0);
}

void write_received_fds(struct context *context, struct caller *caller, const struct pending *call)
{
    size_t word = call->abi->word, head = word + 8;
    struct raw_part part;

    for (size_t at = 0; at < call->parts.used; at += sizeof part + RAW_ALIGN(part.size)) {
        memcpy(&part, call->parts.bytes + at, sizeof part);
        const uint8_t *bytes = call->parts.bytes + at + sizeof part;
        for (size_t from = 0; part.kind == PART_CONTROL && from + head <= part.size;) {
            uint64_t length = 0;
            int level_type[2], fd;
            memcpy(&length, bytes + from, word);
            memcpy(level_type, bytes + from + word, sizeof level_type);
            if (length < head || length > part.size - from)
                break;
            if (level_type[0] == SOL_SOCKET && level_type[1] == SCM_RIGHTS)
                for (size_t i = head; i + sizeof fd <= length; i += sizeof fd) {
                    memcpy(&fd, bytes + from + i, sizeof fd);
                    flush_and_remove(context, caller, fd);
                    if (may_be_open(caller, fd))
                        write_found_fd(context, caller, fd, SEEN_IN_USE);
                }
            from += (length + word - 1) / word * word;
        }
    }
}

/* -- socketcall(2) ------------------------------------------------------------------------------ */

enum { ARGUMENTS_MAX = 6 };

static const struct subcall {
    int16_t row; /* -1: not watched */
    uint8_t arguments;
} SUBCALLS[] = {
    [0] = { -1, 0 },
    [SYS_SOCKET] = { ROW_socket, 3 },
    [SYS_BIND] = { ROW_bind, 3 },
    [SYS_CONNECT] = { ROW_connect, 3 },
    [SYS_LISTEN] = { ROW_listen, 2 },
    [SYS_ACCEPT] = { ROW_accept, 3 },
    [SYS_GETSOCKNAME] = { -1, 0 },
    [SYS_GETPEERNAME] = { -1, 0 },
    [SYS_SOCKETPAIR] = { ROW_socketpair, 4 },
    [SYS_SEND] = { ROW_sendto, 4 },
    [SYS_RECV] = { ROW_recvfrom, 4 },
    [SYS_SENDTO] = { ROW_sendto, 6 },
    [SYS_RECVFROM] = { ROW_recvfrom, 6 },
    [SYS_SHUTDOWN] = { ROW_shutdown, 2 },
    [SYS_SETSOCKOPT] = { -1, 0 },
    [SYS_GETSOCKOPT] = { ROW_getsockopt, 5 },
    [SYS_SENDMSG] = { ROW_sendmsg, 3 },
    [SYS_RECVMSG] = { ROW_recvmsg, 3 },
    [SYS_ACCEPT4] = { ROW_accept4, 4 },
    [SYS_RECVMMSG] = { ROW_recvmmsg, 5 },
    [SYS_SENDMMSG] = { ROW_sendmmsg, 4 },
};

bool expand_socketcall(struct context *context, const struct caller *caller, struct pending *call)
{
    uint64_t which = call->args[0], from = call->args[1];
    uint32_t arguments[ARGUMENTS_MAX];

    if (which >= sizeof SUBCALLS / sizeof *SUBCALLS || SUBCALLS[which].row < 0)
        return false;
    const struct subcall *subcall = &SUBCALLS[which];
    size_t size = subcall->arguments * sizeof *arguments;
    int status = memory_read_whole(caller->space, caller->tid, from, arguments, size);
    count_unreadable(context, status);
    if (status < 0)
        return false;
    call->row = (uint16_t)subcall->row;
    for (int i = 0; i < ARGUMENTS_MAX; i++)
        call->args[i] = i < subcall->arguments ? arguments[i] : 0;
    return context->options->modes[call->row] != MODE_OFF;
}
