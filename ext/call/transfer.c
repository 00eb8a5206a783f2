#include "call/transfer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "call/arguments.h"
#include "call/evidence.h"
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

/* Whether it receives from the socket's error queue, not data: recv(2), MSG_ERRQUEUE. */
static bool reads_errors(const struct pending *call)
{
    return has_option(call, MSG_ERRQUEUE);
}

/* Whether the bytes stay in the socket, or are no data. */
static bool peeks(const struct pending *call)
{
    return has_option(call, MSG_PEEK | MSG_ERRQUEUE);
}

/* Whether the kernel discarded the bytes of a stream instead of copying them: tcp(7), MSG_TRUNC. */
static bool discards(const struct pending *call, const struct fd_entry *entry)
{
    return has_option(call, MSG_TRUNC) && entry->kind == FD_STREAM;
}

/* Whether the program's buffers hold no byte: a result of 0 is then no end of file. */
static bool has_no_buffer(const struct caller *caller, const struct pending *call)
{
    const struct call *row = &CALLS[call->row];

    if (row->message)
        return !message_has_room(caller, call, argument(call, row->message));
    if (row->vector)
        return !vector_has_room(caller, call, argument(call, row->vector), buffer_count(call));
    return row->length && !argument(call, row->length);
}

static bool is_flow(const struct context *context, const struct caller *caller,
                    struct fd_entry *entry)
{
    return context->flows && entry && fd_kind_of(caller, entry) != FD_PLAIN;
}

static bool wants_bytes(const struct fd_entry *entry)
{
    return !(entry && entry->muted);
}

/* The kernel gives a socket its local address with the first bytes that it sends: record both ends. */
static void add_ends_once(const struct caller *caller, struct pending *call, struct fd_entry *entry)
{
    if (entry->ends_recorded)
        return;
    add_ends(&call->parts, caller, entry->fd);
    entry->ends_recorded = true; /* or they cannot be asked for */
}

/* -- one buffer, vector or message ------------------------------------------------------------ */

static void finish_sent(struct context *context, struct caller *caller, struct pending *call,
                        struct fd_entry *entry, int64_t result, uint64_t elapsed_ns)
{
    uint64_t bytes = (uint64_t)result;

    count_writes(entry, call->row, bytes, elapsed_ns);
    if (is_flow(context, caller, entry)) {
        entry->connecting = false;
        add_ends_once(caller, call, entry);
        add_address_name(context, caller, &call->parts, true, result);
        if (entry->kind == FD_MESSAGES || (bytes && wants_bytes(entry)))
            write_call(context, caller, call, result, elapsed_ns, bytes);
    } else if (bytes && wants_bytes(entry)) {
        write_call(context, caller, call, result, elapsed_ns, bytes);
    }
}

/* ADDRESS of the sender, and DATA. */
static void add_received(struct context *context, struct caller *caller, struct pending *call,
                         const struct fd_entry *entry, uint64_t bytes)
{
    const struct call *row = &CALLS[call->row];
    bool data = bytes && wants_bytes(entry) && !discards(call, entry);

    if (row->message) {
        add_message(context, caller, call, argument(call, row->message),
                    MESSAGE_NAME | (data ? MESSAGE_DATA : 0), bytes);
        return;
    }
    add_returned_address(context, caller, call);
    if (data)
        add_data(context, caller, call, bytes);
}

/* Whether bytes received from a socket have a record; of a look ahead only the end has. */
static bool makes_record(const struct caller *caller, const struct pending *call,
                         const struct fd_entry *entry, uint64_t bytes)
{
    if (entry->kind == FD_MESSAGES)
        return !peeks(call);
    if (bytes)
        return !peeks(call) && wants_bytes(entry);
    return !reads_errors(call) && !has_no_buffer(caller, call);
}

static void finish_received(struct context *context, struct caller *caller, struct pending *call,
                            struct fd_entry *entry, int64_t result, uint64_t elapsed_ns)
{
    uint64_t bytes = (uint64_t)result;
    bool ahead = peeks(call);
    bool copied = parts_find(&call->parts, PART_DATA); /* by its thread, and nothing came with it */
    bool recorded = is_flow(context, caller, entry) && makes_record(caller, call, entry, bytes);

    if (!ahead)
        count_reads(entry, call->row, bytes, elapsed_ns);
    if (recorded) {
        entry->connecting = false;
        if (entry->sending || call->early)
            parts_add(&call->parts, PART_EARLY, 0, "", 0);
        if (!copied)
            add_received(context, caller, call, entry, bytes);
    }
    if (CALLS[call->row].message && !copied)
        add_message(context, caller, call, argument(call, CALLS[call->row].message),
                    MESSAGE_CONTROL, 0);
    if (!recorded && !call->parts.used)
        return;
    write_call(context, caller, call, result, elapsed_ns, ahead ? 0 : bytes);
    write_received_fds(context, caller, call);
}

