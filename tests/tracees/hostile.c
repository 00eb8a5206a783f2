/*
 * Takes from itself what calls without stops need, or uses it for its own: hostile MODE. Natively nothing of
 * that matters to a program, so each mode prints the same with and without the gate: MODE right.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 60, PAGE = 4096, JUMPERS = 40, SIGNALS = 1500 };

#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "hostile.c:%d: %s: %s\n", __LINE__, #condition, strerror(errno));      \
            _exit(99);                                                                             \
        }                                                                                          \
    } while (0)

static void make_calls(void)
{
    struct stat found;
    char byte;

    for (int i = 0; i < ROUNDS; i++) {
        int fd = open("/etc/passwd", O_RDONLY);
        MUST(fd >= 0 && read(fd, &byte, 1) == 1 && read(fd, &byte, 1) == 1);
        MUST(lseek(fd, 0, SEEK_CUR) == 2 && stat("/etc", &found) == 0 && S_ISDIR(found.st_mode));
        MUST(open("/etc/passwd/no", O_RDONLY) == -1 && errno == ENOTDIR);
        MUST(close(fd) == 0 && read(fd, &byte, 1) == -1 && errno == EBADF);
    }
}

/* -- the mappings ------------------------------------------------------------------------------ */

struct range {
    uint8_t *start;
    size_t size;
};

/* A mapping that is executable and has no name, or that of the shared memory. Without: no bytes. */
static struct range find_mapping(bool is_code)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    struct range found = { 0 };
    char line[512], access[8], name[256];
    unsigned long start, end, inode;

    while (maps && fgets(line, sizeof line, maps)) {
        name[0] = 0;
        MUST(sscanf(line, "%lx-%lx %7s %*s %*s %lu %255s", &start, &end, access, &inode, name) >=
             4);
        bool code = access[2] == 'x' && !inode && !name[0];
        if (is_code ? code : !!strstr(name, "SYSV"))
            found = (struct range){ (uint8_t *)start, end - start };
    }
    fclose(maps);
    return found;
}

static void unmap(bool is_code)
{
    struct range found = find_mapping(is_code);

    MUST(!found.size || munmap(found.start, found.size) == 0);
}

static void protect(bool is_code, int protection)
{
    struct range found = find_mapping(is_code);

    MUST(!found.size || mprotect(found.start, found.size, protection) == 0);
}

static void unmap_code(void)
{
    unmap(true);
}

static void unmap_arena(void)
{
    unmap(false);
}

static void hide_code(void)
{
    protect(true, PROT_NONE);
}

static void hide_arena(void)
{
    protect(false, PROT_NONE);
}

static void freeze_arena(void)
{
    protect(false, PROT_READ);
}

static void empty_arena(void)
{
    struct range found = find_mapping(false);

    MUST(!found.size || madvise(found.start, found.size, MADV_REMOVE) == 0);
}

