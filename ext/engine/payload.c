/* From a row and its arguments to the bytes worth copying. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "engine/proc.h"
#include "engine/state.h"

enum {
    PATH_LIMIT = 4096,
    VECTOR_LIMIT = 1024,
    HOW_SIZE = 24,
    ADDRESS_LIMIT = 128, /* struct sockaddr_storage */
    STATUS_LIMIT = 4096
};

uint64_t argument(const struct pending *call, uint8_t position)
{
    return call->args[position - 1];
}

void add_memory(struct engine *engine, const struct task *task, struct parts *parts,
                enum raw_part_kind kind, uint64_t address, size_t size, unsigned flags)
{
    size_t copied = 0;
    void *room = parts_begin(parts, size);

    if (!room)
        return;
    if (size && memory_read(task->space, task->tid, address, room, size, &copied) < 0)
        engine->counts.unreadable++;
    parts_end(parts, kind, flags | (copied < size ? PART_UNREADABLE : 0), copied);
}

static void add_path(struct engine *engine, const struct task *task, struct pending *call,
                     enum raw_part_kind kind, uint64_t address)
{
    char path[PATH_LIMIT];
    size_t length = 0;
    int status = memory_read_string(task->space, task->tid, address, path, sizeof path, &length);

    if (status < 0 && status != -EFAULT)
        engine->counts.unreadable++;
    parts_add(&call->parts, kind,
              status < 0              ? PART_UNREADABLE
              : length == sizeof path ? PART_CUT
                                      : 0,
              path, length);
}

/* An iovec of a 32-bit ABI has members of 4 bytes. */
void add_vector(const struct task *task, struct pending *call, uint64_t vector, uint64_t count,
                uint64_t most)
{
    uint32_t word = call->abi->word;
    size_t got = 0, used = 0;
    size_t limit = most < call->most ? (size_t)most : call->most;
    bool cut = false;
    uint8_t entries[VECTOR_LIMIT * 16];

    if (count > VECTOR_LIMIT)
        return;
    memory_read(task->space, task->tid, vector, entries, count * 2 * word, &got);
    uint8_t *room = parts_begin(&call->parts, limit);
    if (!room)
        return;
    for (size_t at = 0; at + 2 * word <= got; at += 2 * word) {
        uint64_t base = 0, length = 0;
        size_t copied = 0;
        memcpy(&base, entries + at, word);
        memcpy(&length, entries + at + word, word);
        cut |= length > limit - used && limit < most;
        size_t want = length < limit - used ? (size_t)length : limit - used;
        if (want && memory_read(task->space, task->tid, base, room + used, want, &copied) < 0)
            break;
        used += copied;
        if (copied < want || used == limit)
            break;
    }
    parts_end(&call->parts, PART_DATA, cut ? PART_CUT : 0, used);
}

static void add_buffer(struct engine *engine, const struct task *task, struct pending *call,
                       uint64_t most)
{
    const struct call *row = &CALLS[call->row];
    uint64_t length = argument(call, row->length), limit = call->most;

    length = length < most ? length : most;
    add_memory(engine, task, &call->parts, PART_DATA, argument(call, row->buffer),
               (size_t)(length < limit ? length : limit), length > limit ? PART_CUT : 0);
}

void add_data(struct engine *engine, const struct task *task, struct pending *call, uint64_t most)
{
    const struct call *row = &CALLS[call->row];

    if (row->vector)
        add_vector(task, call, argument(call, row->vector), argument(call, row->count), most);
    else
        add_buffer(engine, task, call, most);
}

