/*
 * Ends of threads and processes.
 *
 *  1. PTRACE_EVENT_EXIT: the thread is about to end, its memory and fds are there for the last time.
 *     Results of asynchronous calls, the final state of its sockets, and RAW_LEAVE are written.
 *  2. waitid reports the end: the task is a zombie (WNOWAIT). Tallies and RAW_EXIT are written, then it
 *     is reaped, and only then its parent can learn of the end.
 *  3. The end of the main process is reaped when the recorder has committed all that it did: its
 *     parent can read the session then (await_commit).
 *  4. A SIGKILL ends a thread in any stop, perhaps without event 1: event 2 does both.
 *  5. Event 2 before the event of its parent, if it was killed at once: RAW_EXIT is written after RAW_FORK (on_fork).
 *  6. A thread that another thread's exec ended may have neither event: exec.c.
 */
#include <limits.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "call/async.h"
#include "call/proc.h"
#include "call/records.h"
#include "call/socket_final_state.h"
#include "call/tally.h"
#include "ptrace/gated.h"
#include "ptrace/state.h"

void drop_fd_table(struct engine *engine, struct task *task)
{
    if (!task->caller.fds)
        return;
    if (--task->caller.fds->uses == 0) {
        gated_release_words(task->caller.fds);
        fd_table_free(task->caller.fds, &engine->context.fd_pool);
    }
    task->caller.fds = NULL;
}

void drop_task(struct engine *engine, struct task *task)
{
    end_ordered_write(engine, task);
    gated_leave_image(engine, task);
    drop_fd_table(engine, task);
    space_drop(task->caller.space);
    free_whole_calls(task);
    if (task->newborn)
        engine->tasks.newborns--;
    if (task->kept_until_ns)
        engine->tasks.kept--;
    tasks_remove(&engine->tasks, task);
}

uint64_t cpu_time_us(pid_t pid)
{
    struct timespec used;
    /* MAKE_PROCESS_CPUCLOCK and CPUCLOCK_SCHED of the kernel; clock_getcpuclockid(3) makes a call more. */
    clockid_t clock = (clockid_t)(~(unsigned)pid << 3 | 2);

    if (clock_gettime(clock, &used) < 0)
        return 0;
    return (uint64_t)used.tv_sec * 1000000u + (uint64_t)used.tv_nsec / 1000u;
}

/* How many fds and threads a process has, and its memory while that is still there. */
static void write_leave(struct engine *engine, struct task *task)
{
    pid_t tid = task->caller.tid;
    struct raw_record header = { .kind = RAW_LEAVE, .args = { proc_fd_count(tid) } };

    long threads = shares_space(task) ? proc_status_number(tid, "\nThreads:\t") : 1;
    if (proc_sizes(tid, header.args + 2) == 0 && threads > 0)
        header.args[1] = (uint64_t)threads;
    write_record(&engine->context, &task->caller, &header, NULL);
}

void on_exit_stop(struct engine *engine, struct task *task)
{
    task->ended_making = is_making_child(task);
    abandon_calls(engine, task);
    abandon_whole_calls(engine, task);
    if (task->caller.space && task->caller.space->async && task->caller.fds)
        async_collect(&engine->context, &task->caller);
    async_leave(&engine->context, &task->caller);
    if (engine->options.leaves && task->adopted && task->caller.tid == task->caller.tgid &&
        engine->context.started)
        write_leave(engine, task);
    if (task->caller.fds && (task->caller.tid == task->caller.tgid || task->caller.fds->uses == 1))
        write_final_states(&engine->context, &task->caller, 0, UINT_MAX);
    resume(engine, task, 0);
}

static uint64_t microseconds(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_usec;
}

/* The status word of wait(2), from the result of waitid. */
static int status_word(const siginfo_t *end)
{
    if (end->si_code == CLD_EXITED)
        return (end->si_status & 0xff) << 8;
    return end->si_status | (end->si_code == CLD_DUMPED ? 0x80 : 0);
}

static struct raw_record exit_record(const struct engine *engine, pid_t tid, const siginfo_t *end)
{
    struct rusage usage = { .ru_maxrss = 0 };
    siginfo_t ignored;

    /* glibc's waitid has no rusage; the kernel's has, and WNOWAIT leaves the zombie for later. */
    syscall(SYS_waitid, P_PID, tid, &ignored, WEXITED | WNOWAIT | __WALL, &usage);
    uint64_t user_us = microseconds(usage.ru_utime);
    uint64_t own_us = cpu_time_us(tid); /* a zombie still has its clock */
    uint64_t ours_us = tid == engine->main_pid ? engine->launch_us : 0;
    return (struct raw_record){
        .kind = RAW_EXIT,
        .result = status_word(end),
        .args = { user_us - (ours_us < user_us ? ours_us : user_us), microseconds(usage.ru_stime),
                  (uint64_t)usage.ru_maxrss, (uint64_t)usage.ru_minflt, (uint64_t)usage.ru_majflt,
                  own_us - (ours_us < own_us ? ours_us : own_us) },
    };
}

/* A child was killed before the event of its parent was seen, with which RAW_FORK is written first. */
static struct task *hold_exit(struct engine *engine, struct task *task, pid_t tid,
                              const siginfo_t *end)
{
    if (engine->recording_ended)
        return task;
    if (!task)
        task = tasks_add(&engine->tasks, tid, tid);
    if (task && (task->exit = malloc(sizeof *task->exit)))
        *task->exit = exit_record(engine, tid, end);
    return task;
}

/* Wait until the recorder has committed all records so far, or recording ends. */
static void await_commit(struct engine *engine, const struct task *task)
{
    struct raw_record header = { .kind = RAW_SYNC };

    if (atomic_load(&engine->stop) || !engine->context.started)
        return;
    atomic_store(&engine->acknowledged, false);
    gated_write_ways(engine, &task->caller);
    write_record(&engine->context, &task->caller, &header, NULL);
    ring_hurry(&engine->context.ring);
    pthread_mutex_lock(&engine->lock);
    while (!atomic_load(&engine->acknowledged) && !atomic_load(&engine->stop))
        pthread_cond_wait(&engine->acknowledgement, &engine->lock);
    pthread_mutex_unlock(&engine->lock);
}

void on_exited(struct engine *engine, pid_t tid, const siginfo_t *end)
{
    struct task *task = find_living(engine, tid);
    bool child_comes = false;
    siginfo_t ignored;

    if (task && task->caller.fds) {
        gated_take_last(engine, task);
        child_comes = start_orphans(engine, task);
        abandon_calls(engine, task);
        abandon_whole_calls(engine, task);
        async_leave(&engine->context, &task->caller);
        if (task->caller.fds->uses == 1)
            flush_and_remove_all(&engine->context, &task->caller);
        flush_counted_calls(&engine->context, &task->caller);
        flush_signals(engine, task);
        write_whole_end(engine, task, status_word(end));
        struct raw_record header = exit_record(engine, tid, end);
        write_record(&engine->context, &task->caller, &header, NULL);
        if (tid == engine->main_pid)
            await_commit(engine, task);
    } else {
        task = hold_exit(engine, task, tid, end);
    }
    waitid(P_PID, (id_t)tid, &ignored, WEXITED | __WALL);
    if (!task)
        return;
    if (child_comes || task->exit)
        keep_ended(engine, task);
    else
        drop_task(engine, task);
}
