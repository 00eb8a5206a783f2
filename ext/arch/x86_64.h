/*
 * All that differs between CPUs, for x86-64. A machine's header defines:
 *
 *   ARCH_NAME                 as uname -m says it
 *   ARCH_SYSCALL_BYTES        length of the instruction that enters the kernel
 *   struct arch_regs          general registers, as PTRACE_GETREGS or GETREGSET fills them
 *   arch_get_regs, arch_set_regs
 *   arch_fork_flags           the clone flags of a stopped fork, vfork or clone; -1: a clone3
 *   arch_set_first_arg        changes the first argument of a call that is about to run
 *   arch_refuse               makes the call that is about to run return an error instead
 *   arch_was_made             whether the call that a thread was in when it was ended has run
 *   arch_in_exception         whether the thread entered the kernel by a fault, not by a call
 *   arch_result               what the call that it is about to return from returns
 *   arch_call_code            the instruction (ARCH_SYSCALL_BYTES) that makes a call in its mode
 *   arch_step_back            skips the call that is about to run and goes back to its instruction
 *   arch_jump                 has the thread go on at an address, and no call restart
 *   ARCH_FRAME_WORDS          length of the part of a handler's frame that the next two look at
 *   arch_frame_interrupts     whether these words are the frame of a handler that interrupted a call
 *   arch_frame_is_on_stack_of whether an address is on the alternate stack of a frame
 *
 * beside a <machine>.c with ABIS, whose numbers stand in ext/table/<machine>_numbers*.c.
 */
#ifndef SCOPE_ARCH_X86_64_H
#define SCOPE_ARCH_X86_64_H

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#define ARCH_NAME "x86_64"
#define ARCH_SYSCALL_BYTES 2
#define ARCH_CS_32 0x23 /* the code segment of 32-bit programs (__USER32_CS) */

struct arch_regs {
    struct user_regs_struct user; /* 64-bit layout, for 32-bit tracees too */
};

static inline int arch_get_regs(pid_t tid, struct arch_regs *regs_out)
{
    return ptrace(PTRACE_GETREGS, tid, 0, &regs_out->user) < 0 ? -errno : 0;
}

static inline int arch_set_regs(pid_t tid, const struct arch_regs *regs)
{
    return ptrace(PTRACE_SETREGS, tid, 0, &regs->user) < 0 ? -errno : 0;
}

/*
 * The numbers of the two ABIs do not collide: no number of the fork family in one is that of a call in
 * the other which could have caused a fork event.
 */
static inline int64_t arch_fork_flags(const struct arch_regs *regs)
{
    switch (regs->user.orig_rax & ~0x40000000ull) {
    case 56: /* clone, x86-64 */
        return (int64_t)(uint32_t)regs->user.rdi;
    case 120: /* clone, i386 */
        return (int64_t)(uint32_t)regs->user.rbx;
    case 57: /* fork, x86-64 */
    case 2:  /* fork, i386 */
        return SIGCHLD;
    case 58:  /* vfork, x86-64 */
    case 190: /* vfork, i386 */
        return CLONE_VM | CLONE_VFORK | SIGCHLD;
    default:
        return -1;
    }
}

static inline void arch_set_first_arg(struct arch_regs *regs, int is_32_bit, uint64_t value)
{
    if (is_32_bit)
        regs->user.rbx = value;
    else
        regs->user.rdi = value;
}

/* Until a call has run, the register of its result contains -ENOSYS: arch/x86/entry/entry_64.S. */
static inline int arch_was_made(const struct arch_regs *regs)
{
    return (long long)regs->user.rax != -ENOSYS;
}

static inline void arch_refuse(struct arch_regs *regs, int error)
{
    regs->user.orig_rax = (unsigned long long)-1;
    regs->user.rax = (unsigned long long)-error;
}

/* The entries of exceptions set orig_rax so (arch/x86/entry/entry_64.S). */
static inline int arch_in_exception(const struct arch_regs *regs)
{
    return regs->user.orig_rax == (unsigned long long)-1;
}

/* A 32-bit program's is extended here as the kernel does (syscall_get_error). */
static inline int64_t arch_result(const struct arch_regs *regs)
{
    return regs->user.cs == ARCH_CS_32 ? (int32_t)regs->user.rax : (int64_t)regs->user.rax;
}

static inline const char *arch_call_code(const struct arch_regs *regs)
{
    return regs->user.cs == ARCH_CS_32 ? "\xcd\x80" : "\x0f\x05"; /* int 0x80, syscall */
}

/* All instructions that make a call are of this length, or the kernel's own restart uses one. */
static inline void arch_step_back(struct arch_regs *regs)
{
    regs->user.rip -= ARCH_SYSCALL_BYTES;
    regs->user.rax = regs->user.orig_rax;
    regs->user.orig_rax = (unsigned long long)-1;
}

static inline void arch_jump(struct arch_regs *regs, uint64_t address)
{
    regs->user.orig_rax = (unsigned long long)-1;
    regs->user.rip = address;
}

/* struct ucontext of the CPU's own ABI, in words: arch/x86/include/uapi/asm/{ucontext,sigcontext}.h */
enum { FRAME_STACK = 2, FRAME_STACK_SIZE = 4, FRAME_SP = 20, FRAME_IP = 21, ARCH_FRAME_WORDS };

/* If the call is to be restarted, the frame contains the address of its instruction, not the next. */
static inline int arch_frame_interrupts(const uint64_t *frame, uint64_t ip, uint64_t sp)
{
    return frame[FRAME_SP] == sp &&
           (frame[FRAME_IP] == ip || frame[FRAME_IP] == ip - ARCH_SYSCALL_BYTES);
}

/* As on_sig_stack in include/linux/sched/signal.h: the pointer of an empty stack is its upper end. */
static inline int arch_frame_is_on_stack_of(const uint64_t *frame, uint64_t sp)
{
    return sp - frame[FRAME_STACK] - 1 < frame[FRAME_STACK_SIZE];
}

#endif
