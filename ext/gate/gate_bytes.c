/*
 * Calls that transfer bytes.
 *
 * Memory of the program is copied after a call that has succeeded: then the kernel has just used it. A copy
 * still fails if another thread unmaps it meanwhile; the tracer then leads the thread to the error.
 */
#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "gate/gate_calls.h"

/* -- locks of files --------------------------------------------------------------------------- */

/*
 * Most writes take less than the first of these, some 10 µs. The second is longer than a traced write takes: if two
 * threads that write in turn did not wait for such a one, all their writes would be traced from then on.
 */
enum { SPIN_TICKS = 1 << 15, WAIT_TICKS = 1 << 19 };

/* False: another thread has it for long. */
IN_THE_PROGRAM static int take_lock(struct gate_slot *slot, uint64_t address)
{
    uint64_t *lock = (uint64_t *)(uintptr_t)address;
    uint64_t waited = 0;

    slot->lock = address;
    do {
        uint64_t unlocked = 0;
        if (waited > SPIN_TICKS)
            gate_make_call(SYS_sched_yield, 0, 0, 0, 0, 0);
        if (__atomic_compare_exchange_n(lock, &unlocked, slot->holder, 0, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED))
            return 1;
        __builtin_ia32_pause();
        waited = now_ticks() - slot->entered;
    } while (waited < WAIT_TICKS);
    slot->lock = 0;
    return 0;
}

IN_THE_PROGRAM void give_lock(struct gate_slot *slot)
{
    if (!slot->lock)
        return;
    __atomic_store_n((uint64_t *)(uintptr_t)slot->lock, 0, __ATOMIC_RELEASE);
    IN_ORDER;
    slot->lock = 0;
}

/* The lock of the file of a call's fd, to which the thread has written before; 0: it has not. */
IN_THE_PROGRAM static uint64_t known_lock(const struct gate_slot *slot, uint64_t key)
{
    int i = 0;

    while (i < GATE_OWNED && slot->owned[i].fd != key)
        i++;
    return i < GATE_OWNED ? slot->owned[i].lock : 0;
}

/*
 * The same of another fd, if its file is one that reads all that it takes of a write. Of terminals, which do so as
 * well, the tracer says it (ptrace/gated_files.c).
 */
IN_THE_PROGRAM static uint64_t find_lock(struct gate_slot *slot, uint64_t key)
{
    struct gate_owned *owned = &slot->owned[slot->next_owned % GATE_OWNED];
    struct stat found;

    if (gate_make_call(SYS_fstat, (uint32_t)slot->registers.rdi, (uintptr_t)&found, 0, 0, 0) ||
        !(S_ISREG(found.st_mode) || S_ISFIFO(found.st_mode)))
        return 0;
    slot->next_owned++;
    owned->fd = 0;
    IN_ORDER;
    owned->lock = GATE_LOCK_ADDRESS(GATE_LOCK_OF(found.st_dev, found.st_ino));
    IN_ORDER;
    owned->fd = key;
    return owned->lock;
}

/* Whether the thread may write to the file of its call, of which it has the lock then. */
IN_THE_PROGRAM static int lock_file(struct gate_slot *slot)
{
    uint64_t key = 1 + fd_key(slot), lock = known_lock(slot, key);

    if (!lock)
        lock = find_lock(slot, key);
    return lock && take_lock(slot, lock);
}

/* -- bytes ------------------------------------------------------------------------------------ */

enum { VECTOR_MOST = 16 }; /* buffers; for more the stack has no room */

/* Join the first `size` bytes of so many buffers. Negative: they cannot be copied here. */
IN_THE_PROGRAM static int64_t copy_vector(uint64_t vector, uint64_t count, uint8_t *to,
                                          uint64_t size)
{
    struct {
        uint64_t base, length;
    } buffers[VECTOR_MOST];

    if (count > VECTOR_MOST || gate_copy_bytes((uint8_t *)buffers, vector, count * sizeof *buffers))
        return -1;
    for (uint64_t i = 0; i < count && size; i++) {
        uint64_t most = buffers[i].length < size ? buffers[i].length : size;
        if (gate_copy_bytes(to, buffers[i].base, most))
            return -1;
        to += most;
        size -= most;
    }
    return size ? -1 : 0;
}

