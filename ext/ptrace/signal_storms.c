/*
 * Signals that come faster than they can be delivered under a tracer.
 *
 * A delivery takes several microseconds, since the thread stops for it. If the next signal is
 * pending by then (of a timer of 10 µs), the thread stops again before it has run one instruction,
 * and never makes progress. Even a signal that the program ignores stops the thread. At each
 * signal-delivery-stop:
 *
 *  1. The signal may not be deferred (a fault, a stop signal, sent by the process to itself), or the
 *     thread has made progress: it is delivered (defer_signal returns false).
 *  2. The thread has been stuck for a while: the signal is queued again and blocked, and the thread is
 *     resumed by PTRACE_SYSCALL (defer_signal). The program cannot tell the delay from a signal that
 *     was sent later.
 *  3. The thread then stops, since it makes a call, since another signal came, or since the tracer
 *     interrupts it after DEFERRAL_NS (end_due_deferral). The signal mask of the program is
 *     restored, and the signal is delivered next (end_deferral). So neither calls nor handlers of
 *     the program ever see the other mask.
 */
#include <signal.h>
#include <string.h>
#include <time.h>

#include "arch/abi.h"
#include SCOPE_ARCH_H
#include "ptrace/state.h"

enum {
    OTHER_STOPS_MAX = 16,
    ONSET_NS = 20 * 1000 * 1000, /* how long a thread is stuck before the first deferral */
    DEFERRAL_NS = 2 * 1000 * 1000,
    FORGET_NS = 1000 * 1000 * 1000, /* a storm after so long a time is a new one */
};

/* A result inside the kernel (include/linux/errno.h), of pselect(2) and others with a mask. */
enum { RESTARTNOHAND = 514 };

/* Whether the program cannot tell a later delivery: no fault, no stop, not sent by itself. */
static bool may_be_deferred(const struct task *task, const siginfo_t *info)
{
    switch (info->si_signo) {
    case SIGSEGV:
    case SIGBUS:
    case SIGILL:
    case SIGFPE:
    case SIGTRAP:
    case SIGSYS:
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
        return false;
    default:
        return info->si_code == SI_TIMER || info->si_code > 0 || info->si_pid != task->caller.tgid;
    }
}

static bool is_same(const struct location *a, const struct location *b)
{
    return a->ip == b->ip && a->sp == b->sp;
}

/*
 * Whether a thread has stopped at the anchor again, by its instruction and stack pointers. In
 * between, its handlers may run, on the same stack, and be interrupted themselves: such stops
 * elsewhere do not mean progress. The anchor moves if the thread stops elsewhere twice in a row,
 * further up its stack, or OTHER_STOPS_MAX times; in the first case it counts as stuck at once.
 */
static bool is_stuck(struct storm *storm, struct location here, uint64_t now_ns)
{
    bool twice = is_same(&here, &storm->last);

    storm->last = here;
    if (is_same(&here, &storm->anchor)) {
        storm->other_stops = 0;
        return true;
    }
    if (twice || here.sp > storm->anchor.sp || ++storm->other_stops > OTHER_STOPS_MAX) {
        storm->anchor = here;
        storm->since_ns = now_ns;
    }
    return twice;
}

/*
 * A thread that has made a child is not stuck, wherever its next signal finds it: a program that starts
 * others and waits for them gets each SIGCHLD at the same instruction.
 */
void note_progress(struct task *task)
{
    task->storm.anchor = task->storm.last = (struct location){ 0, 0 };
}

/* How long a thread must be stuck: after a deferral half as long as that lasted, and one signal. */
static uint64_t required_ns(struct storm *storm, uint64_t now_ns)
{
    if (now_ns - storm->deferral_began_ns >= FORGET_NS)
        return ONSET_NS;
    bool undelivered = storm->undelivered;
    storm->undelivered = false;
    return undelivered ? UINT64_MAX : storm->deferral_lasted_ns / 2;
}

/* Whether the kernel is to restore a mask, as after pselect(2): PTRACE_SETSIGMASK prevents that. */
static bool is_mask_to_be_restored(const struct task *task)
{
    struct arch_regs regs;

    if (arch_get_regs(task->caller.tid, &regs) < 0)
        return true;
    int64_t result = arch_result(&regs);
    return !arch_in_exception(&regs) && (result == -RESTARTNOHAND || result == -EINTR);
}

static bool block_too(struct task *task, int signal)
{
    uint64_t *mask = &task->storm.mask;

    if (ptrace(PTRACE_GETSIGMASK, task->caller.tid, sizeof *mask, mask) < 0)
        return false;
    uint64_t more = *mask | (uint64_t)1 << (signal - 1);
    return ptrace(PTRACE_SETSIGMASK, task->caller.tid, sizeof more, &more) == 0;
}

bool defer_signal(struct engine *engine, struct task *task, const siginfo_t *info)
{
    struct storm *storm = &task->storm;
    uint64_t now_ns = monotonic_ns();
    call_info location;

    if (!may_be_deferred(task, info) ||
        ptrace(PTRACE_GET_SYSCALL_INFO, task->caller.tid, sizeof location, &location) < 0 ||
        !is_stuck(storm, (struct location){ location.instruction_pointer, location.stack_pointer },
                  now_ns))
        return false;
    if (now_ns - storm->since_ns < required_ns(storm, now_ns) ||
        !wake_at(engine, now_ns + DEFERRAL_NS) || is_mask_to_be_restored(task) ||
        !block_too(task, info->si_signo))
        return false;
    storm->deferral_began_ns = now_ns;
    storm->deferring = true;
    ptrace(PTRACE_SYSCALL, task->caller.tid, 0, info->si_signo);
    return true;
}

uint64_t end_due_deferral(const struct task *task)
{
    uint64_t end_ns = task->storm.deferral_began_ns + DEFERRAL_NS;

    if (!task->storm.deferring)
        return 0;
    if (end_ns > monotonic_ns())
        return end_ns;
    ptrace(PTRACE_INTERRUPT, task->caller.tid, 0, 0); /* ESRCH: it has stopped already */
    return 0;
}

/* A SIGCONT makes every thread stop once, even if it is blocked: such a stop does not count. */
void end_deferral(struct task *task, int event, int signal)
{
    struct storm *storm = &task->storm;
    bool by_cont = event == PTRACE_EVENT_STOP && signal == SIGTRAP;

    if (by_cont && monotonic_ns() - storm->deferral_began_ns < DEFERRAL_NS)
        return;
    ptrace(PTRACE_SETSIGMASK, task->caller.tid, sizeof storm->mask, &storm->mask);
    storm->deferring = false;
    storm->undelivered = true;
    storm->since_ns = monotonic_ns();
    storm->deferral_lasted_ns = storm->since_ns - storm->deferral_began_ns;
}
