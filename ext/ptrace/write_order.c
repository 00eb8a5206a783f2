/*
 * Writes of several threads to one file are made one after the other, and so recorded in the order
 * in which their bytes go in.
 *
 * Of two writes that overlap nobody but the file knows which came first: both threads stand behind
 * theirs when they are seen, and waitid shows whichever was attached last. So a write waits at its
 * entry as long as another one to the same file is under way, as it does untraced for the lock of
 * the file (i_rwsem of an inode, the mutex of a pipe). Only what somebody wants to see waits. What
 * is under way may depend on the one that waits (a pipe is full): then it sleeps, and so nobody
 * waits for a sleeper, or for anything very long.
 */
#include "call/proc.h"
#include "ptrace/state.h"

enum { SOON_NS = 2 * 1000 * 1000, LATE_NS = 1000 * 1000 * 1000 };

static struct stream *stream_of(const struct engine *engine, const struct task *task)
{
    return pool_find(&engine->pool, task->call.serial);
}

/* What a stream is; asked for once, and only where it may be shared. */
static bool identify(const struct task *task, struct stream *stream)
{
    char link[PROC_PATH];
    struct raw_stat found;

    if (stream->ino)
        return true;
    proc_fd_path(link, task->tid, stream->fd);
    if (proc_stat(link, &found) < 0)
        return false;
    stream->dev = found.dev;
    stream->ino = found.ino;
    return true;
}

static bool is_same_file(const struct engine *engine, const struct task *one,
                         const struct task *other)
{
    struct stream *first = stream_of(engine, one), *second = stream_of(engine, other);

    if (!first || !second)
        return false;
    return first == second || (identify(one, first) && identify(other, second) &&
                               first->dev == second->dev && first->ino == second->ino);
}

/* Whether somebody in the first `count` places is at the same file, and is waited for. */
static bool must_wait(const struct engine *engine, const struct task *task, int count)
{
    for (int i = 0; i < count; i++) {
        const struct task *before = engine->turns[i];
        if (before->turn != TURN_LATE && is_same_file(engine, before, task))
            return true;
    }
    return false;
}

void begin_turn(struct engine *engine, struct task *task, const struct stream *stream)
{
    if (!stream || stream->counts_only || engine->tasks.count < 2 ||
        engine->turn_count == TURNS_MAX || stream->kind > STREAM_PLAIN)
        return;
    bool waits = must_wait(engine, task, engine->turn_count);
    engine->turns[engine->turn_count++] = task;
    task->turn = waits ? TURN_WAITS : TURN_TAKEN;
    if (!waits)
        return;
    engine->turns_waiting++;
    consume_stop(task->tid, NULL);
}

static void go_on(struct engine *engine, struct task *task)
{
    task->turn = TURN_TAKEN;
    task->call.entered_ns = monotonic_ns();
    engine->turns_waiting--;
    resume(engine, task, 0);
}

void end_turn(struct engine *engine, struct task *task)
{
    int at = 0;

    if (task->turn == TURN_NONE)
        return;
    if (task->turn == TURN_WAITS)
        engine->turns_waiting--;
    task->turn = TURN_NONE;
    while (engine->turns[at] != task)
        at++;
    for (engine->turn_count--; at < engine->turn_count; at++)
        engine->turns[at] = engine->turns[at + 1];
    for (int i = 0; i < engine->turn_count && engine->turns_waiting; i++)
        if (engine->turns[i]->turn == TURN_WAITS && !must_wait(engine, engine->turns[i], i))
            go_on(engine, engine->turns[i]);
}

static bool is_late(const struct task *task, uint64_t now_ns)
{
    uint64_t elapsed_ns = now_ns - task->call.entered_ns;

    return elapsed_ns > LATE_NS || (elapsed_ns > SOON_NS && proc_sleeps(task->tid));
}

void end_late_turns(struct engine *engine, uint64_t now_ns)
{
    for (int i = 0; i < engine->turn_count && engine->turns_waiting; i++) {
        struct task *task = engine->turns[i];
        if (task->turn == TURN_TAKEN && is_late(task, now_ns))
            task->turn = TURN_LATE;
        else if (task->turn == TURN_WAITS && !must_wait(engine, task, i))
            go_on(engine, task);
    }
}
