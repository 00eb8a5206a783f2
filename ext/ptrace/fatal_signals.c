/*
 * A fatal signal comes before the calls of other threads.
 *
 * Untraced, a signal that ends a process does so at the moment it is sent (complete_signal in
 * kernel/signal.c): no thread gets as far as its next call. Traced, it only begins to be delivered,
 * to one thread, which stops for it; meanwhile the others would run on. So as long as such a signal
 * is pending, or was delivered and its thread is on its way to the end, their calls are put off.
 */
#include "arch/abi.h"
#include SCOPE_ARCH_H
#include "call/proc.h"
#include "ptrace/state.h"

enum {
    PENDING_MAX = 32,
    PUT_OFF_NS = 100 * 1000 * 1000, /* whatever is awaited for so long does not come */
    SPARED_NS = 10 * 1000 * 1000,   /* how long a verdict on what is pending holds */
};

static uint64_t bit_of(int signal)
{
    return (uint64_t)1 << (signal - 1);
}

/* Whether it ends a process that did nothing about it (signal(7)). */
static bool is_fatal_by_default(int signal)
{
    switch (signal) {
    case SIGCHLD:
    case SIGCONT:
    case SIGSTOP:
    case SIGTSTP:
    case SIGTTIN:
    case SIGTTOU:
    case SIGURG:
    case SIGWINCH:
        return false;
    default:
        return true;
    }
}

/* Which of these signals end the process of `tid`. */
static uint64_t fatal_among(pid_t tid, uint64_t signals)
{
    struct proc_signals sets;

    if (!signals || proc_signals(tid, &sets) < 0 || sets.init)
        return 0;
    return signals & ~sets.ignored & ~sets.caught;
}

/* -- a signal that was delivered --------------------------------------------------------------- */

void foresee_end(struct engine *engine, struct task *task, int signal)
{
    if (!shares_space(task) || !is_fatal_by_default(signal) ||
        !fatal_among(task->tid, bit_of(signal)))
        return;
    for (struct task *other = tasks_next(&engine->tasks, NULL); other;
         other = tasks_next(&engine->tasks, other))
        if (other->tgid == task->tgid)
            other->doomed = true;
}

/* -- a signal that is pending ------------------------------------------------------------------ */

/* The signals sent to the process that no thread has taken yet, of those that may end it. */
static uint64_t pending(const struct task *task)
{
    struct __ptrace_peeksiginfo_args range = { .flags = PTRACE_PEEKSIGINFO_SHARED,
                                               .nr = PENDING_MAX };
    siginfo_t found[PENDING_MAX];
    uint64_t signals = 0;

    long count = ptrace(PTRACE_PEEKSIGINFO, task->tid, &range, found);
    for (long i = 0; i < count; i++)
        if (is_fatal_by_default(found[i].si_signo))
            signals |= bit_of(found[i].si_signo);
    return signals;
}

/* Whether a thread of the process would take one of these signals. */
static bool would_be_taken(const struct engine *engine, const struct task *task, uint64_t signals)
{
    struct proc_signals sets;
    uint64_t blocked = 0;

    ptrace(PTRACE_GETSIGMASK, task->tid, sizeof blocked, &blocked);
    if (signals & ~blocked)
        return true;
    for (const struct task *other = tasks_next(&engine->tasks, NULL); other;
         other = tasks_next(&engine->tasks, other))
        if (other->tgid == task->tgid && other != task && proc_signals(other->tid, &sets) == 0 &&
            signals & ~sets.blocked)
            return true;
    return false;
}

bool is_fatal_pending(const struct engine *engine, struct task *task)
{
    uint64_t signals = pending(task);

    if (!signals || monotonic_ns() < task->spared_ns)
        return false;
    signals = fatal_among(task->tid, signals);
    if (signals && would_be_taken(engine, task, signals))
        return true;
    task->spared_ns = monotonic_ns() + SPARED_NS;
    return false;
}

/* -- the calls of the other threads ------------------------------------------------------------ */

/*
 * The call is not made, and the thread goes back to the instruction that makes it. On the way it
 * takes the pending signal itself, unless it blocks it.
 */
static bool step_back(struct task *task)
{
    struct arch_regs regs;

    if (arch_get_regs(task->tid, &regs) < 0)
        return false;
    arch_step_back(&regs);
    return arch_set_regs(task->tid, &regs) == 0;
}

bool puts_off(struct task *task)
{
    if (!task->doomed && !task->threatened) {
        task->put_off_ns = 0;
        return false;
    }
    uint64_t now_ns = monotonic_ns();
    task->threatened = false;
    if (!task->put_off_ns)
        task->put_off_ns = now_ns;
    if (now_ns - task->put_off_ns < PUT_OFF_NS)
        return step_back(task);
    task->doomed = false;
    task->put_off_ns = 0;
    task->spared_ns = now_ns + PUT_OFF_NS;
    return false;
}
