/*
 * io_uring(7): a program puts operations into a ring that it shares with the kernel, which puts results into
 * another one. Both are read while the program is stopped at io_uring_enter(2), and results also at each
 * other watched call.
 *
 * The mmap calls on the fd of an instance say where its rings are. A note (NOTE_IO_URING) says, once for each
 * address space, that there is something which cannot be recorded:
 *
 *  1. an instance whose submissions the kernel polls (IORING_SETUP_SQPOLL) or that has a registered fd;
 *  2. an operation without a row, on a registered file, with a buffer that the kernel chooses, without
 *     a result, or with many results (multishot);
 *  3. more results than the ring has places, since the last time it was read.
 */
#include "call/async.h"

#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "call/records.h"

/* Newer than some headers; numbers of the kernel's include/uapi/linux/io_uring.h. */
enum {
    SETUP_SQE128 = 1 << 10,
    SETUP_CQE32 = 1 << 11,
    SETUP_NO_MMAP = 1 << 14,
    SETUP_REGISTERED_FD_ONLY = 1 << 15,
    SETUP_NO_SQARRAY = 1 << 16,
    ENTER_REGISTERED_RING = 1 << 4,
    MAX_ENTRIES = 1 << 15, /* IORING_MAX_ENTRIES of the kernel; of results twice as many */
    SKIPS_RESULT = 1 << 6,
    CHOOSES_BUFFER = 1 << 5,
    MMAP_PAGE_BITS = 12, /* mmap2's offset is in such pages */
};

void write_uring_note(struct context *context, struct caller *caller)
{
    if (!async_of(caller) || caller->space->async->note_written)
        return;
    caller->space->async->note_written = true;
    write_note(context, caller, NOTE_IO_URING, 0);
}

static struct uring *find_ring(const struct caller *caller, int fd)
{
    struct uring *ring =
        caller->space && caller->space->async ? caller->space->async->urings : NULL;

    while (ring && ring->fd != fd)
        ring = ring->next;
    return ring;
}

bool is_uring(const struct caller *caller, int fd)
{
    return find_ring(caller, fd);
}

static void forget_ring(struct context *context, struct caller *caller, int fd)
{
    struct uring *gone = find_ring(caller, fd);

    if (!gone)
        return;
    if (gone->sqes)
        async_abandon(context, caller, gone->sqes);
    struct uring **link = &caller->space->async->urings;
    while (*link != gone)
        link = &(*link)->next;
    *link = gone->next;
    free(gone);
}

static bool is_size(uint32_t entries, uint32_t most)
{
    return entries && entries <= most && !(entries & (entries - 1));
}

/* Whether the rings of an instance can be read, if its parameters, which the program may change, are true. */
static bool is_plain(const struct io_uring_params *params)
{
    return !(params->flags & (IORING_SETUP_SQPOLL | SETUP_REGISTERED_FD_ONLY)) &&
           is_size(params->sq_entries, MAX_ENTRIES) && is_size(params->cq_entries, 2 * MAX_ENTRIES);
}

void uring_made(struct context *context, struct caller *caller, const struct pending *call, int fd)
{
    struct io_uring_params params;
    struct async *async = async_of(caller);
    struct uring *ring = async ? malloc(sizeof *ring) : NULL;

    if (!ring ||
        memory_read_whole(caller->space, caller->tid, call->args[1], &params, sizeof params) < 0 ||
        !is_plain(&params)) {
        free(ring);
        write_uring_note(context, caller);
        return;
    }
    forget_ring(context, caller, fd);
    *ring = (struct uring){ .next = async->urings, .fd = fd, .params = params };
    if (params.flags & SETUP_NO_MMAP) {
        ring->sqes = params.sq_off.resv2;
        ring->rings = ring->results = params.cq_off.resv2;
    }
    async->urings = ring;
}

void uring_mapped(struct caller *caller, const struct pending *call, uint64_t address)
{
    struct uring *ring = find_ring(caller, (int)call->args[4]);
    uint64_t offset = call->args[5] << (call->row == ROW_mmap2__ring ? MMAP_PAGE_BITS : 0);

    if (!ring)
        return;
    if (offset == IORING_OFF_SQES)
        ring->sqes = address;
    else if (offset == IORING_OFF_CQ_RING)
        ring->results = address;
    else if (offset == IORING_OFF_SQ_RING)
        ring->rings = address;
    if (ring->params.features & IORING_FEAT_SINGLE_MMAP) {
        ring->rings = ring->rings ? ring->rings : ring->results;
        ring->results = ring->rings;
    }
}