/* -- several messages: sendmmsg(2), recvmmsg(2) ------------------------------------------------ */

/* One of the messages, of so many bytes. */
static void finish_message(struct context *context, struct caller *caller, struct pending *call,
                           struct fd_entry *entry, uint32_t bytes, uint64_t elapsed_ns)
{
    const struct call *row = &CALLS[call->row];

    parts_reset(&call->parts);
    if (row->transfer == TRANSFER_OUT) {
        add_message(context, caller, call, argument(call, row->message),
                    MESSAGE_NAME | (wants_bytes(entry) ? MESSAGE_DATA : 0), bytes);
        finish_sent(context, caller, call, entry, bytes, elapsed_ns);
    } else {
        finish_received(context, caller, call, entry, bytes, elapsed_ns);
    }
}

/*
 * `count`, the result of the call, may be a false one of a supervisor (seccomp_unotify(2)); so it is bounded
 * by the number of messages that were passed, and by what can be read.
 */
static void finish_messages(struct context *context, struct caller *caller, struct pending *call,
                            struct fd_entry *entry, int64_t count, uint64_t elapsed_ns)
{
    const struct call *row = &CALLS[call->row];
    uint32_t stride = messages_stride(call->abi), size = 7 * call->abi->word;
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
        finish_message(context, caller, call, entry, bytes, i ? 0 : elapsed_ns);
    }
    call->args[row->message - 1] = first;
}

/* -- from fd to fd ----------------------------------------------------------------------------- */

static void finish_across(struct context *context, struct caller *caller, struct pending *call,
                          struct fd_entry *from, int64_t result, uint64_t elapsed_ns)
{
    uint64_t bytes = (uint64_t)result;
    struct fd_entry *to = fd_table_find(caller->fds, (int)argument(call, CALLS[call->row].fd2));

    count_reads(from, call->row, bytes, elapsed_ns);
    count_writes(to, call->row, bytes, elapsed_ns);
    bool flows_in = is_flow(context, caller, from) &&
                    (bytes ? wants_bytes(from) : !has_no_buffer(caller, call));
    bool flows_out = bytes && is_flow(context, caller, to) && wants_bytes(to);
    if (!flows_in && !flows_out)
        return;
    call->fd_serial = flows_out ? to->serial : from->serial;
    write_call(context, caller, call, result, elapsed_ns, bytes);
}

/* ---------------------------------------------------------------------------------------------- */

static void finish_failed(struct context *context, struct caller *caller, struct pending *call,
                          struct fd_entry *entry, int64_t result, uint64_t elapsed_ns)
{
    if (result == -EINPROGRESS &&
        entry) { /* sent with MSG_FASTOPEN, or TCP_FASTOPEN_CONNECT: tcp(7) */
        entry->connecting = true;
        add_ends(&call->parts, caller, entry->fd);
    }
    if (!failed_for_good(result))
        return;
    if (entry)
        refresh_name(context, caller, entry, monotonic_ns());
    if (CALLS[call->row].transfer == TRANSFER_OUT)
        add_address_name(context, caller, &call->parts, true, result);
    add_evidence(context, caller, call, result);
    write_call(context, caller, call, result, elapsed_ns, 0);
}

#define NO_FD UINT64_MAX

/* Whether another thread closed the fd while the call waited: the number may be another file's now. */
static bool was_closed(const struct pending *call, const struct fd_entry *entry)
{
    return CALLS[call->row].transfer == TRANSFER_IN && call->first_fd_serial &&
           !(entry && entry->first_serial == call->first_fd_serial);
}

void finish_transfer(struct context *context, struct caller *caller, struct pending *call,
                     int64_t result, uint64_t elapsed_ns)
{
    const struct call *row = &CALLS[call->row];
    struct fd_entry *entry = fd_table_find(caller->fds, (int)argument(call, row->fd));

    if (was_closed(call, entry)) {
        call->args[row->fd - 1] = NO_FD;
        if (result > 0)
            write_call(context, caller, call, result, elapsed_ns,
                       row->messages ? 0 : (uint64_t)result);
        return;
    }
    if (result < 0) {
        finish_failed(context, caller, call, entry, result, elapsed_ns);
    } else if (row->messages) {
        finish_messages(context, caller, call, entry, result, elapsed_ns);
    } else if (row->transfer == TRANSFER_ACROSS) {
        finish_across(context, caller, call, entry, result, elapsed_ns);
    } else if (row->transfer == TRANSFER_OUT) {
        finish_sent(context, caller, call, entry, result, elapsed_ns);
    } else {
        finish_received(context, caller, call, entry, result, elapsed_ns);
    }
}
