/* Calls with memory of each shape, lying pointers, interrupted calls, threads, fork and exec. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int wake[2];

static void write_a_byte(int signal)
{
    (void)signal;
    syscall(SYS_write, wake[1], "w", 1);
}

static void do_nothing(int signal)
{
    (void)signal;
}

/*
 * The read that is interrupted goes on or not, by SA_RESTART; if it does, it finds a byte. However late the
 * read is: one that does not go on is interrupted by the next alarm, if the first came before it.
 */
static void interrupted_read(int flags)
{
    struct sigaction action = { .sa_handler = flags & SA_RESTART ? write_a_byte : do_nothing,
                                .sa_flags = flags };
    struct itimerval soon = { .it_value = { .tv_usec = 20000 } }, never = { .it_value = { 0, 0 } };
    char byte;

    if (!(flags & SA_RESTART))
        soon.it_interval.tv_usec = 200000;

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
    syscall(SYS_read, wake[0], &byte, 1);
    setitimer(ITIMER_REAL, &never, NULL);
}

static void lying_pointers(void)
{
    char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct iovec vectors[2] = { { (void *)8, 5 }, { "fine", (size_t)-1 } };

    munmap(page + 4096, 4096);
    memset(page, 'x', 4096);
    syscall(SYS_openat, AT_FDCWD, page + 4090, O_RDONLY, 0);
    syscall(SYS_openat, AT_FDCWD, (void *)8, O_RDONLY, 0);
    syscall(SYS_write, 1, (void *)-8, (size_t)-1);
    syscall(SYS_writev, 1, vectors, 2);
    syscall(SYS_writev, 1, page + 4090, 1000);
    syscall(SYS_execve, "/none", page + 4088, page + 4090);
}

static void messages(void)
{
    int pair[2];
    char first[4], second[40];
    struct iovec out[2] = { { "abc", 3 }, { "defgh", 5 } };
    struct iovec in[2] = { { first, sizeof first }, { second, sizeof second } };
    struct msghdr sent = { .msg_iov = out, .msg_iovlen = 2 };
    struct msghdr received = { .msg_iov = in, .msg_iovlen = 2 };

    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    sendmsg(pair[0], &sent, 0);
    recvmsg(pair[1], &received, 0);
}

static void *in_thread(void *unused)
{
    (void)unused;
    syscall(SYS_getppid);
    return NULL;
}

int main(int argc, char **argv)
{
    pthread_t thread;

    if (argc > 1)
        return 3;
    syscall(SYS_write, 1, "hi\n", 3);
    lying_pointers();
    messages();
    pipe(wake);
    interrupted_read(SA_RESTART);
    interrupted_read(0);
    pthread_create(&thread, NULL, in_thread, NULL);
    pthread_join(thread, NULL);
    if (fork() == 0)
        syscall(SYS_exit_group, 7);
    wait(NULL);
    syscall(9999, 1, 2);
    execl(argv[0], argv[0], "end", NULL);
    return 1;
}