static bool read_number(const struct caller *caller, uint64_t address, uint32_t *number_out)
{
    return memory_read_whole(caller->space, caller->tid, address, number_out, sizeof *number_out) ==
           0;
}

/* -- results ---------------------------------------------------------------------------------- */

static void take_results(struct context *context, struct caller *caller, struct uring *ring,
                         uint32_t tail)
{
    uint32_t stride = sizeof(struct io_uring_cqe) * (ring->params.flags & SETUP_CQE32 ? 2 : 1);
    uint32_t places = ring->params.cq_entries;

    if (!caller->space->async->first)
        ring->results_read = tail;
    if (tail - ring->results_read >
        places) { /* some results were overwritten before they were read */
        write_uring_note(context, caller);
        ring->results_read = tail - places;
    }
    for (; ring->results_read != tail; ring->results_read++) {
        struct io_uring_cqe result;
        uint64_t at = ring->results + ring->params.cq_off.cqes +
                      (uint64_t)(ring->results_read & (places - 1)) * stride;
        if (memory_read_whole(caller->space, caller->tid, at, &result, 16) < 0)
            return;
        async_end(context, caller, ring->sqes, result.user_data, result.res);
    }
}

void uring_collect(struct context *context, struct caller *caller)
{
    for (struct uring *ring = caller->space->async->urings; ring; ring = ring->next) {
        uint32_t tail;
        if (ring->results && ring->sqes &&
            read_number(caller, ring->results + ring->params.cq_off.tail, &tail))
            take_results(context, caller, ring, tail);
    }
}

/* -- operations ------------------------------------------------------------------------------- */

enum form { NOT_RECORDED, NO_TRANSFER, BUFFER, MESSAGE, CONNECT, ACCEPT, OPEN, OPEN_HOW, FD };

/* The row of each operation, and which form its arguments have. */
static const struct known {
    uint16_t row;
    uint8_t form;
} OPERATIONS[] = {
    [IORING_OP_NOP] = { 0, NO_TRANSFER },
    [IORING_OP_READV] = { ROW_io_uring_enter__readv, BUFFER },
    [IORING_OP_WRITEV] = { ROW_io_uring_enter__writev, BUFFER },
    [IORING_OP_FSYNC] = { ROW_io_uring_enter__sync, FD },
    [IORING_OP_READ_FIXED] = { ROW_io_uring_enter__read, BUFFER },
    [IORING_OP_WRITE_FIXED] = { ROW_io_uring_enter__write, BUFFER },
    [IORING_OP_POLL_ADD] = { 0, NO_TRANSFER },
    [IORING_OP_POLL_REMOVE] = { 0, NO_TRANSFER },
    [IORING_OP_SYNC_FILE_RANGE] = { ROW_io_uring_enter__sync, FD },
    [IORING_OP_SENDMSG] = { ROW_io_uring_enter__sendmsg, MESSAGE },
    [IORING_OP_RECVMSG] = { ROW_io_uring_enter__recvmsg, MESSAGE },
    [IORING_OP_TIMEOUT] = { 0, NO_TRANSFER },
    [IORING_OP_TIMEOUT_REMOVE] = { 0, NO_TRANSFER },
    [IORING_OP_ACCEPT] = { ROW_io_uring_enter__accept, ACCEPT },
    [IORING_OP_ASYNC_CANCEL] = { 0, NO_TRANSFER },
    [IORING_OP_LINK_TIMEOUT] = { 0, NO_TRANSFER },
    [IORING_OP_CONNECT] = { ROW_io_uring_enter__connect, CONNECT },
    [IORING_OP_FALLOCATE] = { ROW_io_uring_enter__sync, FD },
    [IORING_OP_OPENAT] = { ROW_io_uring_enter__openat, OPEN },
    [IORING_OP_CLOSE] = { ROW_io_uring_enter__close, FD },
    [IORING_OP_READ] = { ROW_io_uring_enter__read, BUFFER },
    [IORING_OP_WRITE] = { ROW_io_uring_enter__write, BUFFER },
    [IORING_OP_FADVISE] = { 0, NO_TRANSFER },
    [IORING_OP_MADVISE] = { 0, NO_TRANSFER },
    [IORING_OP_SEND] = { ROW_io_uring_enter__send, BUFFER },
    [IORING_OP_RECV] = { ROW_io_uring_enter__recv, BUFFER },
    [IORING_OP_OPENAT2] = { ROW_io_uring_enter__openat2, OPEN_HOW },
};

