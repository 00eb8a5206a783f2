/* Vectors and messages without buffers, or at unmapped addresses; counts with random upper halves. */
#include "call32.h"
#include "expect.h"
#include <sys/socket.h>
#include <sys/uio.h>

#define NOWHERE ((void *)-1) /* no address of a process: reading there is not even an EFAULT */

static void vectors_of_none(int fd)
{
    static const struct {
        long number;
        const char *name;
    } CALLS[] = {
        { SYS_writev, "writev" },
        { SYS_readv, "readv" },
        { SYS_pwritev, "pwritev" },
        { SYS_preadv, "preadv" },
    };

    for (size_t i = 0; i < sizeof CALLS / sizeof *CALLS; i++) {
        MUST(syscall(CALLS[i].number, fd, NOWHERE, 0, 0L, 0L) == 0);
        MUST(syscall(CALLS[i].number, fd, NULL, 0, 0L, 0L) == 0);
        MUST(syscall(CALLS[i].number, fd, NOWHERE, 1, 0L, 0L) < 0 && errno == EFAULT);
        expect_error("read_write", CALLS[i].name, "log.log");
        MUST(syscall(CALLS[i].number, fd, NOWHERE, -1L, 0L, 0L) < 0 && errno == EINVAL);
        expect_error("read_write", CALLS[i].name, "log.log");
    }
    MUST(syscall(SYS_pwritev2, fd, NOWHERE, 0, 0L, 0L, 0) == 0);
    MUST(syscall(SYS_preadv2, fd, NOWHERE, 0, 0L, 0L, 0) == 0);
    MUST(write(fd, NULL, 0) == 0 && read(fd, NULL, 0) == 0);
    MUST(write(fd, NOWHERE, 0) < 0 && errno == EFAULT);
    expect_error("read_write", "write", "log.log");
}

static void messages_of_none(void)
{
    struct msghdr none = { .msg_iov = NOWHERE };
    struct mmsghdr many[2] = { { none, 0 }, { none, 0 } };
    int pair[2];

    MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    MUST(sendmsg(pair[0], &none, 0) == 0 && recvmsg(pair[1], &none, 0) == 0);
    MUST(sendmsg(pair[0], NOWHERE, 0) < 0 && errno == EFAULT);
    MUST(syscall(SYS_sendmmsg, pair[0], NOWHERE, 0, 0) == 0);
    MUST(syscall(SYS_sendmmsg, pair[0], many, 2 | 1L << 40, 0) == 2);
    MUST(syscall(SYS_recvmmsg, pair[1], many, 2 | 1L << 40, MSG_DONTWAIT, NULL) == 2);
    MUST(syscall(SYS_recvmmsg, pair[1], many, 2, MSG_DONTWAIT, NULL) < 0 && errno == EAGAIN);
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const long NOISE = 5L << 40;
    char *low =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    struct iovec part = { "kept\n", 5 };

    MUST(low != MAP_FAILED);
    int fd = expect_open("openat", "log.log", open("log.log", O_CREAT | O_RDWR | O_APPEND, 0644));
    vectors_of_none(fd);
    messages_of_none();

    /* An iovec is counted by an unsigned int (import_iovec), an fd is one too. */
    MUST(syscall(SYS_writev, fd | NOISE, &part, 1 | NOISE) == 5);
    strcpy(low, "also kept\n");
    MUST(call32(4, fd | NOISE, (long)low | NOISE, 10 | NOISE) == 10);
    expect_close("close", "log.log", 0, 6, 15, 8);
    close(fd);
    return 0;
}
