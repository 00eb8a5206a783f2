/*
 * The last word on a socket: what the kernel says of it before the program ends it, while its fd
 * can still be asked. A program need not ask whether the connection that it began stands, nor read
 * to the end that the peer made; once the fd is gone nobody can, and after shutdown(2) nobody knows
 * whose the end is.
 */
#include <limits.h>

#include "ptrace/state.h"

void add_last_word(const struct engine *engine, struct parts *parts, const struct task *task,
                   const struct stream *stream)
{
    if (stream->connecting) {
        add_ends(parts, task, stream->fd);
    } else if (engine->flows && stream->kind == STREAM_SOCKET) {
        uint32_t events = socket_hangup(task->tgid, stream->fd);
        if (events)
            parts_add(parts, PART_HANGUP, 0, &events, sizeof events);
    }
}

static void tell_last_word(struct engine *engine, const struct task *task, struct stream *stream,
                           uint64_t now_ns)
{
    follow_name(engine, task, stream,
                now_ns); /* once the fd is gone its name cannot be asked for */
    struct raw_record header = { .kind = RAW_TALLY,
                                 .fd_serial = stream->serial,
                                 .args = { (uint32_t)stream->fd, true } };

    parts_reset(&engine->scratch);
    add_last_word(engine, &engine->scratch, task, stream);
    if (engine->scratch.used)
        write_record(engine, task, &header, &engine->scratch);
}

void tell_last_words(struct engine *engine, const struct task *task, unsigned first, unsigned last)
{
    const struct files *files = task->files;
    uint64_t now_ns = monotonic_ns();

    for (size_t fd = first; fd < files->size && fd <= last; fd++)
        if (files->by_fd[fd])
            tell_last_word(engine, task, files->by_fd[fd], now_ns);
}

void tell_before_end(struct engine *engine, const struct task *task, const struct pending *call)
{
    unsigned first = (unsigned)call->args[0], second = (unsigned)call->args[1];

    if (call->row == ROW_dup2 || call->row == ROW_dup3)
        tell_last_words(engine, task, second, second);
    else if (call->row == ROW_shutdown)
        tell_last_words(engine, task, first, first);
    else if (call->row == ROW_close_range && !(call->args[2] & RANGE_CLOEXEC))
        tell_last_words(engine, task, first, second);
    else if (CALLS[call->row].group == GROUP_EXEC)
        tell_last_words(engine, task, 0, UINT_MAX);
}
