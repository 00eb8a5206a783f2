/*
 * Calls that fail for lack of a permission, a resource or their object: each event has the error
 * and `what`. With `all`, also calls that are watched only if scope.yml asks for it.
 */
#include "expect.h"

#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>

#ifdef __i386__
#define FCNTL SYS_fcntl64
#define FCNTL_OP "fcntl64"
#define MAP SYS_mmap2
#define MAP_OP "mmap2"
#else
#define FCNTL SYS_fcntl
#define FCNTL_OP "fcntl"
#define MAP SYS_mmap
#define MAP_OP "mmap"
#endif

enum { NO_PID = INT_MAX };
static const unsigned long TOO_MUCH = ~0xfffUL >> (sizeof(long) == 8); /* no space has so much */

/* What a call was about, as the session has it; "" is nothing. */
static const char *about(const char *form, ...) __attribute__((format(printf, 1, 2)));
static const char *about(const char *form, ...)
{
    static char text[PATH_MAX * 3], value[PATH_MAX * 3 + 2];
    va_list values;

    va_start(values, form);
    vsnprintf(text, sizeof text, form, values);
    va_end(values);
    if (!text[0])
        return "null";
    snprintf(value, sizeof value, "'%s'", text);
    return value;
}

/* A call that must fail, about no file and no connection. */
#define REFUSED(op, about, call)                                                                   \
    do {                                                                                           \
        MUST((call) < 0);                                                                          \
        expect("'source': 'proc.error', 'op': '%s', 'error': '%s', 'what': %s", op,                \
               strerrorname_np(errno), about);                                                     \
    } while (0)

/* The same about a file. */
#define FILE_REFUSED(class, op, name, call)                                                        \
    do {                                                                                           \
        MUST((call) < 0);                                                                          \
        expect("'source': 'fs.error', 'class': '%s', 'op': '%s', 'file': '%s', 'error': '%s'",     \
               class, op, here(name), strerrorname_np(errno));                                     \
    } while (0)

/* The same about a socket. */
#define SOCKET_REFUSED(op, transport, call)                                                        \
    do {                                                                                           \
        MUST((call) < 0);                                                                          \
        expect("'source': 'net.error', 'class': 'connection', 'op': '%s', 'error': '%s',"          \
               " 'net_transport': '%s'",                                                           \
               op, strerrorname_np(errno), transport);                                             \
    } while (0)

static void locks(void)
{
    int one = expect_open("openat", "locked", openat(AT_FDCWD, "locked", O_RDWR | O_CREAT, 0644));
    int other = expect_open("openat", "locked", openat(AT_FDCWD, "locked", O_RDWR));
    struct flock64 lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    MUST(flock(one, LOCK_EX) == 0);
    FILE_REFUSED("lock", "flock", "locked", flock(other, LOCK_EX | LOCK_NB));
    MUST(syscall(FCNTL, one, F_OFD_SETLK, &lock) == 0);
    FILE_REFUSED("lock", FCNTL_OP, "locked", syscall(FCNTL, other, F_OFD_SETLK, &lock));
    FILE_REFUSED("lock", FCNTL_OP, "locked", syscall(FCNTL, other, F_SETLK64, &lock));
}

static void files(void)
{
    int fd = expect_open("openat", "odd", openat(AT_FDCWD, "odd", O_CREAT | O_RDONLY, 0600));
    int watcher = inotify_init1(IN_CLOEXEC);

    FILE_REFUSED("attr", "utimensat", "absent",
                 syscall(SYS_utimensat, AT_FDCWD, "absent", NULL, 0));
    FILE_REFUSED("attr", "setxattr", "absent", syscall(SYS_setxattr, "absent", "user.x", "", 0, 0));
    FILE_REFUSED("attr", "fremovexattr", "odd", syscall(SYS_fremovexattr, fd, "no.such.kind"));
    FILE_REFUSED("stat", "statfs", "absent", syscall(SYS_statfs, "absent", start));
    FILE_REFUSED("read_write", "fallocate", "odd", syscall(SYS_fallocate, fd, 0, 0L, 0L, 1L, 0L));
    FILE_REFUSED("watch", "inotify_add_watch", "absent",
                 inotify_add_watch(watcher, "absent", IN_CREATE));
}

