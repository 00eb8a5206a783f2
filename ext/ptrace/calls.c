/*
 * From the stops of one thread to its calls.
 *
 * A call begins at the filter's stop (or, for a task with filters of its own, at the entry stop that
 * comes before any filter) and ends at the exit stop. One that a signal interrupts may be entered
 * again: it stays suspended until it is clear which, and is one record in the end.
 */
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/abi.h"
#include SCOPE_ARCH_H
#include "call/async.h"
#include "call/proc.h"
#include "ptrace/seccomp.h"
#include "ptrace/state.h"

static const struct abi *abi_of(uint32_t audit_arch, uint64_t number)
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

void refuse(const struct task *task, int error)
{
    struct arch_regs regs;

    if (arch_get_regs(task->tid, &regs) < 0)
        return;
    arch_refuse(&regs, error);
    arch_set_regs(task->tid, &regs);
}

/* A SECCOMP_RET_TRACE of the program's own: without a tracer that is an ENOSYS, so it is one. */
static bool is_by_another_filter(const call_info *info)
{
    return info->op == PTRACE_SYSCALL_INFO_SECCOMP && info->seccomp.ret_data != FILTER_DATA;
}

/*
 * Whether a ptrace call is about a thread of this very process. Two that trace each other wait for
 * each other for ever, and not even a SIGKILL ends that. Pids are those of the caller's namespace: if
 * that is not ours, it lies below ours, and we have no pid there.
 */
bool is_about_us(const struct task *task, const uint64_t args[6])
{
    struct raw_stat ours, theirs;
    char path[PROC_PATH];

    if (args[0] == PTRACE_TRACEME || syscall(SYS_tgkill, getpid(), (pid_t)args[1], 0) < 0)
        return false;
    proc_path(path, task->tid, "ns/pid");
    if (proc_stat(path, &theirs) < 0 || proc_stat("/proc/self/ns/pid", &ours) < 0)
        return true;
    return ours.ino == theirs.ino;
}

/* Whether a row is about a call with these arguments; of rings the filter cannot know the fds. */
static bool is_about(const struct task *task, int row, const uint64_t args[6])
{
    if (row == ROW_mmap__ring || row == ROW_mmap2__ring)
        return is_uring(task, (int)args[4]);
    return when_holds(CALLS[row].when, args);
}

/* The rows of a call that are about one with these arguments; `seen`: at its entry stop already. */
static void begin_rows(struct engine *engine, struct task *task, call_info *info,
                       const struct abi *abi, bool by_filter, bool seen)
{
    for (int row = row_of(engine, abi, info->entry.nr); row >= 0 && !task->in_call;
         row = engine->also[row]) {
        if (is_for_other_stop(task, row, by_filter, seen))
            continue;
        if (row == ROW_execve && !engine->started)
            let_start(task, info);
        if (engine->options.modes[row] == MODE_OFF || !is_about(task, row, info->entry.args))
            continue;
        if (task->space && task->space->async)
            async_look(engine, task);
        begin_call(engine, task, info, abi, row);
    }
}

static void enter(struct engine *engine, struct task *task, call_info *info, bool by_filter)
{
    const struct abi *abi = abi_of(info->arch, info->entry.nr);
    bool seen = by_filter && task->entry_seen;

    task->entry_seen = !by_filter;
    task->call.passed |= by_filter;
    if (!abi || task->in_call)
        return; /* the filter's stop of a call that has begun */
    if (!by_filter && (task->doomed || task->threatened)) {
        task->entry_seen = false; /* it may be put off at the filter's stop */
        return;
    }
    task->last_number = (int64_t)(info->entry.nr & ~(uint64_t)abi->mark);
    if (resume_suspended(task, info, abi))
        return;
    end_left_handlers(engine, task, info, abi);
    if (!by_filter && !task->every_call)
        return;
    begin_rows(engine, task, info, abi, by_filter, seen);
}

/* brk(2) never answers with an error, but with the end that it left as it was. */
static int64_t result_of(struct pending *call, int64_t answer)
{
    if (call->row != ROW_brk || (uint64_t)answer >= call->args[0])
        return answer;
    call->args[1] = (uint64_t)answer;
    return -ENOMEM;
}

static void end_call(struct engine *engine, struct task *task, int64_t result)
{
    enum verdict verdict = is_restart(result) ? MADE : verdict_on(task, result);

    if (is_restart(result) || verdict == TRAPPED) {
        task->call.trapped = verdict == TRAPPED;
        suspend_call(engine, task);
        return;
    }
    task->in_call = false;
    finish_call(engine, task, &task->call,
                verdict == REFUSED ? RAW_RESULT_REFUSED : result_of(&task->call, result));
}

static void leave(struct engine *engine, struct task *task, const call_info *info)
{
    task->entry_seen = false;
    if (task->patched_at)
        unpatch_clone(task);
    if (task->in_call) {
        end_call(engine, task, info->exit.rval);
        end_turn(engine, task);
        return;
    }
    const struct abi *abi = abi_of(info->arch, 0);
    if (task->suspended_count && abi)
        after_handler(engine, task, info, abi);
}

void on_call_stop(struct engine *engine, struct task *task, bool by_filter)
{
    call_info info;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, task->tid, sizeof info, &info) < 0)
        return; /* it was killed: its death will tell */
    if (by_filter && is_by_another_filter(&info)) {
        refuse(task, ENOSYS);
        return;
    }
    if (info.op == PTRACE_SYSCALL_INFO_EXIT)
        leave(engine, task, &info);
    else if (info.op != PTRACE_SYSCALL_INFO_NONE)
        enter(engine, task, &info, by_filter);
}

void on_passive_call(const struct engine *engine, const struct task *task)
{
    call_info info;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, task->tid, sizeof info, &info) < 0)
        return;
    if (is_by_another_filter(&info)) {
        refuse(task, ENOSYS);
        return;
    }
    const struct abi *abi = abi_of(info.arch, info.entry.nr);
    if (abi && row_of(engine, abi, info.entry.nr) == ROW_ptrace &&
        is_about_us(task, info.entry.args))
        refuse(task, EPERM);
}
