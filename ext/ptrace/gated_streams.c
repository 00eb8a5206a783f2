/*
 * What threads receive from a socket while another one is sending to it in the gate.
 *
 * It may be the answer to what that one is still sending, whose record comes later; then the record of what
 * was received says so (PART_EARLY). Of a traced call that sends the fd entry knows (call/call.c). One in
 * the gate is under way, as its slot says, or its record is published and waits behind that of the receiver.
 * So the slot is looked at first: what has left it is published then.
 */
#include "arch/abi.h"
#include "ptrace/gated.h"
#include "ptrace/gated_state.h"

static bool sends(const struct engine *engine, uint64_t number)
{
    int row = gated_row(engine, number);

    return row >= 0 && CALLS[row].transfer == TRANSFER_OUT;
}

/* Whether a thread began to send before that tick, and its record is not taken yet. */
static bool is_sending(const struct engine *engine, const struct gate_thread *thread, int fd,
                       uint64_t ticks)
{
    const struct gate_slot *slot = &thread->page->slot;
    struct gate_record next;

    if (gate_thread_is_in_call(thread) && (int)slot->registers.rdi == fd &&
        sends(engine, slot->registers.rax) && slot->entered < ticks)
        return true;
    return gate_peek(&thread->reader, &next) && next.kind == GATE_CALL && (int)next.fd == fd &&
           sends(engine, next.row) && next.entered < ticks;
}

bool gated_is_sent_to(const struct engine *engine, const struct caller *receiver, int fd,
                      uint64_t ticks)
{
    for (const struct gate_thread *thread = engine->gate->threads;
         thread && receiver->fds->uses > 1; thread = thread->next)
        if (thread->caller != receiver && thread->caller->fds == receiver->fds &&
            is_sending(engine, thread, fd, ticks))
            return true;
    return false;
}

bool gated_received_early(struct engine *engine, const struct task *task,
                          const struct pending *call)
{
    const struct fd_table *fds = task->caller.fds;

    if (!engine->gate || !fds || fds->uses < 2 || CALLS[call->row].transfer != TRANSFER_IN)
        return false;
    const struct fd_entry *entry = fd_table_find(fds, (int)call->args[0]);
    if (!entry || entry->kind != FD_STREAM)
        return false;
    gated_collect(engine); /* all that was published before it returned */
    return gated_is_sent_to(engine, &task->caller, entry->fd, ticks_now());
}
