/*
 * What seccomp filters of the program do to its calls (seccomp(2)).
 *
 * The kernel runs all filters of a thread and takes the action of the highest precedence. Ours is
 * SECCOMP_RET_TRACE, which every action that refuses a call precedes. A call of a task with filters of its
 * own has begun at its syscall-entry-stop. What can follow:
 *
 *  1. SECCOMP_RET_ALLOW or LOG: the stop by our filter comes, and the call is made.
 *  2. SECCOMP_RET_ERRNO with an error: the call returns it, as if it had failed.
 *  3. SECCOMP_RET_ERRNO with 0: the call returns 0 without a stop by our filter. It was refused.
 *  4. SECCOMP_RET_TRAP, or a KILL: no stop by our filter; the result is the number of the call, which
 *     syscall_rollback leaves there, and a SIGSYS is pending. The call is trapped.
 *  5. SECCOMP_RET_TRACE: the filter that was loaded last stops the call, the program's: it is
 *     refused with ENOSYS, as without a tracer (calls.c).
 *  6. SECCOMP_RET_USER_NOTIF (seccomp_unotify(2)): a supervisor lets the call be made, or answers it with
 *     any result, in both cases without a stop by our filter. Which of them is not known: the call
 *     counts as made.
 */
#include <signal.h>

#include "ptrace/state.h"

/* Whether a SIGSYS of a filter is pending for a thread. That of a KILL is followed by no
 * signal-delivery-stop (SA_IMMUTABLE, since Linux 5.16). */
static bool has_trap_pending(const struct task *task)
{
    enum { LOOKED_AT = 32, FROM_FILTER = 1 /* SYS_SECCOMP of <asm-generic/siginfo.h> */ };
    siginfo_t pending[LOOKED_AT];
    struct __ptrace_peeksiginfo_args first = { .nr = LOOKED_AT };
    long count = ptrace(PTRACE_PEEKSIGINFO, task->tid, &first, pending);

    for (long i = 0; i < count; i++)
        if (pending[i].si_signo == SIGSYS && pending[i].si_code == FROM_FILTER)
            return true;
    return false;
}

enum call_outcome outcome_of(const struct task *task, int64_t result)
{
    const struct pending *call = &task->call;

    if (!task->every_call || call->filter_passed ||
        (result && (uint64_t)result != (call->number | call->abi->mark)))
        return CALL_MADE;
    if (has_trap_pending(task))
        return CALL_TRAPPED;
    return task->supervised ? CALL_MADE : CALL_REFUSED;
}

bool belongs_to_other_stop(const struct task *task, int row, bool by_filter, bool entry_seen)
{
    bool at_entry = task->supervised || CALLS[row].group == GROUP_TASK;

    if (!task->every_call || CALLS[row].stops != STOPS_ENTRY)
        return false;
    return by_filter ? at_entry && entry_seen : !at_entry;
}
