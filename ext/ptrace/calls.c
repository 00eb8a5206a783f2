/*
 * From the stops of one thread to its calls.
 *
 * A stop of a thread at a call is one of these (ptrace(2), PTRACE_GET_SYSCALL_INFO):
 *
 *  1. PTRACE_EVENT_SECCOMP by our filter: a watched call is about to be made. It begins here.
 *  2. PTRACE_EVENT_SECCOMP by a filter of the program, whose SECCOMP_RET_TRACE asks for a tracer:
 *     without one the kernel answers ENOSYS; the tracer has it do the same.
 *  3. syscall-entry-stop, of threads that were resumed by PTRACE_SYSCALL. It comes before any filter.
 *     - A task with filters of its own (every_call): a watched call begins here, since a filter that
 *       outranks ours may refuse it, and stop 1 would not come. If it comes, it says that the call
 *       was not refused (filter_passed).
 *     - A signal handler runs, and the call that it interrupted is suspended: see interrupted_calls.c.
 *     - A signal that ends the process is on its way: the call may be postponed at stop 1, and
 *       nothing begins here (fatal_signals.c).
 *  4. syscall-exit-stop: the call that began has returned, or a signal has interrupted it.
 *
 * A call of one stop (STOPS_ENTRY, closes_range) ends where it begins; the thread is resumed by PTRACE_CONT.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/abi.h"
#include SCOPE_ARCH_H
#include "call/async.h"
#include "call/call.h"
#include "call/messages.h"
#include "call/proc.h"
#include "ptrace/gated.h"
#include "ptrace/seccomp.h"
#include "ptrace/state.h"

const struct abi *abi_of(uint32_t audit_arch, uint64_t number)
{
    const struct abi *found = NULL;

    for (const struct abi *abi = ABIS; abi->name; abi++)
        if (abi->audit_arch == audit_arch && (number & abi->mark) == abi->mark)
            found = abi; /* the one with a mark comes later and wins */
    return found;
}

static int row_of(const struct engine *engine, const struct abi *abi, uint64_t number)
{
    uint64_t plain = number & ~(uint64_t)abi->mark;

    return plain < ABI_NUMBERS ? engine->rows[abi - ABIS][plain] : -1;
}

void refuse_call(const struct task *task, int error)
{
    struct arch_regs regs;

    if (arch_get_regs(task->caller.tid, &regs) < 0)
        return;
    arch_refuse(&regs, error);
    arch_set_regs(task->caller.tid, &regs);
}

/* Whether a filter of the program stopped the call (SECCOMP_RET_TRACE with other data than ours). */
static bool is_by_another_filter(const call_info *info)
{
    return info->op == PTRACE_SYSCALL_INFO_SECCOMP && info->seccomp.ret_data != FILTER_DATA;
}

/*
 * Two processes that trace each other wait for each other for ever, and not even a SIGKILL ends that.
 * The pid in a call is of the caller's PID namespace: if that is not the recorder's, it is below it,
 * and the recorder has no pid there.
 */
bool is_ptrace_of_recorder(const struct task *task, const uint64_t args[6])
{
    struct raw_stat ours, theirs;
    char path[PROC_PATH];

    if (args[0] == PTRACE_TRACEME || syscall(SYS_tgkill, getpid(), (pid_t)args[1], 0) < 0)
        return false;
    proc_path(path, task->caller.tid, "ns/pid");
    if (proc_stat(path, &theirs) < 0 || proc_stat("/proc/self/ns/pid", &ours) < 0)
        return true;
    return ours.ino == theirs.ino;
}

/* -- the beginning of a call ----------------------------------------------------------------- */

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
    if (call->row == ROW_clone || call->row == ROW_clone3)
        patch_clone(task, call);
    else if (CALLS[call->row].group == GROUP_TASK)
        space_hold(task->caller.space, task->caller.tid);
    else if (!gated_has_closed(task, call))
        call_entered_only(&engine->context, &task->caller, call);
}

