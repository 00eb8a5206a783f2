#include "call/arguments.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/socket.h>

#include "call/call.h"
#include "call/evidence.h"
#include "call/fd_names.h"
#include "call/messages.h"
#include "call/payload.h"
#include "call/proc.h"

enum { HOW_SIZE = 24 };

static void add_path(struct context *context, const struct caller *caller, struct pending *call,
                     enum raw_part_kind kind, uint64_t address)
{
    char path[PATH_LIMIT];
    size_t length = 0;
    int status =
        memory_read_string(caller->space, caller->tid, address, path, sizeof path, &length);

    count_unreadable(context, status);
    parts_add(&call->parts, kind,
              status < 0              ? PART_UNREADABLE
              : length == sizeof path ? PART_CUT
                                      : 0,
              path, length);
}

void copy_at_entry(struct context *context, struct caller *caller, struct pending *call,
                   bool with_data)
{
    const struct call *row = &CALLS[call->row];

    if (row->group == GROUP_RENAME)
        context->renames++; /* the file may have its new name before the call is seen to return */
    if (row->path)
        add_path(context, caller, call, PART_PATH, argument(call, row->path));
    if (row->path2)
        add_path(context, caller, call, PART_PATH2, argument(call, row->path2));
    if (row->how)
        add_memory(context, caller, &call->parts, PART_HOW, argument(call, row->how), HOW_SIZE, 0);
    read_address_room(caller, call);
    if (row->address &&
        !returns_address(row)) /* its length is an int: the upper half may be anything */
        add_address(context, caller, call, argument(call, row->address),
                    (uint32_t)argument(call, row->address + 1));
    if (row->message && !row->messages && row->transfer == TRANSFER_OUT)
        add_message(context, caller, call, argument(call, row->message),
                    MESSAGE_NAME | (with_data ? MESSAGE_DATA : 0), UINT64_MAX);
    else if (with_data && row->transfer == TRANSFER_OUT && !row->message)
        add_data(context, caller, call, UINT64_MAX);
}

/* The flags of a call that opens: open(2). */
static uint64_t open_flags(const struct pending *call, uint64_t *resolve_out)
{
    const struct raw_part *how = CALLS[call->row].how ? parts_find(&call->parts, PART_HOW) : NULL;
    struct open_how asked = { .flags = 0 };

    if (how && how->size == sizeof asked)
        memcpy(&asked, how->bytes, sizeof asked);
    else if (call->row == ROW_open || call->row == ROW_openat)
        asked.flags = argument(call, CALLS[call->row].path + 1);
    *resolve_out = asked.resolve;
    return asked.flags;
}

bool may_create(const struct pending *call)
{
    uint64_t resolve;

    if (CALLS[call->row].group != GROUP_OPEN)
        return false;
    return call->row == ROW_creat || (open_flags(call, &resolve) & (O_CREAT | O_EXCL)) == O_CREAT;
}

