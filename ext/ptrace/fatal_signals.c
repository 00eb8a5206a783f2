/*
 * A fatal signal takes effect before the calls of other threads.
 *
 * Untraced, a signal that ends a process does so when it is sent (complete_signal in
 * kernel/signal.c): no thread makes another call. Traced, one thread stops for the signal, and the
 * others would run on until the tracer has delivered it. So the calls that they are about to make
 * are postponed while
 *
 *  1. such a signal is pending for the process and a thread does not block it (fatal_pending),
 *  2. one of its threads has sent it to another one (tgkill(2)), which does not block it, or
 *  3. it was delivered, and the process is ending (2 and 3: being_killed).
 *
 * Calls in the gate do not stop, so could not be postponed. They stop again as soon as the tracer knows of
 * the signal, and at the call by which a recorded program sends it (hold_receivers).
 *
 * A call is postponed by skipping it and setting the thread back to the instruction that makes it
 * (step_back). If the process does not end within POSTPONED_MAX_NS, the calls are made.
 */
#include "arch/abi.h"
#include SCOPE_ARCH_H
#include "call/proc.h"
#include "ptrace/gated.h"
#include "ptrace/state.h"

enum {
    SIGNALS = 64,
    PENDING_MAX = 32,
    POSTPONED_MAX_NS = 100 * 1000 * 1000, /* the process would have ended by then */
    NOT_FATAL_NS = 10 * 1000 * 1000,      /* how long pending signals are not looked at again */
};

static uint64_t bit_of(int signal)
{
    return (uint64_t)1 << (signal - 1);
}

/* Whether its default action ends the process (signal(7)). */
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

/*
 * Whether that ends other threads when it is sent, not only when it is taken: a core dump waits for the
 * thread that is to take it (sig_kernel_coredump in kernel/signal.c).
 */
static bool ends_when_sent(int signal)
{
    switch (signal) {
    case SIGQUIT:
    case SIGILL:
    case SIGTRAP:
    case SIGABRT:
    case SIGBUS:
    case SIGFPE:
    case SIGSEGV:
    case SIGXCPU:
    case SIGXFSZ:
    case SIGSYS:
        return false;
    default:
        return is_fatal_by_default(signal);
    }
}

/* Those of these signals that the process neither ignores nor handles. */
static uint64_t fatal_of(const struct proc_signals *sets, uint64_t signals)
{
    return sets->init ? 0 : signals & ~sets->ignored & ~sets->caught;
}

/* The same for the process of `tid`. */
static uint64_t fatal_among(pid_t tid, uint64_t signals)
{
    struct proc_signals sets;

    return signals && proc_signals(tid, &sets) == 0 ? fatal_of(&sets, signals) : 0;
}

static void mark_process(struct engine *engine, pid_t tgid)
{
    for (struct task *task = tasks_next(&engine->tasks, NULL); task;
         task = tasks_next(&engine->tasks, task))
        if (task->caller.tgid == tgid) {
            task->being_killed = true;
            gated_hold(task);
        }
}

/* -- a signal that was delivered --------------------------------------------------------------- */

void mark_killed_process(struct engine *engine, struct task *task, int signal)
{
    if (shares_space(task) && is_fatal_by_default(signal) &&
        fatal_among(task->caller.tid, bit_of(signal)))
        mark_process(engine, task->caller.tgid);
}

/* -- a signal that a thread has sent to another one -------------------------------------------- */

/* Whether a thread of this process has that number in its own PID namespace, and takes these signals. */
static bool is_taker(const struct task *task, pid_t tgid, pid_t own_tid, uint64_t signals)
{
    struct proc_signals sets;

    return task->caller.tgid == tgid && proc_signals(task->caller.tid, &sets) == 0 &&
           sets.own_tid == own_tid && signals & ~sets.blocked;
}

void mark_signalled_process(struct engine *engine, struct task *sender, pid_t own_tid, int signal)
{
    pid_t tgid = sender->caller.tgid;
    struct proc_signals sets;

    if (!shares_space(sender) || signal < 1 || signal > SIGNALS || !ends_when_sent(signal) ||
        proc_signals(sender->caller.tid, &sets) < 0 || !fatal_of(&sets, bit_of(signal)))
        return;
    for (struct task *task = tasks_next(&engine->tasks, NULL); task;
         task = tasks_next(&engine->tasks, task))
        if (is_taker(task, tgid, own_tid, bit_of(signal))) {
            mark_process(engine, tgid);
            return;
        }
}

/* -- a signal that is about to be sent ---------------------------------------------------------- */

