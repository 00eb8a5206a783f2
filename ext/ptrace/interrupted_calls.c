/*
 * Calls that a signal interrupted.
 *
 * Inside the kernel an interrupted call returns one of the ERESTART results, which the program never
 * sees. The tracer sees it in the syscall-exit-stop, where it is not clear yet what follows, so the
 * call is suspended (suspend_call). The thread is resumed by PTRACE_SYSCALL as long as one is.
 * What can happen next, and what is done:
 *
 *  1. No handler runs (a signal that is ignored, SIGSTOP and SIGCONT), or the handler was installed
 *     with SA_RESTART and has returned: the same call is entered again at the same instruction, or
 *     as restart_syscall(2). It is under way again, and its record covers all of it
 *     (resume_suspended).
 *  2. A handler runs and makes calls of its own: they are records of their own, and may be interrupted
 *     in turn. Suspended calls are a stack; of more than SUSPENDED_MAX the oldest is ended by EINTR.
 *  3. The handler returns, and the call returns EINTR: at the syscall-exit-stop of sigreturn(2) the
 *     thread is back at the call, with that result (on_sigreturn).
 *  4. The handler is left by longjmp(3) and does not return: the next call is made with a stack pointer
 *     at or above that of the suspended one, and the handler is not on an alternate stack. The
 *     suspended call is ended by EINTR (end_left_handlers).
 *  5. The thread ends: a call that was interrupted has no record (abandon_suspended).
 *
 * A call that a filter of the program answered with SECCOMP_RET_TRAP is suspended as well
 * (`trapped`), since the handler of its SIGSYS may give it a result. Where it gives none, the call
 * was refused.
 */
#include <errno.h>
#include <string.h>

#include "arch/abi.h"
#include SCOPE_ARCH_H
#include "call/call.h"
#include "ptrace/state.h"

/* The results of interrupted calls inside the kernel (include/linux/errno.h). */
enum { RESTARTSYS = -512, RESTARTNOINTR = -513, RESTARTNOHAND = -514, RESTARTBLOCK = -516 };

bool is_restart_result(int64_t result)
{
    return result == RESTARTSYS || result == RESTARTNOINTR || result == RESTARTNOHAND ||
           result == RESTARTBLOCK;
}

/* The innermost suspended call has ended. */
static void end_suspended(struct engine *engine, struct task *task, int64_t result)
{
    struct pending *call = &task->suspended[--task->suspended_count].call;

    finish_call(engine, task, call, result);
    parts_deinit(&call->parts);
}

/* The same for one to which its handler gave no result: it was interrupted, or refused. */
static void finish_suspended(struct engine *engine, struct task *task)
{
    bool trapped = task->suspended[task->suspended_count - 1].entry.trapped;

    end_suspended(engine, task, trapped ? RAW_RESULT_REFUSED : -EINTR);
}

void suspend_call(struct engine *engine, struct task *task)
{
    if (task->suspended_count == SUSPENDED_MAX) {
        struct suspended oldest = task->suspended[0];
        memmove(task->suspended, task->suspended + 1,
                sizeof *task->suspended * (SUSPENDED_MAX - 1));
        task->suspended[SUSPENDED_MAX - 1] = oldest;
        finish_suspended(engine, task);
    }
    task->suspended[task->suspended_count++] =
        (struct suspended){ .call = task->call, .entry = task->entry };
    memset(&task->call, 0, sizeof task->call);
    task->in_call = false;
}

/* Whether the call being entered is the innermost suspended one, restarted. */
static bool is_restarted(const struct task *task, const call_info *info, const struct abi *abi)
{
    if (!task->suspended_count)
        return false;
    const struct suspended *last = &task->suspended[task->suspended_count - 1];
    const struct entry_stop *entry = &last->entry;
    uint64_t number = info->entry.nr & ~(uint64_t)abi->mark;
    if (entry->trapped || last->call.abi != abi || entry->ip != info->instruction_pointer ||
        entry->sp != info->stack_pointer)
        return false;
    return number == (uint64_t)abi->restart_syscall ||
           (number == entry->number && !memcmp(entry->args, info->entry.args, sizeof entry->args));
}