INLINE_IN_THE_PROGRAM int is_out(enum gate_action action)
{
    return action == GATE_OUT || action == GATE_OUT_VECTOR || action == GATE_SEND ||
           action == GATE_SEND_MESSAGE;
}

/* The same of the buffers of a message. */
IN_THE_PROGRAM static int64_t copy_message(const struct gate_slot *slot, uint8_t *to, uint64_t size)
{
    struct msghdr message;

    return gate_copy_bytes((uint8_t *)&message, slot->registers.rsi, sizeof message)
               ? -1
               : copy_vector((uintptr_t)message.msg_iov, message.msg_iovlen, to, size);
}

IN_THE_PROGRAM static int64_t copy_transferred(const struct gate_slot *slot, uint8_t *to,
                                               uint64_t size)
{
    enum gate_action action = action_of(slot);

    if (is_of_message(action))
        return copy_message(slot, to, size);
    return action == GATE_OUT_VECTOR || action == GATE_IN_VECTOR
               ? copy_vector(slot->registers.rsi, (uint32_t)slot->registers.rdx, to, size)
               : gate_copy_bytes(to, slot->registers.rsi, size);
}

/* Record a call that has transferred bytes, with them. False: the tracer has to. */
IN_THE_PROGRAM static int record_bytes(struct gate_slot *slot, uint64_t left)
{
    enum { HEAD = sizeof(struct gate_record) + sizeof(struct raw_part) };
    enum { ADDRESS_ROOM = sizeof(struct raw_part) + 128 };
    uint64_t bytes = slot->result;
    int flows = has(slot, GATE_FD_STREAM) || has_messages(slot);
    uint64_t limit = flows ? slot->stream_limit : slot->copy_limit;
    uint64_t size = bytes < limit ? bytes : limit;
    uint64_t most = HEAD + (size + 7) / 8 * 8 + ADDRESS_ROOM + ENDS_MOST;
    struct gate_record *record = most <= GATE_RECORD_MAX ? begin_record(slot, most) : NULL;

    if (!record)
        return 0;
    fill_returned(slot, record, left);
    if (has_messages(slot) && !write_message_address(slot, record))
        return 0;
    struct raw_part *part = next_part(record, PART_DATA);
    part->flags = size < bytes ? PART_CUT : 0;
    if (copy_transferred(slot, part->bytes, size) ||
        !end_part(record, part, (int64_t)size, GATE_RECORD_MAX))
        return 0;
    if (flows && !has(slot, GATE_FD_ENDS) && is_out(action_of(slot)) &&
        !write_first_ends(slot, record))
        return 0;
    note_connected(slot);
    return publish_with_payload(slot, record);
}

/* Whether a call on a socket says no more than which bytes: no address, no flag that makes them others. */
INLINE_IN_THE_PROGRAM int is_plain(struct gate_slot *slot, enum gate_action action)
{
    const uint64_t plain = MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE | MSG_WAITALL;

    if (is_of_message(action))
        return may_pass_message(slot, action, plain) &&
               !(action == GATE_SEND_MESSAGE && slot->room);
    return (action != GATE_SEND && action != GATE_RECEIVE) ||
           (!(slot->registers.r10 & ~plain) && !slot->registers.r8);
}

/* -- from fd to fd ----------------------------------------------------------------------------- */

IN_THE_PROGRAM static uint32_t source_of(const struct gate_slot *slot)
{
    return (uint32_t)(action_of(slot) == GATE_COPY ? slot->registers.rdi : slot->registers.rsi);
}

