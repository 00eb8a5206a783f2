/* The beginning of a watched call: what is copied and noted while its thread is stopped at its entry. */
#include <errno.h>
#include <string.h>

#include "call/call.h"
#include "call/messages.h"
#include "ptrace/seccomp.h"
#include "ptrace/state.h"

/* How the call is entered, by the registers of the thread, and its arguments. */
static void fill_entry(struct task *task, const call_info *info, const struct abi *abi)
{
    struct entry_stop *entry = &task->entry;

    entry->number = info->entry.nr & ~(uint64_t)abi->mark;
    memcpy(entry->args, info->entry.args, sizeof entry->args);
    entry->ip = info->instruction_pointer;
    entry->sp = info->stack_pointer;
    entry->filter_passed = !task->entry_seen;
    entry->trapped = false;
    task->call.abi = abi;
    for (int i = 0; i < 6; i++)
        task->call.args[i] = info->entry.args[i] & abi->arguments;
}

/* A call of one stop: it ends here. */
static void begin_entry_call(struct engine *engine, struct task *task, struct pending *call)
{
    if (CALLS[call->row].group == GROUP_TASK)
        patch_clone(task, call);
    else
        call_entered_only(&engine->context, &task->caller, call);
}

void begin_call(struct engine *engine, struct task *task, const call_info *info,
                const struct abi *abi, int row)
{
    struct pending *call = &task->call;

    call_reset(&engine->context, call, row);
    fill_entry(task, info, abi);
    if (row == ROW_socketcall && (!expand_socketcall(&engine->context, &task->caller, call) ||
                                  !when_holds(CALLS[call->row].when, call->args)))
        return;
    if (CALLS[row].stops == STOPS_ENTRY) {
        begin_entry_call(engine, task, call);
        return;
    }
    task->in_call = true;
    if (CALLS[row].group == GROUP_BIRTH)
        fill_birth_flags(task, call);
    if (row == ROW_ptrace && is_ptrace_of_recorder(task, call->args))
        refuse_call(task, EPERM); /* as ptrace(2) says of a process that may not be traced */
    call_entered(&engine->context, &task->caller, call);
    if (CALLS[call->row].transfer == TRANSFER_OUT)
        begin_ordered_write(engine, task);
}