/* Use the place of a mapping for memory of its own; `before` bytes more. */
static void map_over(bool is_code, size_t before)
{
    struct range found = find_mapping(is_code);

    if (!found.size)
        return;
    found.start -= before;
    found.size += before;
    MUST(mmap(found.start, found.size, PROT_READ | PROT_WRITE | PROT_EXEC,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == found.start);
    memset(found.start, 0xcc, found.size);
    make_calls();
    for (size_t i = 0; i < found.size; i++)
        MUST(found.start[i] == 0xcc);
}

static void map_over_both(void)
{
    map_over(true, 0);
    map_over(false, 0);
}

static void map_around(void)
{
    map_over(true, 16 * PAGE);
}

static void move_over(void)
{
    struct range found = find_mapping(true);
    void *own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    MUST(own != MAP_FAILED);
    if (found.size)
        MUST(mremap(own, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, found.start) == found.start);
}

/* -- registers and rights ----------------------------------------------------------------------- */

static uint64_t own_words[2] = { 77, 0 };

static void use_gs(void)
{
    uint64_t read_back;

    MUST(syscall(SYS_arch_prctl, ARCH_SET_GS, own_words) == 0);
    make_calls();
    __asm__ volatile("mov %%gs:0, %0" : "=r"(read_back));
    MUST(read_back == own_words[0]);
}

static void lose_gs(void)
{
    MUST(syscall(SYS_arch_prctl, ARCH_SET_GS, 0) == 0);
}

static void forbid_clock(void)
{
    MUST(prctl(PR_SET_TSC, PR_TSC_SIGSEGV) == 0);
}

static volatile sig_atomic_t dispatched;
static volatile char selector;

static void on_dispatch(int number)
{
    (void)number;
    selector = PR_SYS_DISPATCH_OFF;
    dispatched++;
}

static int find_code(struct dl_phdr_info *info, size_t size, void *found_out)
{
    struct range *found = found_out;
    const char *wanted = found->start ? "libc.so" : "";

    (void)size;
    if (*wanted ? !strstr(info->dlpi_name, wanted) : *info->dlpi_name)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
            found->start = (uint8_t *)info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            found->size = (info->dlpi_phdr[i].p_memsz + PAGE - 1) / PAGE * PAGE;
        }
    return 1;
}

/* The code of libc, or of the program, with the rest of its last page. */
static struct range code_of(bool is_libc)
{
    struct range found = { is_libc ? &(uint8_t){ 0 } : NULL, 0 };

    dl_iterate_phdr(find_code, &found);
    MUST(found.size);
    return found;
}

static long call_outside(void)
{
    long result;

    __asm__ volatile("syscall" : "=a"(result) : "a"(SYS_getpid) : "rcx", "r11", "memory");
    return result;
}

/* Calls of libc are let through, others raise SIGSYS (Syscall User Dispatch). */
static void dispatch_calls(void)
{
    struct range libc = code_of(true);

    signal(SIGSYS, on_dispatch);
    MUST(prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, libc.start, libc.size,
               &selector) == 0);
    selector = PR_SYS_DISPATCH_ON;
    make_calls();
    MUST(dispatched == 0);
    call_outside();
    MUST(dispatched == 1);
}

static void lock_memory(void)
{
    if (mlockall(MCL_CURRENT | MCL_FUTURE))
        MUST(errno == ENOMEM || errno == EPERM || errno == EAGAIN);
}

/* -- code that changes -------------------------------------------------------------------------- */

/* Its instruction that makes the call has a place for a jump behind it. */
long own_read(int fd, void *to, size_t size);
extern const uint8_t own_read_end[];
__asm__(".globl own_read, own_read_end\n.type own_read, @function\n.p2align 6\nown_read:\n"
        ".cfi_startproc\nxor %eax, %eax\nsyscall\nret\n.nops 16\n"
        ".cfi_endproc\nown_read_end:\n.size own_read, . - own_read\n");

typedef long read_function(int fd, void *to, size_t size);

static void read_zeros(read_function *function)
{
    int zero = open("/dev/zero", O_RDONLY);
    char byte = 1;

    for (int i = 0; i < ROUNDS; i++, byte = 1)
        MUST(function(zero, &byte, 1) == 1 && !byte);
    close(zero);
}