static void lost(void)
{
    char path[PATH_MAX];

    MUST(mkdir("gone", 0755) == 0 && chdir("gone") == 0 && rmdir("../gone") == 0);
    FILE_REFUSED("cwd", "getcwd", "gone", syscall(SYS_getcwd, path, sizeof path));
    MUST(chdir(start) == 0);
}

static void rights(void)
{
    struct rlimit small = { .rlim_cur = 2, .rlim_max = 1 };
    uint64_t small64[] = { 2, 1 };

    REFUSED("kill", about("SIGTERM to %d", NO_PID), kill(NO_PID, SIGTERM));
    REFUSED("tgkill", about("SIGUSR1 to thread %d of %d", NO_PID, NO_PID),
            syscall(SYS_tgkill, NO_PID, NO_PID, SIGUSR1));
    REFUSED("setuid", about("user -1"), syscall(SYS_setuid, -1));
    REFUSED("setgid", about("group -1"), syscall(SYS_setgid, -1));
    REFUSED("setrlimit", about("RLIMIT_CORE"), syscall(SYS_setrlimit, RLIMIT_CORE, &small));
    REFUSED("prlimit64", about("RLIMIT_STACK"),
            syscall(SYS_prlimit64, 0, RLIMIT_STACK, small64, NULL));
    REFUSED("setpgid", about("%d into group 1", NO_PID), setpgid(NO_PID, 1));
    REFUSED("unshare", about("CLONE_NEWUTS"), syscall(SYS_unshare, CLONE_NEWUTS | 1));
    REFUSED("unshare", about("CLONE_FS"), syscall(SYS_unshare, CLONE_FS | 1));
    REFUSED("setns", about("fd 999"), syscall(SYS_setns, 999, 0));
    REFUSED("mount", about("none on %s", here("absent")),
            syscall(SYS_mount, "none", "absent", "tmpfs", 0, NULL));
    REFUSED("umount2", about("%s", here("absent")), syscall(SYS_umount2, "absent", 0));
    REFUSED("sched_setscheduler", about("process %d", NO_PID),
            syscall(SYS_sched_setscheduler, NO_PID, 0, NULL));
    REFUSED("shmget", about("0 bytes"), syscall(SYS_shmget, 0, 0L, 0600));
    REFUSED("mlock", about("4096 bytes"), syscall(SYS_mlock, 0L, 4096L));
    REFUSED("shmctl", about("segment -1"), syscall(SYS_shmctl, -1, 0, 0L));
    REFUSED("semctl", about("semaphores -1"), syscall(SYS_semctl, -1, 0, 0, 0L));
    REFUSED("msgctl", about("queue -1"), syscall(SYS_msgctl, -1, 0, 0L));
    REFUSED("mq_unlink", about("no.such.queue"), syscall(SYS_mq_unlink, "no.such.queue"));
    REFUSED("timer_create", about("%s", ""), syscall(SYS_timer_create, 999, 0L, 0L));
    REFUSED("clock_adjtime", about("%s", ""), syscall(SYS_clock_adjtime, 999, 0L));
    REFUSED("set_mempolicy", about("%s", ""), syscall(SYS_set_mempolicy, 999, 0L, 0L));
    REFUSED("mbind", about("4096 bytes"), syscall(SYS_mbind, 1L, 4096L, 0, 0L, 0L, 0));
    REFUSED("move_pages", about("process %d", NO_PID),
            syscall(SYS_move_pages, NO_PID, 1L, 0L, 0L, 0L, 0));
}

static void births(void)
{
    uint64_t arguments[8] = { CLONE_THREAD };

    REFUSED("clone", about("process"), syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0));
    REFUSED("clone", about("thread"), syscall(SYS_clone3, arguments, sizeof arguments));
}

