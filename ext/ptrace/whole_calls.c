/*
 * Calls that are recorded whole (RAW_CALL), beside what their rows in syscalls.def mean.
 *
 * They have a state of their own, since a call may have no row, and a row ENTRY no exit. A call begins at
 * the first of its stops (calls.c: 1 or 3) and ends at its syscall-exit-stop (4), for which the thread is
 * resumed by PTRACE_SYSCALL. What can become of it:
 *
 *  1. It returns: a record with its result. An exec that succeeded returns in the new program, in the
 *     task of its process's first thread.
 *  2. A signal interrupted it: it is set aside, and goes on, returns EINTR, or was left by longjmp, as
 *     interrupted_calls.c says of watched calls. It has one record, of its last return.
 *  3. Its thread ends: a record with RAW_RESULT_UNKNOWN. So do exit(2) and a call during which the
 *     recording ends.
 *  4. It is postponed (fatal_signals.c): it has no record, and is made again later.
 */
#include <stdlib.h>
#include <string.h>

#include "call/evidence.h"
#include "call/records.h"
#include "ptrace/state.h"

enum { CALLS_MAX = 5 };

/* The calls of one thread: the innermost is the last; all others were interrupted. */
struct whole_calls {
    struct whole_call calls[CALLS_MAX];
    int count;
    bool under_way; /* the last one is; else it was interrupted as well */
};

static struct whole_call *innermost(struct whole_calls *whole)
{
    return &whole->calls[whole->count - 1];
}

bool awaits_whole_call(const struct task *task)
{
    return task->whole && task->whole->count;
}

void free_whole_calls(struct task *task)
{
    for (int i = 0; task->whole && i < CALLS_MAX; i++)
        packed_deinit(&task->whole->calls[i].packed);
    free(task->whole);
    task->whole = NULL;
}

/* -- records ---------------------------------------------------------------------------------- */

static void write_packed(struct engine *engine, const struct task *task, struct raw_record *header,
                         struct packed *packed)
{
    struct raw_part part = { .size = (uint32_t)(packed->used - sizeof part), .kind = PART_CALL };
    static const uint8_t zeros[8];
    struct parts parts = { .bytes = packed->bytes, .used = RAW_ALIGN(packed->used) };

    memcpy(packed->bytes, &part, sizeof part);
    memcpy(packed->bytes + packed->used, zeros, parts.used - packed->used);
    header->kind = RAW_CALL;
    write_record(&engine->context, &task->caller, header, &parts);
}

static void write_whole_call(struct engine *engine, const struct task *task,
                             struct whole_call *call, int64_t result)
{
    struct raw_record header = {
        .syscall = (uint16_t)(call->abi - ABIS),
        .transferred = (uint32_t)call->number,
        .entered_ns = call->entered_ns,
        .elapsed_ns = monotonic_ns() - call->entered_ns,
        .result = result,
    };

    memcpy(header.args, call->args, sizeof header.args);
    write_packed(engine, task, &header, &call->packed);
}

static void add_refusal(struct whole_call *call)
{
    const uint8_t refused = 1;

    packed_piece(&call->packed, PIECE_WAS_THERE | PIECE_EXIT, NULL, &refused, sizeof refused);
}

/* The innermost call has ended. At a failure the kernel has filled nothing in, but for EINTR. */
static void end_innermost(struct engine *engine, struct task *task, int64_t result)
{
    struct whole_calls *whole = task->whole;
    struct whole_call *call = innermost(whole);

    if (task->every_call && (uint64_t)result == (call->number | call->abi->mark) &&
        has_trap_pending(task))
        add_refusal(call);
    else if (result >= 0 || result == -EINTR)
        copy_memory(engine->plan, &task->caller, call, COPY_AT_EXIT, result);
    write_whole_call(engine, task, call, result);
    whole->count--;
    whole->under_way = false;
}

void abandon_whole_calls(struct engine *engine, struct task *task)
{
    while (task->whole && task->whole->count) {
        write_whole_call(engine, task, innermost(task->whole), RAW_RESULT_UNKNOWN);
        task->whole->count--;
    }
    if (task->whole)
        task->whole->under_way = false;
}

/* -- entries ---------------------------------------------------------------------------------- */

/* With CALLS_MAX interrupted calls the oldest has returned EINTR long ago, or its handler was left. */
static void make_room(struct engine *engine, struct task *task)
{
    struct whole_calls *whole = task->whole;

    if (whole->count < CALLS_MAX)
        return;
    struct whole_call oldest = whole->calls[0];
    write_whole_call(engine, task, &oldest, -EINTR);
    memmove(whole->calls, whole->calls + 1, sizeof *whole->calls * (CALLS_MAX - 1));
    whole->calls[CALLS_MAX - 1] = oldest; /* its memory is used again */
    whole->count--;
}

/* Whether a file was created or there already can only be seen before the call. */
static void add_file_before(const struct engine *engine, const struct task *task,
                            struct whole_call *call)
{
    enum presence found = task->in_call ? file_before(&engine->context, &task->caller, &task->call)
                                        : PRESENCE_UNKNOWN;
    uint8_t was_there = found == PRESENT;

    if (found != PRESENCE_UNKNOWN)
        packed_piece(&call->packed, PIECE_WAS_THERE, NULL, &was_there, sizeof was_there);
}

