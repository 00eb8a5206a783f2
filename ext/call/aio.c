/*
 * Native AIO: io_submit(2) and the ring in which the kernel puts results.
 *
 * A program can read results from the ring without a call (libaio does), so io_getevents(2) is not watched.
 * The kernel puts each result at `tail`. It never lets more operations be under way than the ring has
 * places, so no result is overwritten between two submissions (fs/aio.c). Results are read from the
 * ring whenever the program makes a watched call.
 */
#include "call/async.h"

#include <linux/aio_abi.h>
#include <stdlib.h>
#include <string.h>

enum {
    AIO_RING_MAGIC = 0xa10a10a1,
    AIO_PLACES = 1 << 20, /* more than a ring has, unless fs.aio-max-nr was raised very much */
    SUBMITTED_MAX = 4096,
    AT_ONCE = 32,
};

/* struct aio_ring of fs/aio.c, before its events. */
struct ring_head {
    uint32_t id, nr, head, tail, magic, compat_features, incompat_features, header_length;
};

static bool read_head(const struct caller *caller, uint64_t address, struct ring_head *head_out)
{
    return memory_read_whole(caller->space, caller->tid, address, head_out, sizeof *head_out) ==
               0 &&
           head_out->magic == AIO_RING_MAGIC && head_out->nr && head_out->nr < AIO_PLACES &&
           head_out->tail < head_out->nr;
}

/* End the operations whose results lie between the last one that was read and `tail`. */
static void take_results(struct context *context, struct caller *caller, struct aio_ring *ring,
                         const struct ring_head *head)
{
    struct io_event events[AT_ONCE];
    struct operation *done;

    while (ring->next_place != head->tail && caller->space->async->first) {
        uint32_t until = head->tail > ring->next_place ? head->tail : head->nr;
        uint32_t count = until - ring->next_place < AT_ONCE ? until - ring->next_place : AT_ONCE;
        uint64_t at = ring->address + head->header_length + ring->next_place * sizeof *events;
        if (memory_read_whole(caller->space, caller->tid, at, events, count * sizeof *events) < 0)
            return;
        for (uint32_t i = 0; i < count; i++)
            if ((done = async_find(caller, ring->address, events[i].obj)))
                async_end(context, caller, done, events[i].res, false);
        ring->next_place = (ring->next_place + count) % head->nr;
    }
    ring->next_place = head->tail;
}

void aio_collect(struct context *context, struct caller *caller)
{
    struct ring_head head;

    for (struct aio_ring *ring = caller->space->async->rings; ring; ring = ring->next)
        if (read_head(caller, ring->address, &head) && ring->next_place < head.nr)
            take_results(context, caller, ring, &head);
}

/* Remember the ring at `address`; false: there is none, or no memory. */
static bool remember_ring(struct caller *caller, uint64_t address)
{
    struct ring_head head;
    struct async *async = async_of(caller);

    if (!async || !read_head(caller, address, &head))
        return false;
    for (struct aio_ring *ring = async->rings; ring; ring = ring->next)
        if (ring->address == address)
            return true;
    struct aio_ring *new = malloc(sizeof *new);
    if (!new)
        return false;
    *new = (struct aio_ring){ .next = async->rings, .address = address, .next_place = head.tail };
    async->rings = new;
    return true;
}

static int row_of_operation(uint16_t opcode)
{
    switch (opcode) {
    case IOCB_CMD_PREAD:
        return ROW_io_submit__read;
    case IOCB_CMD_PWRITE:
        return ROW_io_submit__write;
    case IOCB_CMD_PREADV:
        return ROW_io_submit__readv;
    case IOCB_CMD_PWRITEV:
        return ROW_io_submit__writev;
    case IOCB_CMD_FSYNC:
    case IOCB_CMD_FDSYNC:
        return ROW_io_submit__sync;
    default:
        return -1; /* it transfers no bytes: IOCB_CMD_POLL, IOCB_CMD_NOOP */
    }
}

static void begin_iocb(struct context *context, struct caller *caller,
                       const struct pending *submission, uint64_t address, uint32_t nth)
{
    struct pending call = *submission;
    struct iocb block;

    if (memory_read_whole(caller->space, caller->tid, address, &block, sizeof block) < 0)
        return; /* -EFAULT for the program as well */
    int row = row_of_operation(block.aio_lio_opcode);
    if (row < 0)
        return;
    call.row = (uint16_t)row;
    call.args[0] = block.aio_fildes;
    call.args[1] = block.aio_buf;
    call.args[2] = block.aio_nbytes;
    call.args[3] = (uint64_t)block.aio_offset;
    async_begin(context, caller, &call, submission->args[0], address, nth);
}

void aio_submit(struct context *context, struct caller *caller, const struct pending *call)
{
    uint64_t ring = call->args[0], count = call->args[1], list = call->args[2];
    uint32_t word = call->abi->word;

    if (!caller->space || !remember_ring(caller, ring))
        return;
    aio_collect(context, caller); /* results that are there end before operations that begin now */
    for (uint32_t nth = 0; nth < count && nth < SUBMITTED_MAX; nth++) {
        uint64_t address = 0;
        if (memory_read_whole(caller->space, caller->tid, list + nth * word, &address, word) < 0)
            return;
        begin_iocb(context, caller, call, address, nth);
    }
}

/* The kernel waits for the operations that are under way and frees the ring: their results are not known. */
void aio_destroy(struct context *context, struct caller *caller, const struct pending *call)
{
    struct async *async = caller->space ? caller->space->async : NULL;

    if (!async || !call->args[0])
        return;
    async_collect(context, caller);
    for (struct aio_ring **link = &async->rings; *link; link = &(*link)->next)
        if ((*link)->address == call->args[0]) {
            struct aio_ring *gone = *link;
            async_abandon(context, caller, gone->address);
            *link = gone->next;
            free(gone);
            return;
        }
}
