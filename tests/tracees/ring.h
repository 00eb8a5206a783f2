/* An io_uring, used by system calls alone. */
#ifndef RING_H
#define RING_H

#include <linux/io_uring.h>
#include <stdint.h>

enum { PLACES = 8 };

static struct io_uring_params made;
static char *rings;
static struct io_uring_sqe *entries;
static int ring;
static unsigned asked;

static volatile unsigned *place(unsigned offset)
{
    return (volatile unsigned *)(rings + offset);
}

static void set_up(unsigned flags)
{
    made.flags = flags;
    ring = syscall(SYS_io_uring_setup, PLACES, &made);
    MUST(ring >= 0);
    size_t size = made.cq_off.cqes + made.cq_entries * sizeof(struct io_uring_cqe);
    if (size < made.sq_off.array + made.sq_entries * 4)
        size = made.sq_off.array + made.sq_entries * 4;
    rings = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring,
                 IORING_OFF_SQ_RING);
    entries = mmap(NULL, made.sq_entries * sizeof *entries, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
    MUST(rings != MAP_FAILED && (void *)entries != MAP_FAILED);
}

/* The next entry, to be filled in. */
static struct io_uring_sqe *ask(int opcode, int fd, const void *address, unsigned length)
{
    unsigned tail = *place(made.sq_off.tail), index = tail & (made.sq_entries - 1);
    struct io_uring_sqe *entry = &entries[index];

    memset(entry, 0, sizeof *entry);
    entry->opcode = opcode;
    entry->fd = fd;
    entry->addr = (uintptr_t)address;
    entry->len = length;
    entry->user_data = tail;
    place(made.sq_off.array)[index] = index;
    *place(made.sq_off.tail) = tail + 1;
    asked++;
    return entry;
}

/* Submit what was asked for and wait for all of it; the results are added up. */
static inline int results(void)
{
    int sum = 0;

    MUST(syscall(SYS_io_uring_enter, ring, asked, asked, IORING_ENTER_GETEVENTS, NULL, 0L) ==
         asked);
    for (; asked; asked--) {
        unsigned head = *place(made.cq_off.head);
        struct io_uring_cqe *found = (struct io_uring_cqe *)(rings + made.cq_off.cqes);
        MUST(head != *place(made.cq_off.tail));
        sum += found[head & (made.cq_entries - 1)].res;
        *place(made.cq_off.head) = head + 1;
    }
    return sum;
}

#endif
