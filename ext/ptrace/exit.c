/* Ends of threads and processes. */
#include <limits.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "call/async.h"
#include "call/proc.h"
#include "ptrace/state.h"

void drop_files(struct engine *engine, struct task *task)
{
    if (!task->files)
        return;
    if (--task->files->uses == 0)
        files_free(task->files, &engine->pool);
    task->files = NULL;
}

void drop_task(struct engine *engine, struct task *task)
{
    end_turn(engine, task);
    drop_files(engine, task);
    space_drop(task->space);
    if (task->held)
        engine->tasks.held--;
    tasks_remove(&engine->tasks, task);
}

uint64_t cpu_time_us(pid_t pid)
{
    struct timespec used;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &used) < 0)
        return 0;
    return (uint64_t)used.tv_sec * 1000000u + (uint64_t)used.tv_nsec / 1000u;
}

/* What a process has and is, the last time that it can be seen: its memory is still there. */
static void write_leave(struct engine *engine, struct task *task)
{
    struct parts *parts = &task->call.parts;
    struct raw_record header = { .kind = RAW_LEAVE, .args = { proc_fd_count(task->tid) } };

    parts_reset(parts);
    add_status(parts, task->tid);
    write_record(engine, task, &header, parts);
}

void on_exit_stop(struct engine *engine, struct task *task)
{
    abandon_calls(engine, task);
    if (task->space && task->space->async && task->files)
        async_look(engine, task);
    async_leave(engine, task);
    if (engine->options.leaves && task->adopted && task->tid == task->tgid && engine->started)
        write_leave(engine, task);
    if (task->files && (task->tid == task->tgid || task->files->uses == 1))
        tell_last_words(engine, task, 0, UINT_MAX);
    resume(engine, task, 0);
}

static uint64_t microseconds(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_usec;
}

/* The status word of wait(2) that waitid's answer stands for. */
static int status_word(const siginfo_t *death)
{
    if (death->si_code == CLD_EXITED)
        return (death->si_status & 0xff) << 8;
    return death->si_status | (death->si_code == CLD_DUMPED ? 0x80 : 0);
}

static void write_exit(struct engine *engine, const struct task *task, const siginfo_t *death)
{
    struct rusage usage = { .ru_maxrss = 0 };
    siginfo_t ignored;

    /* glibc's waitid has no rusage; the kernel's has, and WNOWAIT leaves the zombie for later. */
    syscall(SYS_waitid, P_PID, task->tid, &ignored, WEXITED | WNOWAIT | __WALL, &usage);
    uint64_t user_us = microseconds(usage.ru_utime);
    uint64_t own_us = cpu_time_us(task->tid); /* a zombie still has its clock */
    uint64_t ours_us = task->tid == engine->main_pid ? engine->launch_us : 0;
    struct raw_record header = {
        .kind = RAW_EXIT,
        .result = status_word(death),
        .args = { user_us - (ours_us < user_us ? ours_us : user_us), microseconds(usage.ru_stime),
                  (uint64_t)usage.ru_maxrss, (uint64_t)usage.ru_minflt, (uint64_t)usage.ru_majflt,
                  own_us - (ours_us < own_us ? ours_us : own_us) },
    };

    write_record(engine, task, &header, NULL);
}

/* Before the main process's end becomes visible to its parent, all it did is committed. */
static void await_commit(struct engine *engine, const struct task *task)
{
    struct raw_record header = { .kind = RAW_SYNC };

    if (atomic_load(&engine->stop) || !engine->started)
        return;
    atomic_store(&engine->acknowledged, false);
    write_record(engine, task, &header, NULL);
    ring_hurry(&engine->ring);
    pthread_mutex_lock(&engine->lock);
    while (!atomic_load(&engine->acknowledged) && !atomic_load(&engine->stop))
        pthread_cond_wait(&engine->acknowledgement, &engine->lock);
    pthread_mutex_unlock(&engine->lock);
}

void on_death(struct engine *engine, pid_t tid, const siginfo_t *death)
{
    struct task *task = tasks_find(&engine->tasks, tid);
    siginfo_t ignored;

    if (task && task->files) {
        abandon_calls(engine, task);
        async_leave(engine, task);
        if (task->files->uses == 1)
            flush_files(engine, task);
        tell_calls(engine, task);
        tell_signals(engine, task);
        write_exit(engine, task, death);
        if (tid == engine->main_pid)
            await_commit(engine, task);
    }
    waitid(P_PID, (id_t)tid, &ignored, WEXITED | __WALL);
    if (!task)
        return;
    if (engine->tasks.held && task->files) {
        task->adopted = false; /* it is dead: only its name and table serve, one last time */
        free_orphans(engine, task);
    }
    drop_task(engine, task);
}