static void memory(void)
{
    int private = MAP_PRIVATE | MAP_ANONYMOUS;
    void *page = mmap(NULL, 4096, PROT_READ, private, -1, 0);
    const char *too_much = about("%lu bytes", TOO_MUCH);

    MUST(page != MAP_FAILED);
    REFUSED(MAP_OP, too_much, syscall(MAP, NULL, TOO_MUCH, PROT_READ, private, -1, 0));
    REFUSED("mremap", too_much, syscall(SYS_mremap, page, 4096L, TOO_MUCH, MREMAP_MAYMOVE));
}

/* No more fds: of each kind, and of sockets. */
static void fds(void)
{
    struct rlimit limit;
    sigset_t none;
    int pair[2], first = dup(0);

    MUST(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = first + 1;
    sigemptyset(&none);
    MUST(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    REFUSED("dup", about("fd 0"), dup(0));
    REFUSED(FCNTL_OP, about("fd 0"), syscall(FCNTL, 0, F_DUPFD_CLOEXEC, 0));
    REFUSED("pipe2", about("%s", ""), pipe2(pair, O_CLOEXEC));
    REFUSED("eventfd2", about("%s", ""), eventfd(0, EFD_CLOEXEC));
    REFUSED("epoll_create1", about("%s", ""), epoll_create1(0));
    REFUSED("memfd_create", about("secret"), memfd_create("secret", 0));
    REFUSED("inotify_init1", about("%s", ""), inotify_init1(0));
    REFUSED("timerfd_create", about("%s", ""), syscall(SYS_timerfd_create, 0, 0));
    REFUSED("signalfd4", about("%s", ""), syscall(SYS_signalfd4, -1, &none, 8L, 0));
    SOCKET_REFUSED("socket", "IP.TCP", syscall(SYS_socket, AF_INET, SOCK_STREAM, 0));
    SOCKET_REFUSED("socketpair", "Unix.UDP", syscall(SYS_socketpair, AF_UNIX, SOCK_DGRAM, 0, pair));
    limit.rlim_cur = limit.rlim_max;
    MUST(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

/* What is frequent where it succeeds. */
static void frequent(void)
{
    struct rlimit data;
    long end = syscall(SYS_brk, 0L);
    int fd = syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);

    MUST(getrlimit(RLIMIT_DATA, &data) == 0);
    MUST(setrlimit(RLIMIT_DATA, &(struct rlimit){ 4096, data.rlim_max }) == 0);
    MUST(syscall(SYS_brk, end + 65536) == end);
    MUST(setrlimit(RLIMIT_DATA, &data) == 0);
    expect("'source': 'proc.error', 'op': 'brk', 'error': 'ENOMEM', 'what': '65536 bytes more'");
    REFUSED(MAP_OP, about("4096 bytes"), syscall(MAP, NULL, 4096L, PROT_READ, 0, -1, 0));
    REFUSED("mprotect", about("4096 bytes"), syscall(SYS_mprotect, 0L, 4096L, PROT_READ));
    REFUSED("munmap", about("8192 bytes"), syscall(SYS_munmap, 1L, 8192L));
    SOCKET_REFUSED("setsockopt", "IP.TCP",
                   syscall(SYS_setsockopt, fd, SOL_SOCKET, 9999, &fd, sizeof fd));
}

/* The limit of processes is not for root. */
static void crowd(void)
{
    struct rlimit one = { .rlim_cur = 1, .rlim_max = 1 };

    if (!geteuid())
        return;
    MUST(setrlimit(RLIMIT_NPROC, &one) == 0);
    REFUSED("fork", about("process"), fork());
}

int main(int count, char **arguments)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    (void)arguments;
    locks();
    files();
    lost();
    rights();
    births();
    memory();
    fds();
    SOCKET_REFUSED("shutdown", "IP.TCP", syscall(SYS_shutdown, fd, SHUT_RDWR));
    if (count > 1)
        frequent();
    crowd();
    return 0;
}
