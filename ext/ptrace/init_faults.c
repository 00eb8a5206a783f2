/*
 * A fault that ends process 1 of a PID namespace.
 *
 * The kernel lets no default action of a signal end such a process (SIGNAL_UNKILLABLE), except for
 * a fault of its own. But force_sig_info_to_task (kernel/signal.c) makes this exception for
 * untraced threads only: a fault that a tracer delivers is ignored, and the instruction faults
 * again, for ever. Only forced signals of the kind HANDLER_EXIT end a traced process 1. Of the
 * causes of one, a tracer can bring about this: a call by a thread whose selector of Syscall User
 * Dispatch (prctl(2)) is neither "allow" nor "block" raises such a SIGSYS. What can happen when
 * process 1 stops for a fault, and what is done:
 *
 *  1. It handles the signal, or did not cause it itself: it is delivered like any other.
 *  2. It would end untraced. The fault is queued again and blocked, and the thread makes such a call in
 *     its vDSO (trap_init_fault). The process is killable now, and both signals are pending: the
 *     fault comes first, since it was queued first (dequeue_synchronous_signal). The thread stops
 *     for it, its registers are restored, and the fault is delivered (deliver_init_fault). It ends
 *     the process with the signal, the registers and the core dump that it would have untraced.
 *  3. The same, before Linux 6.4, which cannot set the selector: SIGKILL ends the process.
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

struct init_fault {
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
 * Whether the kernel sent this signal for what the thread did. A program can queue one with such a code
 * for itself (rt_sigqueueinfo(2)), but that is delivered at the end of a call, not in an exception.
 */
static bool is_forced(const siginfo_t *info, const struct arch_regs *regs)
{
    return info->si_signo == SIGSYS || info->si_code == SI_KERNEL || arch_in_exception(regs);
}

/* The address of the vDSO in a tracee, and in it that of an instruction that makes a call. */
static bool find_call(const struct task *task, const struct arch_regs *regs, uint64_t *vdso_out,
                      uint64_t *call_out)
{
    uint8_t code[VDSO_MAX];
    size_t copied = 0;

    *vdso_out = proc_auxv(task->caller.tid, AT_VDSO);
    if (!*vdso_out || memory_read(task->caller.space, task->caller.tid, *vdso_out, code,
                                  sizeof code, &copied) < 0)
        return false;
    const uint8_t *found = memmem(code, copied, arch_call_code(regs), ARCH_SYSCALL_BYTES);
    *call_out = *vdso_out + (uint64_t)(found - code);
    return found;
}

/* Block all signals, and have the next instruction make a call that raises the SIGSYS. */
static bool set_trap(struct task *task, struct init_fault *init_fault)
{
    struct dispatch dispatch = { .mode = DISPATCH_ON };
    struct arch_regs regs = init_fault->regs;
    uint64_t all = ~(uint64_t)0, call;

    if (!find_call(task, &regs, &dispatch.selector,
                   &call)) /* an ELF header: its first byte is 127 */
        return false;
    arch_jump(&regs, call);
    return ptrace(PTRACE_GETSIGMASK, task->caller.tid, sizeof init_fault->mask,
                  &init_fault->mask) == 0 &&
           ptrace(PTRACE_SET_DISPATCH, task->caller.tid, sizeof dispatch, &dispatch) == 0 &&
           arch_set_regs(task->caller.tid, &regs) == 0 &&
           ptrace(PTRACE_SETSIGMASK, task->caller.tid, sizeof all, &all) == 0;
}

/* Whether this signal ends the process untraced, and is ignored while it is traced. */
static bool is_ignored_when_traced(struct task *task, const siginfo_t *info)
{
    struct proc_signals sets;
    struct arch_regs regs;

    if (task->not_init || info->si_code <= 0 || arch_get_regs(task->caller.tid, &regs) < 0 ||
        !is_forced(info, &regs) || proc_signals(task->caller.tid, &sets) < 0)
        return false;
    task->not_init = !sets.init;
    return sets.init && !(sets.caught >> (info->si_signo - 1) & 1);
}

bool trap_init_fault(struct task *task, int signal)
{
    struct init_fault *init_fault;
    siginfo_t info;

    if (!may_be_forced(signal) || ptrace(PTRACE_GETSIGINFO, task->caller.tid, 0, &info) < 0 ||
        !is_ignored_when_traced(task, &info))
        return false;
    init_fault = calloc(1, sizeof *init_fault);
    if (init_fault && arch_get_regs(task->caller.tid, &init_fault->regs) == 0 &&
        set_trap(task, init_fault)) {
        init_fault->signal = signal;
        task->init_fault = init_fault;
    } else {
        free(init_fault);
        signal = SIGKILL; /* case 3 */
    }
    ptrace(PTRACE_CONT, task->caller.tid, 0, signal);
    return true;
}

bool is_init_fault(const struct task *task, int signal)
{
    return task->init_fault && task->init_fault->signal == signal;
}

bool deliver_init_fault(struct task *task, int signal)
{
    struct init_fault *init_fault = task->init_fault;

    if (!is_init_fault(task, signal))
        return false;
    arch_set_regs(task->caller.tid, &init_fault->regs);
    ptrace(PTRACE_SETSIGMASK, task->caller.tid, sizeof init_fault->mask, &init_fault->mask);
    free(init_fault);
    task->init_fault = NULL;
    ptrace(PTRACE_CONT, task->caller.tid, 0, signal);
    return true;
}
