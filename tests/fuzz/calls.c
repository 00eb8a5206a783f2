/*
 * Random calls of every row of syscalls.def, to test that the engine survives them: calls SEED
 * COUNT COUNTER.
 *
 * Arguments are of the kind that their row names, valid or not: fds that are open, closed or far
 * too high; addresses that are mapped, unmapped, at the end of a page, near the ends of the address
 * space; sizes of 0, 1, 2^31 and -1; and random bits in the halves of registers that the kernel
 * ignores. Calls are made by the 64-bit ABI, int 0x80 and x32, by threads, after forks and execs,
 * with filters and handlers of the program, and in processes that are not dumpable.
 *
 * A worker may destroy itself; the process that started it kills what is left of it and starts
 * another one. A worker must not harm the machine: it runs as user nobody, in namespaces of its own
 * where that is permitted, without capabilities, with small limits, and sends signals only to
 * itself. COUNTER is a file of three uint64_t: how many calls were made, by how many workers, and
 * how many of these had to be stopped; it is outside of the cwd.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../tracees/random_numbers.h"
#include "arch/abi.h"
#include "table/syscalls.h"

enum {
    CALLS_OF_A_WORKER = 2000,
    CALLS_OF_A_CHILD = 100,
    CALLS_OF_A_THREAD = 300,
    SECONDS_OF_A_WORKER = 10,
    TICK_NS = 5 * 1000 * 1000,
    FDS = 64,
    CELLS = 4096, /* of 16 bytes: the arena */
    THREADS = 3,
};

static const char *const NAMES[] = {
    "n0",
    "n1",
    "n2",
    "n3",
    "d0",
    "d1",
    "d0/n0",
    "d0/d1",
    ".",
    "",
    "absent/x",
    "socket0",
    "socket1",
    "n0/",
    "./d0/../n1",
    "/dev/null",
    "/dev/zero",
    "/proc/self/fd/3",
    "/proc/self/maps",
    "/absent/y",
};
enum { NAME_COUNT = sizeof NAMES / sizeof *NAMES };

static atomic_ullong *made;             /* the counter: calls, workers, stopped workers */
static char *arena, *names[NAME_COUNT]; /* below 4 GiB, so that int 0x80 reaches them */
static const char *counter_path;
static bool has_network;
static aio_context_t context;
static struct {
    int fd;
    uint32_t *tail, *places, entries;
    struct io_uring_sqe *asked;
} uring = { .fd = -1 };

/* -- arguments ---------------------------------------------------------------------------------- */

static uint64_t odd_number(void)
{
    static const uint64_t ODD[] = {
        0,          1,        2,          7,          8,          16,        24,
        100,        1024,     1025,       4095,       4096,       65536,     65537,
        INT32_MAX,  1u << 31, UINT32_MAX, 1ull << 32, 1ull << 40, INT64_MAX, 1ull << 63,
        UINT64_MAX, -100ull,  -14ull,     -4096ull,
    };
    unsigned kind = below(8);

    if (kind == 0)
        return any();
    if (kind == 1)
        return any() & 0xffff;
    return ODD[below(sizeof ODD / sizeof *ODD)];
}

static uint64_t an_address(void)
{
    switch (below(12)) {
    case 0:
        return odd_number();
    case 1: /* the last bytes before an unmapped page */
        return (uint64_t)arena + CELLS * 16 - below(64);
    case 2:
        return any() | 1ull << 47;
    case 3:
        return any() & UINT32_MAX;
    default:
        return (uint64_t)arena + 16 * below(CELLS - 64) + (below(8) ? 0 : below(16));
    }
}

static uint64_t an_fd(void)
{
    uint64_t fd = below(10) ? below(40) : odd_number();

    if (fd == 2 && below(4))
        fd = 3;
    return below(16) ? fd : fd | any() << 32; /* the kernel takes the low half */
}

static uint64_t a_size(void)
{
    return below(3) ? below(512) : odd_number();
}

static uint64_t a_name(void)
{
    return below(6) ? (uint64_t)names[below(NAME_COUNT)] : an_address();
}

