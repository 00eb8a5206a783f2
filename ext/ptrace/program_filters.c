/*
 * What seccomp filters of the program do to its calls (seccomp(2)).
 *
 * The kernel runs all filters of a thread and takes the action of the highest precedence. Ours is
 * SECCOMP_RET_TRACE, which every action that refuses a call precedes. A call of a task with filters
 * of its own has begun at its syscall-entry-stop. What can follow:
 *
 *  1. SECCOMP_RET_ALLOW or LOG: the stop by our filter comes, and the call is made.
 *  2. SECCOMP_RET_ERRNO with an error: the call returns it, as if it had failed.
 *  3. SECCOMP_RET_ERRNO with 0: the call returns 0 without a stop by our filter. It was refused.
 *  4. SECCOMP_RET_TRAP, or a KILL: no stop by our filter; the result is the number of the call, which
 *     syscall_rollback leaves there, and a SIGSYS is pending. The call is trapped.
 *  5. SECCOMP_RET_TRACE: the filter that was loaded last stops the call, the program's: it is
 *     refused with ENOSYS, as without a tracer (calls.c).
 *  6. SECCOMP_RET_USER_NOTIF (seccomp_unotify(2)): a supervisor lets the call be made, or answers
 *     it with any result, in both cases without a stop by our filter. Which of them is not known:
 *     the call counts as made.
 */
#include <linux/seccomp.h>
#include <signal.h>

#include "call/records.h"
#include "ptrace/state.h"

/* That of a KILL is followed by no signal-delivery-stop (SA_IMMUTABLE, since Linux 5.16). */
bool has_trap_pending(const struct task *task)
{
    enum { LOOKED_AT = 32, FROM_FILTER = 1 /* SYS_SECCOMP of <asm-generic/siginfo.h> */ };
    siginfo_t pending[LOOKED_AT];
    struct __ptrace_peeksiginfo_args first = { .nr = LOOKED_AT };
    long count = ptrace(PTRACE_PEEKSIGINFO, task->caller.tid, &first, pending);

    for (long i = 0; i < count; i++)
        if (pending[i].si_signo == SIGSYS && pending[i].si_code == FROM_FILTER)
            return true;
    return false;
}

enum call_outcome outcome_of(const struct task *task, int64_t result)
{
    const struct pending *call = &task->call;

    if (!task->every_call || task->entry.filter_passed ||
        (result && (uint64_t)result != (task->entry.number | call->abi->mark)))
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

/* A filter of the program's own may hide calls from ours: see every call of all its threads. */
static void watch_every_call(struct engine *engine, const struct task *task, bool supervised)
{
    if (!task->every_call)
        write_note(&engine->context, &task->caller, NOTE_OWN_FILTER, 0);
    for (struct task *other = tasks_next(&engine->tasks, NULL); other;
         other = tasks_next(&engine->tasks, other))
        if (other->caller.tgid == task->caller.tgid) {
            other->every_call = true;
            other->supervised |= supervised;
        }
}

void follow_filter(struct engine *engine, struct task *task, const struct pending *call)
{
    if (call->row == ROW_seccomp && (uint32_t)call->args[0] == SECCOMP_SET_MODE_FILTER)
        watch_every_call(engine, task, call->args[1] & SECCOMP_FILTER_FLAG_NEW_LISTENER);
    else if (call->row == ROW_prctl && call->args[1] == SECCOMP_MODE_FILTER)
        watch_every_call(engine, task, false);
}