static void begin_call(struct engine *engine, struct task *task, const call_info *info,
                       const struct abi *abi, int row)
{
    struct pending *call = &task->call;

    call_reset(&engine->context, call, row);
    fill_entry(task, info, abi);
    if (row == ROW_socketcall && (!expand_socketcall(&engine->context, &task->caller, call) ||
                                  !when_holds(CALLS[call->row].when, call->args)))
        return;
    if (CALLS[row].stops == STOPS_ENTRY || (closes_range(call) && !task->every_call)) {
        begin_entry_call(engine, task, call);
        return;
    }
    task->in_call = true;
    if (CALLS[row].group == GROUP_BIRTH)
        fill_birth_flags(task, call);
    if (CALLS[row].group == GROUP_CRED)
        space_hold(task->caller.space, task->caller.tid);
    if (CALLS[row].group == GROUP_EXEC)
        count_fds_before_exec(task);
    if (row == ROW_ptrace && is_ptrace_of_recorder(task, call->args))
        refuse_call(task, EPERM); /* as ptrace(2) says of a process that may not be traced */
    call_entered(&engine->context, &task->caller, call);
    if (CALLS[call->row].transfer == TRANSFER_OUT)
        begin_ordered_write(engine, task);
}

/* Whether a row applies to a call with these arguments. Which fds are rings the filter cannot know. */
static bool row_applies(const struct task *task, int row, const uint64_t args[6])
{
    if (row == ROW_mmap__ring || row == ROW_mmap2__ring)
        return is_uring(&task->caller, (int)args[4]);
    return when_holds(CALLS[row].when, args);
}

/* Begin the call by each row that applies to it. `seen`: its syscall-entry-stop was handled. */
static void begin_rows(struct engine *engine, struct task *task, call_info *info,
                       const struct abi *abi, bool by_filter, bool seen)
{
    int first = row_of(engine, abi, info->entry.nr);

    if (first >= 0)
        hold_receivers(engine, task, first, info->entry.args);
    for (int row = first; row >= 0 && !task->in_call; row = engine->next_row[row]) {
        if (belongs_to_other_stop(task, row, by_filter, seen))
            continue;
        if (row == ROW_execve && !engine->context.started)
            complete_first_exec(task, info);
        if (engine->options.calls.modes[row] == MODE_OFF ||
            !row_applies(task, row, info->entry.args))
            continue;
        if (task->caller.space && task->caller.space->async)
            async_collect(&engine->context, &task->caller);
        begin_call(engine, task, info, abi, row);
    }
}

static void on_call_entry(struct engine *engine, struct task *task, call_info *info, bool by_filter)
{
    const struct abi *abi = abi_of(info->arch, info->entry.nr);
    bool seen = by_filter && task->entry_seen;

    task->entry_seen = !by_filter;
    task->entry.filter_passed |= by_filter;
    if (!abi || task->in_call)
        return; /* stop 1 of a call that began at stop 3 */
    if (!by_filter && (task->being_killed || task->fatal_pending)) {
        task->entry_seen = false; /* stop 1 may postpone the call */
        return;
    }
    space_note_call(task->caller.space, task->caller.tid);
    task->last_number = (int64_t)(info->entry.nr & ~(uint64_t)abi->mark);
    if (resume_suspended(task, info, abi))
        return;
    end_left_handlers(engine, task, info, abi);
    if (!by_filter && !task->every_call)
        return;
    begin_rows(engine, task, info, abi, by_filter, seen);
}

/* -- the end of a call ----------------------------------------------------------------------- */

/* A signal that was sent to one thread may end its process before other threads make a call. */
static void follow_signal(struct engine *engine, struct task *task, const struct pending *call)
{
    int signal = CALLS[call->row].signal - 1, to = signal - 1;

    if (call->row == ROW_tkill || call->row == ROW_tgkill || call->row == ROW_rt_tgsigqueueinfo)
        mark_signalled_process(engine, task, (pid_t)call->args[to], (int)call->args[signal]);
}

