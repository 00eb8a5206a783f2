/*
 * Files to which threads write in the gate though the bytes are wanted.
 *
 * Of two writes to one file that overlap only the kernel knows which came first; so no two are made at once
 * (write_order.c). For writes in the gate a file has a lock in the memory that its writers share:
 *
 *  1. A thread's traced write has returned, and no other thread is in a traced one to the same file: the
 *     thread may make its next ones in the gate. The file has a lock in the arena of that thread's program.
 *  2. The gate takes the lock before a write, and gives it back when the record is published. If another thread
 *     has it for longer than a write usually takes, the write is traced.
 *  3. A traced write is made with the lock as well: the tracer takes it at the entry, or holds the thread there
 *     until it is free. A slow writer is not waited for, as among traced writes.
 *  4. A program with another arena writes to the file: the lock moves there, while the tracer has it. Threads of
 *     the former arena may not write in the gate any more, until 1 holds again.
 *  5. A thread that leaves the gate in the middle, or ends, gives its lock back.
 */
#include <string.h>

#include "call/proc.h"
#include "gate/arena.h"
#include "ptrace/gated.h"
#include "ptrace/gated_state.h"

enum {
    LOCKED_BY_TRACER = 1,
    LOCK_TRIES = 10, /* to take a lock that is given back and taken again meanwhile */
};

static struct gated_file *place_of(struct gate *gate, const struct fd_entry *entry)
{
    return &gate->files[(entry->dev * 31 + entry->ino) % GATED_FILES];
}

static bool is_file_of(const struct gated_file *file, const struct fd_entry *entry)
{
    return file->arena && file->dev == entry->dev && file->ino == entry->ino;
}

/* -- the files of a thread ---------------------------------------------------------------------- */

static void drop_file(struct gated_file *file)
{
    if (--file->uses)
        return;
    arena_give_lock(file->arena, file->lock);
    arena_drop(file->arena);
    file->arena = NULL;
}

static void disown(struct gate_thread *thread, unsigned index)
{
    struct gated_file *file = thread->owned[index];

    thread->owned[index] = NULL;
    __atomic_store_n(&thread->page->slot.owned[index].fd, 0, __ATOMIC_RELAXED);
    if (file)
        drop_file(file);
}