/* A socket address in the arena, of a family that cannot leave the machine. */
static uint64_t a_socket_address(uint64_t *size_out)
{
    char *at = arena + 16 * below(CELLS - 64);
    struct sockaddr_in inet = {
        AF_INET, htons(below(2) ? 9 : 0), { htonl(INADDR_LOOPBACK) }, { 0 }
    };
    struct sockaddr_un local = { .sun_family = AF_UNIX };

    sprintf(local.sun_path, "socket%u", below(3));
    if (has_network && below(2))
        memcpy(at, &inet, sizeof inet);
    else
        memcpy(at, &local, sizeof local);
    *size_out = below(3) ? (below(2) ? sizeof inet : sizeof local) : odd_number();
    return below(8) ? (uint64_t)at : an_address();
}

/* The first fields of structs that calls take: iovecs, message headers, clone_args, timespecs… */
static void stir(void)
{
    uint64_t *cell = (uint64_t *)(arena + 16 * below(CELLS - 8));

    for (unsigned i = 0; i < 8; i++) {
        unsigned kind = below(4);
        cell[i] = kind == 0 ? an_address() : kind == 1 ? below(16) : kind == 2 ? a_size() : cell[i];
    }
}

static void set(uint64_t args[6], uint8_t position, uint64_t value)
{
    if (position)
        args[position - 1] = value;
}

/* Arguments with which an open succeeds: random ones hardly ever do. */
static void fill_open(const struct call *row, uint64_t args[6])
{
    static const uint64_t FLAGS[] = { O_RDWR | O_CREAT, O_RDONLY, O_WRONLY | O_CREAT | O_APPEND };
    uint64_t *how = (uint64_t *)(arena + 16 * below(CELLS - 64));

    if (!row->path || !below(4))
        return;
    set(args, row->path, (uint64_t)names[below(NAME_COUNT)]);
    args[row->path] = FLAGS[below(3)] | O_NONBLOCK;
    args[row->path + 1] = 0644;
    if (!row->how)
        return;
    how[0] = FLAGS[below(3)];
    how[1] = how[0] & O_CREAT ? 0644 : 0;
    how[2] = below(2) ? 0 : below(64);
    set(args, row->how, (uint64_t)how);
    args[row->how] = below(4) ? 24 : a_size();
}

/* Operations of native AIO, most of them for a valid context; or a ring with random content. */
static void fill_aio(const struct call *row, uint64_t args[6])
{
    uint64_t *list = (uint64_t *)(arena + 16 * below(CELLS - 64));
    struct iocb *block = (struct iocb *)(arena + 16 * below(CELLS - 64));
    uint32_t *ring = (uint32_t *)(arena + 16 * below(CELLS - 64));

    memset(block, 0, sizeof *block);
    block->aio_lio_opcode = (uint16_t)below(10);
    block->aio_fildes = (uint32_t)an_fd();
    block->aio_buf = an_address();
    block->aio_nbytes = below(2) ? below(8) : a_size();
    block->aio_offset = (int64_t)(below(2) ? 0 : odd_number());
    for (int i = 0; i < 4; i++)
        list[i] = below(4) ? (uint64_t)block : an_address();
    memcpy(ring,
           (uint32_t[]){ 0, (uint32_t)a_size(), 0, (uint32_t)a_size(), 0xa10a10a1, 1, 0,
                         (uint32_t)a_size() },
           32);
    args[0] = below(4) ? context : below(2) ? (uint64_t)ring : odd_number();
    if (row->group != GROUP_AIO)
        return;
    args[1] = below(4) ? below(5) : odd_number();
    args[2] = below(8) ? (uint64_t)list : an_address();
}