/* Whether the call follows the last name of its path, if that is a symbolic link. */
static bool follows(const struct pending *call, uint64_t *resolve_out)
{
    const struct call *row = &CALLS[call->row];
    uint64_t at_flags = row->at_flags ? argument(call, row->at_flags) : 0;
    uint64_t flags = row->group == GROUP_OPEN ? open_flags(call, resolve_out) : 0;

    if (flags & O_NOFOLLOW || (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return false;
    return row->nofollow ? at_flags & AT_SYMLINK_FOLLOW : !(at_flags & AT_SYMLINK_NOFOLLOW);
}

static struct lookup start_lookup(const struct context *context, const struct caller *caller,
                                  int dirfd)
{
    return (struct lookup){
        .tid = caller->tid,
        .tgid = caller->tgid,
        .dirfd = dirfd,
        .root_differs = context->roots_differ,
        .no_walk = context->serves_files,
        .folders = context->folders,
    };
}

bool find_path(const struct context *context, const struct caller *caller,
               const struct pending *call, struct passed_path *path_out)
{
    const struct call *row = &CALLS[call->row];
    const struct raw_part *part = row->is_text ? NULL : parts_find(&call->parts, PART_PATH);
    int dirfd = row->dirfd ? (int)argument(call, row->dirfd) : AT_FDCWD;
    uint64_t resolve = 0;

    if (!row->path)
        return find_address_path(context, caller, &call->parts, path_out);
    if (!part || part->flags)
        return false;
    path_out->lookup = start_lookup(context, caller, dirfd);
    path_out->lookup.follow = follows(call, &resolve);
    path_out->lookup.confined = resolve & RESOLVE_IN_ROOT;
    path_out->text = (const char *)part->bytes;
    path_out->length = part->size;
    return true;
}

bool find_path2(const struct context *context, const struct caller *caller,
                const struct pending *call, struct passed_path *path_out)
{
    const struct call *row = &CALLS[call->row];
    const struct raw_part *part = row->path2 ? parts_find(&call->parts, PART_PATH2) : NULL;
    int dirfd = row->dirfd2 ? (int)argument(call, row->dirfd2) : AT_FDCWD;

    if (!part || part->flags)
        return false;
    path_out->lookup = start_lookup(context, caller, dirfd);
    path_out->text = (const char *)part->bytes;
    path_out->length = part->size;
    return true;
}

static void add_name(struct parts *parts, enum raw_part_kind name, const struct passed_path *path,
                     int64_t result)
{
    char found[NAME_LIMIT];
    size_t there;
    size_t length = resolve_path(&path->lookup, path->text, path->length, found, &there);

    if (length)
        parts_add(parts, name, 0, found, length);
    if (result == -ENOENT)
        add_missing(parts, found, length, there);
}

/* NAME and NAME2: what the paths of a call mean. After an ENOENT the last name is no link to follow. */
static void add_names(const struct context *context, const struct caller *caller,
                      struct pending *call, int64_t result)
{
    struct passed_path path;

    if (find_path(context, caller, call, &path)) {
        path.lookup.follow &= result != -ENOENT;
        add_name(&call->parts, PART_NAME, &path, result);
    }
    if (find_path2(context, caller, call, &path))
        add_name(&call->parts, PART_NAME2, &path, result);
}

static void add_cwd(const struct caller *caller, struct pending *call)
{
    char link[PROC_PATH];

    proc_path(link, caller->tid, "cwd");
    add_link(&call->parts, PART_CWD, link);
    proc_path(link, caller->tid, "root");
    add_link(&call->parts, PART_ROOT, link);
}

static void add_new_fd(struct context *context, const struct caller *caller, struct pending *call,
                       int fd)
{
    add_fd(&call->parts, caller->tid, fd);
    detect_fuse(context, &call->parts);
}

bool read_pair(const struct pending *call, int32_t pair_out[2])
{
    const size_t size = 2 * sizeof *pair_out;
    struct raw_part part;

    if (call->parts.used < sizeof part + size)
        return false;
    memcpy(&part, call->parts.bytes, sizeof part);
    if (part.kind != PART_PAIR ||
        part.size != size) /* a part that came short must not be read: its padding would be fd 0 */
        return false;
    memcpy(pair_out, call->parts.bytes + sizeof part, size);
    return true;
}

/* The fds of pipe or socketpair, and both ends of each socket. */
static void add_pair(struct context *context, const struct caller *caller, struct pending *call)
{
    int32_t pair[2];

    add_memory(context, caller, &call->parts, PART_PAIR, argument(call, CALLS[call->row].pair),
               sizeof pair, 0);
    if (call->row != ROW_socketpair || !read_pair(call, pair))
        return;
    add_ends_of_pair(&call->parts, caller, pair);
}

/* Whether the kernel may know the ends of the call's socket: it succeeded, or a connection has begun. */
static bool knows_ends(const struct pending *call, int64_t result)
{
    return CALLS[call->row].ends && (result >= 0 || is_under_way(result));
}

bool find_address_path(const struct context *context, const struct caller *caller,
                       const struct parts *parts, struct passed_path *path_out)
{
    enum { FAMILY = sizeof(sa_family_t) };
    const struct raw_part *part = parts_find(parts, PART_ADDRESS);
    sa_family_t family;

    if (!part || part->size <= FAMILY)
        return false;
    memcpy(&family, part->bytes, sizeof family);
    const char *path = (const char *)part->bytes + FAMILY;
    if (family != AF_UNIX || !path[0]) /* it has no path, or an abstract name (unix(7)) */
        return false;
    path_out->lookup = start_lookup(context, caller, AT_FDCWD);
    path_out->text = path;
    path_out->length = strnlen(path, part->size - FAMILY);
    return true;
}

void add_address_name(const struct context *context, const struct caller *caller,
                      struct parts *parts, bool follow, int64_t result)
{
    struct passed_path path;

    if (!find_address_path(context, caller, parts, &path))
        return;
    path.lookup.follow = follow && result != -ENOENT;
    add_name(parts, PART_NAME, &path, result);
}

/* Before a record of a call on an fd: a RAW_FD, if its file has another name by now. */
static void follow_used(struct context *context, struct caller *caller, const struct pending *call)
{
    const struct call *row = &CALLS[call->row];
    struct fd_entry *used =
        row->fd && !row->makes_fd ? fd_table_find(caller->fds, (int)argument(call, row->fd)) : NULL;

    if (used)
        refresh_name(context, caller, used, monotonic_ns());
}

static bool is_bind(const struct pending *call)
{
    return call->row == ROW_bind || call->row == ROW_io_uring_enter__bind;
}

void copy_at_exit(struct context *context, struct caller *caller, struct pending *call,
                  int64_t result)
{
    const struct call *row = &CALLS[call->row];
    bool failed = result < 0, is_linked = row->group == GROUP_OPEN && !failed;

    follow_used(context, caller, call);
    if (row->path && !is_linked) /* LINK is the name of a file that was opened */
        add_names(context, caller, call, result);
    if (row->address && !row->makes_fd)
        add_address_name(context, caller, &call->parts, !is_bind(call), result);
    if (knows_ends(call, result))
        add_ends(&call->parts, caller,
                 (int)(row->makes_fd ? result : (int64_t)argument(call, row->fd)));
    if (failed) {
        add_evidence(context, caller, call, result);
        return;
    }
    if (row->value)
        add_memory(context, caller, &call->parts, PART_VALUE, argument(call, row->value), 4, 0);
    if (row->cwd)
        add_cwd(caller, call);
    if (row->status)
        add_status(&call->parts, caller->tid);
    if (row->pair)
        add_pair(context, caller, call);
    if (row->address && row->makes_fd)
        add_returned_address(context, caller, call);
    if (row->makes_fd && (row->group == GROUP_OPEN || row->group == GROUP_NET || !row->fd))
        add_new_fd(context, caller, call, (int)result);
    if (call->row == ROW_pidfd_getfd)
        add_ends(&call->parts, caller, (int)result);
}
