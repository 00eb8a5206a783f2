/*
 * The end of a call that moves bytes. What moved is counted with its fd; a record is made for bytes
 * that somebody may want to see: those written, and, of sockets, those received as well. A muted
 * stream of bytes makes records only for what counters cannot tell: errors, and its end. Messages
 * make one record each, since any of them can have a peer of its own.
 */
#include "call/transfer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "call/arguments.h"
#include "call/fd_names.h"
#include "call/messages.h"
#include "call/payload.h"
#include "call/records.h"
#include "call/tally.h"

static bool failed_for_good(int64_t result)
{
    return result < 0 && result != -EAGAIN && result != -EINTR;
}

static bool has_option(const struct pending *call, int options)
{
    const struct call *row = &CALLS[call->row];

    return row->options && argument(call, row->options) & (uint64_t)options;
}

/* What comes is no data: recv(2), MSG_ERRQUEUE. */
static bool reads_errors(const struct pending *call)
{
    return has_option(call, MSG_ERRQUEUE);
}

/* The bytes are a look ahead, or no data at all. */
static bool looks_ahead(const struct pending *call)
{
    return has_option(call, MSG_PEEK | MSG_ERRQUEUE);
}

/* The bytes of a stream were thrown away instead of copied: tcp(7), MSG_TRUNC. */
static bool discards(const struct pending *call, const struct stream *stream)
{
    return has_option(call, MSG_TRUNC) && stream->kind == STREAM_SOCKET;
}

/* No byte was wanted, so that none came says nothing. */
static bool asks_for_nothing(const struct caller *caller, const struct pending *call)
{
    const struct call *row = &CALLS[call->row];

    if (row->message)
        return !message_has_room(caller, call, argument(call, row->message));
    if (row->vector)
        return !vector_has_room(caller, call, argument(call, row->vector), buffer_count(call));
    return row->length && !argument(call, row->length);
}

static bool is_flow(const struct context *context, const struct caller *caller,
                    struct stream *stream)
{
    return context->flows && stream && stream_kind(caller, stream) != STREAM_PLAIN;
}

static bool wants_bytes(const struct stream *stream)
{
    return !(stream && stream->counts_only);
}

/* The first message that a socket sends gives it a name. */
static void add_name(const struct caller *caller, struct pending *call, struct stream *stream)
{
    if (stream->named)
        return;
    add_ends(&call->parts, caller, stream->fd);
    stream->named = true; /* asked once, whatever the answer */
}

/* -- one buffer, vector or message ------------------------------------------------------------ */

static void finish_sent(struct context *context, struct caller *caller, struct pending *call,
                        struct stream *stream, int64_t result, uint64_t elapsed_ns)
{
    uint64_t bytes = (uint64_t)result;

    count_writes(stream, call->row, bytes, elapsed_ns);
    if (is_flow(context, caller, stream)) {
        stream->connecting = false;
        add_name(caller, call, stream);
        add_address_name(context, caller, &call->parts, true);
        if (stream->kind == STREAM_MESSAGES || (bytes && wants_bytes(stream)))
            write_call(context, caller, call, result, elapsed_ns, bytes);
    } else if (bytes && wants_bytes(stream)) {
        write_call(context, caller, call, result, elapsed_ns, bytes);
    }
}

/* Where a received message came from, and its bytes. */
static void add_what_came(struct context *context, struct caller *caller, struct pending *call,
                          const struct stream *stream, uint64_t bytes)
{
    const struct call *row = &CALLS[call->row];
    bool data = bytes && wants_bytes(stream) && !discards(call, stream);

    if (row->message) {
        add_message(context, caller, call, argument(call, row->message),
                    MESSAGE_NAME | (data ? MESSAGE_DATA : 0), bytes);
        return;
    }
    add_given_address(context, caller, call);
    if (data)
        add_data(context, caller, call, bytes);
}

/* Whether what was received from a flow makes a record; of a look ahead only the end does. */
static bool is_told(const struct caller *caller, const struct pending *call,
                    const struct stream *stream, uint64_t bytes)
{
    if (stream->kind == STREAM_MESSAGES)
        return !looks_ahead(call);
    if (bytes)
        return !looks_ahead(call) && wants_bytes(stream);
    return !reads_errors(call) && !asks_for_nothing(caller, call);
}

static void finish_received(struct context *context, struct caller *caller, struct pending *call,
                            struct stream *stream, int64_t result, uint64_t elapsed_ns)
{
    uint64_t bytes = (uint64_t)result;
    bool ahead = looks_ahead(call);
    bool told = is_flow(context, caller, stream) && is_told(caller, call, stream, bytes);

    if (!ahead)
        count_reads(stream, call->row, bytes, elapsed_ns);
    if (told) {
        stream->connecting = false;
        if (stream->sending)
            parts_add(&call->parts, PART_EARLY, 0, "", 0);
        add_what_came(context, caller, call, stream, bytes);
    }
    if (CALLS[call->row].message)
        add_message(context, caller, call, argument(call, CALLS[call->row].message),
                    MESSAGE_CONTROL, 0);
    if (!told && !call->parts.used)
        return;
    write_call(context, caller, call, result, elapsed_ns, ahead ? 0 : bytes);
    write_received_fds(context, caller, call);
}

