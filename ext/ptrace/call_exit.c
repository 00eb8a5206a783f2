/* The end of a call: what follows from its result, or from the end of its thread inside it. */
#include "arch/abi.h"
#include SCOPE_ARCH_H
#include "call/call.h"
#include "call/proc.h"
#include "ptrace/state.h"

void finish_call(struct engine *engine, struct task *task, struct pending *call, int64_t result)
{
    call_returned(&engine->context, &task->caller, call, result);
    if (CALLS[call->row].group == GROUP_GUARD && result >= 0)
        follow_filter(engine, task, call);
}

/*
 * The call that a thread was in when it was ended without a syscall-exit-stop:
 *
 *  1. The call was not made, and a filter ended the thread by SECCOMP_RET_KILL_THREAD (in /proc/TID/status
 *     its mode is SECCOMP_MODE_DEAD, since Linux 5.16): it was refused.
 *  2. The call was not made, since a fatal signal came first: there is no record.
 *  3. A write was made. Whether its bytes were written is unknown, and the record says so.
 *  4. Any other call was made: there is no record.
 */
static void abandon_call(struct engine *engine, struct task *task)
{
    enum { MODE_DEAD = 3 };
    struct pending *call = &task->call;
    struct arch_regs regs;
    bool made = arch_get_regs(task->caller.tid, &regs) < 0 || arch_was_made(&regs);

    task->in_call = false;
    if (!made && task->every_call &&
        proc_status_number(task->caller.tid, "\nSeccomp:\t") == MODE_DEAD)
        finish_call(engine, task, call, RAW_RESULT_REFUSED);
    call_unfinished(&engine->context, &task->caller, call, made);
}

void cancel_call(struct engine *engine, struct task *task)
{
    if (!task->in_call)
        return;
    task->in_call = false;
    call_withdrawn(&engine->context, &task->caller, &task->call);
    end_ordered_write(engine, task);
}

void abandon_calls(struct engine *engine, struct task *task)
{
    if (task->in_call)
        abandon_call(engine, task);
    end_ordered_write(engine, task);
    abandon_suspended(engine, task);
}
