/*
 * Files to which threads write in the gate though the bytes are wanted.
 *
 * Of two writes to one file that overlap only the kernel knows which came first; so no two are made at once
 * (write_order.c). For writes in the gate there are locks in memory that all programs of a recording share:
 *
 *  1. The device and the inode of a file lead to its lock. Two files may have the same one.
 *  2. The gate takes the lock before a write, and gives it back when the record is published. If another thread
 *     has it for longer than a write usually takes, the write is traced.
 *  3. A traced write is made with the lock as well: the tracer takes it at the entry, or holds the thread there
 *     until it is free. A slow writer is not waited for, as among traced writes.
 *  4. At its first write to an fd the thread asks for its file (fstat(2)). If that is a terminal its first write is
 *     traced, and the tracer says which lock it has.
 *  5. A thread that leaves the gate in the middle, or ends, gives its lock back.
 */
#include <sys/shm.h>
#include <unistd.h>

#include "call/proc.h"
#include "gate/arena.h"
#include "gate/segment.h"
#include "ptrace/gated.h"
#include "ptrace/gated_state.h"

enum {
    LOCKED_BY_TRACER = 1,
    LOCK_TRIES = 10, /* to take a lock that is given back and taken again meanwhile */
};

bool gated_init_locks(struct gate *gate)
{
    gate->locks = segment_map(GATE_LOCKS_BYTES, geteuid(), &gate->locks_id);
    return gate->locks;
}

void gated_deinit_locks(struct gate *gate)
{
    shmdt(gate->locks);
}

static unsigned lock_of(const struct fd_entry *entry)
{
    return GATE_LOCK_OF(entry->dev, entry->ino);
}

void gated_give_lock(const struct gate *gate, struct gate_thread *thread)
{
    struct gate_slot *slot = &thread->page->slot;
    uint64_t offset = slot->lock - GATE_LOCKS_BASE, own = gate_thread_holder(thread);

    if (offset < GATE_LOCKS_BYTES && offset % sizeof *gate->locks == 0)
        __atomic_compare_exchange_n(&gate->locks[offset / sizeof *gate->locks], &own, 0, false,
                                    __ATOMIC_RELEASE, __ATOMIC_RELAXED);
    slot->lock = 0;
}

/* -- traced writes ------------------------------------------------------------------------------ */

/* The thread that a lock names, or NULL. */
static const struct gate_thread *holder_of(const struct gate *gate, uint64_t word)
{
    const struct gate_thread *thread = gate->threads;

    while (thread && gate_thread_holder(thread) != word)
        thread = thread->next;
    return thread;
}

/*
 * Whether a traced write waits for the holder of a lock. Programs can write to the lock, too: a holder that does
 * not exist, or is in no call, is not waited for.
 */
static bool is_awaited(const struct engine *engine, unsigned lock, uint64_t word, uint64_t now_ns)
{
    const struct gate_thread *thread = holder_of(engine->gate, word);

    if (word == LOCKED_BY_TRACER)
        return engine->gate->traced[lock];
    return thread && gate_thread_is_in_call(thread) &&
           !is_slow_write(thread->caller->tid,
                          time_of_ticks(engine->gate, thread->page->slot.entered), now_ns);
}

/* False: `word_out` says who has it. */
static bool take_lock(const struct gate *gate, unsigned lock, uint64_t *word_out)
{
    *word_out = 0;
    return __atomic_compare_exchange_n(&gate->locks[lock], word_out, LOCKED_BY_TRACER, false,
                                       __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

bool gated_lock_file(struct engine *engine, struct task *task, struct fd_entry *entry,
                     uint64_t now_ns)
{
    uint64_t word;

    if (!engine->gate || task->locked || !identify_file(task, entry))
        return true;
    unsigned lock = lock_of(entry);
    for (int tries = 0; !take_lock(engine->gate, lock, &word); tries++) {
        if (is_awaited(engine, lock, word, now_ns))
            return false;
        if (tries == LOCK_TRIES)
            return true;
    }
    engine->gate->traced[lock] = true;
    task->locked = lock + 1;
    return true;
}

void gated_unlock_file(struct engine *engine, struct task *task)
{
    unsigned lock = task->locked - 1;

    if (!task->locked)
        return;
    task->locked = 0;
    engine->gate->traced[lock] = false;
    __atomic_store_n(&engine->gate->locks[lock], 0, __ATOMIC_RELEASE);
}

/* -- terminals ---------------------------------------------------------------------------------- */

static bool owns_fd(const struct gate_slot *slot, uint64_t fd)
{
    for (int i = 0; i < GATE_OWNED; i++)
        if (slot->owned[i].fd == fd)
            return true;
    return false;
}

void gated_own_file(struct task *task, int fd)
{
    struct fd_entry *entry = fd_table_find(task->caller.fds, fd);

    if (!task->gated || !entry || entry->muted || entry->kind > FD_PLAIN ||
        !identify_file(task, entry) || !entry->reads_all)
        return;
    struct gate_slot *slot = &task->gated->page->slot;
    uint64_t key = 1 + gate_fd_key(entry->generation, fd);
    if (!owns_fd(slot, key))
        slot->owned[slot->next_owned++ % GATE_OWNED] =
            (struct gate_owned){ key, GATE_LOCK_ADDRESS(lock_of(entry)) };
}
