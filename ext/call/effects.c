#include "call/effects.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#include "call/arguments.h"
#include "call/async.h"
#include "call/call.h"
#include "call/fd_names.h"
#include "call/payload.h"
#include "call/proc.h"
#include "call/records.h"
#include "call/tally.h"

static void unshare_fds(struct caller *caller)
{
    if (caller->fds->uses == 1)
        return;
    struct fd_table *own = fd_table_new();
    if (!own)
        return;
    caller->fds->uses--;
    caller->fds = own;
}

/* Calls by which the recorder would lose sight of others (group guard). */
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
    enum { LOW_FDS = 4096 }; /* those that programs may open without a stop (gate/arena.h) */
    char link[PROC_PATH];
    struct raw_stat ignored;

    proc_fd_path(link, caller->tid, fd);
    return fd < LOW_FDS || proc_stat(link, &ignored) != -ENOENT;
}

/* A call has made an fd: its entry begins anew. The record of the call says what the fd is. */
static void begin_fd(struct context *context, struct caller *caller, int fd, enum fd_kind kind,
                     struct fd_name name)
{
    flush_and_remove(context, caller, fd);
    struct fd_entry *entry =
        may_be_open(caller, fd) ? fd_table_add(caller->fds, &context->fd_pool, fd) : NULL;
    if (!entry)
        return;
    entry->kind = kind;
    entry->name = name;
}

static enum fd_kind kind_of_part(const struct parts *parts)
{
    const struct raw_part *part = parts_find(parts, PART_SOCKET);
    struct raw_socket socket;

    if (!part || part->size != sizeof socket)
        return FD_UNKNOWN;
    memcpy(&socket, part->bytes, sizeof socket);
    return fd_kind_of_type(socket.type);
}

/* The kind of the fd that a call has made. */
static enum fd_kind kind_of_made(const struct caller *caller, const struct pending *call)
{
    const struct call *row = &CALLS[call->row];
    const struct fd_entry *from =
        row->fd ? fd_table_find(caller->fds, (int)argument(call, row->fd)) : NULL;

    if (call->row == ROW_socket || call->row == ROW_io_uring_enter__socket)
        return fd_kind_of_type((int)call->args[1]);
    if (row->fd && from)
        return from->kind; /* a copy of .fd, or accepted by it */
    if (row->fd)
        return kind_of_part(&call->parts);
    return call->row == ROW_pidfd_getfd ? FD_UNKNOWN : FD_PLAIN;
}

static void begin_made(struct context *context, struct caller *caller, const struct pending *call,
                       int fd)
{
    const struct call *row = &CALLS[call->row];
    const struct fd_entry *from =
        row->fd ? fd_table_find(caller->fds, (int)argument(call, row->fd)) : NULL;

    begin_fd(context, caller, fd, kind_of_made(caller, call),
             name_of_part(context, &call->parts, from));
}

static void apply_close_range(struct context *context, struct caller *caller,
                              const struct pending *call)
{
    if (call->args[2] & RANGE_UNSHARE)
        unshare_fds(caller);
    if (call->args[2] & RANGE_CLOEXEC)
        return;
    for (size_t fd = (uint32_t)call->args[0];
         fd < caller->fds->size && fd <= (uint32_t)call->args[1]; fd++)
        if (caller->fds->entries[fd])
            flush_and_remove(context, caller, (int)fd);
}

static void begin_pair(struct context *context, struct caller *caller, const struct pending *call)
{
    int32_t pair[2];

    if (!read_pair(call, pair))
        return;
    enum fd_kind kind =
        call->row == ROW_socketpair ? fd_kind_of_type((int)call->args[1]) : FD_PLAIN;
    begin_fd(context, caller, pair[0], kind, (struct fd_name){ 0 });
    begin_fd(context, caller, pair[1], kind, (struct fd_name){ 0 });
}

/* Whether a call asks for an option that has the number of SO_ERROR, and says nothing of a connection. */
static bool asks_other(const struct pending *call)
{
    return call->row == ROW_getsockopt && (int)call->args[1] != SOL_SOCKET;
}

/* What the entry of a socket has to know of a call on it. */
static void apply_socket(struct context *context, struct caller *caller, const struct pending *call,
                         int64_t result)
{
    const struct call *row = &CALLS[call->row];
    struct fd_entry *entry = fd_table_find(
        caller->fds, (int)(row->makes_fd ? result : (int64_t)argument(call, row->fd)));

    if (!entry)
        return;
    if (is_connect(call->row) || (result >= 0 && !asks_other(call)))
        entry->connecting = is_under_way(result);
    if (is_connect(call->row) && result >= 0)
        flush_tally(context, caller,
                    entry); /* what was transferred before was of the socket's former connection */
    if (row->ends && result >= 0)
        entry->ends_recorded = entry->kind == FD_STREAM;
}

/*
 * linkat(2) may give a name to a file that was opened without one (O_TMPFILE of open(2)), and rename may
 * change that name. The link of an fd in /proc does not show either, so the mute of every file ends, and one
 * that is on its way finds nothing: its bytes may be wanted under the new name.
 */
static void unmute_files(struct context *context, struct caller *caller)
{
    for (size_t fd = 0; fd < caller->fds->size; fd++) {
        struct fd_entry *entry = caller->fds->entries[fd];
        if (!entry || !entry->name.hash)
            continue;
        flush_tally(context, caller, entry);
        fd_table_forget(caller->fds, entry->fd, false);
        entry->muted = false;
        fd_pool_renew(&context->fd_pool, entry);
    }
}

static void apply_names(struct context *context, struct caller *caller, const struct pending *call)
{
    bool linkat = call->row == ROW_linkat || call->row == ROW_io_uring_enter__linkat;

    context->names_given |= linkat && call->args[4] & (AT_EMPTY_PATH | AT_SYMLINK_FOLLOW);
    if (CALLS[call->row].group == GROUP_RENAME)
        context->renames++;
    if (context->names_given)
        unmute_files(context, caller);
}

/* Whether "/" may be another folder for a thread than for the recorder from now on. */
static bool changes_roots(const struct pending *call)
{
    return call->row == ROW_chroot || call->row == ROW_pivot_root || call->row == ROW_setns ||
           (call->row == ROW_unshare && call->args[0] & CLONE_NEWNS);
}

/* Whether children of a thread may be born in another PID namespace from now on. */
static bool changes_pids(const struct pending *call)
{
    return call->row == ROW_setns || call->row == ROW_setns__any ||
           ((call->row == ROW_unshare || call->row == ROW_unshare__any) &&
            call->args[0] & CLONE_NEWPID);
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
        unshare_fds(caller);
    context->moves += row->cwd;
    if (changes_roots(call))
        context->roots_differ = true;
    context->pids_differ |= changes_pids(call);
}
