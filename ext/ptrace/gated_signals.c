/* A thread leaves the gate, since a signal is about to be delivered, or since it was made there. */
#include <sys/syscall.h>

#include "arch/abi.h"
#include SCOPE_ARCH_H
#include "ptrace/gated.h"
#include "ptrace/gated_state.h"

uint64_t gated_ip(const struct task *task, uint64_t ip)
{
    const struct patch *patch = gated_has_gate(task) ? image_find_patch(task->image, ip) : NULL;

    return patch && ip > patch->trampoline + TRAMPOLINE_CALL ? patch->site + CALL_BYTES : ip;
}

/* A call that the gate made has returned to it, with that result in the kernel's registers. */
static void leave_returning(struct engine *engine, struct task *task, const struct arch_regs *regs)
{
    int64_t result = (int64_t)regs->user.rax;

    if (gate_thread_published(task->gated)) /* a close */
        return;
    if (!is_restart_result(result)) {
        gated_end_call(engine, task, result);
        return;
    }
    if (!gated_begin_call(engine, task))
        return;
    task->entry.ip = regs->user.rip;
    task->entry.sp = regs->user.rsp;
    suspend_call(engine, task);
}

/* The thread will enter its call again. If that is a close whose record is there, it has no other. */
static void leave_before(struct task *task)
{
    if (gate_thread_published(task->gated))
        task->closed = (int64_t)(uint32_t)task->gated->page->slot.registers.rdi;
}

static void leave_gate(struct engine *engine, struct task *task, enum verdict verdict,
                       const struct arch_regs *regs)
{
    struct gate_slot *slot = &task->gated->page->slot;

    if (engine->recording_ended) {
        gated_give_lock(engine->gate, task->gated);
        return;
    }
    gate_thread_mark(task->gated);
    if (verdict == RELOCATE_BEFORE && slot->phase == GATE_BEFORE)
        leave_before(task);
    else if (verdict == RELOCATE_RETURNING)
        leave_returning(engine, task, regs);
    else if (verdict == RELOCATE_RETURNED && !gate_thread_complete(task->gated))
        gated_end_call(engine, task, (int64_t)slot->result);
    gated_give_lock(engine->gate, task->gated);
    slot->phase = GATE_IDLE;
}

/* Whether an instruction caused the signal, and no process sent it. */
static bool is_fault(const struct task *task, int signal)
{
    siginfo_t info;

    return (signal == SIGSEGV || signal == SIGBUS) &&
           ptrace(PTRACE_GETSIGINFO, task->caller.tid, 0, &info) == 0 && info.si_code > 0;
}

/* The patch that an address is in, if the program has not mapped something else there. */
static const struct patch *find_patch_of(void *context, uint64_t address)
{
    const struct task *task = context;
    const struct patch *patch = image_find_patch(task->image, address);

    return patch && image_has(patch, task->caller.space, task->caller.tid) ? patch : NULL;
}

/*
 * A fault of the gate itself that it can go on from. At its entry gs leads nowhere: the trampoline makes the
 * call. The text that it copies was unmapped by another thread: the tracer records the call.
 */
static bool leave_fault(struct task *task, struct arch_regs *regs)
{
    const struct patch *patch = find_patch_of(task, regs->user.r11);
    uint64_t rip = regs->user.rip;

    if (rip == gate_address(gate_load) && patch)
        regs->user.rip = patch->trampoline + TRAMPOLINE_CALL;
    else if (rip >= gate_address(gate_end) && rip < gate_address(gate_copy_end))
        regs->user.rip = gate_address(gate_copy_fault);
    else
        return false;
    return arch_set_regs(task->caller.tid, regs) == 0;
}

bool gated_leave(struct engine *engine, struct task *task, int signal)
{
    struct arch_regs regs;

    if (!gated_has_gate(task) || arch_get_regs(task->caller.tid, &regs) < 0)
        return false;
    bool in_gate = regs.user.rip - GATE_BASE < GATE_BYTES;
    if (in_gate && task->image->displaced)
        return false;
    bool fault = in_gate && is_fault(task, signal);
    if (fault && leave_fault(task, &regs)) {
        if (regs.user.rip != gate_address(gate_copy_fault))
            gated_refuse(engine, task, NOTE_UNGATED, UNGATED_FAULT);
        return true;
    }
    enum verdict verdict =
        relocate(&regs.user, task->gated ? task->gated->page : NULL, find_patch_of, task);
    if (verdict == RELOCATE_NOTHING || verdict == RELOCATE_LOST)
        return false;
    if (in_gate && task->gated)
        leave_gate(engine, task, verdict, &regs);
    arch_set_regs(task->caller.tid, &regs);
    if (fault) /* PR_SET_TSC of prctl(2), or its memory is not as it was */
        gated_refuse(engine, task, NOTE_UNGATED, UNGATED_FAULT);
    return fault;
}

/* -- children that are made in the gate --------------------------------------------------------- */

/* Whether a child in its first stop was made in the gate, or a thread in its event has made one there. */
static bool is_at_birth(const struct task *task, struct arch_regs *regs_out)
{
    return arch_get_regs(task->caller.tid, regs_out) == 0 &&
           regs_out->user.rip == gate_address(gate_return);
}

/* The slot at an address of a program; NULL: none is there. */
static const union gate_page *find_page(const struct image *image, uint64_t address)
{
    const union gate_page *page = NULL;

    for (unsigned i = 0; !page && i < image->arena_count; i++)
        page = arena_page(image->arenas[i], address);
    return page;
}

/* `task` is the one whose program has the patch that the slot names. */
static void set_birthplace(struct task *child, struct task *task, const union gate_page *page,
                           struct arch_regs regs)
{
    if (relocate(&regs.user, page, find_patch_of, task) == RELOCATE_RETURNING)
        child->born = (struct birthplace){ regs.user.rip, regs.user.rsp, regs.user.eflags };
}

void gated_note_birth(struct task *parent, struct task *child)
{
    struct arch_regs regs;

    if (!parent->gated || !is_at_birth(parent, &regs))
        return;
    if (regs.user.orig_rax == SYS_clone3)
        read_clone3_flags(parent, regs.user.rdi);
    set_birthplace(child, parent, parent->gated->page, regs);
}

void gated_find_birthplace(struct task *child, const struct arch_regs *regs)
{
    bool lacks_place = !child->born.ip && regs->user.rip == gate_address(gate_return);
    const union gate_page *page =
        lacks_place && gated_has_gate(child) ? find_page(child->image, regs->user.gs_base) : NULL;

    if (page)
        set_birthplace(child, child, page, *regs);
}

enum gated_maker gated_maker_of(const struct task *dead, const struct task *child)
{
    struct arch_regs regs;

    if (!is_at_birth(child, &regs))
        return GATED_NO_MAKER;
    uint64_t at = regs.user.gs_base + offsetof(struct gate_slot, holder);
    uint64_t holder = (uint64_t)ptrace(PTRACE_PEEKDATA, child->caller.tid, at, 0);
    bool same = dead->gated && holder == gate_thread_holder(dead->gated);
    return same ? GATED_THIS_MAKER : GATED_OTHER_MAKER;
}

bool gated_makes_child(const struct engine *engine, const struct task *task)
{
    uint64_t number = task->gated ? task->gated->page->slot.registers.rax : GATE_NUMBERS;

    return number < GATE_NUMBERS && engine->gate->actions[number] == GATE_CLONE &&
           gate_thread_is_in_call(task->gated);
}

bool gated_awaits_parent(const struct task *child)
{
    struct arch_regs regs;

    return !child->born.ip && is_at_birth(child, &regs);
}
