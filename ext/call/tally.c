/* Per-fd counters: kept here, told to Python when the fd or its process ends. */
#include "call/tally.h"

#include <string.h>

#include "call/fd_names.h"
#include "call/payload.h"
#include "call/proc.h"
#include "call/records.h"
#include "call/sockets.h"

enum stream_kind kind_of_type(int type)
{
    enum { TYPE_MASK = 0xf }; /* SOCK_TYPE_MASK of the kernel: the rest are flags */

    return (type & TYPE_MASK) == SOCK_STREAM ? STREAM_SOCKET : STREAM_MESSAGES;
}

enum stream_kind stream_kind(const struct caller *caller, struct stream *stream)
{
    struct socket_facts facts;

    if (stream->kind == STREAM_UNKNOWN)
        stream->kind = socket_ask(caller->tgid, caller->tid, stream->fd, &facts) < 0
                           ? STREAM_PLAIN
                           : kind_of_type(facts.kind.type);
    return stream->kind;
}

struct stream *write_seen(struct context *context, struct caller *caller, int fd,
                          enum raw_seen seen)
{
    struct raw_record header = { .kind = RAW_FD, .args = { (uint32_t)fd, seen } };
    parts_reset(&context->scratch);
    add_fd(&context->scratch, caller->tid, fd);
    note_server(context, &context->scratch);
    struct stream *stream = files_add(caller->files, &context->pool, fd);
    if (stream)
        begin_name(context, stream, name_in(&context->scratch, NULL));
    if (stream && context->flows && stream_kind(caller, stream) != STREAM_PLAIN) {
        bool known = add_ends(&context->scratch, caller, fd);
        stream->named = known && stream->kind == STREAM_SOCKET;
    }
    write_record(context, caller, &header, &context->scratch);
    return stream;
}

void add_tally(struct parts *parts, const struct stream *stream)
{
    parts_add(parts, PART_TALLY, 0, &stream->tally, sizeof stream->tally);
    if (stream->kinds)
        parts_add(parts, PART_CALLS, 0, stream->calls, stream->kinds * sizeof *stream->calls);
}

/* `goes_on`: the fd stays open, and begins to count anew. */
static void write_tally(struct context *context, const struct caller *caller, struct stream *stream,
                        bool goes_on)
{
    struct raw_record header = { .kind = RAW_TALLY,
                                 .fd_serial = stream->serial,
                                 .args = { (uint32_t)stream->fd, goes_on } };

    parts_reset(&context->scratch);
    add_tally(&context->scratch, stream);
    write_record(context, caller, &header, &context->scratch);
    memset(&stream->tally, 0, sizeof stream->tally);
    stream->kinds = 0;
}

void flush_stream(struct context *context, const struct caller *caller, int fd)
{
    struct stream *stream = files_find(caller->files, fd);

    if (stream_moved(stream))
        write_tally(context, caller, stream, false);
    files_remove(caller->files, &context->pool, fd);
}

void tell_stream(struct context *context, const struct caller *caller, struct stream *stream)
{
    if (stream_moved(stream))
        write_tally(context, caller, stream, true);
}

void tell_calls(struct context *context, struct caller *caller)
{
    for (uint16_t row = 0; row < ROW_COUNT && context->options->counts; row++) {
        uint32_t *count = CALLS[row].counted ? &caller->counted[CALLS[row].counted - 1] : NULL;
        struct raw_record header = { .kind = RAW_COUNT, .syscall = row };
        if (!count || !*count)
            continue;
        header.args[0] = *count;
        write_record(context, caller, &header, NULL);
        *count = 0;
    }
}

static void tell_files(struct context *context, const struct caller *caller)
{
    struct files *files = caller->files;

    files->told = context->tellings;
    for (size_t fd = 0; fd < files->size; fd++)
        tell_stream(context, caller, files->by_fd[fd]);
}

void tell_caller(struct context *context, struct caller *caller)
{
    if (caller->files->told != context->tellings)
        tell_files(context, caller);
    tell_calls(context, caller);
}

void flush_files(struct context *context, const struct caller *caller)
{
    for (size_t fd = 0; fd < caller->files->size; fd++)
        if (caller->files->by_fd[fd])
            flush_stream(context, caller, (int)fd);
}

/* The stream of an fd that is about to be used; one that is new to us is shown to Python first. */
struct stream *use_stream(struct context *context, struct caller *caller, int fd)
{
    struct stream *stream = files_find(caller->files, fd);

    if (stream || fd < 0)
        return stream;
    char link[PROC_PATH];
    struct raw_stat ignored;
    proc_fd_path(link, caller->tid, fd);
    if (proc_stat(link, &ignored) < 0)
        return NULL; /* not open, or not for us to see */
    return write_seen(context, caller, fd, SEEN_IN_USE);
}

void count_reads(struct stream *stream, uint16_t row, uint64_t bytes, uint64_t elapsed_ns)
{
    if (!stream)
        return;
    if (row != ROW_read && stream->kind <= STREAM_PLAIN)
        stream_count_call(stream, row, false, bytes, elapsed_ns);
    stream->tally.reads++;
    stream->tally.read_bytes += bytes;
    stream->tally.read_ns += elapsed_ns;
}

void count_writes(struct stream *stream, uint16_t row, uint64_t bytes, uint64_t elapsed_ns)
{
    if (!stream)
        return;
    if (row != ROW_write && stream->kind <= STREAM_PLAIN)
        stream_count_call(stream, row, true, bytes, elapsed_ns);
    stream->tally.writes++;
    stream->tally.write_bytes += bytes;
    stream->tally.write_ns += elapsed_ns;
}
