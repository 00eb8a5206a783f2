/* What is copied of a call: when it is entered, and when it has returned. */
#include <errno.h>
#include <string.h>

#include "engine/proc.h"
#include "engine/state.h"

enum { HOW_SIZE = 24 };

static void add_path(struct engine *engine, const struct task *task, struct pending *call,
                     enum raw_part_kind kind, uint64_t address)
{
    char path[PATH_LIMIT];
    size_t length = 0;
    int status = memory_read_string(task->space, task->tid, address, path, sizeof path, &length);

    count_unreadable(engine, status);
    parts_add(&call->parts, kind,
              status < 0              ? PART_UNREADABLE
              : length == sizeof path ? PART_CUT
                                      : 0,
              path, length);
}

/* Whether the address of a call is the kernel's answer. */
static bool is_given_address(const struct call *row)
{
    return row->moves == MOVES_IN || row->makes_fd;
}

void copy_at_entry(struct engine *engine, struct task *task, struct pending *call, bool with_data)
{
    const struct call *row = &CALLS[call->row];

    if (row->path)
        add_path(engine, task, call, PART_PATH, argument(call, row->path));
    if (row->path2)
        add_path(engine, task, call, PART_PATH2, argument(call, row->path2));
    if (row->how)
        add_memory(engine, task, &call->parts, PART_HOW, argument(call, row->how), HOW_SIZE, 0);
    if (row->address && !is_given_address(row)) /* its length is an int: the upper half is noise */
        add_address(engine, task, call, argument(call, row->address),
                    (uint32_t)argument(call, row->address + 1));
    if (row->message && !row->messages && row->moves == MOVES_OUT)
        add_message(engine, task, call, argument(call, row->message),
                    MESSAGE_NAME | (with_data ? MESSAGE_DATA : 0), UINT64_MAX);
    else if (with_data && row->moves == MOVES_OUT && !row->message)
        add_data(engine, task, call, UINT64_MAX);
}

/* The path in part `kind` is relative to something: neither absolute nor empty nor missing. */
static bool is_relative(const struct parts *parts, enum raw_part_kind kind)
{
    struct raw_part header;

    for (size_t at = 0; at < parts->used; at += sizeof header + RAW_ALIGN(header.size)) {
        memcpy(&header, parts->bytes + at, sizeof header);
        if (header.kind == kind)
            return !header.size || parts->bytes[at + sizeof header] != '/';
    }
    return false;
}

static void add_base(const struct task *task, struct pending *call, uint8_t dirfd,
                     enum raw_part_kind path, enum raw_part_kind base)
{
    char link[PROC_PATH];
    int fd = (int)argument(call, dirfd);

    if (fd < 0 || !is_relative(&call->parts, path))
        return;
    proc_fd_path(link, task->tid, fd);
    add_link(&call->parts, base, link);
}

static void add_cwd(const struct task *task, struct pending *call)
{
    char link[PROC_PATH];

    proc_path(link, task->tid, "cwd");
    add_link(&call->parts, PART_CWD, link);
    proc_path(link, task->tid, "root");
    add_link(&call->parts, PART_ROOT, link);
}

static void add_new_fd(const struct task *task, struct pending *call, int fd)
{
    char link[PROC_PATH];

    proc_fd_path(link, task->tid, fd);
    add_link(&call->parts, PART_LINK, link);
    add_stat(&call->parts, link);
}

bool read_pair(const struct pending *call, int32_t pair_out[2])
{
    const size_t size = 2 * sizeof *pair_out;
    struct raw_part part;

    if (call->parts.used < sizeof part + size)
        return false;
    memcpy(&part, call->parts.bytes, sizeof part);
    if (part.kind != PART_PAIR || part.size != size) /* padding is no fd 0 */
        return false;
    memcpy(pair_out, call->parts.bytes + sizeof part, size);
    return true;
}

/* The fds of pipe or socketpair, and what is at each of the latter's. */
static void add_pair(struct engine *engine, const struct task *task, struct pending *call)
{
    int32_t pair[2];

    add_memory(engine, task, &call->parts, PART_PAIR, argument(call, CALLS[call->row].pair),
               sizeof pair, 0);
    if (call->row != ROW_socketpair || !read_pair(call, pair))
        return;
    add_ends(&call->parts, task, pair[0]);
    add_ends(&call->parts, task, pair[1]);
}

/* Whether a call may have told the kernel the ends of its socket, or shown that it knows them. */
static bool knows_ends(const struct pending *call, int64_t result)
{
    return CALLS[call->row].ends && (result >= 0 || is_under_way(result));
}

void copy_at_exit(struct engine *engine, struct task *task, struct pending *call, int64_t result)
{
    const struct call *row = &CALLS[call->row];
    bool failed = result < 0;

    if (row->dirfd && (failed || row->group != GROUP_OPEN))
        add_base(task, call, row->dirfd, PART_PATH, PART_BASE);
    if (row->dirfd2)
        add_base(task, call, row->dirfd2, PART_PATH2, PART_BASE2);
    if (knows_ends(call, result))
        add_ends(&call->parts, task,
                 (int)(row->makes_fd ? result : (int64_t)argument(call, row->fd)));
    if (failed)
        return;
    if (row->value)
        add_memory(engine, task, &call->parts, PART_VALUE, argument(call, row->value), 4, 0);
    if (row->cwd)
        add_cwd(task, call);
    if (row->status)
        add_status(&call->parts, task->tid);
    if (row->pair)
        add_pair(engine, task, call);
    if (row->address && row->makes_fd)
        add_given_address(engine, task, call);
    if (row->makes_fd && (row->group == GROUP_OPEN || row->group == GROUP_NET || !row->fd))
        add_new_fd(task, call, (int)result);
    if (call->row == ROW_pidfd_getfd)
        add_ends(&call->parts, task, (int)result);
}
