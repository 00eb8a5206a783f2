/*
 * Reads and writes by native AIO: submitted one by one and several at once; results taken by a call, by
 * the program from the ring, and not at all; failures when submitted and later.
 */
#include "expect.h"

#include <linux/aio_abi.h>
#include <sched.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/uio.h>

enum { PLACES = 8 };

static unsigned long context;

static struct iocb operation(int opcode, int fd, const void *buffer, size_t size, long long offset)
{
    return (struct iocb){ .aio_lio_opcode = opcode,
                          .aio_fildes = fd,
                          .aio_buf = (uintptr_t)buffer,
                          .aio_nbytes = size,
                          .aio_offset = offset };
}

static long submit(struct iocb *first, struct iocb *second, struct iocb *third)
{
    struct iocb *list[] = { first, second, third };

    return syscall(SYS_io_submit, context, third ? 3L : second ? 2L : 1L, list);
}

static long long result_of_one(void)
{
    struct io_event event;

    MUST(syscall(SYS_io_getevents, context, 1L, 1L, &event, NULL) == 1);
    return event.res;
}

/* As libaio does it: the ring lies at the address that the context is. */
static long long take_one(void)
{
    volatile struct ring {
        unsigned id, nr, head, tail, magic, features[2], header;
        struct io_event events[];
    } *ring = (void *)context;

    while (ring->head == ring->tail)
        sched_yield();
    long long result = ring->events[ring->head].res;
    ring->head = (ring->head + 1) % ring->nr;
    return result;
}

static void log_lines(void)
{
    int fd = expect_open("openat", "aio.log", openat(AT_FDCWD, "aio.log", O_CREAT | O_RDWR, 0644));
    struct iovec pieces[] = { { "a third ", 8 }, { "in pieces\n", 10 } };
    struct iocb one = operation(IOCB_CMD_PWRITE, fd, "a first line\n", 13, 0);
    struct iocb two = operation(IOCB_CMD_PWRITE, fd, "a second line\n", 14, 13);
    struct iocb three = operation(IOCB_CMD_PWRITEV, fd, pieces, 2, 27);
    struct iocb safe = operation(IOCB_CMD_FSYNC, fd, NULL, 0, 0);

    MUST(submit(&one, NULL, NULL) == 1 && result_of_one() == 13);
    MUST(submit(&two, &three, &safe) == 3);
    MUST(take_one() + take_one() + take_one() == 14 + 18);
    for (int i = 0; i < 3 * PLACES; i++) { /* around the ring, with the same block each time */
        one = operation(IOCB_CMD_PWRITE, fd, "and again\n", 10, 45 + 10 * i);
        MUST(submit(&one, NULL, NULL) == 1 && take_one() == 10);
    }
    close(fd);
    expect_close("close", "aio.log", 0, 0, 45 + 30 * PLACES, 3 + 3 * PLACES);
}

static void read_back(void)
{
    int fd = expect_open("openat", "aio.log", openat(AT_FDCWD, "aio.log", O_RDONLY));
    char text[64], more[64];
    struct iovec pieces[] = { { text, 4 }, { more, 4 } };
    struct iocb one = operation(IOCB_CMD_PREAD, fd, text, 45, 0);
    struct iocb two = operation(IOCB_CMD_PREADV, fd, pieces, 2, 0);
    struct iocb end = operation(IOCB_CMD_PREAD, fd, text, 8, 1 << 20);

    MUST(submit(&one, &two, &end) == 3 && take_one() == 45 && take_one() == 8 && !take_one());
    expect_close("close", "aio.log", 53, 3, 0, 0);
    close(fd);
}

static void told_failure(const char *error)
{
    expect("'source': 'fs.error', 'class': 'read_write', 'op': 'io_submit', 'file': '%s',"
           " 'error': '%s'",
           here("aio.log"), error);
}

static void failures(void)
{
    int fd = expect_open("openat", "aio.log", openat(AT_FDCWD, "aio.log", O_RDONLY));
    int other = expect_open("openat", "aio.log", openat(AT_FDCWD, "aio.log", O_WRONLY));
    struct iocb one = operation(IOCB_CMD_PWRITE, fd, "x", 1, 0);
    struct iocb two = operation(IOCB_CMD_PWRITE, other, "y", 1, 4096);

    signal(SIGXFSZ, SIG_IGN);
    MUST(setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 4096, RLIM_INFINITY }) == 0);
    MUST(submit(&one, NULL, NULL) < 0 && errno == EBADF);
    told_failure("EBADF");
    MUST(submit(&two, NULL, NULL) == 1 && result_of_one() == -EFBIG);
    told_failure("EFBIG");
    MUST(submit(&two, &one, NULL) == 1); /* nobody takes the result; the second of them never was */
    told_failure("EFBIG");
    close(fd);
    expect_close("close", "aio.log", 0, 0, 0, 0);
    close(other);
    expect_close("close", "aio.log", 0, 0, 0, 0);
}

int main(void)
{
    MUST(syscall(SYS_io_setup, PLACES, &context) == 0);
    log_lines();
    MUST(syscall(SYS_io_destroy, context) == 0);
    context = 0;
    MUST(syscall(SYS_io_setup, PLACES, &context) == 0);
    read_back();
    failures();
    return 0;
}
