/*
 * Makes the system calls of a list with pointers that lie: pointers SEED ROUNDS LIST COUNTER.
 *
 * A line of LIST is ABI NUMBER and a letter for each of six arguments: p, an address; l, a length or a
 * count; f, a file descriptor; x, a number; or numbers to choose from, as =1,2. Addresses are of an arena
 * that ends at an unmapped page: at its last bytes, beyond it, misaligned, overlapping, or nowhere. All of
 * it are lengths, counts and addresses of the arena itself, which another process changes all the time.
 * Each line is a process of its own, which is killed if it waits. COUNTER is a file of a uint64_t: how many
 * calls were made.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "random_numbers.h"

enum {
    ARENA = 1 << 16,
    WORDS = ARENA / 8,
    I386 = 1,
    X32 = 2,
    X32_MARK = 0x40000000,
    ALIAS = 8192, /* the arena once more, so that its first page and its last overlap */
    PATIENCE_MS = 200,
};

static char *arena;
static uint64_t *made;

/* -- numbers ------------------------------------------------------------------------------------- */

static uint64_t a_length(void)
{
    static const uint64_t LENGTHS[] = {
        0,    1,     2,     3,       4,         7,        8,          12,         16,
        24,   28,    56,    64,      128,       512,      1024,       1025,       4096,
        4097, 32768, 65535, 1 << 24, INT32_MAX, 1u << 31, UINT32_MAX, 1ull << 32, UINT64_MAX,
    };
    return LENGTHS[below(sizeof LENGTHS / sizeof *LENGTHS)];
}

static uint64_t an_address(void)
{
    switch (below(10)) {
    case 0: /* the last bytes before an unmapped page */
    case 1:
    case 2:
        return (uint64_t)arena + ARENA - 1 - below(80);
    case 3: /* beyond it */
        return (uint64_t)arena + ARENA + below(4096);
    case 4: /* nowhere */
        return below(2) ? any()
                        : (uint64_t[]){ 1, 8, UINT32_MAX, UINT64_MAX, 1ull << 47 }[below(5)];
    case 5: /* misaligned */
        return (uint64_t)arena + below(ARENA);
    case 6: /* near the beginning: what two arguments point to overlaps */
        return (uint64_t)arena + 4 * below(16);
    default:
        return (uint64_t)arena + 8 * below(WORDS);
    }
}

/* -- the arena ----------------------------------------------------------------------------------- */

static uint64_t a_word(void)
{
    static const uint32_t HALVES[] = { 1, 2, 10, 16, 17, 20, 28, 0xffffffff };
    unsigned kind = below(6);

    if (kind < 2)
        return an_address();
    if (kind == 2)
        return a_length();
    if (kind == 3)
        return below(16);
    if (kind == 4)
        return any();
    return HALVES[below(8)] | (uint64_t)HALVES[below(8)] << 32;
}

static void stir(unsigned count)
{
    while (count--)
        __atomic_store_n((uint64_t *)arena + below(WORDS), a_word(), __ATOMIC_RELAXED);
}

static void make_arena(void)
{
    int fd = memfd_create("arena", 0);

    arena = mmap(NULL, ARENA + 4096, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    if (fd < 0 || ftruncate(fd, ARENA) < 0 || arena == MAP_FAILED ||
        mmap(arena, ARENA, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED ||
        munmap(arena + ARENA, 4096) < 0)
        _exit(98);
    close(fd);
    stir(4 * WORDS);
}

/* Changes all of it until it is killed. */
static pid_t start_liar(uint64_t number)
{
    pid_t pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        seed(number);
        for (;;)
            stir(64);
    }
    return pid;
}

/* -- calls --------------------------------------------------------------------------------------- */

static long call64(long number, const uint64_t a[6])
{
    return syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static long call32(long number, const uint64_t a[6])
{
    long result;

    __asm__ volatile("push %%rbp\n\tmov %7, %%rbp\n\tint $0x80\n\tpop %%rbp"
                     : "=a"(result)
                     : "a"(number), "b"(a[0]), "c"(a[1]), "d"(a[2]), "S"(a[3]), "D"(a[4]), "r"(a[5])
                     : "memory", "r8", "r9", "r10", "r11");
    return result;
}

/* Fds 3 to 12, with something to read in all of them; 0 to 2 are /dev/null. */
static void open_things(void)
{
    int pair[2];
    char text[256] = "text";

    for (int fd = 0; fd < 64; fd++)
        close(fd);
    for (int fd = 0; fd < 3; fd++)
        open("/dev/null", O_RDWR);
    int file = memfd_create("file", 0);
    open(".", O_RDONLY | O_DIRECTORY);
    for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++)
        if (socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, pair) == 0)
            for (int i = 0; i < 4; i++)
                send(pair[1], text, sizeof text, 0);
    int ends = pipe2(pair, O_NONBLOCK);
    int event = eventfd(1, EFD_NONBLOCK), epoll = epoll_create1(0);
    struct epoll_event wanted = { .events = EPOLLIN };
    if (ends < 0 || write(file, text, sizeof text) < 0 || write(pair[1], text, sizeof text) < 0 ||
        lseek(file, 0, SEEK_SET) < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, event, &wanted) < 0)
        _exit(97);
}

