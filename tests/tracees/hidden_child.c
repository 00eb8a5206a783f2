/*
 * The children of a program that made itself not dumpable: only root can read their memory. Their
 * events have what registers and /proc contain.
 */
#include "expect.h"
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

static void *in_a_thread(void *path)
{
    return (void *)(long)open(path, O_CREAT | O_RDWR | O_APPEND, 0644);
}

static void messages(void)
{
    char text[] = "message";
    struct iovec part = { text, 7 };
    struct mmsghdr many[2] = { { { .msg_iov = &part, .msg_iovlen = 1 }, 0 } };
    int pair[2];

    many[1] = many[0];
    MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) == 0);
    MUST(sendmsg(pair[0], &many[0].msg_hdr, 0) == 7 && sendmmsg(pair[0], many, 2, 0) == 2);
    MUST(recvmmsg(pair[1], many, 2, 0, NULL) == 2 && recvmsg(pair[1], &many[0].msg_hdr, 0) == 7);
    close(pair[0]);
    close(pair[1]);
}

/* What kind of birth it is does not show in registers: the flags are in memory. */
static void vforked(void)
{
    uint64_t arguments[8] = { [0] = CLONE_VFORK, [4] = SIGCHLD };
    pid_t pid = syscall(SYS_clone3, arguments, sizeof arguments);

    if (pid == 0)
        _exit(0);
    MUST(waitpid(pid, NULL, 0) == pid);
}

static int child(void)
{
    struct iovec parts[] = { { "one ", 4 }, { "two\n", 4 } };
    pthread_t thread;
    void *opened_by;

    MUST(writev(1, parts, 0) == 0 && writev(1, (void *)-1, 0) == 0);
    MUST(pthread_create(&thread, NULL, in_a_thread, "child.log") == 0);
    MUST(pthread_join(thread, &opened_by) == 0);
    int fd = (int)(long)opened_by;
    MUST(fd >= 0 && write(fd, "three\n", 6) == 6 && writev(1, parts, 2) == 8);
    messages();
    close(fd);
    vforked();
    return 0;
}

int main(void)
{
    MUST(prctl(PR_SET_DUMPABLE, 0) == 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(child());
    MUST(waitpid(pid, NULL, 0) == pid);
    expect("'source': 'proc.fork', 'child_pid': %d", pid);
    expect("'source': 'proc.fork', 'op': 'vfork', 'pid': %d", pid);
    expect("'source': 'proc.exit', 'pid': %d, 'exit_code': 0", pid);
    return 0;
}
