#include "call/payload.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/major.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include "call/proc.h"
#include "call/sockets.h"

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

uint64_t buffer_count(const struct pending *call)
{
    return (uint32_t)argument(call, CALLS[call->row].count);
}

void count_unreadable(struct context *context, int status)
{
    context->counts.unreadable += status < 0 && status != -EFAULT;
}

void add_memory(struct context *context, const struct caller *caller, struct parts *parts,
                enum raw_part_kind kind, uint64_t address, size_t size, unsigned flags)
{
    size_t copied = 0;
    void *room = parts_begin(parts, size);

    if (!room)
        return;
    count_unreadable(context,
                     memory_read(caller->space, caller->tid, address, room, size, &copied));
    parts_end(parts, kind, flags | (copied < size ? PART_UNREADABLE : 0), copied);
}

/* The buffers of an iovec, whose entries have members of 4 bytes in a 32-bit ABI. */
struct vector {
    size_t count; /* of those that could be read */
    int status;   /* 0 if that is all, or why it is not: a negative errno */
    struct buffer {
        uint64_t base, length;
    } buffers[VECTOR_LIMIT];
};

static void read_vector(const struct caller *caller, const struct pending *call, uint64_t address,
                        uint64_t count, struct vector *vector_out)
{
    uint32_t word = call->abi->word;
    uint8_t entries[VECTOR_LIMIT * 16];
    size_t got;

    vector_out->count = 0;
    vector_out->status = 0;
    if (count > VECTOR_LIMIT) /* the kernel refuses it: readv(2), IOV_MAX */
        return;
    int status = memory_read(caller->space, caller->tid, address, entries, count * 2 * word, &got);
    vector_out->count = got / (2 * word);
    vector_out->status = status == 0 && vector_out->count < count ? -EFAULT : status;
    memset(vector_out->buffers, 0, vector_out->count * sizeof *vector_out->buffers);
    for (size_t i = 0; i < vector_out->count; i++) {
        memcpy(&vector_out->buffers[i].base, entries + i * 2 * word, word);
        memcpy(&vector_out->buffers[i].length, entries + i * 2 * word + word, word);
    }
}

/* How many bytes the buffers hold, or `limit` if that is less: their sum may exceed 64 bits. */
static size_t vector_size(const struct vector *vector, size_t limit)
{
    size_t size = 0;

    for (size_t i = 0; i < vector->count; i++) {
        uint64_t length = vector->buffers[i].length;
        size += length < limit - size ? (size_t)length : limit - size;
    }
    return size;
}

bool vector_has_room(const struct caller *caller, const struct pending *call, uint64_t address,
                     uint64_t count)
{
    struct vector vector;

    read_vector(caller, call, address, count, &vector);
    return vector.status < 0 || vector_size(&vector, 1);
}

/* Join the first `size` bytes of the buffers in `room`. Returns 0, or why not all came. */
static int copy_buffers(const struct caller *caller, const struct vector *vector, uint8_t *room,
                        size_t size, size_t *used_out)
{
    *used_out = 0;
    for (size_t i = 0; i < vector->count && *used_out < size; i++) {
        size_t left = size - *used_out, copied;
        size_t want = vector->buffers[i].length < left ? vector->buffers[i].length : left;
        int status = memory_read(caller->space, caller->tid, vector->buffers[i].base,
                                 room + *used_out, want, &copied);
        *used_out += copied;
        if (copied < want)
            return status < 0 ? status : -EFAULT;
    }
    return vector->status;
}

void add_vector(struct context *context, const struct caller *caller, struct pending *call,
                uint64_t address, uint64_t count, uint64_t most)
{
    struct vector vector;
    size_t limit = most < call->copy_limit ? (size_t)most : call->copy_limit, used;

    read_vector(caller, call, address, count, &vector);
    size_t size = vector_size(&vector, limit);
    bool cut = limit < most && vector_size(&vector, limit + 1) > limit;
    uint8_t *room = parts_begin(&call->parts, size);
    if (!room)
        return;
    int status = copy_buffers(caller, &vector, room, size, &used);
    bool unreadable = status < 0 && !(cut && used == size);
    if (unreadable)
        count_unreadable(context, status);
    parts_end(&call->parts, PART_DATA, (cut ? PART_CUT : 0) | (unreadable ? PART_UNREADABLE : 0),
              used);
}

