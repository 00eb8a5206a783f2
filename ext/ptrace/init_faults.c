/*
 * A fault that ends process 1 of a PID namespace.
 *
 * The kernel lets no default action end such a process (SIGNAL_UNKILLABLE) except that of a fault of
 * its own. But force_sig_info_to_task (kernel/signal.c) makes this exception for untraced threads
 * only: handed back by a tracer, the fault is ignored, and the instruction faults again, for ever.
 * HANDLER_EXIT is the one kind of forced signal that makes the exception for traced threads too. Of
 * what raises it, a tracer can cause this: a call by a thread whose selector of Syscall User Dispatch
 * (prctl(2)) is neither "allow" nor "block", a SIGSYS.
 *
 * So the fault is held back, blocked, while the thread makes such a call; it comes before the SIGSYS,
 * since it was queued first (dequeue_synchronous_signal), and now it ends the process: with the
 * signal, the registers and the core dump that it would have left untraced.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "arch/abi.h"
#include SCOPE_ARCH_H
#include "call/proc.h"
#include "ptrace/state.h"

/* PTRACE_SET_SYSCALL_USER_DISPATCH_CONFIG, in linux/ptrace.h since 6.4 */
#define PTRACE_SET_DISPATCH ((enum __ptrace_request)0x4210)
enum { DISPATCH_ON = 1, VDSO_MAX = 16384 };
enum { AT_VDSO = 33 }; /* AT_SYSINFO_EHDR of elf.h */

struct dispatch {
    uint64_t mode, selector, offset, size; /* struct ptrace_sud_config */
};

struct ending {
    int signal;
    uint64_t mask;
    struct arch_regs regs;
};

/* SYNCHRONOUS_MASK of kernel/signal.c */
static bool may_be_forced(int signal)
{
    return signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE ||
           signal == SIGTRAP || signal == SIGSYS;
}

/*
 * Whether the kernel forced this signal on the thread for what the thread did. A program can queue
 * one with such a code for itself (rt_sigqueueinfo(2)), but that comes at the end of a call.
 */
static bool is_forced(const siginfo_t *info, const struct arch_regs *regs)
{
    return info->si_signo == SIGSYS || info->si_code == SI_KERNEL || arch_in_exception(regs);
}

/* The kernel's own code in a tracee: its address, and in it that of an instruction that makes a call. */
static bool find_call(const struct task *task, const struct arch_regs *regs, uint64_t *vdso_out,
                      uint64_t *call_out)
{
    uint8_t code[VDSO_MAX];
    size_t copied = 0;

    *vdso_out = proc_auxv(task->tid, AT_VDSO);
    if (!*vdso_out ||
        memory_read(task->space, task->tid, *vdso_out, code, sizeof code, &copied) < 0)
        return false;
    const uint8_t *found = memmem(code, copied, arch_call_code(regs), ARCH_SYSCALL_BYTES);
    *call_out = *vdso_out + (uint64_t)(found - code);
    return found;
}

/* Set the trap: everything is blocked, and the next instruction is a call that cannot be allowed. */
static bool set_trap(struct task *task, struct ending *ending)
{
    struct dispatch dispatch = { .mode = DISPATCH_ON };
    struct arch_regs regs = ending->regs;
    uint64_t all = ~(uint64_t)0, call;

    if (!find_call(task, &regs, &dispatch.selector,
                   &call)) /* an ELF header: its first byte is 127 */
        return false;
    arch_jump(&regs, call);
    return ptrace(PTRACE_GETSIGMASK, task->tid, sizeof ending->mask, &ending->mask) == 0 &&
           ptrace(PTRACE_SET_DISPATCH, task->tid, sizeof dispatch, &dispatch) == 0 &&
           arch_set_regs(task->tid, &regs) == 0 &&
           ptrace(PTRACE_SETSIGMASK, task->tid, sizeof all, &all) == 0;
}

/* Whether this signal ends the process untraced, and is ignored for as long as it is traced. */
static bool is_spared(struct task *task, const siginfo_t *info)
{
    struct proc_signals sets;
    struct arch_regs regs;

    if (task->no_init || info->si_code <= 0 || arch_get_regs(task->tid, &regs) < 0 ||
        !is_forced(info, &regs) || proc_signals(task->tid, &sets) < 0)
        return false;
    task->no_init = !sets.init;
    return sets.init && !(sets.caught >> (info->si_signo - 1) & 1);
}

bool end_init(struct task *task, int signal)
{
    struct ending *ending;
    siginfo_t info;

    if (!may_be_forced(signal) || ptrace(PTRACE_GETSIGINFO, task->tid, 0, &info) < 0 ||
        !is_spared(task, &info))
        return false;
    ending = calloc(1, sizeof *ending);
    if (ending && arch_get_regs(task->tid, &ending->regs) == 0 && set_trap(task, ending)) {
        ending->signal = signal;
        task->ending = ending;
    } else {
        free(ending);
        signal = SIGKILL; /* before Linux 6.4 there is only this way */
    }
    ptrace(PTRACE_CONT, task->tid, 0, signal);
    return true;
}

bool is_ending(const struct task *task, int signal)
{
    return task->ending && task->ending->signal == signal;
}

bool go_on_ending(struct task *task, int signal)
{
    struct ending *ending = task->ending;

    if (!is_ending(task, signal))
        return false;
    arch_set_regs(task->tid, &ending->regs);
    ptrace(PTRACE_SETSIGMASK, task->tid, sizeof ending->mask, &ending->mask);
    free(ending);
    task->ending = NULL;
    ptrace(PTRACE_CONT, task->tid, 0, signal);
    return true;
}