void add_address(struct engine *engine, const struct task *task, struct pending *call,
                 uint64_t address, uint64_t size)
{
    if (address && size)
        add_memory(engine, task, &call->parts, PART_ADDRESS, address,
                   size < ADDRESS_LIMIT ? (size_t)size : ADDRESS_LIMIT, 0);
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
    if (row->address && row->moves != MOVES_IN) /* its length is an int: the upper half is noise */
        add_address(engine, task, call, argument(call, row->address),
                    (uint32_t)argument(call, row->address + 1));
    if (row->message && !row->messages && row->moves == MOVES_OUT)
        add_message(engine, task, call, argument(call, row->message),
                    MESSAGE_NAME | (with_data ? MESSAGE_DATA : 0), UINT64_MAX);
    else if (with_data && row->moves == MOVES_OUT && !row->message)
        add_data(engine, task, call, UINT64_MAX);
}

void add_link(struct parts *parts, enum raw_part_kind kind, const char *path)
{
    char target[PATH_LIMIT];
    ssize_t length = proc_link(path, target, sizeof target);

    parts_add(parts, kind, length < 0 ? PART_UNREADABLE : 0, target,
              length < 0 ? 0 : (size_t)length);
}

void add_stat(struct parts *parts, const char *path)
{
    struct raw_stat found;

    if (proc_stat(path, &found) == 0)
        parts_add(parts, PART_STAT, 0, &found, sizeof found);
}

void add_file(struct parts *parts, enum raw_part_kind kind, const char *path, size_t limit)
{
    void *room = parts_begin(parts, limit);

    if (!room)
        return;
    ssize_t length = proc_file(path, room, limit);
    unsigned flags = length < 0 ? PART_UNREADABLE : (size_t)length == limit ? PART_CUT : 0;
    parts_end(parts, kind, flags, length < 0 ? 0 : (size_t)length);
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

static void add_end(struct parts *parts, enum raw_part_kind kind, const struct socket_end *end)
{
    if (end->size)
        parts_add(parts, kind, 0, &end->address, end->size);
}

/* A socket that was never bound has none before it sends: ip(7), unix(7). */
static bool has_name(const struct socket_end *end)
{
    const struct sockaddr_in *inet = (const struct sockaddr_in *)&end->address;

    if (end->address.ss_family == AF_INET || end->address.ss_family == AF_INET6)
        return inet->sin_port != 0; /* at the same place in both */
    return end->size > sizeof end->address.ss_family;
}

bool add_ends(struct parts *parts, const struct task *task, int fd)
{
    struct socket_facts facts;

    if (socket_ask(task->tgid, task->tid, fd, &facts) < 0)
        return false;
    parts_add(parts, PART_SOCKET, 0, &facts.kind, sizeof facts.kind);
    add_end(parts, PART_LOCAL, &facts.local);
    add_end(parts, PART_PEER, &facts.peer);
    return has_name(&facts.local);
}

void copy_at_exit(struct engine *engine, struct task *task, struct pending *call, int64_t result)
{
    const struct call *row = &CALLS[call->row];
    bool failed = result < 0;

    if (row->dirfd && (failed || row->group != GROUP_OPEN))
        add_base(task, call, row->dirfd, PART_PATH, PART_BASE);
    if (row->dirfd2)
        add_base(task, call, row->dirfd2, PART_PATH2, PART_BASE2);
    if (row->ends && (!failed || result == -EINPROGRESS))
        add_ends(&call->parts, task,
                 (int)(row->makes_fd ? result : (int64_t)argument(call, row->fd)));
    if (failed)
        return;
    if (row->value)
        add_memory(engine, task, &call->parts, PART_VALUE, argument(call, row->value), 4, 0);
    if (row->cwd)
        add_cwd(task, call);
    if (row->status) {
        char path[PROC_PATH];
        proc_path(path, task->tid, "status");
        add_file(&call->parts, PART_STATUS, path, STATUS_LIMIT);
    }
    if (row->pair)
        add_memory(engine, task, &call->parts, PART_PAIR, argument(call, row->pair), 8, 0);
    if (row->makes_fd && (row->group == GROUP_OPEN || row->group == GROUP_NET || !row->fd))
        add_new_fd(task, call, (int)result);
    if (call->row == ROW_pidfd_getfd)
        add_ends(&call->parts, task, (int)result);
}