/* One of the numbers of "=1,2". */
static uint64_t chosen(const char *numbers)
{
    unsigned count = 1;

    for (const char *at = numbers; *at; at++)
        count += *at == ',';
    for (unsigned skip = below(count); skip; skip--)
        numbers = strchr(numbers, ',') + 1;
    return strtoull(numbers + 1, NULL, 0);
}

static uint64_t an_argument(const char *kind)
{
    switch (*kind) {
    case 'p':
        return an_address();
    case 'l':
        return below(8) ? a_length() : an_address();
    case 'f':
        return 3 + below(10);
    case '=':
        return chosen(kind);
    default:
        return below(2) ? below(16) : below(4) ? a_length() : an_address();
    }
}

static void make_calls(int abi, long number, char kinds[6][512], unsigned rounds)
{
    for (unsigned round = 0; round < rounds; round++) {
        uint64_t args[6];
        for (int i = 0; i < 6; i++)
            args[i] = an_argument(kinds[i]);
        __atomic_fetch_add(made, 1, __ATOMIC_RELAXED);
        if (abi == I386)
            call32(number, args);
        else
            call64(abi == X32 ? number | X32_MARK : number, args);
    }
    _exit(0);
}

/* -- processes ----------------------------------------------------------------------------------- */

static void limit(int resource, rlim_t most)
{
    struct rlimit limits = { most, most };

    setrlimit(resource, &limits);
}

/* What the calls can do harm to is its own, and small. Returns false if that cannot be had. */
static bool retire(void)
{
    struct __user_cap_header_struct self = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };
    bool alone = unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) == 0;

    syscall(SYS_capset, &self, none);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    limit(RLIMIT_FSIZE, ARENA);
    limit(RLIMIT_NOFILE, 128);
    limit(RLIMIT_CORE, 0);
    return alone;
}

/* Wait for a child that is killed if it does not end soon. SIGCHLD is blocked. */
static void await(pid_t pid)
{
    struct timespec patience = { 0, PATIENCE_MS * 1000000 };
    sigset_t ended;

    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    while (waitpid(pid, NULL, WNOHANG) == 0)
        if (sigtimedwait(&ended, NULL, &patience) < 0 && errno == EAGAIN)
            kill(pid, SIGKILL);
}

static uint64_t *map_counter(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    uint64_t *counter = mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (fd < 0 || counter == MAP_FAILED)
        _exit(96);
    close(fd);
    return counter;
}

int main(int argc, char **argv)
{
    static char kinds[6][512];
    unsigned abi, lines = 0;
    long number;
    sigset_t ended;

    if (argc != 5 || geteuid() == 0)
        return 2;
    FILE *list = fopen(argv[3], "re");
    made = map_counter(argv[4]);
    if (!list || !retire())
        return 3;
    make_arena();
    sigemptyset(&ended);
    sigaddset(&ended, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ended, NULL);
    uint64_t first = strtoull(argv[1], NULL, 10) * 1000003;
    pid_t liar = start_liar(first);
    while (fscanf(list, "%u %ld %511s %511s %511s %511s %511s %511s", &abi, &number, kinds[0],
                  kinds[1], kinds[2], kinds[3], kinds[4], kinds[5]) == 8) {
        pid_t pid = fork();
        if (pid == 0) {
            seed(first + lines);
            open_things();
            make_calls((int)abi, number, kinds, (unsigned)atoi(argv[2]));
        }
        await(pid);
        lines++;
    }
    kill(liar, SIGKILL);
    waitpid(liar, NULL, 0);
    printf("%u\n", lines);
    return 0;
}
