/* What a call that has returned did to the engine's own picture: fds and their tables, filters. */
#include "call/effects.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>

#include "call/arguments.h"
#include "call/async.h"
#include "call/call.h"
#include "call/fd_names.h"
#include "call/payload.h"
#include "call/proc.h"
#include "call/records.h"
#include "call/tally.h"

static void share_nothing(struct caller *caller)
{
    if (caller->files->uses == 1)
        return;
    struct files *own = files_new();
    if (!own)
        return;
    caller->files->uses--;
    caller->files = own;
}

/* A call that would blind the recorder: what became of it. */
static void apply_guard(struct context *context, struct caller *caller, const struct pending *call,
                        int64_t result)
{
    bool strict = call->row == ROW_seccomp ? (uint32_t)call->args[0] == SECCOMP_SET_MODE_STRICT
                                           : call->args[1] == SECCOMP_MODE_STRICT;

    if (call->row == ROW_io_uring_setup) {
        if (result >= 0)
            uring_made(context, caller, call, (int)result);
    } else if (call->row == ROW_ptrace) {
        if (result == -EPERM)
            write_note(context, caller, NOTE_PTRACE, call->args[0]);
    } else if (strict && result == -EINVAL) {
        write_note(context, caller, NOTE_STRICT, 0);
    }
}

bool may_be_open(const struct caller *caller, int fd)
{
    enum { LOW_FDS = 1024 };
    char link[PROC_PATH];
    struct raw_stat ignored;

    proc_fd_path(link, caller->tid, fd);
    return fd < LOW_FDS || proc_stat(link, &ignored) != -ENOENT;
}

/* A new fd: its number has no past. Python learns what it is from this very call. */
static void begin_fd(struct context *context, struct caller *caller, int fd, enum stream_kind kind,
                     uint64_t name)
{
    flush_stream(context, caller, fd);
    struct stream *stream =
        may_be_open(caller, fd) ? files_add(caller->files, &context->pool, fd) : NULL;
    if (!stream)
        return;
    stream->kind = kind;
    begin_name(context, stream, name);
}

/* What the fd is that a call has made. */
static enum stream_kind made_kind(const struct caller *caller, const struct pending *call)
{
    const struct call *row = &CALLS[call->row];
    const struct stream *from =
        row->fd ? files_find(caller->files, (int)argument(call, row->fd)) : NULL;

    if (call->row == ROW_socket)
        return kind_of_type((int)call->args[1]);
    if (row->fd)
        return from ? from->kind : STREAM_UNKNOWN; /* copied, or accepted */
    return call->row == ROW_pidfd_getfd ? STREAM_UNKNOWN : STREAM_PLAIN;
}

static void begin_made(struct context *context, struct caller *caller, const struct pending *call,
                       int fd)
{
    const struct call *row = &CALLS[call->row];
    const struct stream *from =
        row->fd ? files_find(caller->files, (int)argument(call, row->fd)) : NULL;

    begin_fd(context, caller, fd, made_kind(caller, call), name_in(&call->parts, from));
}

static void apply_close_range(struct context *context, struct caller *caller,
                              const struct pending *call)
{
    if (call->args[2] & RANGE_UNSHARE)
        share_nothing(caller);
    if (call->args[2] & RANGE_CLOEXEC)
        return;
    for (size_t fd = (uint32_t)call->args[0];
         fd < caller->files->size && fd <= (uint32_t)call->args[1]; fd++)
        if (caller->files->by_fd[fd])
            flush_stream(context, caller, (int)fd);
}

static void begin_pair(struct context *context, struct caller *caller, const struct pending *call)
{
    int32_t pair[2];

    if (!read_pair(call, pair))
        return;
    enum stream_kind kind =
        call->row == ROW_socketpair ? kind_of_type((int)call->args[1]) : STREAM_PLAIN;
    begin_fd(context, caller, pair[0], kind, 0);
    begin_fd(context, caller, pair[1], kind, 0);
}

/* What a call on a socket says about its stream. */
static void apply_socket(struct context *context, struct caller *caller, const struct pending *call,
                         int64_t result)
{
    const struct call *row = &CALLS[call->row];
    struct stream *stream =
        files_find(caller->files, (int)(row->makes_fd ? result : (int64_t)argument(call, row->fd)));

    if (!stream)
        return;
    if (is_connect(call->row) || result >= 0)
        stream->connecting = is_under_way(result);
    if (is_connect(call->row) && result >= 0)
        tell_stream(context, caller, stream); /* of the connection it had, if it had one */
    if (row->ends && result >= 0)
        stream->named = stream->kind == STREAM_SOCKET;
}

/*
 * One of them may have been given its first name, or another after that, which its fd does not show:
 * see O_TMPFILE in open(2).
 */
static void unmute_files(struct context *context, struct caller *caller)
{
    for (size_t fd = 0; fd < caller->files->size; fd++) {
        struct stream *stream = caller->files->by_fd[fd];
        if (!stream || !stream->counts_only || !stream->name)
            continue;
        tell_stream(context, caller, stream);
        stream->counts_only = false;
        pool_renew(&context->pool, stream);
    }
}

static void apply_names(struct context *context, struct caller *caller, const struct pending *call)
{
    context->names_given |=
        call->row == ROW_linkat && call->args[4] & (AT_EMPTY_PATH | AT_SYMLINK_FOLLOW);
    if (CALLS[call->row].group == GROUP_RENAME)
        context->renames++;
    if (context->names_given)
        unmute_files(context, caller);
}

/* From here on "/" may be another folder for some task than for us. */
static bool changes_roots(const struct pending *call)
{
    return call->row == ROW_chroot || call->row == ROW_pivot_root || call->row == ROW_setns ||
           (call->row == ROW_unshare && call->args[0] & CLONE_NEWNS);
}

void apply_call(struct context *context, struct caller *caller, const struct pending *call,
                int64_t result)
{
    const struct call *row = &CALLS[call->row];

    if (row->group == GROUP_GUARD)
        apply_guard(context, caller, call, result);
    if (row->makes_fd && result >= 0)
        begin_made(context, caller, call, (int)result);
    if (row->group == GROUP_NET && row->fd)
        apply_socket(context, caller, call, result);
    if (result < 0)
        return;
    if (row->group == GROUP_RENAME || row->group == GROUP_LINK)
        apply_names(context, caller, call);
    if (row->pair)
        begin_pair(context, caller, call);
    if (call->row == ROW_close_range)
        apply_close_range(context, caller, call);
    if (call->row == ROW_unshare && call->args[0] & CLONE_FILES)
        share_nothing(caller);
    if (changes_roots(call))
        context->strange_roots = true;
}