static void fill(const struct call *row, uint64_t args[6])
{
    for (int i = 0; i < 6; i++)
        args[i] = below(2) ? an_address() : odd_number();
    set(args, row->fd, an_fd());
    set(args, row->fd2, an_fd());
    set(args, row->dirfd, below(3) ? (uint64_t)AT_FDCWD : an_fd());
    set(args, row->dirfd2, below(3) ? (uint64_t)AT_FDCWD : an_fd());
    set(args, row->path, a_name());
    set(args, row->path2, a_name());
    set(args, row->buffer, an_address());
    set(args, row->length, a_size());
    set(args, row->vector, an_address());
    set(args, row->count, below(3) ? below(8) : odd_number());
    set(args, row->message, an_address());
    set(args, row->messages, below(3) ? below(4) : odd_number());
    set(args, row->options, below(3) ? MSG_DONTWAIT : odd_number());
    if (row->address && row->transfer == TRANSFER_NONE && !row->makes_fd)
        set(args, row->address, a_socket_address(&args[row->address]));
    if (row->group == GROUP_OPEN)
        fill_open(row, args);
    if (!strncmp(row->name, "io_", 3))
        fill_aio(row, args);
}

/* -- calls made harmless ------------------------------------------------------------------------- */

static bool is(const struct call *row, const char *name)
{
    size_t length = strlen(name);

    return !strncmp(row->name, name, length) && (!row->name[length] || row->name[length] == '_');
}

static bool is_one_of(const struct call *row, const char *const *list)
{
    while (*list)
        if (is(row, *list++))
            return true;
    return false;
}

/* Signals are sent to the caller only. */
static void tame_signals(const struct call *row, uint64_t args[6])
{
    static const int SIGNALS[] = { 0, SIGCONT, SIGURG, 65, -1 };
    uint64_t signal = (uint64_t)SIGNALS[below(5)];

    if (is(row, "tgkill") || is(row, "rt_tgsigqueueinfo")) {
        args[0] = (uint64_t)getpid();
        args[1] = (uint64_t)gettid();
        args[2] = signal;
    } else if (is(row, "kill") || is(row, "rt_sigqueueinfo") || is(row, "tkill")) {
        args[0] = (uint64_t)(is(row, "tkill") ? gettid() : getpid());
        args[1] = signal;
    } else if (is(row, "pidfd_send_signal")) {
        args[1] = 0;
    }
}

/* Priorities and limits are those of the caller, and do not starve it. */
static void tame_resources(const struct call *row, uint64_t args[6])
{
    uint64_t resource = below(2) ? RLIMIT_CORE : odd_number() | 16;

    if (is(row, "setpriority") || is(row, "ioprio_set")) {
        args[0] = is(row, "ioprio_set"); /* PRIO_PROCESS, IOPRIO_WHO_PROCESS */
        args[1] = 0;
        args[2] = UINT64_MAX;
    } else if (is(row, "nice")) {
        args[0] = UINT64_MAX;
    } else if (is(row, "setrlimit")) {
        args[0] = resource;
    } else if (is(row, "prlimit64")) {
        args[0] = 0;
        args[1] = resource;
    } else if (!strncmp(row->name, "sched_", 6) || is(row, "setpgid")) {
        args[0] = 0;
        if (is(row, "sched_setscheduler"))
            args[1] = below(3);
    } else if (is(row, "ptrace")) {
        args[1] = below(2) ? (uint64_t)getpid() : odd_number() | 1u << 30;
    }
}

/* The caller's own stack, code and heap are not changed. */
static void tame_memory(const struct call *row, uint64_t args[6])
{
    static const char *const AT[] = { "munmap", "mprotect", "mremap", "msync", "shmat", NULL };

    if (is(row, "mmap") || is(row, "mmap2"))
        args[3] &= ~(uint64_t)(MAP_FIXED | MAP_POPULATE | MAP_LOCKED | MAP_HUGETLB);
    else if (is_one_of(row, AT))
        args[0] |= 1;
    else if (is(row, "brk"))
        args[0] = below(2) ? 0 : UINT64_MAX / 4;
}