static void rewrite_code(void)
{
    static const uint8_t FIVE[] = { 0xb8, 5, 0, 0, 0, 0xc3 }; /* mov $5, %eax; ret */
    uint8_t original[64], *start = (uint8_t *)(uintptr_t)own_read;
    uint8_t *page = (uint8_t *)((uintptr_t)start & ~(uintptr_t)(PAGE - 1));
    size_t size = (size_t)(own_read_end - start);

    memcpy(original, start, size);
    read_zeros(own_read);
    MUST(mprotect(page, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
    memcpy(start, original, size);
    read_zeros(own_read);
    memcpy(start, FIVE, sizeof FIVE);
    MUST(own_read(0, NULL, 0) == 5);
}

static void count_signal(int number)
{
    (void)number;
    dispatched++;
}

/* Run code that counts its instructions, while signals come. */
static void count_on(const uint8_t *code, long times)
{
    static const struct itimerval often = { { 0, 200 }, { 0, 200 } }, never;
    long counted;

    signal(SIGALRM, count_signal);
    setitimer(ITIMER_REAL, &often, NULL);
    while (dispatched < SIGNALS) {
        __asm__ volatile("xor %%eax, %%eax\nsub $128, %%rsp\ncall *%1\nadd $128, %%rsp"
                         : "=&a"(counted)
                         : "r"(code)
                         : "memory", "cc");
        MUST(counted == times);
    }
    setitimer(ITIMER_REAL, &never, NULL);
}

/*
 * The program's file is mapped once more, and its code there is changed, too. Then it is unmapped, and other
 * code is made where its last page was.
 */
static void replace_code(void)
{
    static const uint8_t INCREMENT[] = { 0x48, 0xff, 0xc0 }; /* inc %rax */
    const struct range code = code_of(false);
    const uint8_t *function = (const uint8_t *)(uintptr_t)own_read;
    int file = open("/proc/self/exe", O_RDONLY);
    Dl_info about;

    MUST(dladdr(code.start, &about));
    off_t offset = code.start - (uint8_t *)about.dli_fbase;
    uint8_t *copy = mmap(NULL, code.size, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, offset);
    MUST(copy != MAP_FAILED && close(file) == 0);
    read_zeros((read_function *)(copy + (function - code.start)));
    uint8_t *page = copy + code.size - PAGE;
    MUST(mmap(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page);
    long times = (PAGE - 1) / sizeof INCREMENT;
    for (long i = 0; i < times; i++)
        memcpy(page + i * sizeof INCREMENT, INCREMENT, sizeof INCREMENT);
    page[times * sizeof INCREMENT] = 0xc3;
    count_on(page, times);
}

/* -- jumps -------------------------------------------------------------------------------------- */

static void __attribute__((noreturn)) jump(const uint8_t *to, unsigned seed)
{
    srandom(seed);
    alarm(1);
    uint64_t number = (uint64_t)random() % 340, other = (uint64_t)random() << (seed % 33);
    __asm__ volatile("mov %0, %%rcx\nmov %1, %%rax\nmov %2, %%rdi\nmov %2, %%rsi\n"
                     "mov %2, %%r11\nmov %2, %%r12\ncall *%%rcx\nud2"
                     :
                     : "r"(to), "r"(number), "r"(other)
                     : "rcx", "rax", "rdi", "rsi", "r11", "r12");
    __builtin_unreachable();
}

/* Children jump anywhere into the code; what becomes of them is their own affair. */
static void jump_in(void)
{
    struct range found = find_mapping(true);

    for (unsigned i = 0; found.size && i < JUMPERS; i++) {
        pid_t child = fork();
        if (child == 0) {
            make_calls();
            jump(found.start + (i * 131) % 0xa00, i);
        }
        MUST(waitpid(child, NULL, 0) == child);
    }
}

static const struct {
    const char *name;
    void (*run)(void);
} MODES[] = {
    { "unmap-code", unmap_code },
    { "unmap-arena", unmap_arena },
    { "hide-code", hide_code },
    { "hide-arena", hide_arena },
    { "freeze-arena", freeze_arena },
    { "empty-arena", empty_arena },
    { "map-over", map_over_both },
    { "map-around", map_around },
    { "move-over", move_over },
    { "use-gs", use_gs },
    { "lose-gs", lose_gs },
    { "forbid-clock", forbid_clock },
    { "dispatch", dispatch_calls },
    { "lock", lock_memory },
    { "rewrite", rewrite_code },
    { "replace", replace_code },
    { "jump", jump_in },
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 2 && i < sizeof MODES / sizeof *MODES; i++) {
        if (strcmp(MODES[i].name, argv[1]))
            continue;
        make_calls();
        MODES[i].run();
        make_calls();
        MUST(printf("%s right\n", argv[1]) > 0 && fflush(stdout) == 0);
        _exit(0);
    }
    return 96;
}
