/* What the tracer does at a thread's call, which the gate did not make, or made and does not record. */
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "arch/abi.h"
#include SCOPE_ARCH_H
#include "call/call.h"
#include "ptrace/gated.h"
#include "ptrace/gated_state.h"

/* -- calls in the gate that the tracer records ------------------------------------------------- */

static void fill_call(const struct engine *engine, struct task *task, int row)
{
    struct pending *call = &task->call;

    call_reset(&engine->context, call, row);
    memcpy(call->args, task->entry.args, sizeof call->args);
    call->abi = ABIS;
    call->entered_ns = time_of_ticks(engine->gate, task->gated->page->slot.entered);
}

/*
 * Begin a call by each of its rows that applies, as begin_rows of calls.c does. False: none of them has a
 * stop at the return of the call.
 */
static bool begin_by_rows(struct engine *engine, struct task *task, int row)
{
    while ((row = gated_row_for(engine, row, task->entry.args)) >= 0) {
        fill_call(engine, task, row);
        if (CALLS[row].stops == STOPS_BOTH) {
            if (CALLS[row].group == GROUP_BIRTH)
                fill_birth_flags(task, &task->call);
            task->fds_before_exec = 0;
            call_entered(&engine->context, &task->caller, &task->call);
            /* by now the program has another size there */
            if (row == ROW_recvfrom || row == ROW_recvmsg)
                task->call.address_room = (uint32_t)task->gated->page->slot.room;
            return true;
        }
        if (row == ROW_clone3)
            read_clone3_flags(task, task->call.args[0]);
        if (CALLS[row].group != GROUP_TASK)
            call_entered_only(&engine->context, &task->caller, &task->call);
        row = engine->next_row[row];
    }
    return false;
}

bool gated_begin_call(struct engine *engine, struct task *task)
{
    const struct gate_registers registers = task->gated->page->slot.registers;
    const uint64_t args[6] = { registers.rdi, registers.rsi, registers.rdx,
                               registers.r10, registers.r8,  registers.r9 };
    int row = gated_row(engine, registers.rax);

    if (row < 0 || !task->caller.fds)
        return false;
    task->entry = (struct entry_stop){ .number = registers.rax, .filter_passed = true };
    memcpy(task->entry.args, args, sizeof args);
    return begin_by_rows(engine, task, row);
}

/* Whether another thread has closed the fd since the call was entered. */
static bool was_given_away(const struct task *task)
{
    const struct gate_slot *slot = &task->gated->page->slot;
    uint32_t fd = (uint32_t)slot->registers.rdi;

    return CALLS[task->call.row].transfer != TRANSFER_ACROSS &&
           CALLS[task->call.row].transfer != TRANSFER_NONE && gated_has_words(task) &&
           fd < ARENA_FDS && GATE_FD_GENERATION(task->caller.fds->words[fd] ^ slot->fd_word);
}

void gated_end_call(struct engine *engine, struct task *task, int64_t result)
{
    if (!gated_begin_call(engine, task))
        return;
    if (was_given_away(task))
        task->call.first_fd_serial = ANOTHER_SERIAL;
    finish_call(engine, task, &task->call, result);
}

/* A thread asks to record its call, which has returned. */
static void record_asked(struct engine *engine, struct task *task)
{
    struct gate_slot *slot = task->gated ? &task->gated->page->slot : NULL;

    refuse_call(task, 0);
    if (slot && slot->phase == GATE_COMMITTED)
        gated_verify(engine, task);
    if (!slot || slot->phase != GATE_RETURNED)
        return;
    gated_end_call(engine, task, (int64_t)slot->result);
    gated_give_lock(engine->gate, task->gated);
    engine->gate->ways[WAY_ASKED]++;
    gate_thread_mark(task->gated);
    slot->phase = GATE_COMMITTED;
}

/* -- traced calls ------------------------------------------------------------------------------ */

/* Why a call of a row that could be made in the gate stops. */
static enum raw_way way_of(const struct task *task, int row, bool refused)
{
    const struct image *image = task->image;

    if (!gated_may_enter(task))
        return WAY_EACH;
    if (image && image->refused)
        return WAY_REFUSED;
    if (!task->gated)
        return image && image->full ? WAY_REFUSED : WAY_EARLY;
    if (!refused)
        return WAY_SITE;
    return CALLS[row].path ? WAY_NAME : WAY_FD;
}

/* Whether a call maps something over the gate or its arenas. */
static bool displaces_gate(const struct image *image, const call_info *info)
{
    uint64_t end = GATE_ARENA_BASE + (uint64_t)image->arena_count * GATE_ARENA_STRIDE;
    const uint64_t *args = info->entry.args;
    bool maps = info->entry.nr == SYS_mmap && args[3] & MAP_FIXED;
    bool moves = info->entry.nr == SYS_mremap && args[3] & MREMAP_FIXED;
    uint64_t start = maps ? args[0] : args[4], size = maps ? args[1] : args[2];

    return (maps || moves) && start < end && (start >= GATE_BASE || size > GATE_BASE - start);
}

/* Whether a thread that has a slot has the base of gs lead elsewhere. */
static bool has_other_gs(const struct task *task)
{
    struct arch_regs regs;

    return task->gated && arch_get_regs(task->caller.tid, &regs) == 0 &&
           regs.user.gs_base != arena_address(task->gated->arena, task->gated->page);
}

/* What the gate cannot stand: its image is to use it no more before the call is made. */
static void guard_gate(struct engine *engine, struct task *task, const call_info *info)
{
    if (!gated_has_gate(task))
        return;
    if (displaces_gate(task->image, info)) {
        gated_refuse(engine, task, NOTE_UNGATED, UNGATED_ROOM);
        task->image->displaced = true;
    }
    if (info->entry.nr == SYS_mremap && info->entry.args[3] & (MREMAP_FIXED | MREMAP_DONTUNMAP))
        image_restore(task->image, task->caller.space, task->caller.tid, info->entry.args[0],
                      info->entry.args[1]);
    if (info->entry.nr == SYS_prctl && info->entry.args[0] == PR_SET_SYSCALL_USER_DISPATCH)
        gated_refuse(engine, task, NOTE_UNGATED, UNGATED_DISPATCH);
}

enum gated_entry gated_call_entry(struct engine *engine, struct task *task, const call_info *info,
                                  bool refused)
{
    bool native = info->arch == ABIS[0].audit_arch;

    if (!engine->gate)
        return GATED_TRACE;
    if (native && info->instruction_pointer == gate_address(gate_asked)) {
        record_asked(engine, task);
        return GATED_DONE;
    }
    if (native)
        guard_gate(engine, task, info);
    if (refused && task->gated) /* perhaps as the program has spoiled its slot */
        gate_thread_mark(task->gated);
    if (refused && !task->image->refused && has_other_gs(task))
        gated_refuse(engine, task, NOTE_UNGATED, UNGATED_GS);
    int row = native ? gated_row(engine, info->entry.nr) : -1;
    bool execs = row >= 0 && CALLS[row].group == GROUP_EXEC;
    if (engine->context.started)
        engine->gate->ways[row < 0 || execs ? WAY_OTHER : way_of(task, row, refused)]++;
    if (row < 0 || !engine->context.started || !gated_may_enter(task) || (execs && !task->gated))
        return GATED_TRACE;
    return gated_prepare(engine, task, info, refused);
}

bool gated_has_closed(struct task *task, const struct pending *call)
{
    bool has = call->row == ROW_close && task->closed == (int64_t)(uint32_t)call->args[0] &&
               !fd_table_find(task->caller.fds, (int)call->args[0]);

    if (has)
        task->closed = -1;
    return has;
}
