/*
 * Signals that come faster than they can be delivered under a tracer.
 *
 * A delivery takes several microseconds, since the thread stops for it. Where the next signal is
 * there by then (a timer of 10 µs), the thread stops again before it has run one instruction, for
 * ever; and even a signal that the program ignores is shown to a tracer. So a thread that has not
 * got on for a while is given a breath: the signal is queued again and blocked while the program
 * runs on, for as long as it makes no call, and is delivered after that, which a program cannot tell
 * from a signal that came later. The mask that the program set is restored before anything that
 * could show another one: calls, handlers, other stops.
 */
#include <signal.h>
#include <string.h>
#include <time.h>

#include "arch/abi.h"
#include SCOPE_ARCH_H
#include "ptrace/state.h"

enum {
    ELSEWHERE_MAX = 16,
    ONSET_NS = 20 * 1000 * 1000, /* how long a thread may stand still the first time */
    BREATH_NS = 2 * 1000 * 1000,
    FORGET_NS = 1000 * 1000 * 1000, /* a storm that has been over for so long is another one */
};

/* Errors after which the kernel still has to restore a mask: PTRACE_SETSIGMASK would prevent that. */
enum { RESTARTNOHAND = 514 };

/* Whether it may come later: no fault, no stop, and nothing that the process sent itself. */
static bool may_wait(const struct task *task, const siginfo_t *info)
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
        return info->si_code == SI_TIMER || info->si_code > 0 || info->si_pid != task->tgid;
    }
}

static bool is_same(const struct place *a, const struct place *b)
{
    return a->ip == b->ip && a->sp == b->sp;
}

/*
 * Whether a thread stands where it stood. In between its handlers may run, on the same stack, and be
 * interrupted themselves: other places say nothing, unless it stands there twice, or is never back.
 */
static bool stands_still(struct storm *storm, struct place here, uint64_t now_ns)
{
    bool twice = is_same(&here, &storm->last);

    storm->last = here;
    if (is_same(&here, &storm->anchor)) {
        storm->elsewhere = 0;
        return true;
    }
    if (twice || here.sp > storm->anchor.sp || ++storm->elsewhere > ELSEWHERE_MAX) {
        storm->anchor = here;
        storm->since_ns = now_ns;
    }
    return twice;
}

/* How long it must have stood still; after a breath, half as long as that was, and one signal. */
static uint64_t patience_ns(struct storm *storm, uint64_t now_ns)
{
    if (now_ns - storm->breath_ns >= FORGET_NS)
        return ONSET_NS;
    bool owed = storm->owed;
    storm->owed = false;
    return owed ? UINT64_MAX : storm->breathed_ns / 2;
}

static bool is_mask_to_be_restored(const struct task *task)
{
    struct arch_regs regs;

    if (arch_get_regs(task->tid, &regs) < 0)
        return true;
    int64_t result = arch_result(&regs);
    return !arch_in_exception(&regs) && (result == -RESTARTNOHAND || result == -EINTR);
}

static bool block_too(struct task *task, int signal)
{
    uint64_t *mask = &task->storm.mask;

    if (ptrace(PTRACE_GETSIGMASK, task->tid, sizeof *mask, mask) < 0)
        return false;
    uint64_t more = *mask | (uint64_t)1 << (signal - 1);
    return ptrace(PTRACE_SETSIGMASK, task->tid, sizeof more, &more) == 0;
}

bool takes_breath(struct engine *engine, struct task *task, const siginfo_t *info)
{
    struct storm *storm = &task->storm;
    uint64_t now_ns = monotonic_ns();
    call_info place;

    if (!may_wait(task, info) ||
        ptrace(PTRACE_GET_SYSCALL_INFO, task->tid, sizeof place, &place) < 0 ||
        !stands_still(storm, (struct place){ place.instruction_pointer, place.stack_pointer },
                      now_ns))
        return false;
    if (now_ns - storm->since_ns < patience_ns(storm, now_ns) ||
        !alarm_at(engine, now_ns + BREATH_NS) || is_mask_to_be_restored(task) ||
        !block_too(task, info->si_signo))
        return false;
    storm->breath_ns = now_ns;
    storm->breathes = true;
    ptrace(PTRACE_SYSCALL, task->tid, 0, info->si_signo);
    return true;
}

uint64_t look_at_breath(const struct task *task)
{
    uint64_t end_ns = task->storm.breath_ns + BREATH_NS;

    if (!task->storm.breathes)
        return 0;
    if (end_ns > monotonic_ns())
        return end_ns;
    ptrace(PTRACE_INTERRUPT, task->tid, 0, 0); /* ESRCH: it stands in another stop already */
    return 0;
}

/* A SIGCONT makes every thread stop once, even if it is blocked: that says nothing. */
void end_breath(struct task *task, int event, int signal)
{
    struct storm *storm = &task->storm;
    bool by_cont = event == PTRACE_EVENT_STOP && signal == SIGTRAP;

    if (by_cont && monotonic_ns() - storm->breath_ns < BREATH_NS)
        return;
    ptrace(PTRACE_SETSIGMASK, task->tid, sizeof storm->mask, &storm->mask);
    storm->breathes = false;
    storm->owed = true;
    storm->since_ns = monotonic_ns();
    storm->breathed_ns = storm->since_ns - storm->breath_ns;
}