/* -- several messages: sendmmsg(2), recvmmsg(2) ------------------------------------------------ */

/* One of the messages: its header tells how many bytes it had. */
static void finish_message(struct context *context, struct caller *caller, struct pending *call,
                           struct stream *stream, uint32_t bytes, uint64_t elapsed_ns)
{
    const struct call *row = &CALLS[call->row];

    parts_reset(&call->parts);
    if (row->moves == MOVES_OUT) {
        add_message(context, caller, call, argument(call, row->message),
                    MESSAGE_NAME | (wants_bytes(stream) ? MESSAGE_DATA : 0), bytes);
        finish_sent(context, caller, call, stream, bytes, elapsed_ns);
    } else {
        finish_received(context, caller, call, stream, bytes, elapsed_ns);
    }
}

/*
 * `count` is what the program was told; a supervisor of its own (seccomp_unotify(2)) may have made
 * it up, so it is bounded by what was asked for and by what can be read.
 */
static void finish_messages(struct context *context, struct caller *caller, struct pending *call,
                            struct stream *stream, int64_t count, uint64_t elapsed_ns)
{
    const struct call *row = &CALLS[call->row];
    uint32_t word = call->abi->word, size = word == 8 ? 56 : 28, stride = word == 8 ? 64 : 32;
    uint32_t asked_for = (uint32_t)argument(call, row->messages);
    uint64_t first = argument(call, row->message);

    for (int64_t i = 0; i < count && i < asked_for; i++) {
        uint64_t header = first + (uint64_t)i * stride;
        uint32_t bytes;
        int status =
            memory_read_whole(caller->space, caller->tid, header + size, &bytes, sizeof bytes);
        count_unreadable(context, status);
        if (status < 0)
            break;
        call->args[row->message - 1] = header;
        finish_message(context, caller, call, stream, bytes, i ? 0 : elapsed_ns);
    }
    call->args[row->message - 1] = first;
}

/* -- from fd to fd ----------------------------------------------------------------------------- */

static void finish_across(struct context *context, struct caller *caller, struct pending *call,
                          struct stream *from, int64_t result, uint64_t elapsed_ns)
{
    uint64_t bytes = (uint64_t)result;
    struct stream *to = files_find(caller->files, (int)argument(call, CALLS[call->row].fd2));

    count_reads(from, call->row, bytes, elapsed_ns);
    count_writes(to, call->row, bytes, elapsed_ns);
    bool flows_in = is_flow(context, caller, from) &&
                    (bytes ? wants_bytes(from) : !asks_for_nothing(caller, call));
    bool flows_out = bytes && is_flow(context, caller, to) && wants_bytes(to);
    if (!flows_in && !flows_out)
        return;
    call->serial = flows_out ? to->serial : from->serial;
    write_call(context, caller, call, result, elapsed_ns, bytes);
}

/* ---------------------------------------------------------------------------------------------- */

static void finish_failed(struct context *context, struct caller *caller, struct pending *call,
                          struct stream *stream, int64_t result, uint64_t elapsed_ns)
{
    if (result == -EINPROGRESS && stream) { /* sent with MSG_FASTOPEN, or as good as: tcp(7) */
        stream->connecting = true;
        add_ends(&call->parts, caller, stream->fd);
    }
    if (!failed_for_good(result))
        return;
    if (stream)
        follow_name(context, caller, stream, monotonic_ns());
    if (CALLS[call->row].moves == MOVES_OUT)
        add_address_name(context, caller, &call->parts, true);
    write_call(context, caller, call, result, elapsed_ns, 0);
}

#define NO_FD UINT64_MAX

/* Another thread let go of the fd while the call waited: what came is not of what is there now. */
static bool was_let_go(const struct pending *call, const struct stream *stream)
{
    return CALLS[call->row].moves == MOVES_IN && call->first_serial &&
           !(stream && stream->first_serial == call->first_serial);
}

void finish_move(struct context *context, struct caller *caller, struct pending *call,
                 int64_t result, uint64_t elapsed_ns)
{
    const struct call *row = &CALLS[call->row];
    struct stream *stream = files_find(caller->files, (int)argument(call, row->fd));

    if (was_let_go(call, stream)) {
        call->args[row->fd - 1] = NO_FD;
        if (result > 0)
            write_call(context, caller, call, result, elapsed_ns,
                       row->messages ? 0 : (uint64_t)result);
        return;
    }
    if (result < 0) {
        finish_failed(context, caller, call, stream, result, elapsed_ns);
    } else if (row->messages) {
        finish_messages(context, caller, call, stream, result, elapsed_ns);
    } else if (row->moves == MOVES_ACROSS) {
        finish_across(context, caller, call, stream, result, elapsed_ns);
    } else if (row->moves == MOVES_OUT) {
        finish_sent(context, caller, call, stream, result, elapsed_ns);
    } else {
        finish_received(context, caller, call, stream, result, elapsed_ns);
    }
}