static void add_buffer(struct context *context, const struct caller *caller, struct pending *call,
                       uint64_t most)
{
    const struct call *row = &CALLS[call->row];
    uint64_t length = argument(call, row->length), limit = call->copy_limit;

    length = length < most ? length : most;
    add_memory(context, caller, &call->parts, PART_DATA, argument(call, row->buffer),
               (size_t)(length < limit ? length : limit), length > limit ? PART_CUT : 0);
}

void add_data(struct context *context, const struct caller *caller, struct pending *call,
              uint64_t most)
{
    const struct call *row = &CALLS[call->row];

    if (row->vector)
        add_vector(context, caller, call, argument(call, row->vector), buffer_count(call), most);
    else
        add_buffer(context, caller, call, most);
}

void add_address(struct context *context, const struct caller *caller, struct pending *call,
                 uint64_t address, uint64_t size)
{
    if (address && size)
        add_memory(context, caller, &call->parts, PART_ADDRESS, address,
                   size < ADDRESS_LIMIT ? (size_t)size : ADDRESS_LIMIT, 0);
}

void read_address_room(const struct caller *caller, struct pending *call)
{
    const struct call *row = &CALLS[call->row];

    call->address_room = 0;
    if (row->address && returns_address(row) && argument(call, row->address))
        memory_read_whole(caller->space, caller->tid, argument(call, row->address + 1),
                          &call->address_room, sizeof call->address_room);
}

void add_returned_address(struct context *context, const struct caller *caller,
                          struct pending *call)
{
    const struct call *row = &CALLS[call->row];
    uint32_t size, room = call->address_room;

    if (row->address && argument(call, row->address) &&
        memory_read_whole(caller->space, caller->tid, argument(call, row->address + 1), &size,
                          sizeof size) == 0)
        add_address(context, caller, call, argument(call, row->address), size < room ? size : room);
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

void add_fd(struct parts *parts, pid_t tid, int fd)
{
    char link[PROC_PATH];
    struct raw_stat found;

    proc_fd_path(link, tid, fd);
    add_link(parts, PART_LINK, link);
    if (proc_stat(link, &found) < 0)
        return;
    if (S_ISCHR(found.mode) && found.rdev == makedev(TTYAUX_MAJOR, 0)) /* /dev/tty */
        found.rdev = proc_terminal(tid);
    parts_add(parts, PART_STAT, 0, &found, sizeof found);
}

/*
 * A thread that holds /dev/fuse may serve a file system. While it is stopped nothing in that file system
 * answers, and a tracer that walks into it would wait for the thread that waits for the tracer.
 */
void detect_fuse(struct context *context, const struct parts *parts)
{
    static const char FUSE[] = "/dev/fuse";
    const struct raw_part *link = parts_find(parts, PART_LINK);

    context->serves_files |=
        link && link->size == sizeof FUSE - 1 && !memcmp(link->bytes, FUSE, link->size);
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
        uint8_t *room = parts_begin(parts, size); /* the bytes that were read are kept */
        if (!room)
            return -1;
        ssize_t got = read(fd, room + length, size - length);
        length += got < 0 ? 0 : (size_t)got;
        if (length < size || size == limit) /* as in proc_file: no more follows */
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

static void add_facts(struct parts *parts, const struct socket_facts *facts)
{
    parts_add(parts, PART_SOCKET, 0, &facts->kind, sizeof facts->kind);
    add_end(parts, PART_LOCAL, &facts->local);
    add_end(parts, PART_PEER, &facts->peer);
}

bool add_ends(struct parts *parts, const struct caller *caller, int fd)
{
    struct socket_facts facts;

    if (socket_ask(caller->tgid, caller->tid, fd, &facts) < 0)
        return false;
    add_facts(parts, &facts);
    return true;
}

void add_ends_of_pair(struct parts *parts, const struct caller *caller, const int32_t pair[2])
{
    struct socket_facts facts[2];

    socket_ask_pair(caller->tgid, caller->tid, pair, facts);
    for (int i = 0; i < 2; i++)
        if (facts[i].kind.inode)
            add_facts(parts, &facts[i]);
}
