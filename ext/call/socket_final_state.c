/*
 * The last word on a socket: what the kernel says of it before the program ends it, while its fd
 * can still be asked. A program need not ask whether the connection that it began stands, nor read
 * to the end that the peer made; once the fd is gone nobody can, and after shutdown(2) nobody knows
 * whose the end is.
 */
#include "call/socket_final_state.h"

#include <limits.h>

#include "call/fd_names.h"
#include "call/payload.h"
#include "call/records.h"
#include "call/sockets.h"

void add_last_word(const struct context *context, struct parts *parts, const struct caller *caller,
                   const struct stream *stream)
{
    if (stream->connecting) {
        add_ends(parts, caller, stream->fd);
    } else if (context->flows && stream->kind == STREAM_SOCKET) {
        uint32_t events = socket_hangup(caller->tgid, stream->fd);
        if (events)
            parts_add(parts, PART_HANGUP, 0, &events, sizeof events);
    }
}

static void tell_last_word(struct context *context, const struct caller *caller,
                           struct stream *stream, uint64_t now_ns)
{
    follow_name(context, caller, stream,
                now_ns); /* once the fd is gone its name cannot be asked for */
    struct raw_record header = { .kind = RAW_TALLY,
                                 .fd_serial = stream->serial,
                                 .args = { (uint32_t)stream->fd, true } };

    parts_reset(&context->scratch);
    add_last_word(context, &context->scratch, caller, stream);
    if (context->scratch.used)
        write_record(context, caller, &header, &context->scratch);
}

void tell_last_words(struct context *context, const struct caller *caller, unsigned first,
                     unsigned last)
{
    const struct files *files = caller->files;
    uint64_t now_ns = monotonic_ns();

    for (size_t fd = first; fd < files->size && fd <= last; fd++)
        if (files->by_fd[fd])
            tell_last_word(context, caller, files->by_fd[fd], now_ns);
}

void tell_before_end(struct context *context, const struct caller *caller,
                     const struct pending *call)
{
    unsigned first = (unsigned)call->args[0], second = (unsigned)call->args[1];

    if (call->row == ROW_dup2 || call->row == ROW_dup3)
        tell_last_words(context, caller, second, second);
    else if (call->row == ROW_shutdown)
        tell_last_words(context, caller, first, first);
    else if (call->row == ROW_close_range && !(call->args[2] & RANGE_CLOEXEC))
        tell_last_words(context, caller, first, second);
    else if (CALLS[call->row].group == GROUP_EXEC)
        tell_last_words(context, caller, 0, UINT_MAX);
}
