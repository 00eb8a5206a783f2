/*
 * Makes calls with every register, flag and stack known, and prints what it finds afterwards: the
 * lines must be the same in the gate as natively: transparent registers. Or it makes ordinary calls,
 * in threads and children, and prints what came of them: transparent.
 */
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "known_state.h"

enum {
    TIMES = 3,
    SET_GS = 0x1001, /* ARCH_SET_GS, ARCH_GET_GS: <asm/prctl.h>, which musl does not come with */
    GET_GS = 0x1004,
};

static const uint64_t FLAG_SETS[] = {
    0,
    CARRY | PARITY,
    ZERO | SIGN,
    DIRECTION,
    OVERFLOW,
    DIRECTION | OVERFLOW | CARRY | SIGN,
    CHECK_ALIGNMENT,
};

static void try_one(const struct call *call, const struct site *site, uint64_t flags, uint64_t sp)
{
    fill_stack();
    prepare(call, site, flags, sp);
    site->call();
    printf("%s %s flags %#llx%s: %lld %s%s\n", site->name, call->name, (unsigned long long)flags,
           sp < 4096 ? " no stack" : "", (long long)after[RAX], is_right(site) ? "right" : "WRONG",
           stack_is_intact() ? "" : " STACK");
}

static void try_all(const struct call *calls, size_t count)
{
    uint64_t middle = (uint64_t)stack + sizeof stack / 2;

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < sizeof SITES / sizeof *SITES; j++)
            for (size_t k = 0; k < sizeof FLAG_SETS / sizeof *FLAG_SETS * TIMES; k++)
                try_one(&calls[i], &SITES[j], FLAG_SETS[k / TIMES], k % TIMES ? middle + k : 16);
}

static void check_registers(void)
{
    static char content[64];
    int file = open("/proc/self/exe", O_RDONLY), sink = open("/dev/null", O_WRONLY);
    char *unmapped = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    const struct call calls[] = {
        { "read", SYS_read, { file, (uint64_t)content, 64 } },
        { "read to unmapped memory", SYS_read, { file, (uint64_t)unmapped, 64 } },
        { "read to the kernel", SYS_read, { file, 0xffffffff80000000, 64 } },
        { "read of a wrong fd", SYS_read, { 1000, (uint64_t)content, 64 } },
        { "write", SYS_write, { sink, (uint64_t)content, 64 } },
        { "write of unmapped memory", SYS_write, { file, (uint64_t)unmapped, 64 } },
        { "writev of a bad vector", SYS_writev, { sink, 8, 3 } },
        { "lseek", SYS_lseek, { file, 0, SEEK_SET } },
        { "close of -1", SYS_close, { (uint64_t)-1, 0, 0 } },
        { "unwatched", SYS_getuid + 0, { 0, 0, 0 } },
        { "number -1", (uint64_t)-1, { 0, 0, 0 } },
        { "number 511", 511, { 0, 0, 0 } },
        { "number 512", 512, { 0, 0, 0 } },
        { "number 9999", 9999, { 0, 0, 0 } },
        { "number 2^63", 1ull << 63, { 1000, 0, 0 } },
        { "number 2^32 + lseek", (1ull << 32) + SYS_lseek, { 1000, 0, 0 } },
        { "number of x32", 0x40000000 + SYS_lseek, { 1000, 0, 0 } },
    };

    try_all(calls, sizeof calls / sizeof *calls);
    close(file);
    close(sink);
}

/* -- ordinary calls --------------------------------------------------------------------------- */

enum { THREADS = 6, ROUNDS = 200 };

static uint64_t read_whole(const char *path)
{
    char buffer[100];
    uint64_t sum = 0;
    ssize_t got;
    int fd = open(path, O_RDONLY);

    while ((got = read(fd, buffer, sizeof buffer)) > 0)
        for (ssize_t i = 0; i < got; i++)
            sum = sum * 31 + (uint8_t)buffer[i];
    close(fd);
    return sum;
}

static void *read_often(void *sum_out)
{
    uint64_t *sum = sum_out;

    for (int i = 0; i < ROUNDS; i++)
        *sum += read_whole("/etc/passwd") * (unsigned)i;
    return NULL;
}

static void use_threads(void)
{
    pthread_t threads[THREADS];
    uint64_t sums[THREADS] = { 0 };

    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, read_often, &sums[i]))
            abort();
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        printf("thread %s\n", sums[i] == sums[0] && sums[i] ? "right" : "WRONG");
    }
}

static void use_children(void)
{
    extern char **environ;
    char *argv[] = { "/bin/sh", "-c", "read line < /etc/passwd; exit 7", NULL };
    int pipes[2], status;
    char byte = 0;
    pid_t child;

    if (pipe(pipes))
        abort();
    if (!(child = fork())) {
        uint64_t sum = 0;
        read_often(&sum);
        _exit(write(pipes[1], "x", 1) == 1 && sum ? 5 : 6);
    }
    printf("pipe %zd ", read(pipes[0], &byte, 1));
    waitpid(child, &status, 0);
    printf("%c child %d\n", byte, WEXITSTATUS(status));
    syscall(SYS_lseek, -1, 0, 0); /* whose site is now that of the fork */
    if (!(child = (pid_t)syscall(SYS_fork)))
        syscall(SYS_exit_group, read_whole("/etc/passwd") ? 9 : 10);
    waitpid(child, &status, 0);
    printf("forked %d\n", WEXITSTATUS(status));
    if (posix_spawn(&child, argv[0], NULL, NULL, argv, environ))
        abort();
    waitpid(child, &status, 0);
    printf("spawned %d, parent's fd still %s\n", WEXITSTATUS(status),
           read_whole("/etc/passwd") ? "right" : "WRONG");
}

/* The gate finds its slot by gs, which a program may want for itself, or have lead nowhere. */
static void use_gs(void)
{
    static uint64_t own[8];
    uint64_t found = 1;

    syscall(SYS_arch_prctl, SET_GS, own);
    bool is_right = read_whole("/etc/passwd") != 0;
    syscall(SYS_arch_prctl, GET_GS, &found);
    is_right &= found == (uint64_t)own;
    syscall(SYS_arch_prctl, SET_GS, 0);
    is_right &= read_whole("/etc/passwd") != 0;
    syscall(SYS_arch_prctl, GET_GS, &found);
    printf("gs %s\n", is_right && !found ? "right" : "WRONG");
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    if (argc == 2 && !strcmp(argv[1], "registers")) {
        check_registers();
    } else {
        use_children();
        use_threads();
        use_children();
        use_gs();
    }
    fflush(stdout);
    return 3;
}