/* The arguments of a row, from a submission queue entry. */
static void fill_arguments(uint64_t args[6], const struct io_uring_sqe *entry, enum form form)
{
    memset(args, 0, 6 * sizeof *args);
    args[0] = (uint64_t)(int64_t)entry->fd;
    args[1] = entry->addr;
    args[2] = form == BUFFER ? entry->len : entry->rw_flags;
    if (form == CONNECT || form == ACCEPT || form == OPEN_HOW)
        args[2] = entry->off; /* addr2: a length, where one is, or a struct open_how */
    if (form == ACCEPT || form == BUFFER)
        args[3] = entry->rw_flags;
    if (form == OPEN)
        args[3] = entry->len;
}

/* Whether an operation can be recorded: its fd is one of the program's, its bytes are where it says. */
static bool is_readable(const struct io_uring_sqe *entry)
{
    bool opens = entry->opcode == IORING_OP_ACCEPT || entry->opcode == IORING_OP_OPENAT ||
                 entry->opcode == IORING_OP_OPENAT2 || entry->opcode == IORING_OP_CLOSE;

    return entry->opcode < sizeof OPERATIONS / sizeof *OPERATIONS &&
           OPERATIONS[entry->opcode].form != NOT_RECORDED &&
           !(entry->flags & (IOSQE_FIXED_FILE | SKIPS_RESULT | CHOOSES_BUFFER)) &&
           !(opens && entry->file_index) &&
           !(entry->opcode == IORING_OP_ACCEPT && entry->ioprio); /* IORING_ACCEPT_MULTISHOT */
}

static void begin_entry(struct context *context, struct caller *caller, const struct pending *enter,
                        const struct uring *ring, uint64_t at, uint32_t nth)
{
    struct pending call = *enter;
    struct io_uring_sqe entry;

    if (memory_read_whole(caller->space, caller->tid, at, &entry, sizeof entry) < 0)
        return;
    if (!is_readable(&entry)) {
        write_uring_note(context, caller);
        return;
    }
    const struct known *known = &OPERATIONS[entry.opcode];
    if (known->form == NO_TRANSFER)
        return;
    call.row = known->row;
    fill_arguments(call.args, &entry, known->form);
    async_begin(context, caller, &call, ring->sqes, entry.user_data, nth);
}

void uring_enter(struct context *context, struct caller *caller, const struct pending *call)
{
    struct uring *ring =
        call->args[3] & ENTER_REGISTERED_RING ? NULL : find_ring(caller, (int)call->args[0]);
    uint32_t head, tail, count = (uint32_t)call->args[1];

    if (!count)
        return;
    if (!ring || !ring->rings || !ring->sqes ||
        !read_number(caller, ring->rings + ring->params.sq_off.head, &head) ||
        !read_number(caller, ring->rings + ring->params.sq_off.tail, &tail)) {
        write_uring_note(context, caller);
        return;
    }
    uring_collect(context,
                  caller); /* results that are there end before operations that begin now */
    uint32_t places = ring->params.sq_entries;
    uint64_t size = sizeof(struct io_uring_sqe) * (ring->params.flags & SETUP_SQE128 ? 2 : 1);
    for (uint32_t nth = 0; nth < count && nth < tail - head && nth < places; nth++) {
        uint32_t index = (head + nth) & (places - 1);
        uint64_t slot = ring->rings + ring->params.sq_off.array + 4 * (uint64_t)index;
        if (!(ring->params.flags & SETUP_NO_SQARRAY) && !read_number(caller, slot, &index))
            return;
        if (index < places)
            begin_entry(context, caller, call, ring, ring->sqes + index * size, nth);
    }
}
