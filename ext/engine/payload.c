/* Bytes out of a stopped tracee and its /proc, as parts of a record. */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "engine/proc.h"
#include "engine/state.h"

enum {
    VECTOR_LIMIT = 1024,
    ADDRESS_LIMIT = 128, /* struct sockaddr_storage */
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