static void begin_whole_call(struct engine *engine, struct task *task, const call_info *info,
                             const struct abi *abi, uint64_t number)
{
    make_room(engine, task);
    struct whole_call *call = &task->whole->calls[task->whole->count];
    uint8_t count = number < ABI_NUMBERS ? engine->plan->arguments[abi - ABIS][number] : 6;

    if (!packed_reset(&call->packed)) {
        engine->context.counts.lost++;
        return;
    }
    /* The time of its event, which is found by that. */
    call->entered_ns = task->in_call ? task->call.entered_ns : monotonic_ns();
    call->abi = abi;
    call->number = number;
    call->ip = info->instruction_pointer;
    call->sp = info->stack_pointer;
    for (int i = 0; i < 6; i++)
        call->args[i] = info->entry.args[i] & abi->arguments;
    packed_arguments(&call->packed, call->args, count > 6 ? 6 : count);
    copy_memory(engine->plan, &task->caller, call, COPY_AT_ENTRY, 0);
    add_file_before(engine, task, call);
    task->whole->count++;
    task->whole->under_way = true;
}

static bool is_whole_restarted(const struct whole_call *last, const call_info *info,
                               const struct abi *abi, uint64_t number)
{
    if (last->abi != abi || last->ip != info->instruction_pointer ||
        last->sp != info->stack_pointer)
        return false;
    if (number == (uint64_t)abi->restart_syscall)
        return true;
    for (int i = 0; i < 6; i++)
        if (last->args[i] != (info->entry.args[i] & abi->arguments))
            return false;
    return number == last->number;
}

/* End the calls whose handlers were left by longjmp: as interrupted_calls.c says of watched calls. */
static void end_left_calls(struct engine *engine, struct task *task, const call_info *info,
                           const struct abi *abi)
{
    while (task->whole->count && !is_sigreturn(abi, task->last_number)) {
        const struct whole_call *last = innermost(task->whole);
        if (last->sp > info->stack_pointer ||
            is_on_handlers_stack(task, last->abi, last->ip, last->sp, info->stack_pointer))
            return;
        end_innermost(engine, task, -EINTR);
    }
}

void whole_call_entered(struct engine *engine, struct task *task, const call_info *info,
                        bool by_filter)
{
    const struct abi *abi = abi_of(info->arch, info->entry.nr);

    if (!engine->plan || !abi || (!by_filter && (task->being_killed || task->fatal_pending)))
        return;
    if (!task->whole && !(task->whole = calloc(1, sizeof *task->whole))) {
        engine->context.counts.lost++;
        return;
    }
    uint64_t number = (uint32_t)info->entry.nr & ~(uint64_t)abi->mark;
    if (task->whole->under_way)
        return; /* the second stop of the same call */
    if (task->whole->count && is_whole_restarted(innermost(task->whole), info, abi, number)) {
        task->whole->under_way = true;
        return;
    }
    end_left_calls(engine, task, info, abi);
    if (is_recorded_whole(engine->plan, (size_t)(abi - ABIS), number))
        begin_whole_call(engine, task, info, abi, number);
}

void cancel_whole_call(struct task *task)
{
    if (!task->whole || !task->whole->under_way)
        return;
    task->whole->count--;
    task->whole->under_way = false;
}

/* -- exits ------------------------------------------------------------------------------------ */

/* At the end of a sigreturn: the call that its handler interrupted returns EINTR, unless it goes on. */
static void end_interrupted_call(struct engine *engine, struct task *task, const call_info *info)
{
    const struct abi *abi = abi_of(info->arch, 0);
    int64_t result = info->exit.rval;

    if (!abi || !task->whole->count || !is_sigreturn(abi, task->last_number))
        return;
    const struct whole_call *last = innermost(task->whole);
    if (last->abi->arguments == UINT32_MAX)
        result = (int32_t)result;
    if (info->instruction_pointer == last->ip && result == -EINTR)
        end_innermost(engine, task, -EINTR);
}

void whole_call_returned(struct engine *engine, struct task *task, const call_info *info)
{
    struct whole_calls *whole = task->whole;

    if (!whole || !whole->count)
        return;
    if (whole->under_way && is_restart_result(info->exit.rval)) {
        whole->under_way = false;
        return;
    }
    if (whole->under_way)
        end_innermost(engine, task, info->exit.rval);
    end_interrupted_call(engine, task, info);
}

void move_whole_calls(struct engine *engine, struct task *to, struct task *from)
{
    abandon_whole_calls(engine, to);
    struct whole_calls *empty = to->whole;
    to->whole = from->whole;
    from->whole = empty;
}

/* -- what stands between calls ------------------------------------------------------------------ */

void write_whole_signal(struct engine *engine, const struct task *task, const siginfo_t *info)
{
    enum { USED_BYTES = 48 }; /* of the 128 of siginfo_t */
    struct raw_record header = { .syscall = CALL_SIGNAL, .transferred = (uint32_t)info->si_signo };
    struct packed packed = { .bytes = NULL };

    if (!engine->plan || !packed_reset(&packed))
        return;
    packed_arguments(&packed, NULL, 0);
    packed_piece(&packed, 0, NULL, info, USED_BYTES);
    write_packed(engine, task, &header, &packed);
    packed_deinit(&packed);
}

void write_whole_end(struct engine *engine, const struct task *task, int status)
{
    struct raw_record header = { .syscall = CALL_END, .result = status };
    struct packed packed = { .bytes = NULL };

    if (!engine->plan || !packed_reset(&packed))
        return;
    packed_arguments(&packed, NULL, 0);
    write_packed(engine, task, &header, &packed);
    packed_deinit(&packed);
}
