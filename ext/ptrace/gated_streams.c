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

static bool sends_to(const struct engine *engine, uint64_t number, const uint64_t args[6], int fd)
{
    int row = gated_row(engine, number);
    enum call_transfer transfer = row < 0 ? TRANSFER_NONE : CALLS[row].transfer;

    return (transfer == TRANSFER_OUT && (int)args[CALLS[row].fd - 1] == fd) ||
           (transfer == TRANSFER_ACROSS && (int)args[CALLS[row].fd2 - 1] == fd);
}

/* Whether a thread began to send before that tick, and its record is not taken yet. */
static bool is_sending(const struct engine *engine, const struct gate_thread *thread, int fd,
                       uint64_t ticks)
{
    const struct gate_slot *slot = &thread->page->slot;
    const struct gate_registers *registers = &slot->registers;
    const uint64_t args[6] = { registers->rdi, registers->rsi, registers->rdx };
    struct gate_reader at = gate_look_from(&thread->reader, thread->reader.read);
    struct gate_record next;

    if (gate_thread_is_in_call(thread) && sends_to(engine, registers->rax, args, fd) &&
        slot->entered < ticks)
        return true;
    return gate_look(&at, &next) && next.kind == GATE_CALL &&
           sends_to(engine, next.row, next.args, fd) && next.entered < ticks;
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
