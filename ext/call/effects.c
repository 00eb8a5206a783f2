/* What a call that has returned did to the engine's own picture: fds and their tables, filters. */
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>

#include "call/async.h"
#include "call/proc.h"
#include "ptrace/state.h"

static void share_nothing(struct task *task)
{
    if (task->files->uses == 1)
        return;
    struct files *own = files_new();
    if (!own)
        return;
    task->files->uses--;
    task->files = own;
}

/* The program loaded a filter that may hide calls from ours: see every call of all its threads. */
static void watch_every_call(struct engine *engine, struct task *task, bool supervised)
{
    if (!task->every_call)
        write_note(engine, task, NOTE_OWN_FILTER, 0);
    for (struct task *other = tasks_next(&engine->tasks, NULL); other;
         other = tasks_next(&engine->tasks, other))
        if (other->tgid == task->tgid) {
            other->every_call = true;
            other->supervised |= supervised;
        }
}

static void apply_guard(struct engine *engine, struct task *task, const struct pending *call,
                        int64_t result)
{
    uint32_t operation = (uint32_t)call->args[0]; /* an int, like prctl's */
    bool filters = call->row == ROW_seccomp ? operation == SECCOMP_SET_MODE_FILTER
                                            : call->args[1] == SECCOMP_MODE_FILTER;
    bool strict = call->row == ROW_seccomp ? operation == SECCOMP_SET_MODE_STRICT
                                           : call->args[1] == SECCOMP_MODE_STRICT;

    if (call->row == ROW_io_uring_setup) {
        if (result >= 0)
            uring_made(engine, task, call, (int)result);
    } else if (call->row == ROW_ptrace) {
        if (result == -EPERM)
            write_note(engine, task, NOTE_PTRACE, call->args[0]);
    } else if (strict && result == -EINVAL) {
        write_note(engine, task, NOTE_STRICT, 0);
    } else if (filters && result >= 0) {
        watch_every_call(engine, task,
                         call->row == ROW_seccomp &&
                             call->args[1] & SECCOMP_FILTER_FLAG_NEW_LISTENER);
    }
}

bool may_be_open(const struct task *task, int fd)
{
    enum { LOW_FDS = 1024 };
    char link[PROC_PATH];
    struct raw_stat ignored;

    proc_fd_path(link, task->tid, fd);
    return fd < LOW_FDS || proc_stat(link, &ignored) != -ENOENT;
}

/* A new fd: its number has no past. Python learns what it is from this very call. */
static void begin_fd(struct engine *engine, struct task *task, int fd, enum stream_kind kind,
                     uint64_t name)
{
    flush_stream(engine, task, fd);
    struct stream *stream =
        may_be_open(task, fd) ? files_add(task->files, &engine->pool, fd) : NULL;
    if (!stream)
        return;
    stream->kind = kind;
    begin_name(engine, stream, name);
}

/* What the fd is that a call has made. */
static enum stream_kind made_kind(const struct task *task, const struct pending *call)
{
    const struct call *row = &CALLS[call->row];
    const struct stream *from =
        row->fd ? files_find(task->files, (int)argument(call, row->fd)) : NULL;

    if (call->row == ROW_socket)
        return kind_of_type((int)call->args[1]);
    if (row->fd)
        return from ? from->kind : STREAM_UNKNOWN; /* copied, or accepted */
    return call->row == ROW_pidfd_getfd ? STREAM_UNKNOWN : STREAM_PLAIN;
}

static void begin_made(struct engine *engine, struct task *task, const struct pending *call, int fd)
{
    const struct call *row = &CALLS[call->row];
    const struct stream *from =
        row->fd ? files_find(task->files, (int)argument(call, row->fd)) : NULL;

    begin_fd(engine, task, fd, made_kind(task, call), name_in(&call->parts, from));
}

static void apply_close_range(struct engine *engine, struct task *task, const struct pending *call)
{
    if (call->args[2] & RANGE_UNSHARE)
        share_nothing(task);
    if (call->args[2] & RANGE_CLOEXEC)
        return;
    for (size_t fd = (uint32_t)call->args[0];
         fd < task->files->size && fd <= (uint32_t)call->args[1]; fd++)
        if (task->files->by_fd[fd])
            flush_stream(engine, task, (int)fd);
}

static void begin_pair(struct engine *engine, struct task *task, const struct pending *call)
{
    int32_t pair[2];

    if (!read_pair(call, pair))
        return;
    enum stream_kind kind =
        call->row == ROW_socketpair ? kind_of_type((int)call->args[1]) : STREAM_PLAIN;
    begin_fd(engine, task, pair[0], kind, 0);
    begin_fd(engine, task, pair[1], kind, 0);
}

/* What a call on a socket says about its stream. */
static void apply_socket(struct engine *engine, struct task *task, const struct pending *call,
                         int64_t result)
{
    const struct call *row = &CALLS[call->row];
    struct stream *stream =
        files_find(task->files, (int)(row->makes_fd ? result : (int64_t)argument(call, row->fd)));

    if (!stream)
        return;
    if (is_connect(call->row) || result >= 0)
        stream->connecting = is_under_way(result);
    if (is_connect(call->row) && result >= 0)
        tell_stream(engine, task, stream); /* of the connection it had, if it had one */
    if (row->ends && result >= 0)
        stream->named = stream->kind == STREAM_SOCKET;
}

/*
 * One of them may have been given its first name, or another after that, which its fd does not show:
 * see O_TMPFILE in open(2).
 */
static void unmute_files(struct engine *engine, struct task *task)
{
    for (size_t fd = 0; fd < task->files->size; fd++) {
        struct stream *stream = task->files->by_fd[fd];
        if (!stream || !stream->counts_only || !stream->name)
            continue;
        tell_stream(engine, task, stream);
        stream->counts_only = false;
        pool_renew(&engine->pool, stream);
    }
}

static void apply_names(struct engine *engine, struct task *task, const struct pending *call)
{
    engine->names_given |=
        call->row == ROW_linkat && call->args[4] & (AT_EMPTY_PATH | AT_SYMLINK_FOLLOW);
    if (CALLS[call->row].group == GROUP_RENAME)
        engine->renames++;
    if (engine->names_given)
        unmute_files(engine, task);
}

/* From here on "/" may be another folder for some task than for us. */
static bool changes_roots(const struct pending *call)
{
    return call->row == ROW_chroot || call->row == ROW_pivot_root || call->row == ROW_setns ||
           (call->row == ROW_unshare && call->args[0] & CLONE_NEWNS);
}

void apply_call(struct engine *engine, struct task *task, const struct pending *call,
                int64_t result)
{
    const struct call *row = &CALLS[call->row];

    if (row->group == GROUP_GUARD)
        apply_guard(engine, task, call, result);
    if (row->makes_fd && result >= 0)
        begin_made(engine, task, call, (int)result);
    if (row->group == GROUP_NET && row->fd)
        apply_socket(engine, task, call, result);
    if (result < 0)
        return;
    if (row->group == GROUP_RENAME || row->group == GROUP_LINK)
        apply_names(engine, task, call);
    if (row->pair)
        begin_pair(engine, task, call);
    if (call->row == ROW_close_range)
        apply_close_range(engine, task, call);
    if (call->row == ROW_unshare && call->args[0] & CLONE_FILES)
        share_nothing(task);
    if (changes_roots(call))
        engine->strange_roots = true;
}