static void tame_commands(const struct call *row, uint64_t args[6])
{
    static const uint64_t FCNTL[] = { F_DUPFD, F_DUPFD_CLOEXEC, F_GETFL,
                                      F_SETLK, F_SETLKW,        F_OFD_SETLK };
    static const uint64_t PRCTL[] = {
        PR_SET_SECCOMP, PR_SET_DUMPABLE, PR_SET_KEEPCAPS, PR_SET_SECUREBITS, PR_CAP_AMBIENT, 0,
        -1ull
    };
    static const uint64_t DOMAINS[] = { AF_UNIX, AF_NETLINK, 0, 999, -1ull, AF_INET, AF_INET6 };

    if (is(row, "fcntl") || is(row, "fcntl64"))
        args[1] = FCNTL[below(6)];
    else if (is(row, "prctl"))
        args[0] = PRCTL[below(7)];
    else if (is(row, "socket") || is(row, "socketpair"))
        args[0] = DOMAINS[below(has_network ? 7 : 5)];
    else if (is(row, "unshare"))
        args[0] &= CLONE_FILES | CLONE_FS | CLONE_SYSVSEM;
    else if (is(row, "syncfs") || is(row, "fsync") || is(row, "fdatasync"))
        args[0] = below(8) ? odd_number() | 1u << 20 : args[0];
    else if (row->group == GROUP_ATTR) /* the cwd remains accessible */
        set(args, row->path, (uint64_t)names[below(4)]);
    else if (row->group == GROUP_EXEC)
        set(args, row->path, below(2) ? (uint64_t)names[0] : an_address());
}

/* The child of such a call shares only memory, as that of vfork does, and exits at once. */
static void tame_birth(const struct call *row, uint64_t args[6])
{
    const uint64_t HARMLESS = CLONE_FS | CLONE_FILES | CLONE_UNTRACED | CLONE_PTRACE | CLONE_PIDFD |
                              CLONE_PARENT_SETTID | CLONE_SYSVSEM | 0x100000000ull;

    if (is(row, "clone")) {
        args[0] = (args[0] & HARMLESS) | SIGCHLD;
        args[1] = 0;
    } else if (is(row, "clone3")) {
        uint64_t *wanted = (uint64_t *)(arena + 16 * below(CELLS - 64));
        memset(wanted, 0, 88);
        wanted[0] = any() & HARMLESS;
        wanted[2] = wanted[3] = an_address();
        wanted[4] = SIGCHLD;
        args[0] = below(4) ? (uint64_t)wanted : odd_number();
        args[1] = below(2) ? 64 : a_size();
    }
}

static bool is_birth(const struct call *row)
{
    static const char *const BIRTHS[] = { "fork", "vfork", "clone", "clone3", NULL };

    return is_one_of(row, BIRTHS);
}

/* -- calls -------------------------------------------------------------------------------------- */

/* Inlined, and without a call in it: a child of vfork shares the stack. */
static inline __attribute__((always_inline)) long call64(long number, const uint64_t a[6],
                                                         bool birth)
{
    register uint64_t r10 __asm__("r10") = a[3];
    register uint64_t r8 __asm__("r8") = a[4];
    register uint64_t r9 __asm__("r9") = a[5];
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                     : "memory", "rcx", "r11");
    if (birth && result == 0)
        __asm__ volatile("syscall" : : "a"(SYS_exit_group), "D"(0) : "memory", "rcx", "r11");
    return result;
}

static inline __attribute__((always_inline)) long call32(long number, const uint64_t a[6],
                                                         bool birth)
{
    long result;

    __asm__ volatile("push %%rbp\n\tmov %7, %%rbp\n\tint $0x80\n\tpop %%rbp"
                     : "=a"(result)
                     : "a"(number), "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]), "D"(a[4]), "r"(a[5])
                     : "memory", "r8", "r9", "r10", "r11");
    if (birth && result == 0)
        __asm__ volatile("syscall" : : "a"(SYS_exit_group), "D"(0) : "memory", "rcx", "r11");
    return result;
}

static bool is_rare(const struct call *row)
{
    return row->group >= GROUP_STAT && row->group != GROUP_AIO;
}

