/* Makes calls that succeed, and whose result or other arguments are shown as their command says. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

static char zeros[16];

static void fcntls(void)
{
    int fd = memfd_create("own", MFD_ALLOW_SEALING);
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 3, .l_len = 7 };
    struct f_owner_ex owner = { .type = F_OWNER_PID, .pid = 0 };

    syscall(SYS_fcntl, fd, F_GETFD);
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_GETFD);
    fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, O_RDWR | O_NONBLOCK | O_APPEND);
    fcntl(fd, F_GETFL);
    fcntl(fd, F_DUPFD, 20);
    fcntl(fd, F_DUPFD_CLOEXEC, 20);
    fcntl(fd, F_SETLK, &lock);
    fcntl(fd, F_GETLK, &lock);
    fcntl(fd, F_OFD_SETLK, &lock);
    fcntl(fd, F_SETOWN_EX, &owner);
    fcntl(fd, F_GETOWN_EX, &owner);
    fcntl(fd, F_SETOWN, 0);
    fcntl(fd, F_GETOWN);
    fcntl(fd, F_SETSIG, SIGUSR1);
    fcntl(fd, F_GETSIG);
    fcntl(fd, F_SETSIG, 0);
    fcntl(fd, F_GETSIG);
    fcntl(fd, F_GETLEASE);
    fcntl(fd, F_SETLEASE, F_RDLCK);
    fcntl(fd, F_NOTIFY, DN_MODIFY | DN_MULTISHOT);
    fcntl(fd, F_GETPIPE_SZ);
    fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK);
    fcntl(fd, F_GET_SEALS);
}

static void prctls(void)
{
    int number = 0;
    char name[16] = "";

    prctl(PR_SET_PDEATHSIG, SIGUSR1);
    prctl(PR_GET_PDEATHSIG, &number);
    prctl(PR_SET_DUMPABLE, 1);
    prctl(PR_GET_DUMPABLE);
    prctl(PR_SET_KEEPCAPS, 0);
    prctl(PR_GET_KEEPCAPS);
    prctl(PR_SET_NAME, "a name");
    prctl(PR_GET_NAME, name);
    prctl(PR_GET_SECCOMP);
    prctl(PR_CAPBSET_READ, CAP_NET_RAW);
    prctl(PR_GET_SECUREBITS);
    prctl(PR_SET_TIMERSLACK, 50000);
    prctl(PR_GET_TIMERSLACK);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prctl(PR_GET_CHILD_SUBREAPER, &number);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_GET_TSC, &number);
    prctl(PR_SET_TSC, PR_TSC_ENABLE);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_SYS_ADMIN, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, zeros, 16, "named");
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    prctl(PR_SET_MM, PR_SET_MM_BRK, 0, 0, 0);
}

static void scheduling(void)
{
    struct sched_param param = { 0 };
    cpu_set_t cpus;

    sched_getscheduler(0);
    sched_setscheduler(0, SCHED_BATCH, &param);
    sched_getscheduler(0);
    sched_getparam(0, &param);
    syscall(SYS_ioprio_get, 1, 0);
    syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 5);
    syscall(SYS_ioprio_get, 1, 0);
    personality(0xffffffff);
    personality(ADDR_NO_RANDOMIZE);
    personality(0xffffffff);
    getpriority(PRIO_PROCESS, 0);
    CPU_ZERO(&cpus);
    CPU_SET(0, &cpus);
    sched_setaffinity(0, sizeof cpus, &cpus);
    syscall(SYS_sched_getaffinity, 0, 8, &cpus);
    syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0);
    syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0);
}

static void waiting(void)
{
    int both[2];
    struct timespec now = { 0, 0 };
    struct timeval none = { 0, 0 };
    struct epoll_event events[2], event = { .events = EPOLLIN | EPOLLET, .data.u64 = 7 };
    fd_set reads, writes, others;
    sigset_t mask;

    if (pipe(both) || write(both[1], "x", 1) != 1)
        return;
    struct pollfd fds[] = { { both[0], POLLIN | POLLPRI, 0 },
                            { both[1], POLLOUT, 0 },
                            { 99, 0, 0 } };
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR2);
    poll(fds, 3, 0);
    poll(fds, 0, 0);
    ppoll(fds, 2, &now, &mask);
    ppoll(fds, 0, &now, NULL);
    FD_ZERO(&reads);
    FD_SET(both[0], &reads);
    writes = others = reads;
    select(both[0] + 1, &reads, NULL, &others, &none);
    select(0, NULL, NULL, NULL, &none);
    FD_SET(both[1], &writes);
    pselect(both[1] + 1, NULL, &writes, NULL, &now, &mask);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epoll, EPOLL_CTL_ADD, both[0], &event);
    epoll_wait(epoll, events, 2, 0);
    epoll_ctl(epoll, EPOLL_CTL_DEL, both[0], NULL);
    epoll_pwait(epoll, events, 2, 0, &mask);
}

static void operations(void)
{
    aio_context_t context = 0;
    char text[] = "some text", back[4];
    struct iovec vector = { text, 4 };
    int fd = memfd_create("aio", 0);
    struct iocb write = { .aio_data = 5,
                          .aio_lio_opcode = IOCB_CMD_PWRITE,
                          .aio_fildes = fd,
                          .aio_buf = (unsigned long)text,
                          .aio_nbytes = 9,
                          .aio_offset = 2 };
    struct iocb read = { .aio_data = 6,
                         .aio_lio_opcode = IOCB_CMD_PREAD,
                         .aio_fildes = fd,
                         .aio_buf = (unsigned long)back,
                         .aio_nbytes = 4,
                         .aio_offset = 3 };
    struct iocb many = { .aio_data = 7,
                         .aio_lio_opcode = IOCB_CMD_PWRITEV,
                         .aio_fildes = fd,
                         .aio_buf = (unsigned long)&vector,
                         .aio_nbytes = 1,
                         .aio_offset = 1 };
    struct iocb *all[] = { &write, &read, &many };
    struct io_event events[3];

    syscall(SYS_io_setup, 8, &context);
    syscall(SYS_io_submit, context, 3, all);
    syscall(SYS_io_getevents, context, 1, 3, events, NULL);
    syscall(SYS_io_destroy, context);
}

static void futexes(void)
{
    static uint32_t word, other;
    struct timespec soon = { 0, 1000 };

    syscall(SYS_futex, &word, FUTEX_WAIT, 1, NULL);
    syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &soon);
    syscall(SYS_futex, &word, FUTEX_WAKE, 1);
    syscall(SYS_futex, &word, FUTEX_REQUEUE, 1, 2, &other);
    syscall(SYS_futex, &word, FUTEX_CMP_REQUEUE_PRIVATE, 1, 2, &other, 0);
    syscall(SYS_futex, &word, FUTEX_WAKE_OP, 1, 1, &other,
            FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_GT, 4));
    syscall(SYS_futex, &word, FUTEX_WAKE_OP, 1, 1, &other,
            FUTEX_OP((FUTEX_OP_SET | FUTEX_OP_OPARG_SHIFT), 1, FUTEX_OP_CMP_EQ, 0));
    syscall(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 9, NULL, NULL, ~0);
    syscall(SYS_futex, &word, FUTEX_WAKE_BITSET, 1, NULL, NULL, 6);
    syscall(SYS_futex, &word, FUTEX_TRYLOCK_PI, 0, NULL);
    syscall(SYS_futex, &word, FUTEX_UNLOCK_PI, 0, NULL);
    syscall(SYS_futex, &word, FUTEX_LOCK_PI, 0, NULL);
    syscall(SYS_futex, &word, FUTEX_UNLOCK_PI_PRIVATE, 0, NULL);
    syscall(SYS_futex, &word, FUTEX_WAIT_REQUEUE_PI, 5, NULL, &other);
    syscall(SYS_futex, &word, FUTEX_CMP_REQUEUE_PI, 1, 1, &other, 0);
}

static void folders(void)
{
    static char entries[4096];
    int fd = open("/usr", O_RDONLY | O_DIRECTORY);

    syscall(SYS_getdents64, fd, entries, sizeof entries);
    syscall(SYS_getdents64, fd, entries, sizeof entries);
    lseek(fd, 0, SEEK_SET);
    syscall(SYS_getdents, fd, entries, sizeof entries);
    close(fd);
}

static void vectors(void)
{
    char one[3] = "abc", two[5] = "defgh";
    struct iovec both[] = { { one, sizeof one }, { two, sizeof two } };
    int fd = memfd_create("vectors", 0);

    writev(fd, both, 2);
    preadv(fd, both, 2, 1);
    pwritev2(fd, both, 1, 4, RWF_DSYNC);
    readv(fd, both, 2);
    process_vm_readv(getpid(), both, 1, both + 1, 1, 0);
}

static void limits(void)
{
    struct rlimit limit = { 64, 4096 };
    struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct sets[2];

    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
    prlimit(0, RLIMIT_CORE, &limit, NULL);
    prlimit(0, RLIMIT_CORE, NULL, &limit);
    syscall(SYS_capget, &header, sets);
    header.version = _LINUX_CAPABILITY_VERSION_1;
    syscall(SYS_capget, &header, sets);
}

static void signals(void)
{
    static char stack[65536];
    struct sigaction action = { .sa_handler = SIG_IGN, .sa_flags = SA_RESTART | SA_NODEFER };
    stack_t alternate = { .ss_sp = stack, .ss_size = sizeof stack };
    struct itimerval soon = { .it_value = { 1000, 5 } }, before;

    sigaddset(&action.sa_mask, SIGUSR2);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR1, NULL, &action);
    sigprocmask(SIG_BLOCK, &action.sa_mask, NULL);
    sigaltstack(&alternate, NULL);
    sigaltstack(NULL, &alternate);
    setitimer(ITIMER_REAL, &soon, NULL);
    soon.it_value.tv_sec = 0;
    soon.it_value.tv_usec = 0;
    setitimer(ITIMER_REAL, &soon, NULL);
    getitimer(ITIMER_REAL, &before);
}

static void options(void)
{
    int pair[2], on = 1;
    socklen_t size = sizeof on;
    struct linger linger = { 1, 5 };

    socket(AF_INET, SOCK_STREAM, 0);
    socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDP);
    socket(AF_NETLINK, SOCK_RAW, 0);
    socket(AF_UNIX, SOCK_SEQPACKET, 0);
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair);
    setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    getsockopt(pair[0], SOL_SOCKET, SO_TYPE, &on, &size);
    setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    shutdown(pair[0], SHUT_WR);
    send(pair[1], "text", 4, MSG_DONTWAIT | MSG_NOSIGNAL);
    recv(pair[0], zeros, sizeof zeros, MSG_PEEK);
}

int main(void)
{
    fcntls();
    prctls();
    scheduling();
    waiting();
    operations();
    futexes();
    folders();
    vectors();
    limits();
    signals();
    options();
    return 0;
}