bool resume_suspended(struct task *task, const call_info *info, const struct abi *abi)
{
    if (!is_restarted(task, info, abi))
        return false;
    parts_deinit(&task->call.parts);
    const struct suspended *last = &task->suspended[--task->suspended_count];
    task->call = last->call;
    task->entry = last->entry;
    task->in_call = true;
    return true;
}

bool is_sigreturn(const struct abi *abi, int64_t number)
{
    return number == abi->rt_sigreturn || number == abi->sigreturn;
}

/*
 * A handler that runs on an alternate stack (sigaltstack(2)): above the stack pointer then lies the frame that sigreturn(2) will
 * use: it contains where the call was interrupted, and the limits of that stack. A frame of an
 * earlier handler may lie there as well, but a thread that is on its own stack is outside those
 * limits. Only frames of the CPU's own ABI are known.
 */
bool is_on_handlers_stack(const struct task *task, const struct abi *abi, uint64_t ip, uint64_t sp,
                          uint64_t now_sp)
{
    uint64_t words[32768 / sizeof(uint64_t)]; /* as large as the whole alternate stack in Go */
    size_t copied;

    if (abi != ABIS || memory_read(task->caller.space, task->caller.tid, now_sp & ~(uint64_t)7,
                                   words, sizeof words, &copied) < 0)
        return false;
    for (size_t at = 0; at + ARCH_FRAME_WORDS <= copied / sizeof *words; at++)
        if (arch_frame_interrupts(words + at, ip, sp) &&
            arch_frame_is_on_stack_of(words + at, now_sp))
            return true;
    return false;
}

/*
 * Whether the call being entered shows that a handler was left by longjmp: the stack of a handler is
 * below that of the call which it interrupted, or it is an alternate one, at any address. A sigreturn
 * is made by a handler that returns.
 */
static bool has_left_handler(const struct task *task, const call_info *info, const struct abi *abi)
{
    if (!task->suspended_count || is_sigreturn(abi, task->last_number))
        return false;
    const struct suspended *last = &task->suspended[task->suspended_count - 1];
    return last->entry.sp <= info->stack_pointer &&
           !is_on_handlers_stack(task, last->call.abi, last->entry.ip, last->entry.sp,
                                 info->stack_pointer);
}

void end_left_handlers(struct engine *engine, struct task *task, const call_info *info,
                       const struct abi *abi)
{
    while (has_left_handler(task, info, abi))
        finish_suspended(engine, task);
}

/*
 * At the end of a sigreturn the registers contain the result of the suspended call. The handler of a
 * SIGSYS may have put an error there, as sandboxes do; that is recorded. Any other result is the
 * handler's, not the kernel's: no file was opened, no byte was written, and the call was refused.
 */
void on_sigreturn(struct engine *engine, struct task *task, const call_info *info,
                  const struct abi *abi)
{
    enum { MAX_ERRNO = 4095 };
    const struct suspended *last = &task->suspended[task->suspended_count - 1];
    int64_t result = info->exit.rval;

    if (!is_sigreturn(abi, task->last_number))
        return;
    if (info->instruction_pointer != last->entry.ip)
        return;
    if (last->call.abi->arguments == UINT32_MAX)
        result = (int32_t)result;
    if (last->entry.trapped && result < 0 && result >= -MAX_ERRNO)
        end_suspended(engine, task, result);
    else if (last->entry.trapped || result == -EINTR)
        finish_suspended(engine, task);
}

void abandon_suspended(struct engine *engine, struct task *task)
{
    while (task->suspended_count) {
        struct suspended *last = &task->suspended[--task->suspended_count];
        struct pending *call = &last->call;
        if (last->entry.trapped)
            finish_call(engine, task, call, RAW_RESULT_REFUSED);
        end_sending(&engine->context, call);
        parts_deinit(&call->parts);
    }
}