/* Any row; a rare one is mostly replaced by another. */
static unsigned a_row(void)
{
    unsigned row = below(ROW_COUNT);

    for (int i = 0; i < 4 && below(3) && is_rare(&CALLS[row]); i++)
        row = below(ROW_COUNT);
    return row;
}

/* One random call; false if this ABI lacks the row that was chosen. */
static bool one_call(void)
{
    unsigned row = a_row(), which = below(8);
    const struct abi *abi = &ABIS[which < 5 ? 0 : which < 7 ? 1 : 2];
    uint64_t args[6];

    if (abi->numbers[row] < 0)
        return false;
    stir();
    fill(&CALLS[row], args);
    tame_signals(&CALLS[row], args);
    tame_resources(&CALLS[row], args);
    tame_memory(&CALLS[row], args);
    tame_commands(&CALLS[row], args);
    tame_birth(&CALLS[row], args);
    long number = (long)abi->numbers[row] | (long)abi->mark;
    atomic_fetch_add(made, 1);
    if (abi->audit_arch == AUDIT_ARCH_I386)
        call32(number, args, is_birth(&CALLS[row]));
    else
        call64(number, args, is_birth(&CALLS[row]));
    return true;
}

static void some_calls(unsigned count)
{
    while (count)
        count -= one_call();
}

/* -- io_uring(7) ------------------------------------------------------------------------------- */

static void open_uring(void)
{
    struct io_uring_params params = { .flags = below(4) ? 0 : (uint32_t)any() & 0x1f };

    uring.fd = (int)syscall(SYS_io_uring_setup, 1 + below(16), &params);
    if (uring.fd < 0)
        return;
    char *ring = mmap(NULL, params.sq_off.array + params.sq_entries * 4, PROT_READ | PROT_WRITE,
                      MAP_SHARED, uring.fd, IORING_OFF_SQ_RING);
    uring.asked = mmap(NULL, params.sq_entries * sizeof *uring.asked, PROT_READ | PROT_WRITE,
                       MAP_SHARED, uring.fd, IORING_OFF_SQES);
    uring.tail = (uint32_t *)(ring + params.sq_off.tail);
    uring.places = (uint32_t *)(ring + params.sq_off.array);
    uring.entries = params.sq_entries;
    if (ring == MAP_FAILED || uring.asked == MAP_FAILED)
        uring.fd = -1;
}

static void ask(struct io_uring_sqe *asked)
{
    memset(asked, 0, sizeof *asked);
    asked->opcode = (uint8_t)below(64);
    asked->flags = below(4) ? 0 : (uint8_t)any();
    asked->fd = below(6) ? (int)an_fd() : AT_FDCWD;
    asked->off = below(2) ? below(64) : an_address();
    asked->addr = below(3) ? an_address() : a_name();
    asked->len = (uint32_t)(below(2) ? below(8) : a_size());
    asked->rw_flags = below(2) ? 0 : (int)odd_number();
    asked->user_data = any();
}

/* Submit some operations, at valid and invalid indexes. */
static void use_uring(void)
{
    uint32_t count = below(4);

    if (uring.fd < 0 || !below(16))
        open_uring();
    if (uring.fd < 0)
        return;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t tail = __atomic_load_n(uring.tail, __ATOMIC_ACQUIRE), place = below(uring.entries);
        ask(&uring.asked[place]);
        uring.places[tail % uring.entries] = below(16) ? place : (uint32_t)odd_number();
        __atomic_store_n(uring.tail, below(64) ? tail + 1 : (uint32_t)odd_number(),
                         __ATOMIC_RELEASE);
    }
    atomic_fetch_add(made, 1);
    syscall(SYS_io_uring_enter, uring.fd, below(8) ? count : (uint32_t)odd_number(), below(2),
            below(8) ? IORING_ENTER_GETEVENTS : (uint32_t)any(), NULL, 8);
}

/* -- threads, children and workers --------------------------------------------------------------- */

static void on_tick(int number)
{
    (void)number;
}

static void on_trap(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)info;
    (void)context;
}

static void on_fault(int number)
{
    _exit(100 + number);
}

