/*
 * The loop of the tracer: wait for a stop or an end, handle it, resume the tracee.
 *
 * What a stop is, by the status of waitid (ptrace(2)), and who handles it:
 *
 *  1. PTRACE_EVENT_SECCOMP, syscall-entry-stop, syscall-exit-stop: calls.c.
 *  2. PTRACE_EVENT_FORK, VFORK, CLONE: fork.c. PTRACE_EVENT_EXEC: exec.c. PTRACE_EVENT_EXIT: exit.c.
 *  3. PTRACE_EVENT_STOP: a group-stop, its end, or the first stop of a child: signals.c.
 *  4. A signal-delivery-stop: signals.c.
 *  5. The first stop of a tid that no event has named: fork.c (add_newborn).
 *  6. After the end of the recording, all of these: the tracee is resumed, and nothing is recorded.
 *
 * Between two of them the loop does what the other thread asks for (engine.h): flush tallies, mute
 * fds, end.
 */
#include <errno.h>
#include <string.h>
#include <sys/wait.h>

#include "call/records.h"
#include "call/tally.h"
#include "ptrace/gated.h"
#include "ptrace/state.h"

/* -- requests of the other thread ------------------------------------------------------------ */

static void take_mutes(struct engine *engine)
{
    uint32_t tail = atomic_load(&engine->mutes_tail);

    while (tail != atomic_load(&engine->mutes_head)) {
        struct fd_entry *entry =
            fd_pool_find(&engine->context.fd_pool, atomic_load(&engine->mutes[tail++ % MUTES]));
        if (entry)
            entry->muted = true;
    }
    atomic_store(&engine->mutes_tail, tail);
}

/* Write all tallies and counts as records; they are counted anew from 0. */
static void flush_tallies(struct engine *engine)
{
    engine->context.flush_count++;
    for (struct task *task = tasks_next(&engine->tasks, NULL); task;
         task = tasks_next(&engine->tasks, task)) {
        if (!task->adopted || !task->caller.fds)
            continue;
        flush_caller(&engine->context, &task->caller);
        flush_signals(engine, task);
    }
}

void end_recording(struct engine *engine)
{
    const struct caller caller = { .tid = engine->main_pid, .tgid = engine->main_pid };
    struct raw_record header = { .kind = RAW_END };

    gated_collect(engine);
    flush_tallies(engine);
    for (struct task *task = tasks_next(&engine->tasks, NULL); task;
         task = tasks_next(&engine->tasks, task))
        abandon_whole_calls(engine, task);
    engine->context.counts.waits = engine->context.ring.waits;
    engine->context.counts.waited_ns = engine->context.ring.waited_ns;
    memcpy(header.args, &engine->context.counts, sizeof header.args);
    engine->context.started = true;
    gated_write_ways(engine, &caller);
    write_record(&engine->context, &caller, &header, NULL);
    ring_close(&engine->context.ring);
    engine->recording_ended = true;
    gated_end_recording(engine);
    release_held_writes(engine, UINT64_MAX);
}

/* -- stops ----------------------------------------------------------------------------------- */

/* Recording has ended and the program runs: without a tracer its watched calls would fail (ENOSYS). */
static void on_stop_after_recording(struct engine *engine, struct task *task, int event, int signal)
{
    if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE)
        find_child(engine, task);
    start_newborns(engine);
    if (task->newborn) {
        consume_stop(task->caller.tid, NULL);
        return;
    }
    if (event == PTRACE_EVENT_STOP)
        gated_start(engine, task);
    task->in_call = false;
    task->suspended_count = 0;
    task->adopted = true;
    if (event == PTRACE_EVENT_EXEC)
        consume_stop(task->caller.tid, NULL);
    if (event == PTRACE_EVENT_SECCOMP && !postpone_call(task))
        on_call_after_recording(engine, task);
    if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
        consume_stop(task->caller.tid, NULL);
        ptrace(PTRACE_LISTEN, task->caller.tid, 0, 0);
        return;
    }
    if (event || signal == SYSCALL_STOP)
        resume(engine, task, 0);
    else
        on_signal(engine, task, signal);
}

static void on_event(struct engine *engine, struct task *task, int event, int signal)
{
    switch (event) {
    case PTRACE_EVENT_SECCOMP:
        if (postpone_call(task)) {
            cancel_call(engine, task);
            cancel_whole_call(task);
        } else
            on_call_stop(engine, task, true);
        break;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
        on_fork(engine, task);
        break;
    case PTRACE_EVENT_EXEC:
        on_exec(engine, task);
        break;
    case PTRACE_EVENT_EXIT:
        on_exit_stop(engine, task);
        return;
    case PTRACE_EVENT_STOP:
        on_stop_event(engine, task, signal);
        return;
    default:
        break;
    }
    resume(engine, task, 0);
}

static void on_stop(struct engine *engine, pid_t tid, int status)
{
    struct task *task = find_living(engine, tid);
    int event = status >> 8, signal = status & 0xff;

    engine->context.counts.stops++;
    if (event && event != PTRACE_EVENT_SECCOMP)
        engine->stops_since_change = 0;
    else
        engine->stops_since_change++;
    if (task && task->write_state == WRITE_HELD)
        abandon_calls(engine, task); /* killed in the stop at its write: this is another one */
    if (!task)
        task = add_newborn(engine, tid);
    if (!task) {
        ptrace(PTRACE_CONT, tid, 0, 0);
        return;
    }
    if (task->storm.deferring)
        end_deferral(task, event, signal);
    if (engine->recording_ended)
        on_stop_after_recording(engine, task, event, signal);
    else if (event)
        on_event(engine, task, event, signal);
    else if (signal == SYSCALL_STOP) {
        on_call_stop(engine, task, false);
        resume(engine, task, 0);
    } else
        on_signal(engine, task, signal);
}

/*
 * One waitid for each stop, which leaves the stop in place (WNOWAIT): resuming the tracee ends it,
 * so it needs to be consumed only for tracees that stay stopped. The end of a tracee is seen before
 * it is reaped, and so recorded before its parent can learn of it.
 */
int run_loop(struct engine *engine)
{
    for (;;) {
        siginfo_t event;
        int error = next_wait_event(engine, &event) < 0 ? errno : 0;
        gated_collect(engine);
        gated_follow_renames(engine);
        int stop = atomic_load_explicit(&engine->stop, memory_order_relaxed);
        if (stop && !engine->recording_ended)
            end_recording(engine);
        if (stop == STOP_TRACING)
            return 0;
        if (atomic_load_explicit(&engine->flush_asked, memory_order_relaxed) &&
            atomic_exchange(&engine->flush_asked, false) && !engine->recording_ended)
            flush_tallies(engine);
        on_timer(engine);
        if (error == EINTR)
            continue;
        if (error)
            return error == ECHILD ? 0 : -error;
        take_mutes(engine);
        if (event.si_code == CLD_TRAPPED || event.si_code == CLD_STOPPED)
            on_stop(engine, event.si_pid, event.si_status);
        else {
            engine->stops_since_change = 0;
            on_exited(engine, event.si_pid, &event);
        }
    }
}
