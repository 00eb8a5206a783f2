/* The end of a call: what follows from its result, or from the end of its thread inside it. */
#include "arch/abi.h"
#include SCOPE_ARCH_H
#include "call/async.h"
#include "call/proc.h"
#include "ptrace/state.h"

/* Whether the result asks to make the call again later: no failure of a call on a socket. */
static bool asks_to_retry(const struct call *row, int64_t result)
{
    if (is_connect(row - CALLS))
        return result == -EALREADY; /* EAGAIN: there is no free port, a failure (connect(2)) */
    if (row->group == GROUP_NET && (result == -EAGAIN || result == -EINTR))
        return true;
    return row->answer && result == -row->answer;
}

void end_sending(struct engine *engine, struct pending *call)
{
    struct stream *stream = call->sends ? pool_find(&engine->pool, call->sends) : NULL;

    if (stream)
        stream->sending--;
    call->sends = 0;
}

/* The end of io_submit, io_uring_enter, or an mmap of a ring; false if the call is none of them. */
static bool finish_async_call(struct engine *engine, struct task *task, const struct pending *call,
                              int64_t result)
{
    bool maps = call->row == ROW_mmap__ring || call->row == ROW_mmap2__ring;

    if (!maps && call->row != ROW_io_submit && call->row != ROW_io_uring_enter)
        return false;
    if (!task->space || !task->space->async)
        return true;
    if (maps && result >= 0)
        uring_mapped(task, call, (uint64_t)result);
    if (!maps)
        async_taken(engine, task, result);
    async_look(engine, task); /* most operations are done when the call returns */
    return true;
}

void finish_call(struct engine *engine, struct task *task, struct pending *call, int64_t result)
{
    uint64_t elapsed_ns = monotonic_ns() - call->entered_ns;
    const struct call *row = &CALLS[call->row];
    bool wanted =
        !asks_to_retry(row, result) && (result < 0 || engine->options.modes[call->row] == MODE_ALL);

    if (row->group == GROUP_STAT || row->group == GROUP_SEEK)
        task->calls[call->row - COUNTED_FIRST]++;
    if (finish_async_call(engine, task, call, result))
        return;
    if (row->moves != MOVES_NOTHING) {
        end_sending(engine, call);
        finish_move(engine, task, call, result, elapsed_ns);
        return;
    }
    if (wanted)
        copy_at_exit(engine, task, call, result);
    apply_call(engine, task, call, result);
    if (row->group == GROUP_GUARD && call->row != ROW_io_uring_setup && result >= 0)
        return; /* there is a RAW_NOTE of it */
    if (wanted)
        write_call(engine, task, call, result, elapsed_ns, 0);
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
    bool made = arch_get_regs(task->tid, &regs) < 0 || arch_was_made(&regs);

    task->in_call = false;
    if (!made && task->every_call && proc_status_number(task->tid, "\nSeccomp:\t") == MODE_DEAD)
        finish_call(engine, task, call, RAW_RESULT_REFUSED);
    else if (made && CALLS[call->row].moves == MOVES_OUT && call->parts.used)
        write_call(engine, task, call, RAW_RESULT_UNKNOWN, 0, 0);
    end_sending(engine, call);
}

void cancel_call(struct engine *engine, struct task *task)
{
    if (!task->in_call)
        return;
    task->in_call = false;
    finish_async_call(engine, task, &task->call, 0); /* none of its operations was begun */
    end_sending(engine, &task->call);
    end_ordered_write(engine, task);
}

void abandon_calls(struct engine *engine, struct task *task)
{
    if (task->in_call)
        abandon_call(engine, task);
    end_ordered_write(engine, task);
    abandon_suspended(engine, task);
}
