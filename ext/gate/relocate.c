#include "gate/relocate.h"

#include <errno.h>

static const uint64_t NO_CALL = (uint64_t)-1; /* orig_rax of a thread that is in no call */

/* A thread, and all that says where it is. */
struct thread {
    struct user_regs_struct *regs;
    const union gate_page *page;
    const struct patch *patch;
};

static void go_to_site(struct thread *thread)
{
    thread->regs->rip = thread->patch->site;
    thread->regs->orig_rax = NO_CALL;
}

/* As the kernel leaves a call. */
static void go_behind_site(struct thread *thread)
{
    thread->regs->rip = thread->patch->site + CALL_BYTES;
    thread->regs->rcx = thread->regs->rip;
    thread->regs->r11 = thread->regs->eflags;
}

/* Take all registers but rax, rcx and r11. */
static void take_registers(struct thread *thread)
{
    const struct gate_slot *slot = &thread->page->slot;
    const struct gate_registers *from = &slot->registers;
    struct user_regs_struct *to = thread->regs;

    to->rbx = from->rbx;
    to->rdx = from->rdx;
    to->rsi = from->rsi;
    to->rdi = from->rdi;
    to->rbp = from->rbp;
    to->r8 = from->r8;
    to->r9 = from->r9;
    to->r10 = from->r10;
    to->r12 = from->r12;
    to->r13 = from->r13;
    to->r14 = from->r14;
    to->r15 = from->r15;
    to->rsp = slot->user_sp;
    to->eflags = slot->flags;
}

/* -- pads and trampolines --------------------------------------------------------------------- */

static enum verdict leave_trampoline(struct thread *thread)
{
    const struct patch *patch = thread->patch;
    uint64_t at = thread->regs->rip - patch->trampoline;

    if (patch->form == SITE_PAD && thread->regs->rip == patch->pad)
        at = 0;
    if (thread->regs->rip == patch->trampoline - patch->moved_bytes && patch->moved_bytes) {
        thread->regs->rip = patch->site - patch->moved_bytes;
        return RELOCATE_BEFORE;
    }
    if (at <= TRAMPOLINE_CALL) {
        go_to_site(thread);
        return RELOCATE_BEFORE;
    }
    go_behind_site(thread);
    return RELOCATE_RETURNING;
}

/* -- the gate --------------------------------------------------------------------------------- */

static bool is_between(uint64_t rip, const uint8_t *start, const uint8_t *end)
{
    return rip >= gate_address(start) && rip < gate_address(end);
}

/* Before registers are saved, and where all is undone: they are as at the site, but for the stack. */
static enum verdict leave_unsaved(struct thread *thread)
{
    const struct gate_slot *slot = &thread->page->slot;
    uint64_t rip = thread->regs->rip;
    bool has_flags =
        is_between(rip, gate_pushed, gate_saved) || is_between(rip, gate_undo, gate_undone_flags);
    bool has_stack = has_flags || is_between(rip, gate_switched, gate_pushed) ||
                     is_between(rip, gate_undone_flags, gate_undone);

    if (has_flags)
        thread->regs->eflags = thread->page->words[GATE_SLOT_BYTES / sizeof(uint64_t) - 1];
    if (has_stack)
        thread->regs->rsp = slot->user_sp;
    go_to_site(thread);
    return RELOCATE_BEFORE;
}

static enum verdict leave_before(struct thread *thread)
{
    take_registers(thread);
    thread->regs->rax = thread->page->slot.registers.rax;
    go_to_site(thread);
    return RELOCATE_BEFORE;
}

/* The kernel's registers stay, by which it restarts the call: at rip - 2, which is the site. */
static enum verdict leave_returning(struct thread *thread)
{
    take_registers(thread);
    go_behind_site(thread);
    return RELOCATE_RETURNING;
}

/* The call that was tried: if it has failed nothing was made, and it is restarted as the program's own. */
static enum verdict leave_tried(struct thread *thread)
{
    if ((int64_t)thread->regs->rax == -ELOOP)
        return leave_before(thread);
    if (thread->regs->orig_rax != NO_CALL)
        thread->regs->orig_rax = thread->page->slot.registers.rax;
    return leave_returning(thread);
}

static enum verdict leave_returned(struct thread *thread)
{
    const struct gate_slot *slot = &thread->page->slot;
    bool committed = slot->phase == GATE_COMMITTED;

    if (!is_between(thread->regs->rip, gate_return, gate_stored))
        thread->regs->rax = slot->result;
    take_registers(thread);
    go_behind_site(thread);
    thread->regs->orig_rax = NO_CALL;
    return committed ? RELOCATE_COMMITTED : RELOCATE_RETURNED;
}

/* Functions of C are in no order: in them the phase says how far the call is. */
static enum verdict leave_gate(struct thread *thread)
{
    uint64_t rip = thread->regs->rip;
    uint32_t phase = thread->page->slot.phase;

    if (is_between(rip, gate_tried, gate_retry))
        return leave_tried(thread);
    if (is_between(rip, gate_saved, gate_return))
        return leave_before(thread);
    if (rip == gate_address(gate_return))
        return leave_returning(thread);
    if (is_between(rip, gate_return, gate_undo))
        return leave_returned(thread);
    return phase == GATE_BEFORE ? leave_before(thread) : leave_returned(thread);
}

enum verdict relocate(struct user_regs_struct *regs, const union gate_page *page, find_patch *find,
                      void *context)
{
    struct thread thread = { .regs = regs, .page = page };
    uint64_t rip = regs->rip;

    if (rip - GATE_BASE >= GATE_BYTES) {
        thread.patch = find(context, rip);
        return thread.patch ? leave_trampoline(&thread) : RELOCATE_NOTHING;
    }
    bool unsaved = is_between(rip, gate_entry, gate_saved) || is_between(rip, gate_undo, gate_end);
    bool has_r11 = unsaved && !is_between(rip, gate_undo, gate_undone_r11);
    if (!has_r11 && !page)
        return RELOCATE_LOST;
    thread.patch = find(context, has_r11 ? regs->r11 : page->slot.trampoline);
    if (!thread.patch || (!page && rip >= gate_address(gate_switched)))
        return RELOCATE_LOST;
    return unsaved ? leave_unsaved(&thread) : leave_gate(&thread);
}
