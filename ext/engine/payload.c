/* Bytes out of a stopped tracee and its /proc, as parts of a record. */
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "engine/proc.h"
#include "engine/state.h"

enum {
    VECTOR_LIMIT = 1024,
    STATUS_LIMIT = 4096,
    ADDRESS_LIMIT = 128, /* struct sockaddr_storage */
    FIRST_STRINGS = 16384,
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

/* One buffer of a vector. An iovec of a 32-bit ABI has members of 4 bytes. */
struct buffer {
    uint64_t base, length;
};

static size_t read_vector(const struct task *task, const struct pending *call, uint64_t vector,
                          uint64_t count, struct buffer buffers[VECTOR_LIMIT])
{
    uint32_t word = call->abi->word;
    uint8_t entries[VECTOR_LIMIT * 16];
    size_t got = 0;

    if (count > VECTOR_LIMIT)
        return 0;
    memory_read(task->space, task->tid, vector, entries, count * 2 * word, &got);
    memset(buffers, 0, got / (2 * word) * sizeof *buffers);
    for (size_t i = 0; i < got / (2 * word); i++) {
        memcpy(&buffers[i].base, entries + i * 2 * word, word);
        memcpy(&buffers[i].length, entries + i * 2 * word + word, word);
    }
    return got / (2 * word);
}

bool vector_has_room(const struct task *task, const struct pending *call, uint64_t vector,
                     uint64_t count)
{
    struct buffer buffers[VECTOR_LIMIT];
    size_t read = read_vector(task, call, vector, count, buffers);

    for (size_t i = 0; i < read; i++)
        if (buffers[i].length)
            return true;
    return false;
}

void add_vector(const struct task *task, struct pending *call, uint64_t vector, uint64_t count,
                uint64_t most)
{
    struct buffer buffers[VECTOR_LIMIT];
    size_t read = read_vector(task, call, vector, count, buffers), used = 0;
    size_t limit = most < call->most ? (size_t)most : call->most;
    bool cut = false;

    if (count > VECTOR_LIMIT)
        return;
    uint8_t *room = parts_begin(&call->parts, limit);
    if (!room)
        return;
    for (size_t i = 0; i < read; i++) {
        uint64_t base = buffers[i].base, length = buffers[i].length;
        size_t copied = 0;
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

void add_given_address(struct engine *engine, const struct task *task, struct pending *call)
{
    const struct call *row = &CALLS[call->row];
    uint32_t size = 0;
    size_t copied = 0;

    if (row->address && argument(call, row->address) &&
        memory_read(task->space, task->tid, argument(call, row->address + 1), &size, sizeof size,
                    &copied) == 0 &&
        copied == sizeof size)
        add_address(engine, task, call, argument(call, row->address), size);
}

void add_status(struct parts *parts, pid_t tid)
{
    char path[PROC_PATH];

    proc_path(path, tid, "status");
    add_file(parts, PART_STATUS, path, STATUS_LIMIT);
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

/* Read up to `limit` bytes into the part that grows; -1 without memory. */
static ssize_t read_into(struct parts *parts, int fd, size_t limit)
{
    size_t length = 0, size = limit < FIRST_STRINGS ? limit : FIRST_STRINGS;

    for (;;) {
        uint8_t *room = parts_begin(parts, size); /* what was read before moves along */
        if (!room)
            return -1;
        ssize_t got = 1;
        while (length < size && (got = read(fd, room + length, size - length)) > 0)
            length += (size_t)got;
        if (got <= 0 || size == limit)
            return (ssize_t)length;
        size = size > limit / 4 ? limit : 4 * size;
    }
}

/* Add how many NULs there are, and return where the last one ends. */
static size_t count_nuls(const char *bytes, size_t size, uint64_t *count)
{
    size_t after_last = 0;

    for (const char *at = bytes; (at = memchr(at, '\0', size - (size_t)(at - bytes))); at++) {
        after_last = (size_t)(at - bytes) + 1;
        ++*count;
    }
    return after_last;
}

/* How many strings follow; `unended`: the first of them has begun already. */
static uint64_t count_rest(int fd, bool unended)
{
    char bytes[16384];
    uint64_t count = 0;

    for (ssize_t got; (got = read(fd, bytes, sizeof bytes)) > 0;)
        unended = count_nuls(bytes, (size_t)got, &count) < (size_t)got;
    return count + unended;
}

uint64_t add_strings(struct parts *parts, enum raw_part_kind kind, const char *path, size_t limit)
{
    uint64_t ignored = 0, missing = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read_into(parts, fd, limit);
    size_t whole = length < 0 ? 0 : (size_t)length;

    if (length >= 0 && whole == limit) {
        whole = count_nuls((char *)parts_begin(parts, whole), whole, &ignored);
        missing = count_rest(fd, whole < limit);
    }
    if (fd >= 0)
        close(fd);
    if (length >= 0 || parts_begin(parts, 0))
        parts_end(parts, kind, length < 0 ? PART_UNREADABLE : missing ? PART_CUT : 0, whole);
    return missing;
}

static void add_end(struct parts *parts, enum raw_part_kind kind, const struct socket_end *end)
{
    if (end->size)
        parts_add(parts, kind, 0, &end->address, end->size);
}

bool add_ends(struct parts *parts, const struct task *task, int fd)
{
    struct socket_facts facts;

    if (socket_ask(task->tgid, task->tid, fd, &facts) < 0)
        return false;
    parts_add(parts, PART_SOCKET, 0, &facts.kind, sizeof facts.kind);
    add_end(parts, PART_LOCAL, &facts.local);
    add_end(parts, PART_PEER, &facts.peer);
    return true;
}
