/*
 * What the gate does before and after a call, in the program's own thread: it decides whether it may make
 * the call, counts its bytes, and writes its record. It trusts the words of fds that the tracer has
 * written, and leaves to the tracer whatever is not plain: before the call by having it traced, after it
 * by asking for its record. Both cost a stop, and both are right.
 *
 * The tracer may move the thread out of here at any instruction (relocate.h), and completes what it finds.
 * So what a call is known by is published by one store, and another one says before what that is:
 *
 *  1. A call that is tallied: `next` is written, then `tally`, then the sums of the tally.
 *  2. A call with a record: it is written behind `head`, then `record_end`, then `head`.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "gate/gate_calls.h"

/* Whether a call copies an fd. */
INLINE_IN_THE_PROGRAM int is_copy(const struct gate_slot *slot, enum gate_action action)
{
    uint32_t command = (uint32_t)slot->registers.rsi;

    return action == GATE_DUP ||
           (action == GATE_FCNTL && (command == F_DUPFD || command == F_DUPFD_CLOEXEC));
}

/* Commands of fcntl(2) that are watched for their failures. */
INLINE_IN_THE_PROGRAM int locks(const struct gate_slot *slot)
{
    uint32_t command = (uint32_t)slot->registers.rsi;

    return command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK ||
           command == F_OFD_SETLKW;
}

/* Whether a call makes a child that is traced. Where the tracer records nothing any more it helps no child. */
IN_THE_PROGRAM static int makes_traced(const struct gate_slot *slot)
{
    uint64_t number = slot->registers.rax;
    uint64_t flags = slot->registers.rdi; /* of clone3 their address */

    if (slot->mode == GATE_PASS || number == SYS_fork || number == SYS_vfork)
        return slot->mode != GATE_PASS;
    return (number != SYS_clone3 || read_program(&flags, flags, sizeof flags)) &&
           !(flags & CLONE_UNTRACED);
}

/* Whether setresuid(2) or setresgid(2) gives the thread other ids than it has, or another one for files. */
IN_THE_PROGRAM static int changes_ids(const struct gate_slot *slot)
{
    const struct gate_registers *registers = &slot->registers;
    int of_user = registers->rax == SYS_setresuid;
    uint32_t ids[3], none = (uint32_t)-1;

    return gate_make_call(of_user ? SYS_getresuid : SYS_getresgid, (uintptr_t)&ids[0],
                          (uintptr_t)&ids[1], (uintptr_t)&ids[2], 0, 0) ||
           ((uint32_t)registers->rdi != none && (uint32_t)registers->rdi != ids[0]) ||
           ((uint32_t)registers->rsi != none && (uint32_t)registers->rsi != ids[1]) ||
           ((uint32_t)registers->rdx != none && (uint32_t)registers->rdx != ids[2]) ||
           (uint32_t)gate_make_call(of_user ? SYS_setfsuid : SYS_setfsgid, none, 0, 0, 0, 0) !=
               ids[1];
}

/* enum gate_how: who makes the call. */
IN_THE_PROGRAM int gate_before(struct gate_slot *slot)
{
    enum gate_action action = action_of(slot);
    uint32_t fd = (uint32_t)slot->registers.rdi;

    if (slot->mode == GATE_TRACED ||
        (action == GATE_FCNTL && !locks(slot) && !is_copy(slot, action)) ||
        (action == GATE_MAP && !may_map(slot)) || (action == GATE_CLONE && !makes_traced(slot)) ||
        (action == GATE_IDS && changes_ids(slot)))
        return GATE_TRACE_CALL;
    slot->entered = now_ticks();
    if (action == GATE_OPEN || action == GATE_OPENAT)
        return prepare_try(slot, action) ? GATE_TRY : GATE_MAKE;
    if (slot->mode != GATE_PASS && is_copy(slot, action))
        return before_copy(slot);
    if (slot->mode == GATE_PASS || action >= GATE_COUNT)
        return GATE_MAKE;
    if (is_about_name(action))
        return before_name(slot, action);
    /* One comparison more in this row, and compilers make a jump table of it, which is not in the program. */
    if (is_of_socket(action))
        return before_socket_call(slot, action);
    if (action > GATE_CLOSE)
        return before_file(slot);
    if (is_across(action))
        return before_across(slot);
    if (fd >= slot->fds_size)
        return 1;
    slot->fd_word = *word_of(slot, fd);
    return action == GATE_CLOSE ? before_close(slot) : before_transfer(slot, action);
}

/* Calls about an fd, not about a name, are not counted. */
INLINE_IN_THE_PROGRAM int is_about_fd(const struct gate_slot *slot, enum gate_action action)
{
    return (action == GATE_COUNT_NAMED_4 && slot->registers.r10 & AT_EMPTY_PATH) ||
           (action == GATE_COUNT_NAMED_3 && slot->registers.rdx & AT_EMPTY_PATH);
}

/* Whether an error is an answer, which is counted as a success is. */
INLINE_IN_THE_PROGRAM int is_answer(enum gate_action action, int64_t result)
{
    return action == GATE_COUNT_LINK && result == -EINVAL;
}

/* Count or record a call that has returned. False: the tracer has to record it. */
INLINE_IN_THE_PROGRAM int record_call(struct gate_slot *slot)
{
    enum gate_action action = action_of(slot);

    if (action == GATE_CLOSE || is_about_fd(slot, action))
        return 1;
    if (is_copy(slot, action))
        return after_copy(slot);
    if (action < GATE_CLOSE)
        return after_transfer(slot, action);
    if (is_of_socket(action))
        return after_socket_call(slot, action);
    if ((int64_t)slot->result < 0 && !is_answer(action, (int64_t)slot->result))
        return (int64_t)slot->result == -ENOENT && record_path(slot);
    if (action >= GATE_WATCH)
        return 1;
    if (action >= GATE_COUNT)
        return tally_call(slot, NO_FD, 0, 0);
    if (is_about_name(action))
        return action == GATE_LINK ? record_link(slot) : record_path(slot);
    return action == GATE_OPEN || action == GATE_OPENAT ? after_open(slot) : after_file(slot);
}

/* Whether the tracer is to record the call, which has returned, or to verify its record. */
IN_THE_PROGRAM int gate_after(struct gate_slot *slot)
{
    if (slot->mode >= GATE_RECORD && !record_call(slot))
        return 1;
    if (slot->lock) {
        mark_slot(slot); /* a round that takes the next write to this file takes this one, too */
        give_lock(slot);
    }
    IN_ORDER;
    slot->made++;
    slot->phase = GATE_COMMITTED;
    mark_slot(slot);
    return slot->mode == GATE_VERIFY && slot->made % GATE_SAMPLE == 0;
}