static void start_timer(int number, int flags, long every_ns)
{
    struct sigaction tick = { .sa_handler = on_tick, .sa_flags = flags };
    struct itimerspec every = { { 0, every_ns }, { 0, every_ns } };
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = number };
    timer_t timer;

    sigaction(number, &tick, NULL);
    event._sigev_un._tid = gettid();
    if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0)
        timer_settime(timer, 0, &every, NULL);
}

/*
 * Calls that block are interrupted: at first they are restarted, then they fail. Each thread has timers
 * of its own, since a signal to the process may be taken by any of its threads.
 */
static void start_ticking(void)
{
    start_timer(SIGALRM, SA_RESTART, TICK_NS);
    start_timer(SIGUSR1, 0, 3 * TICK_NS);
}

static void *thread(void *number)
{
    seed((uint64_t)number);
    start_ticking();
    some_calls(CALLS_OF_A_THREAD);
    return NULL;
}

static void in_threads(void)
{
    pthread_t threads[THREADS];
    int started = 0;

    while (started < THREADS && !pthread_create(&threads[started], NULL, thread, (void *)any()))
        started++;
    some_calls(CALLS_OF_A_THREAD);
    while (started)
        pthread_join(threads[--started], NULL);
}

static void in_a_child(bool hidden)
{
    if (hidden)
        prctl(PR_SET_DUMPABLE, 0);
    uint64_t childs = any();
    pid_t pid = fork();
    if (pid == 0) {
        seed(childs);
        start_ticking();
        some_calls(CALLS_OF_A_CHILD);
        _exit(0);
    }
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

/* A filter with a random action for one call. */
static void load_filter(void)
{
    static const uint32_t ANSWERS[] = {
        SECCOMP_RET_TRAP,  SECCOMP_RET_KILL_THREAD, SECCOMP_RET_KILL_PROCESS,
        SECCOMP_RET_ERRNO, SECCOMP_RET_ERRNO | 13,  SECCOMP_RET_TRACE,
        SECCOMP_RET_LOG,
    };
    struct sigaction trap = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };
    int16_t number = ABIS[0].numbers[below(ROW_COUNT)];
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, ANSWERS[below(7)]),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = { sizeof rules / sizeof *rules, rules };

    if (below(3))
        sigaction(SIGSYS, &trap, NULL);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void become_another(uint64_t number)
{
    char text[32];
    char *const argv[] = { "calls", text, "again", (char *)counter_path, NULL };

    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    execve("/proc/self/exe", argv, environ);
}

static void open_things(void)
{
    int pair[2], socket_fd;

    for (int i = 0; i < 4; i++) {
        open(NAMES[i], O_RDWR | O_CREAT | (below(2) ? O_NONBLOCK | O_APPEND : 0), 0644);
        if (pipe2(pair, below(2) ? O_NONBLOCK : 0) == 0 && i == 0)
            fcntl(pair[1], F_SETPIPE_SZ, 4096);
        socketpair(AF_UNIX, i & 1 ? SOCK_STREAM : SOCK_DGRAM, 0, pair);
        socket_fd = socket(has_network ? AF_INET : AF_UNIX, i & 1 ? SOCK_STREAM : SOCK_DGRAM, 0);
        if (i == 1)
            listen(socket_fd, 1);
    }
    open(".", O_RDONLY | O_DIRECTORY);
    memfd_create("memory", 0);
    epoll_create1(0);
    if (!context || !below(8)) {
        context = 0;
        syscall(SYS_io_setup, 8, &context);
    }
}

static void make_arena(void)
{
    const size_t size = CELLS * 16;

    arena = mmap(NULL, size + 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT,
                 -1, 0);
    if (arena == MAP_FAILED || munmap(arena + size, 4096) < 0)
        _exit(98);
    char *at = arena + size + 4096;
    for (int i = 0; i < NAME_COUNT; i++) {
        names[i] = strcpy(at, NAMES[i]);
        at += strlen(at) + 1;
    }
}

