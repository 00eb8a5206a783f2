/* Calls that a signal interrupted: suspended until they are entered again, or known not to be. */
#include <errno.h>
#include <string.h>

#include "arch/abi.h"
#include SCOPE_ARCH_H
#include "ptrace/state.h"

/* What a call that a signal interrupted returns inside the kernel (include/linux/errno.h). */
enum { RESTARTSYS = -512, RESTARTNOINTR = -513, RESTARTNOHAND = -514, RESTARTBLOCK = -516 };

bool is_restart(int64_t result)
{
    return result == RESTARTSYS || result == RESTARTNOINTR || result == RESTARTNOHAND ||
           result == RESTARTBLOCK;
}

/* The innermost suspended call is over. */
static void end_suspended(struct engine *engine, struct task *task, int64_t result)
{
    struct pending *call = &task->suspended[--task->suspended_count];

    finish_call(engine, task, call, result);
    parts_deinit(&call->parts);
}

/* The same of one whose handler did not say how: it was interrupted, or it was refused. */
static void finish_suspended(struct engine *engine, struct task *task)
{
    bool trapped = task->suspended[task->suspended_count - 1].trapped;

    end_suspended(engine, task, trapped ? RAW_RESULT_REFUSED : -EINTR);
}

void suspend_call(struct engine *engine, struct task *task)
{
    if (task->suspended_count == SUSPENDED_MAX) {
        struct pending oldest = task->suspended[0];
        memmove(task->suspended, task->suspended + 1,
                sizeof *task->suspended * (SUSPENDED_MAX - 1));
        task->suspended[SUSPENDED_MAX - 1] = oldest;
        finish_suspended(engine, task);
    }
    task->suspended[task->suspended_count++] = task->call;
    memset(&task->call, 0, sizeof task->call);
    task->in_call = false;
}

/* Whether the call that is being entered is the innermost suspended one, going on. */
static bool goes_on(const struct task *task, const call_info *info, const struct abi *abi)
{
    if (!task->suspended_count)
        return false;
    const struct pending *call = &task->suspended[task->suspended_count - 1];
    uint64_t number = info->entry.nr & ~(uint64_t)abi->mark;
    if (call->trapped || call->abi != abi || call->ip != info->instruction_pointer ||
        call->sp != info->stack_pointer)
        return false;
    return number == (uint64_t)abi->restart_syscall ||
           (number == call->number &&
            !memcmp(call->made_with, info->entry.args, sizeof call->made_with));
}

bool resume_suspended(struct task *task, const call_info *info, const struct abi *abi)
{
    if (!goes_on(task, info, abi))
        return false;
    parts_deinit(&task->call.parts);
    task->call = task->suspended[--task->suspended_count];
    task->in_call = true;
    return true;
}

static bool is_sigreturn(const struct abi *abi, int64_t number)
{
    return number == abi->rt_sigreturn || number == abi->sigreturn;
}

/*
 * Whether a call is made by a handler on an alternate stack (sigaltstack(2)) that interrupted `call`:
 * the frame that the kernel put there for the handler's end lies above the stack pointer, and says
 * where the call was interrupted and what that stack's limits are. A frame that is left of an earlier
 * handler does no harm: a thread that is on its own stack is not between those limits. Frames of
 * other ABIs than the CPU's own are not known.
 */
static bool is_on_handlers_stack(const struct task *task, const struct pending *call, uint64_t sp)
{
    uint64_t words[32768 / sizeof(uint64_t)]; /* the whole of such a stack in Go */
    size_t copied;

    if (call->abi != ABIS ||
        memory_read(task->space, task->tid, sp & ~(uint64_t)7, words, sizeof words, &copied) < 0)
        return false;
    for (size_t at = 0; at + ARCH_FRAME_WORDS <= copied / sizeof *words; at++)
        if (arch_frame_interrupts(words + at, call->ip, call->sp) &&
            arch_frame_is_on_stack_of(words + at, sp))
            return true;
    return false;
}

/*
 * Whether the call that is being entered shows that a handler was left by longjmp: the stack of a
 * handler is below that of the call which it interrupted, or it is an alternate one, wherever that
 * is. A sigreturn shows the contrary.
 */
static bool has_left_handler(const struct task *task, const call_info *info, const struct abi *abi)
{
    if (!task->suspended_count || is_sigreturn(abi, task->last_number))
        return false;
    const struct pending *call = &task->suspended[task->suspended_count - 1];
    return call->sp <= info->stack_pointer &&
           !is_on_handlers_stack(task, call, info->stack_pointer);
}

void end_left_handlers(struct engine *engine, struct task *task, const call_info *info,
                       const struct abi *abi)
{
    while (has_left_handler(task, info, abi))
        finish_suspended(engine, task);
}

/*
 * At the end of a sigreturn: the registers tell how the suspended call ended. The handler of a SIGSYS
 * may have put an error there for the program to find, as sandboxes do. What else it puts there was
 * not the kernel's doing: no file was opened, no byte written.
 */
void after_handler(struct engine *engine, struct task *task, const call_info *info,
                   const struct abi *abi)
{
    enum { MAX_ERRNO = 4095 };
    const struct pending *call = &task->suspended[task->suspended_count - 1];
    int64_t result = info->exit.rval;

    if (!is_sigreturn(abi, task->last_number))
        return;
    if (info->instruction_pointer != call->ip)
        return;
    if (call->abi->arguments == UINT32_MAX)
        result = (int32_t)result;
    if (call->trapped && result < 0 && result >= -MAX_ERRNO)
        end_suspended(engine, task, result);
    else if (call->trapped || result == -EINTR)
        finish_suspended(engine, task);
}

void abandon_suspended(struct engine *engine, struct task *task)
{
    while (task->suspended_count) {
        struct pending *call = &task->suspended[--task->suspended_count];
        if (call->trapped)
            finish_call(engine, task, call, RAW_RESULT_REFUSED);
        end_sending(engine, call);
        parts_deinit(&call->parts);
    }
}
