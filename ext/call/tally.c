/* Per-fd counters: kept here, told to Python when the fd or its process ends. */
#include <string.h>

#include "call/proc.h"
#include "ptrace/state.h"

enum stream_kind kind_of_type(int type)
{
    enum { TYPE_MASK = 0xf }; /* SOCK_TYPE_MASK of the kernel: the rest are flags */

    return (type & TYPE_MASK) == SOCK_STREAM ? STREAM_SOCKET : STREAM_MESSAGES;
}

enum stream_kind stream_kind(const struct task *task, struct stream *stream)
{
    struct socket_facts facts;

    if (stream->kind == STREAM_UNKNOWN)
        stream->kind = socket_ask(task->tgid, task->tid, stream->fd, &facts) < 0
                           ? STREAM_PLAIN
                           : kind_of_type(facts.kind.type);
    return stream->kind;
}

struct stream *write_seen(struct engine *engine, struct task *task, int fd, enum raw_seen seen)
{
    struct raw_record header = { .kind = RAW_FD, .args = { (uint32_t)fd, seen } };
    parts_reset(&engine->scratch);
    add_fd(&engine->scratch, task->tid, fd);
    note_server(engine, &engine->scratch);
    struct stream *stream = files_add(task->files, &engine->pool, fd);
    if (stream)
        begin_name(engine, stream, name_in(&engine->scratch, NULL));
    if (stream && engine->flows && stream_kind(task, stream) != STREAM_PLAIN) {
        bool known = add_ends(&engine->scratch, task, fd);
        stream->named = known && stream->kind == STREAM_SOCKET;
    }
    write_record(engine, task, &header, &engine->scratch);
    return stream;
}

void add_tally(struct parts *parts, const struct stream *stream)
{
    parts_add(parts, PART_TALLY, 0, &stream->tally, sizeof stream->tally);
    if (stream->kinds)
        parts_add(parts, PART_CALLS, 0, stream->calls, stream->kinds * sizeof *stream->calls);
}

/* `goes_on`: the fd stays open, and begins to count anew. */
static void write_tally(struct engine *engine, const struct task *task, struct stream *stream,
                        bool goes_on)
{
    struct raw_record header = { .kind = RAW_TALLY,
                                 .fd_serial = stream->serial,
                                 .args = { (uint32_t)stream->fd, goes_on } };

    parts_reset(&engine->scratch);
    add_tally(&engine->scratch, stream);
    write_record(engine, task, &header, &engine->scratch);
    memset(&stream->tally, 0, sizeof stream->tally);
    stream->kinds = 0;
}

void flush_stream(struct engine *engine, const struct task *task, int fd)
{
    struct stream *stream = files_find(task->files, fd);

    if (stream_moved(stream))
        write_tally(engine, task, stream, false);
    files_remove(task->files, &engine->pool, fd);
}

void tell_stream(struct engine *engine, const struct task *task, struct stream *stream)
{
    if (stream_moved(stream))
        write_tally(engine, task, stream, true);
}

void tell_calls(struct engine *engine, struct task *task)
{
    for (int i = 0; i < COUNTED && engine->options.counts; i++) {
        struct raw_record header = { .kind = RAW_COUNT,
                                     .syscall = (uint16_t)(COUNTED_FIRST + i),
                                     .args = { task->calls[i] } };
        if (task->calls[i])
            write_record(engine, task, &header, NULL);
        task->calls[i] = 0;
    }
}

static void tell_files(struct engine *engine, const struct task *task)
{
    struct files *files = task->files;

    files->told = engine->tellings;
    for (size_t fd = 0; fd < files->size; fd++)
        tell_stream(engine, task, files->by_fd[fd]);
}

void tell_tallies(struct engine *engine)
{
    engine->tellings++;
    for (struct task *task = tasks_next(&engine->tasks, NULL); task;
         task = tasks_next(&engine->tasks, task)) {
        if (!task->adopted || !task->files)
            continue;
        if (task->files->told != engine->tellings)
            tell_files(engine, task);
        tell_calls(engine, task);
        flush_signals(engine, task);
    }
}

void flush_files(struct engine *engine, const struct task *task)
{
    for (size_t fd = 0; fd < task->files->size; fd++)
        if (task->files->by_fd[fd])
            flush_stream(engine, task, (int)fd);
}

/* The stream of an fd that is about to be used; one that is new to us is shown to Python first. */
struct stream *use_stream(struct engine *engine, struct task *task, int fd)
{
    struct stream *stream = files_find(task->files, fd);

    if (stream || fd < 0)
        return stream;
    char link[PROC_PATH];
    struct raw_stat ignored;
    proc_fd_path(link, task->tid, fd);
    if (proc_stat(link, &ignored) < 0)
        return NULL; /* not open, or not for us to see */
    return write_seen(engine, task, fd, SEEN_IN_USE);
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