void gated_give_lock(struct gate_thread *thread)
{
    struct gate_slot *slot = &thread->page->slot;
    uint32_t *lock = arena_find_lock(thread->arena, slot->lock);
    uint32_t own = (uint32_t)arena_address(thread->arena, slot);

    if (lock)
        __atomic_compare_exchange_n(lock, &own, 0, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
    slot->lock = 0;
}

void gated_disown_all(struct gate_thread *thread)
{
    gated_give_lock(thread);
    for (unsigned i = 0; i < GATE_OWNED; i++)
        disown(thread, i);
}

/* -- traced writes ------------------------------------------------------------------------------ */

/* The thread whose slot a lock names, or NULL. */
static const struct gate_thread *holder_of(const struct gate *gate, const struct gated_file *file,
                                           uint32_t word)
{
    const struct gate_thread *thread = gate->threads;

    while (thread && (thread->arena != file->arena ||
                      (uint32_t)arena_address(thread->arena, thread->page) != word))
        thread = thread->next;
    return thread;
}

/*
 * Whether a traced write waits for the holder of a lock. The program can write to the lock, too: a holder that
 * does not exist, or is in no call, is not waited for.
 */
static bool is_awaited(const struct engine *engine, const struct gated_file *file, uint32_t word,
                       uint64_t now_ns)
{
    const struct gate_thread *thread = holder_of(engine->gate, file, word);

    if (word == LOCKED_BY_TRACER)
        return file->traced;
    return thread && gate_thread_is_in_call(thread) &&
           !is_slow_write(thread->caller->tid,
                          time_of_ticks(engine->gate, thread->page->slot.entered), now_ns);
}

/* False: `word_out` says who has it. */
static bool take_lock(const struct gated_file *file, uint32_t *word_out)
{
    *word_out = 0;
    return __atomic_compare_exchange_n(arena_lock(file->arena, file->lock), word_out,
                                       LOCKED_BY_TRACER, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

bool gated_lock_file(struct engine *engine, struct task *task, struct fd_entry *entry,
                     uint64_t now_ns)
{
    struct gated_file *file =
        engine->gate && identify_file(task, entry) ? place_of(engine->gate, entry) : NULL;
    uint32_t word;

    if (!file || task->locked || !is_file_of(file, entry))
        return true;
    for (int tries = 0; !take_lock(file, &word); tries++) {
        if (is_awaited(engine, file, word, now_ns))
            return false;
        if (tries == LOCK_TRIES)
            return true;
    }
    file->uses++;
    file->traced = true;
    task->locked = file;
    return true;
}

void gated_unlock_file(struct task *task)
{
    struct gated_file *file = task->locked;

    if (!file)
        return;
    task->locked = NULL;
    file->traced = false;
    __atomic_store_n(arena_lock(file->arena, file->lock), 0, __ATOMIC_RELEASE);
    drop_file(file);
}

/* -- to let a thread write ---------------------------------------------------------------------- */

static bool begin_file(struct gated_file *file, const struct fd_entry *entry, struct arena *arena)
{
    int lock = arena_take_lock(arena);

    if (lock >= 0)
        *file = (struct gated_file){ .dev = entry->dev,
                                     .ino = entry->ino,
                                     .arena = arena_share(arena),
                                     .lock = (unsigned)lock };
    return lock >= 0;
}

/* The tracer has the lock of the file, so that no thread is in a write to it. */
static bool move_file(struct gate *gate, struct gated_file *file, struct arena *arena)
{
    int lock = arena_take_lock(arena);

    for (struct gate_thread *thread = gate->threads; lock >= 0 && thread; thread = thread->next)
        for (unsigned i = 0; i < GATE_OWNED; i++)
            if (thread->owned[i] == file)
                disown(thread, i);
    if (lock < 0)
        return false;
    arena_give_lock(file->arena, file->lock);
    arena_drop(file->arena);
    file->arena = arena_share(arena);
    file->lock = (unsigned)lock;
    *arena_lock(arena, file->lock) = LOCKED_BY_TRACER;
    return true;
}

/* Have a file ready for a thread of that arena. False: it has to be traced. */
static bool prepare_file(struct engine *engine, const struct task *task, struct gated_file *file,
                         const struct fd_entry *entry, struct arena *arena)
{
    if (is_written_by_another(engine, task))
        return false;
    if (!file->arena)
        return begin_file(file, entry, arena);
    if (!is_file_of(file, entry) || task->locked != file)
        return false; /* the place is another file's; a slow write is under way */
    return file->arena == arena || move_file(engine->gate, file, arena);
}

static bool owns_fd(const struct gate_thread *thread, uint64_t fd)
{
    for (int i = 0; i < GATE_OWNED; i++)
        if (thread->page->slot.owned[i].fd == fd)
            return true;
    return false;
}

/* Locks are those of a program's first arena: threads with a slot in another one have their writes traced. */
void gated_own_file(struct engine *engine, struct task *task, int fd)
{
    struct fd_entry *entry = fd_table_find(task->caller.fds, fd);
    struct gate_thread *thread = task->gated;

    if (!thread || thread->arena->address != GATE_ARENA_BASE || !entry || entry->muted ||
        entry->kind > FD_PLAIN || !identify_file(task, entry) || !entry->reads_all)
        return;
    struct gated_file *file = place_of(engine->gate, entry);
    uint64_t key = 1 + ((uint64_t)entry->generation << GATE_FD_GENERATION_SHIFT | (uint32_t)fd);
    if (owns_fd(thread, key) || !prepare_file(engine, task, file, entry, thread->arena))
        return;
    unsigned index = thread->next_owned++ % GATE_OWNED;
    file->uses++;
    disown(thread, index);
    thread->owned[index] = file;
    thread->page->slot.owned[index] = (struct gate_owned){ key, arena_lock_address(file->lock) };
}
