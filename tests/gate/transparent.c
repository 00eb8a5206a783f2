/*
 * Makes calls with every register, flag and stack known, and prints what it finds afterwards: the
 * lines must be the same in the gate as natively: transparent registers. Or it makes ordinary calls,
 * in threads and children, and prints what came of them: transparent.
 *
 * The call with known registers is made at three sites, by each of which it can be led to the gate in another way: one
 * has a pad, at one the instruction before it is moved, one stays as it is.
 */
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP, R8, R9, R10, R11, R12, R13, R14, R15, FLAGS, ALL };

enum {
    CARRY = 1,
    PARITY = 4,
    ZERO = 0x40,
    SIGN = 0x80,
    DIRECTION = 0x400,
    OVERFLOW = 0x800,
    CHECK_ALIGNMENT = 0x40000,
    RED_ZONE = 128,
    MOVED_BY = 0x12345678,
    TIMES = 3,
    SET_GS = 0x1001, /* SET_GS, ARCH_GET_GS: <asm/prctl.h>, which musl does not come with */
    GET_GS = 0x1004,
};

extern uint64_t before[ALL], after[ALL];
uint64_t before[ALL], after[ALL], native_sp;

/* Load `before`, make the call, store `after`; only rsp and rip-relative operands are needed. */
#define SITE(name, prepare)                                                                        \
    ".globl " name ", " name "_back\n.type " name ", @function\n.p2align 6\n" name ":\n"           \
    ".cfi_startproc\n"                                                                             \
    "push %rbx\npush %rbp\npush %r12\npush %r13\npush %r14\npush %r15\n"                           \
    "mov %rsp, native_sp(%rip)\n"                                                                  \
    "push before + 8 * 16(%rip)\npopfq\n"                                                          \
    "mov before + 8 * 0(%rip), %rax\nmov before + 8 * 1(%rip), %rbx\n"                             \
    "mov before + 8 * 2(%rip), %rcx\nmov before + 8 * 3(%rip), %rdx\n"                             \
    "mov before + 8 * 4(%rip), %rsi\nmov before + 8 * 5(%rip), %rdi\n"                             \
    "mov before + 8 * 6(%rip), %rbp\nmov before + 8 * 7(%rip), %rsp\n"                             \
    "mov before + 8 * 8(%rip), %r8\nmov before + 8 * 9(%rip), %r9\n"                               \
    "mov before + 8 * 10(%rip), %r10\nmov before + 8 * 11(%rip), %r11\n"                           \
    "mov before + 8 * 12(%rip), %r12\nmov before + 8 * 13(%rip), %r13\n"                           \
    "mov before + 8 * 14(%rip), %r14\nmov before + 8 * 15(%rip), %r15\n" prepare "syscall\n" name  \
    "_back:\n"                                                                                     \
    "mov %rax, after + 8 * 0(%rip)\nmov %rbx, after + 8 * 1(%rip)\n"                               \
    "mov %rcx, after + 8 * 2(%rip)\nmov %rdx, after + 8 * 3(%rip)\n"                               \
    "mov %rsi, after + 8 * 4(%rip)\nmov %rdi, after + 8 * 5(%rip)\n"                               \
    "mov %rbp, after + 8 * 6(%rip)\nmov %rsp, after + 8 * 7(%rip)\n"                               \
    "mov %r8, after + 8 * 8(%rip)\nmov %r9, after + 8 * 9(%rip)\n"                                 \
    "mov %r10, after + 8 * 10(%rip)\nmov %r11, after + 8 * 11(%rip)\n"                             \
    "mov %r12, after + 8 * 12(%rip)\nmov %r13, after + 8 * 13(%rip)\n"                             \
    "mov %r14, after + 8 * 14(%rip)\nmov %r15, after + 8 * 15(%rip)\n"                             \
    "mov native_sp(%rip), %rsp\npushfq\npop after + 8 * 16(%rip)\n"                                \
    "push $2\npopfq\npop %r15\npop %r14\npop %r13\npop %r12\npop %rbp\npop %rbx\nret\n"            \
    ".cfi_endproc\n.size " name ", . - " name "\n"

__asm__(SITE("with_pad", "jmp 1f\n.nops 16\n1:\n")
            SITE("with_moved", "lea 0x12345678(%rax), %rax\n") SITE("as_it_is", "nop\n"));

extern const char with_pad_back[], with_moved_back[], as_it_is_back[];
void with_pad(void);
void with_moved(void);
void as_it_is(void);

static const struct site {
    const char *name;
    void (*call)(void);
    const char *back;
    uint64_t subtract; /* from rax, before the moved instruction adds it */
} SITES[] = {
    { "pad", with_pad, with_pad_back, 0 },
    { "moved", with_moved, with_moved_back, MOVED_BY },
    { "traced", as_it_is, as_it_is_back, 0 },
};

struct call {
    const char *name;
    uint64_t number, args[3];
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

static uint64_t random_state = 88172645463325252ull;
static _Alignas(64) uint8_t stack[4096];

static uint64_t draw(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static void prepare(const struct call *call, const struct site *site, uint64_t flags, uint64_t sp)
{
    for (int i = 0; i < ALL; i++)
        before[i] = draw();
    before[RAX] = call->number - site->subtract;
    before[RDI] = call->args[0];
    before[RSI] = call->args[1];
    before[RDX] = call->args[2];
    before[RSP] = sp;
    before[FLAGS] = flags | 0x202; /* the bit that is always set, and interrupts */
}

/* The kernel leaves the address behind the call in rcx and the flags in r11. */
static bool is_right(const struct site *site)
{
    bool right = after[RCX] == (uint64_t)site->back && after[R11] == before[FLAGS];

    for (int i = RBX; i < ALL; i++)
        if (i != RCX && i != R11 && after[i] != before[i]) {
            printf("register %d: %#llx, not %#llx\n", i, (unsigned long long)after[i],
                   (unsigned long long)before[i]);
            right = false;
        }
    return right;
}

static bool stack_is_intact(void)
{
    for (size_t i = 0; i < sizeof stack; i++)
        if (stack[i] != (uint8_t)(i * 7))
            return false;
    return true;
}

static void try(const struct call *call, const struct site *site, uint64_t flags, uint64_t sp)
{
    for (size_t i = 0; i < sizeof stack; i++)
        stack[i] = (uint8_t)(i * 7);
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
                try(&calls[i], &SITES[j], FLAG_SETS[k / TIMES], k % TIMES ? middle + k : 16);
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
