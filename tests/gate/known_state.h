/*
 * Calls at known sites with every register, flag and stack known. There are three sites, by each of
 * which a call can be led to the gate in another way: one has a pad, at one the instruction before it
 * is moved, one stays as it is.
 */
#ifndef KNOWN_STATE_H
#define KNOWN_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { RAX, RBX, RCX, RDX, RSI, RDI, RBP, RSP, R8, R9, R10, R11, R12, R13, R14, R15, FLAGS, ALL };

enum {
    CARRY = 1,
    PARITY = 4,
    ZERO = 0x40,
    SIGN = 0x80,
    DIRECTION = 0x400,
    OVERFLOW = 0x800,
    CHECK_ALIGNMENT = 0x40000,
    MOVED_BY = 0x12345678,
};

extern uint64_t before[ALL], after[ALL];
uint64_t before[ALL], after[ALL], native_sp;

/* Load `before`, make the call, store `after`; only rsp and rip-relative operands are needed. */
#define SITE(name, prepare) SITE_AND(name, prepare, "")

/* The same with instructions behind the call. */
#define SITE_AND(name, prepare, behind)                                                            \
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
    "_back:\n" behind "mov %rax, after + 8 * 0(%rip)\nmov %rbx, after + 8 * 1(%rip)\n"             \
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

/* The code ends where a page begins, so that there is room behind it for trampolines. */
__asm__(".pushsection end_of_code, \"ax\", @progbits\n.balign 4096\nint3\n.popsection\n");

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
    uint64_t number, args[6]; /* those from the fourth on are any if they are 0 */
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
    if (call->args[3])
        before[R10] = call->args[3];
    if (call->args[4])
        before[R8] = call->args[4];
    if (call->args[5])
        before[R9] = call->args[5];
    before[RSP] = sp;
    before[FLAGS] = flags | 0x202; /* the bit that is always set, and interrupts */
}

/* The kernel leaves the address behind the call in rcx and the flags in r11. */
static bool is_right(const struct site *site)
{
    bool right = true;

    before[RCX] = (uint64_t)site->back;
    before[R11] = before[FLAGS];
    for (int i = RBX; i < ALL; i++)
        if (after[i] != before[i]) {
            fprintf(stderr, "register %d: %#llx, not %#llx\n", i, (unsigned long long)after[i],
                    (unsigned long long)before[i]);
            right = false;
        }
    return right;
}

static void fill_stack(void)
{
    for (size_t i = 0; i < sizeof stack; i++)
        stack[i] = (uint8_t)(i * 7);
}

static bool stack_is_intact(void)
{
    for (size_t i = 0; i < sizeof stack; i++)
        if (stack[i] != (uint8_t)(i * 7))
            return false;
    return true;
}

#endif
