#include "call/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

#include "call/async.h"
#include "call/proc.h"

enum {
    SPARED_FDS = 64,
    HELD_AFTER_CALLS = 16,
};

/*
 * The last descriptors of the recorder (or the second half, if it may have very few) are kept free for the
 * session file, borrowed sockets and /proc files. Its limit is asked for once: a program starts many others.
 */
static rlim_t usable_fds(void)
{
    static rlim_t usable;
    struct rlimit limit;

    if (!usable) {
        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
            return RLIM_INFINITY;
        usable =
            limit.rlim_cur - (limit.rlim_cur < 2 * SPARED_FDS ? limit.rlim_cur / 2 : SPARED_FDS);
    }
    return usable;
}

/* Without a descriptor process_vm_readv(2) is used. */
static int open_memory(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);

    if (fd < 0 || (rlim_t)fd < usable_fds())
        return fd;
    close(fd);
    return -1;
}

/* Some containers refuse process_vm_readv to all. */
static bool can_read_unopened(void)
{
    static int8_t answer; /* 0: not asked for yet */
    char from = 1, to;
    struct iovec local = { &to, sizeof to }, remote = { &from, sizeof from };

    if (!answer)
        answer = process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == sizeof to ? 1 : -1;
    return answer > 0;
}

struct space *space_new(pid_t tid)
{
    struct space *space = malloc(sizeof *space);

    if (!space)
        return NULL;
    *space = (struct space){ .fd = -1, .uses = 1 };
    if (!can_read_unopened())
        space_hold(space, tid);
    return space;
}

void space_hold(struct space *space, pid_t tid)
{
    char path[PROC_PATH];

    if (!space || space->held)
        return;
    proc_path(path, tid, "mem");
    space->fd = open_memory(path);
    space->held = true;
}

void space_note_call(struct space *space, pid_t tid)
{
    if (space && !space->held && ++space->calls == HELD_AFTER_CALLS)
        space_hold(space, tid);
}

struct space *space_share(struct space *space)
{
    if (space)
        space->uses++;
    return space;
}

void space_drop(struct space *space)
{
    if (!space || --space->uses)
        return;
    if (space->fd >= 0)
        close(space->fd);
    async_free(space->async);
    free(space);
}

int memory_read(const struct space *space, pid_t tid, uint64_t address, void *buffer, size_t size,
                size_t *copied_out)
{
    ssize_t copied = -1;

    *copied_out = 0;
    if (!size) /* pread of 0 bytes fails with EINVAL at addresses from 2^63 on */
        return 0;
    if (space && space->fd >= 0) {
        copied = pread(space->fd, buffer, size, (off_t)address);
        if (copied < 0 && errno == EIO)
            return -EFAULT;
    }
    if (copied <= 0) {
        struct iovec local = { .iov_base = buffer, .iov_len = size };
        struct iovec remote = { .iov_base = (void *)(uintptr_t)address, .iov_len = size };
        copied = process_vm_readv(tid, &local, 1, &remote, 1, 0);
        if (copied < 0)
            return -errno;
    }
    *copied_out = (size_t)copied;
    return 0;
}

int memory_read_whole(const struct space *space, pid_t tid, uint64_t address, void *object,
                      size_t size)
{
    size_t copied;
    int status = memory_read(space, tid, address, object, size, &copied);

    return status < 0 || copied == size ? status : -EFAULT;
}

int memory_read_string(const struct space *space, pid_t tid, uint64_t address, char *buffer,
                       size_t size, size_t *copied_out)
{
    size_t length = 0, step = 256;

    while (length < size) {
        size_t copied = 0;
        size_t want = step < size - length ? step : size - length;
        int status = memory_read(space, tid, address + length, buffer + length, want, &copied);
        if (status < 0)
            return status;
        if (!copied)
            return -EFAULT;

        char *end = memchr(buffer + length, '\0', copied);
        if (end) {
            *copied_out = (size_t)(end - buffer);
            return 0;
        }
        length += copied;
        step = 4096;
    }
    *copied_out = size;
    return 0;
}

int memory_write(struct space *space, pid_t tid, uint64_t address, const void *bytes, size_t size)
{
    ssize_t written;

    space_hold(space, tid);
    if (space && space->fd >= 0) {
        written = pwrite(space->fd, bytes, size, (off_t)address);
    } else {
        struct iovec local = { .iov_base = (void *)bytes, .iov_len = size };
        struct iovec remote = { .iov_base = (void *)(uintptr_t)address, .iov_len = size };
        written = process_vm_writev(tid, &local, 1, &remote, 1, 0);
    }
    if (written < 0)
        return -errno;
    return (size_t)written == size ? 0 : -EFAULT;
}
