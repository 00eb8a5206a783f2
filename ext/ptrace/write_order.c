/*
 * Writes of several threads to one file are made one after the other, and so recorded in the order
 * in which their bytes go in.
 *
 * Of two writes that overlap only the kernel knows which came first: both threads have returned from
 * theirs when the tracer sees them, and waitid shows the one that was attached last. What can happen
 * when a thread enters a write, and what is done:
 *
 *  1. No other write to the same file is under way: it is made (WRITE_UNDER_WAY).
 *  2. One is: the thread is held in the stop at its entry until that one has returned (WRITE_HELD).
 *     Untraced it would wait for the lock of the file (i_rwsem of an inode, the mutex of a pipe).
 *  3. The one under way may wait for the thread that is held (it fills a pipe that the other one
 *     would empty): then it sleeps in the kernel. Writes that sleep for SLOW_ASLEEP_NS, or take longer
 *     than SLOW_NS, hold up no others any more (WRITE_SLOW).
 *  4. The thread that is held is killed: its next stop is seen, and it leaves the list.
 *  5. Writes to the file are also made in the gate: case 2 holds for the one that has the file's lock, and the
 *     tracer takes that lock for a traced write (gated_files.c).
 *
 * Only writes whose bytes are recorded are held: the order of bytes that are counted does not show.
 */
#include <linux/major.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "call/proc.h"
#include "ptrace/gated.h"
#include "ptrace/state.h"

enum {
    SLOW_ASLEEP_NS = 2 * 1000 * 1000, /* of a write whose thread sleeps in the kernel */
    SLOW_NS = 1000 * 1000 * 1000,     /* of any other */
};

static struct fd_entry *fd_entry_of(const struct engine *engine, const struct task *task)
{
    return fd_pool_find(&engine->context.fd_pool, task->call.fd_serial);
}

/* Others may take a write without a look at its bytes: /dev/null does. */
static bool reads_all(const struct raw_stat *file)
{
    enum { FIRST_PTY = UNIX98_PTY_SLAVE_MAJOR, PTYS_END = FIRST_PTY + UNIX98_PTY_MAJOR_COUNT };
    unsigned device = major(file->rdev);
    bool terminal = device == TTY_MAJOR || (device >= FIRST_PTY && device < PTYS_END);

    return S_ISREG(file->mode) || S_ISFIFO(file->mode) || (S_ISCHR(file->mode) && terminal);
}

bool identify_file(const struct task *task, struct fd_entry *entry)
{
    char link[PROC_PATH];
    struct raw_stat found;

    if (entry->ino)
        return true;
    proc_fd_path(link, task->caller.tid, entry->fd);
    if (proc_stat(link, &found) < 0)
        return false;
    entry->dev = found.dev;
    entry->ino = found.ino;
    entry->reads_all = reads_all(&found);
    return true;
}

static bool is_same_file(const struct engine *engine, const struct task *one,
                         const struct task *other)
{
    struct fd_entry *first = fd_entry_of(engine, one), *second = fd_entry_of(engine, other);

    if (!first || !second)
        return false;
    return first == second || (identify_file(one, first) && identify_file(other, second) &&
                               first->dev == second->dev && first->ino == second->ino);
}

/* Whether one of the first `count` writers writes to the same file, and is not slow. */
static bool must_be_held(const struct engine *engine, const struct task *task, int count)
{
    for (int i = 0; i < count; i++) {
        const struct task *before = engine->writers[i];
        if (before->write_state != WRITE_SLOW && is_same_file(engine, before, task))
            return true;
    }
    return false;
}

/* Whether a writer that comes after the first `count` need not wait; if so, it has its file's lock. */
static bool may_write(struct engine *engine, struct task *task, int count, uint64_t now_ns)
{
    struct fd_entry *entry = fd_entry_of(engine, task);

    return !must_be_held(engine, task, count) &&
           (!entry || gated_lock_file(engine, task, entry, now_ns));
}

void begin_ordered_write(struct engine *engine, struct task *task)
{
    const struct fd_entry *entry = fd_entry_of(engine, task);

    if (!entry || entry->muted || entry->kind > FD_PLAIN)
        return;
    bool waits = !may_write(engine, task, engine->writer_count, monotonic_ns());
    if (engine->tasks.count < 2 || engine->writer_count == WRITERS_MAX)
        return;
    engine->writers[engine->writer_count++] = task;
    task->write_state = waits ? WRITE_HELD : WRITE_UNDER_WAY;
    if (!waits)
        return;
    engine->writers_held++;
    consume_stop(task->caller.tid, NULL);
}

static void release_write(struct engine *engine, struct task *task)
{
    task->write_state = WRITE_UNDER_WAY;
    task->call.entered_ns = monotonic_ns();
    engine->writers_held--;
    resume(engine, task, 0);
}

void end_ordered_write(struct engine *engine, struct task *task)
{
    int at = 0;

    gated_unlock_file(engine, task);
    if (task->write_state == WRITE_NONE)
        return;
    if (task->write_state == WRITE_HELD)
        engine->writers_held--;
    task->write_state = WRITE_NONE;
    while (engine->writers[at] != task)
        at++;
    for (engine->writer_count--; at < engine->writer_count; at++)
        engine->writers[at] = engine->writers[at + 1];
    for (int i = 0; i < engine->writer_count && engine->writers_held; i++)
        if (engine->writers[i]->write_state == WRITE_HELD &&
            may_write(engine, engine->writers[i], i, monotonic_ns()))
            release_write(engine, engine->writers[i]);
}

bool is_slow_write(pid_t tid, uint64_t entered_ns, uint64_t now_ns)
{
    int64_t elapsed_ns = (int64_t)(now_ns - entered_ns); /* in the gate it may begin after `now` */

    return elapsed_ns > SLOW_NS || (elapsed_ns > SLOW_ASLEEP_NS && proc_sleeps(tid));
}

void release_held_writes(struct engine *engine, uint64_t now_ns)
{
    for (int i = 0; i < engine->writer_count && engine->writers_held; i++) {
        struct task *task = engine->writers[i];
        if (task->write_state == WRITE_UNDER_WAY &&
            is_slow_write(task->caller.tid, task->call.entered_ns, now_ns)) {
            task->write_state = WRITE_SLOW;
            gated_unlock_file(engine, task);
        } else if (task->write_state == WRITE_HELD && may_write(engine, task, i, now_ns)) {
            release_write(engine, task);
        }
    }
}
