/*
 * What seccomp filters of the program's own do to its calls (seccomp(2)).
 *
 * Ours answers with SECCOMP_RET_TRACE, which every answer that refuses a call outranks. So a call
 * whose stop by our filter was seen was made, and one without that stop was not; only a supervisor
 * (SECCOMP_RET_USER_NOTIF) outranks it as well and may let the call go on, or answer it with anything.
 */
#include <signal.h>

#include "ptrace/state.h"

/*
 * Whether a thread has a SIGSYS of a filter of its own coming: SECCOMP_RET_TRAP, or one of the KILLs,
 * which no signal stop follows (SA_IMMUTABLE, since Linux 5.16).
 */
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

enum verdict verdict_on(const struct task *task, int64_t result)
{
    const struct pending *call = &task->call;

    if (!task->every_call || call->passed ||
        (result && (uint64_t)result != (call->number | call->abi->mark)))
        return MADE;
    if (has_trap_pending(task))
        return TRAPPED;
    return task->supervised ? MADE : REFUSED;
}

bool is_for_other_stop(const struct task *task, int row, bool by_filter, bool entry_seen)
{
    bool at_entry = task->supervised || CALLS[row].group == GROUP_TASK;

    if (!task->every_call || CALLS[row].stops != STOPS_ENTRY)
        return false;
    return by_filter ? at_entry && entry_seen : !at_entry;
}