void finish_call(struct engine *engine, struct task *task, struct pending *call, int64_t result)
{
    call->early = gated_received_early(engine, task, call);
    call_returned(&engine->context, &task->caller, call, result);
    if (CALLS[call->row].group == GROUP_PERMIT && result == 0)
        follow_signal(engine, task, call);
    if (CALLS[call->row].group == GROUP_GUARD && result >= 0)
        follow_filter(engine, task, call);
    gated_after_call(engine, task, call, result);
}

/*
 * The call that a thread was in when it was ended without a syscall-exit-stop:
 *
 *  1. The call was not made, and a filter ended the thread by SECCOMP_RET_KILL_THREAD (in
 *     /proc/TID/status its mode is SECCOMP_MODE_DEAD, since Linux 5.16): it was refused.
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

/* brk(2) returns no error, but the end of the heap, which it has not moved then. */
static int64_t result_of_call(struct pending *call, int64_t answer)
{
    if (call->row != ROW_brk || (uint64_t)answer >= call->args[0])
        return answer;
    call->args[1] = (uint64_t)answer;
    return -ENOMEM;
}

static void end_call(struct engine *engine, struct task *task, int64_t result)
{
    enum call_outcome outcome = is_restart_result(result) ? CALL_MADE : outcome_of(task, result);

    if (is_restart_result(result) || outcome == CALL_TRAPPED) {
        task->entry.trapped = outcome == CALL_TRAPPED;
        suspend_call(engine, task);
        return;
    }
    task->in_call = false;
    finish_call(engine, task, &task->call,
                outcome == CALL_REFUSED ? RAW_RESULT_REFUSED : result_of_call(&task->call, result));
}

static void on_call_exit(struct engine *engine, struct task *task, const call_info *info)
{
    task->entry_seen = false;
    if (task->patched_at)
        unpatch_clone(task);
    if (task->in_call) {
        end_call(engine, task, info->exit.rval);
        end_ordered_write(engine, task);
        return;
    }
    const struct abi *abi = abi_of(info->arch, 0);
    if (task->suspended_count && abi)
        on_sigreturn(engine, task, info, abi);
}

/* -- stops ----------------------------------------------------------------------------------- */

void on_call_stop(struct engine *engine, struct task *task, bool by_filter)
{
    call_info info;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, task->caller.tid, sizeof info, &info) < 0)
        return; /* it was killed: its end is reported next */
    if (by_filter && is_by_another_filter(&info)) {
        refuse_call(task, ENOSYS);
        return;
    }
    uint64_t ip = info.instruction_pointer;
    info.instruction_pointer = gated_ip(task, ip);
    bool refused = ip != info.instruction_pointer;
    enum gated_entry gated =
        by_filter ? gated_call_entry(engine, task, &info, refused) : GATED_TRACE;
    task->gone = gated == GATED_GONE;
    if (gated != GATED_TRACE)
        return;
    if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
        whole_call_returned(engine, task, &info);
        on_call_exit(engine, task, &info);
    } else if (info.op != PTRACE_SYSCALL_INFO_NONE) {
        on_call_entry(engine, task, &info, by_filter);
        whole_call_entered(engine, task, &info, by_filter);
    }
}

void on_call_after_recording(const struct engine *engine, const struct task *task)
{
    call_info info;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, task->caller.tid, sizeof info, &info) < 0)
        return;
    if (is_by_another_filter(&info)) {
        refuse_call(task, ENOSYS);
        return;
    }
    const struct abi *abi = abi_of(info.arch, info.entry.nr);
    if (abi && row_of(engine, abi, info.entry.nr) == ROW_ptrace &&
        is_ptrace_of_recorder(task, info.entry.args))
        refuse_call(task, EPERM);
}