static void hold_process(struct engine *engine, const struct task *task, uint64_t signal)
{
    if (!shares_space(task) || !fatal_among(task->caller.tid, signal))
        return;
    for (struct task *other = tasks_next(&engine->tasks, NULL); other;
         other = tasks_next(&engine->tasks, other))
        if (other->caller.tgid == task->caller.tgid) {
            other->held_until_ns = monotonic_ns() + POSTPONED_MAX_NS;
            gated_hold(other);
        }
}

/* All that may be in a group, or behind a pidfd. */
static void hold_all(struct engine *engine, uint64_t signal)
{
    for (const struct task *task = tasks_next(&engine->tasks, NULL); task;
         task = tasks_next(&engine->tasks, task))
        if (task->caller.tid == task->caller.tgid)
            hold_process(engine, task, signal);
}

/* In another PID namespace the number is that of another process; its own is held in any case. */
void hold_receivers(struct engine *engine, const struct task *task, int row, const uint64_t args[6])
{
    const uint64_t number = CALLS[row].signal ? args[CALLS[row].signal - 1] : 0;
    const pid_t to = (pid_t)args[0];

    if (!engine->gate || !number || number > SIGNALS || number == SIGKILL ||
        !is_fatal_by_default((int)number))
        return;
    if (to <= 0 || row == ROW_pidfd_send_signal) {
        hold_all(engine, bit_of((int)number));
        return;
    }
    const struct task *target = tasks_find(&engine->tasks, to);
    hold_process(engine, task, bit_of((int)number));
    if (target && target->caller.tgid != task->caller.tgid)
        hold_process(engine, target, bit_of((int)number));
}

/* -- a signal that is pending ------------------------------------------------------------------ */

/* The pending signals of the process whose default action ends it. */
static uint64_t pending(const struct task *task)
{
    struct __ptrace_peeksiginfo_args range = { .flags = PTRACE_PEEKSIGINFO_SHARED,
                                               .nr = PENDING_MAX };
    siginfo_t found[PENDING_MAX];
    uint64_t signals = 0;

    long count = ptrace(PTRACE_PEEKSIGINFO, task->caller.tid, &range, found);
    for (long i = 0; i < count; i++)
        if (is_fatal_by_default(found[i].si_signo))
            signals |= bit_of(found[i].si_signo);
    return signals;
}

/* Whether a thread of the process does not block one of these signals. */
static bool would_be_taken(const struct engine *engine, const struct task *task, uint64_t signals)
{
    struct proc_signals sets;
    uint64_t blocked = 0;

    ptrace(PTRACE_GETSIGMASK, task->caller.tid, sizeof blocked, &blocked);
    if (signals & ~blocked)
        return true;
    for (const struct task *other = tasks_next(&engine->tasks, NULL); other;
         other = tasks_next(&engine->tasks, other))
        if (other->caller.tgid == task->caller.tgid && other != task &&
            proc_signals(other->caller.tid, &sets) == 0 && signals & ~sets.blocked)
            return true;
    return false;
}

bool is_fatal_signal_pending(const struct engine *engine, struct task *task)
{
    uint64_t signals = pending(task);

    if (!signals || monotonic_ns() < task->not_fatal_until_ns)
        return false;
    signals = fatal_among(task->caller.tid, signals);
    if (signals && would_be_taken(engine, task, signals))
        return true;
    task->not_fatal_until_ns = monotonic_ns() + NOT_FATAL_NS;
    return false;
}

/* -- the calls of the other threads ------------------------------------------------------------ */

/*
 * Skip the call and set the thread back to the instruction that makes it. On the way to it the thread
 * takes the pending signal, unless it blocks that.
 */
static bool step_back(struct task *task)
{
    struct arch_regs regs;

    if (arch_get_regs(task->caller.tid, &regs) < 0)
        return false;
    arch_step_back(&regs);
    return arch_set_regs(task->caller.tid, &regs) == 0;
}

bool postpone_call(struct task *task)
{
    if (!task->being_killed && !task->fatal_pending) {
        task->postponed_ns = 0;
        return false;
    }
    uint64_t now_ns = monotonic_ns();
    task->fatal_pending = false;
    if (!task->postponed_ns)
        task->postponed_ns = now_ns;
    if (now_ns - task->postponed_ns < POSTPONED_MAX_NS)
        return step_back(task);
    task->being_killed = false;
    task->postponed_ns = 0;
    task->not_fatal_until_ns = now_ns + POSTPONED_MAX_NS;
    return false;
}