IN_THE_PROGRAM static uint32_t target_of(const struct gate_slot *slot)
{
    return (uint32_t)(action_of(slot) == GATE_COPY ? slot->registers.rdx : slot->registers.rdi);
}

/* Whether the tracer is to see a transfer from one fd to another. */
IN_THE_PROGRAM int before_across(struct gate_slot *slot)
{
    uint32_t from = source_of(slot), to = target_of(slot);

    if (from >= slot->fds_size || to >= slot->fds_size)
        return 1;
    slot->fd_word = *word_of(slot, from);
    slot->to_word = *word_of(slot, to);
    return !has(slot, GATE_FD_KNOWN) ||
           !(slot->to_word & GATE_FD_STREAM || is_fresh_word(slot->to_word, slot->entered));
}

/* Record how much was copied, if anything. False: the tracer has to. */
IN_THE_PROGRAM static int after_across(struct gate_slot *slot)
{
    uint64_t left = now_ticks();
    uint32_t from = source_of(slot);
    uint64_t changed =
        (*word_of(slot, from) ^ slot->fd_word) | (*word_of(slot, target_of(slot)) ^ slot->to_word);
    struct gate_record *record = begin_about(slot, from, changed, left, sizeof *record);

    if (!record)
        return 0;
    record->to_generation = (uint32_t)GATE_FD_GENERATION(slot->to_word);
    publish_call(slot, sizeof *record);
    return 1;
}

/* -- through an fd ------------------------------------------------------------------------------ */

/* Whether the tracer is to see a transfer. */
IN_THE_PROGRAM int before_transfer(struct gate_slot *slot, enum gate_action action)
{
    if (has(slot, GATE_FD_STREAM))
        return !is_plain(slot, action);
    if (has_messages(slot))
        return before_message(slot, action);
    if (action == GATE_SEND || action == GATE_RECEIVE || is_of_message(action))
        return 1;
    if (is_out(action))
        return !is_fresh(slot) || !(has(slot, GATE_FD_MUTED) || lock_file(slot));
    return !has(slot, GATE_FD_KNOWN);
}

/* Another thread has closed the fd meanwhile, and the number may be another file's. */
INLINE_IN_THE_PROGRAM int was_given_away(const struct gate_slot *slot)
{
    uint64_t word = *word_of(slot, (uint32_t)slot->registers.rdi);

    return GATE_FD_GENERATION(word ^ slot->fd_word) != 0;
}

/* The peer sends no more. Of several buffers, and of messages, the tracer looks if they have room. */
IN_THE_PROGRAM static int record_end(struct gate_slot *slot, enum gate_action action, uint64_t left)
{
    uint32_t fd = (uint32_t)slot->registers.rdi;
    struct gate_record *record =
        (action == GATE_IN || action == GATE_RECEIVE) && slot->registers.rdx
            ? begin_about(slot, fd, 0, left, sizeof *record)
            : NULL;

    if (!record)
        return 0;
    note_connected(slot);
    publish_call(slot, record->size);
    return 1;
}

IN_THE_PROGRAM int after_transfer(struct gate_slot *slot, enum gate_action action)
{
    uint64_t left = now_ticks();
    int64_t result = (int64_t)slot->result;

    if (result == -EAGAIN || result == -EINTR) /* nothing was transferred, nor has it failed */
        return 1;
    if (result < 0)
        return 0;
    if (is_across(action))
        return after_across(slot);
    if (was_given_away(slot) || (action == GATE_RECEIVE_MESSAGE && brings_more(slot)))
        return 0;
    if (!result && !is_out(action) && has(slot, GATE_FD_STREAM))
        return record_end(slot, action, left);
    if (has_messages(slot))
        return record_bytes(slot, left);
    if (result && !has(slot, GATE_FD_MUTED) && (is_out(action) || has(slot, GATE_FD_STREAM)))
        return record_bytes(slot, left);
    return tally_call(slot, fd_key(slot), slot->result, left - slot->entered);
}