static void map_counter(void)
{
    int fd = open(counter_path, O_RDWR | O_CLOEXEC);

    made = mmap(NULL, 3 * sizeof *made, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || made == MAP_FAILED)
        _exit(97);
    close(fd);
}

static void prepare(uint64_t number)
{
    static const int FAULTS[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };

    seed(number);
    map_counter();
    make_arena();
    for (size_t i = 0; i < sizeof FAULTS / sizeof *FAULTS; i++)
        signal(FAULTS[i], on_fault);
    signal(SIGCHLD, SIG_IGN); /* no zombies */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGURG, SIG_IGN);
    start_ticking();
}

static void work(uint64_t number)
{
    unsigned long long end = atomic_load(made) + CALLS_OF_A_WORKER;

    while (atomic_load(made) < end) {
        unsigned kind = below(40);
        if (kind == 0)
            become_another(any());
        else if (kind == 1)
            load_filter();
        else if (kind < 4)
            in_threads();
        else if (kind < 8)
            in_a_child(kind == 4);
        else if (kind < 12)
            open_things();
        else if (kind < 16)
            use_uring();
        else
            some_calls(20);
    }
    _exit((int)(number & 1));
}

/* -- the process that starts the workers --------------------------------------------------------- */

static void limit(int resource, rlim_t most)
{
    struct rlimit limits = { most, most };

    setrlimit(resource, &limits);
}

/* Namespaces for network and IPC; then no capabilities in them either, and dumpable again. */
static void retire(void)
{
    struct __user_cap_header_struct self = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
    struct ifreq loopback = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) == 0) {
        int fd = socket(AF_INET, SOCK_DGRAM, 0);
        has_network = ioctl(fd, SIOCSIFFLAGS, &loopback) == 0;
        close(fd);
    }
    syscall(SYS_capset, &self, none);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    limit(RLIMIT_FSIZE, 64 * 1024);
    limit(RLIMIT_AS, 256u << 20);
    limit(RLIMIT_NOFILE, FDS);
    limit(RLIMIT_NPROC, 1000);
    limit(RLIMIT_CORE, 0);
}

/* Kill the worker and all its descendants: this process is their reaper. */
static void clear_up(void)
{
    char path[64], pid[16];

    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    for (;;) {
        FILE *children = fopen(path, "re");
        while (children && fscanf(children, "%15s", pid) == 1)
            kill((pid_t)atoi(pid), SIGKILL);
        if (children)
            fclose(children);
        if (waitpid(-1, NULL, 0) < 0 && errno == ECHILD)
            return;
    }
}

/* Whether the worker ended by itself. */
static bool await(pid_t worker)
{
    struct timespec moment = { 0, 10 * 1000 * 1000 };

    for (int i = 0; i < SECONDS_OF_A_WORKER * 100; i++) {
        siginfo_t ended = { .si_pid = 0 };
        if (waitid(P_PID, (id_t)worker, &ended, WEXITED | WNOHANG | WNOWAIT) < 0 || ended.si_pid)
            return true;
        nanosleep(&moment, NULL);
    }
    return false;
}

static void supervise(uint64_t number, unsigned long long count)
{
    unsigned workers = 0;

    retire();
    map_counter();
    while (atomic_load(made) < count) {
        pid_t pid = fork();
        if (pid == 0) {
            prepare(number * 1000003 + workers);
            mkdir("d0", 0755);
            open_things();
            work(number);
        }
        if (pid < 0)
            break;
        if (!await(pid))
            atomic_fetch_add(made + 2, 1);
        clear_up();
        atomic_store(made + 1, ++workers);
    }
}

int main(int argc, char **argv)
{
    if (argc != 4 || geteuid() == 0) {
        fprintf(stderr, "usage, not as root: calls SEED COUNT COUNTER\n");
        return 2;
    }
    uint64_t number = strtoull(argv[1], NULL, 10);
    counter_path = argv[3];
    if (strcmp(argv[2], "again")) {
        supervise(number, strtoull(argv[2], NULL, 10));
        return 0;
    }
    prepare(number);
    work(number);
}
