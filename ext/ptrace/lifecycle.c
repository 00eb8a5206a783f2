/* Births, new programs, signals and ends. */
#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "arch/abi.h"
#include SCOPE_ARCH_H
#include "call/async.h"
#include "call/proc.h"
#include "ptrace/state.h"

/* A record of an exec must fit into the ring: of more fds, those are closed that are known to be. */
enum { LISTED_FDS = 1 << 17 };

enum { THREAD_FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD };

static void drop_files(struct engine *engine, struct task *task)
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

/* -- births ---------------------------------------------------------------------------------- */

/*
 * What a clone3 whose struct clone_args could not be read was asked for, as far as it shows: the
 * kind of the event follows from the exit signal and CLONE_VFORK (kernel_clone in kernel/fork.c).
 */
static int64_t guess_flags(pid_t parent, pid_t child)
{
    siginfo_t stop = { .si_code = 0 };

    ptrace(PTRACE_GETSIGINFO, parent, 0, &stop);
    if (stop.si_code >> 8 == PTRACE_EVENT_VFORK)
        return CLONE_VM | CLONE_VFORK | SIGCHLD;
    if (stop.si_code >> 8 == PTRACE_EVENT_CLONE && proc_status_number(child, "\nTgid:\t") != child)
        return THREAD_FLAGS;
    return SIGCHLD;
}

/* The flags of the fork, vfork, clone or clone3 that has just made a child of `task`. */
static uint64_t birth_flags(const struct task *task, pid_t child)
{
    struct arch_regs regs;
    int64_t flags;

    if (arch_get_regs(task->tid, &regs) < 0)
        return 0;
    flags = arch_fork_flags(&regs);
    if (flags < 0)
        flags = task->clone3_flags;
    if (flags < 0)
        flags = guess_flags(task->tid, child);
    return (uint64_t)flags & ~(uint64_t)CLONE_UNTRACED;
}

/*
 * The inode of a new process's PID namespace, or 0 if that is ours. It is looked at for each: a
 * namespace can be chosen for children to come by clone, unshare and setns, at any time before.
 */
static uint64_t pid_namespace(struct engine *engine, pid_t tid)
{
    char path[PROC_PATH];
    struct raw_stat found;

    if (!engine->pid_namespace && proc_stat("/proc/self/ns/pid", &found) == 0)
        engine->pid_namespace = found.ino;
    proc_path(path, tid, "ns/pid");
    return proc_stat(path, &found) < 0 || found.ino == engine->pid_namespace ? 0 : found.ino;
}

static void write_fork(struct engine *engine, const struct task *parent, const struct task *child,
                       uint64_t flags)
{
    uint64_t namespace = child->tid == child->tgid ? pid_namespace(engine, child->tid) : 0;
    struct raw_record header = { .kind = RAW_FORK,
                                 .result = child->tid,
                                 .args = { flags, (uint64_t)child->tgid, namespace } };

    parts_reset(&engine->scratch);
    if (namespace)
        add_status(&engine->scratch, child->tid);
    write_record(engine, parent, &header, &engine->scratch);
}

/* Give a new task what it shares with, or copies from, its parent, and tell Python. */
static void adopt(struct engine *engine, struct task *parent, struct task *child, uint64_t flags)
{
    child->tgid = flags & CLONE_THREAD ? parent->tgid : child->tid;
    child->every_call = parent->every_call;
    child->supervised = parent->supervised;
    child->files = flags & CLONE_FILES ? parent->files : files_new();
    if (!child->files)
        child->files = parent->files; /* without memory: counted together rather than not at all */
    if (child->files == parent->files)
        child->files->uses++;
    child->space = flags & CLONE_VM ? space_share(parent->space) : NULL;
    child->adopted = true;
    engine->strange_roots |= (flags & CLONE_NEWNS) != 0;
    write_fork(engine, parent, child, flags);
}

/* A held child goes on: its memory is opened while it still stands. */
static void release(struct engine *engine, struct task *task)
{
    if (!task->space)
        task->space = space_open(task->tid);
    if (task->held)
        engine->tasks.held--;
    task->held = false;
    resume(engine, task, 0);
}

void on_fork(struct engine *engine, struct task *task)
{
    unsigned long message = 0;

    if (ptrace(PTRACE_GETEVENTMSG, task->tid, 0, &message) < 0)
        return;
    uint64_t flags = birth_flags(task, (pid_t)message);
    if (task->in_call && CALLS[task->call.row].group == GROUP_BIRTH)
        task->in_call = false; /* it has succeeded: its return need not be awaited */
    struct task *child = tasks_find(&engine->tasks, (pid_t)message);
    if (!child)
        child = tasks_add(&engine->tasks, (pid_t)message, (pid_t)message);
    if (!child) {
        engine->counts.lost++;
        return;
    }
    if (child->adopted)
        return;
    adopt(engine, task, child, flags);
    if (child->held)
        release(engine, child);
}

/* A tid nobody has announced: its parent's event is still to come, or died with the parent. */
struct task *on_stranger(struct engine *engine, pid_t tid)
{
    struct task *task = tasks_add(&engine->tasks, tid, tid);

    if (task) {
        task->held = true;
        engine->tasks.held++;
    } else {
        engine->counts.lost++;
    }
    return task;
}

void release_held(struct engine *engine)
{
    for (struct task *task = tasks_next(&engine->tasks, NULL); task && engine->tasks.held;
         task = tasks_next(&engine->tasks, task))
        if (task->held)
            release(engine, task);
}

static bool process_lives(const struct engine *engine, pid_t tgid)
{
    for (struct task *task = tasks_next(&engine->tasks, NULL); task;
         task = tasks_next(&engine->tasks, task))
        if (task->adopted && task->tgid == tgid)
            return true;
    return false;
}

/* After a death: a held child whose maker is gone will never be announced; it is let go now. */
static void free_orphans(struct engine *engine, struct task *dead)
{
    for (struct task *task = tasks_next(&engine->tasks, NULL); task && engine->tasks.held;
         task = tasks_next(&engine->tasks, task)) {
        if (!task->held)
            continue;
        pid_t tgid = (pid_t)proc_status_number(task->tid, "\nTgid:\t");
        pid_t parent = (pid_t)proc_status_number(task->tid, "\nPPid:\t");
        bool thread = tgid != task->tid;
        if (process_lives(engine, thread ? tgid : parent))
            continue;
        adopt(engine, dead, task, thread ? (uint64_t)THREAD_FLAGS : SIGCHLD);
        if (thread)
            task->tgid = tgid;
        release(engine, task);
    }
}

/* -- new programs ---------------------------------------------------------------------------- */

/* The exec ended all other threads, with or without a word; `task` has the leader's id now. */
static void end_other_threads(struct engine *engine, struct task *task)
{
    for (struct task *other = tasks_next(&engine->tasks, NULL); other;) {
        struct task *next = tasks_next(&engine->tasks, other);
        if (other != task && other->tgid == task->tgid) {
            abandon_calls(engine, other);
            tell_calls(engine, other);
            tell_signals(engine, other);
            drop_task(engine, other);
        }
        other = next;
    }
}

static void renew_files(struct engine *engine, struct task *task)
{
    struct files *fresh = files_new();

    if (!fresh)
        return;
    if (task->files->uses == 1)
        flush_files(engine, task);
    drop_files(engine, task);
    task->files = fresh;
}

static void add_program(struct parts *parts, pid_t tid)
{
    char path[PROC_PATH];
    uint8_t caps[64];

    proc_path(path, tid, "exe");
    add_link(parts, PART_EXE, path);
    add_stat(parts, path);
    ssize_t size = getxattr(path, "security.capability", caps, sizeof caps);
    if (size > 0)
        parts_add(parts, PART_CAPS, 0, caps, (size_t)size);
}

/* What is known of a program that starts; `missing_out`: how many arguments and variables are not. */
static void add_circumstances(const struct engine *engine, struct parts *parts, pid_t tid,
                              uint64_t missing_out[2])
{
    char path[PROC_PATH];

    proc_path(path, tid, "cmdline");
    missing_out[0] = add_strings(parts, PART_ARGV, path, engine->options.args_limit);
    add_status(parts, tid);
    proc_path(path, tid, "cwd");
    add_link(parts, PART_CWD, path);
    proc_path(path, tid, "root");
    add_link(parts, PART_ROOT, path);
    if (!engine->options.environment)
        return;
    proc_path(path, tid, "environ");
    missing_out[1] = add_strings(parts, PART_ENVIRON, path, engine->options.env_limit);
}

static void write_inherited(struct engine *engine, struct task *task, const uint32_t *fds,
                            ssize_t count)
{
    for (ssize_t i = 0; i < count; i++)
        write_seen(engine, task, (int)fds[i], SEEN_INHERITED);
}

/* CPU time a process has used so far, in microseconds; 0 if that cannot be asked. */
static uint64_t cpu_time_us(pid_t pid)
{
    struct timespec used;
    clockid_t clock;

    if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &used) < 0)
        return 0;
    return (uint64_t)used.tv_sec * 1000000u + (uint64_t)used.tv_nsec / 1000u;
}

static void write_exec(struct engine *engine, struct task *task, pid_t former_tid)
{
    struct raw_record header = { .kind = RAW_EXEC, .args = { (uint64_t)former_tid } };
    struct parts *parts = &task->call.parts; /* holds PATH, copied when the call began */
    bool first = !engine->started;
    uint32_t *fds = NULL;
    ssize_t count = proc_fds(task->tid, &fds);

    header.entered_ns = task->in_call ? task->call.entered_ns : monotonic_ns();
    header.elapsed_ns = monotonic_ns() - header.entered_ns;
    header.syscall = task->in_call ? task->call.row : ROW_execve;
    if (!task->in_call)
        parts_reset(parts);
    engine->started = true;
    if (first) {
        engine->launch_us = cpu_time_us(task->tid);
        write_inherited(engine, task, fds, count);
    }
    add_program(parts, task->tid);
    add_circumstances(engine, parts, task->tid, header.args + 1);
    if (count >= 0 && count <= LISTED_FDS)
        parts_add(parts, PART_FDS, 0, fds, (size_t)count * sizeof *fds);
    write_record(engine, task, &header, parts);
    free(fds);
}

/* A thread that is no leader takes the leader's id when it execs: move its call over. */
static void take_over(struct engine *engine, struct task *task, pid_t former_tid)
{
    struct task *former = former_tid == task->tid ? NULL : tasks_find(&engine->tasks, former_tid);

    if (!former)
        return;
    struct pending leaders = task->call;
    task->call = former->call;
    former->call = leaders;
    task->in_call = former->in_call;
    task->every_call = former->every_call;
    task->supervised = former->supervised;
    former->in_call = false;
    struct files *files = task->files;
    task->files = former->files;
    former->files = files;
}

void on_exec(struct engine *engine, struct task *task)
{
    unsigned long former_tid = (unsigned long)task->tid;

    /* Until it is waited for, a thread that took the leader's id is refused to us (ESRCH). */
    consume_stop(task);
    if (!engine->started) /* where the filter does not stop execve this was not done before */
        ptrace(PTRACE_SETOPTIONS, task->tid, 0, TRACE_OPTIONS | PTRACE_O_EXITKILL);
    ptrace(PTRACE_GETEVENTMSG, task->tid, 0, &former_tid);
    take_over(engine, task, (pid_t)former_tid);
    end_other_threads(engine, task);
    tell_calls(engine, task);
    async_leave(engine, task);
    tell_signals(engine, task);
    renew_files(engine, task);
    space_drop(task->space);
    task->space = space_open(task->tid);
    /* Of the first one there were no records under another id. */
    write_exec(engine, task, engine->started ? (pid_t)former_tid : task->tid);
    task->in_call = false;
    task->last_number = -1;
    abandon_calls(engine, task);
}

/* -- other stops ----------------------------------------------------------------------------- */

static bool is_stop_signal(int signal)
{
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

/* PTRACE_EVENT_STOP: a group stop, the first stop of a child, or the end of a group stop. */
void on_stop_event(struct engine *engine, struct task *task, int signal)
{
    if (!task->adopted || is_stop_signal(signal))
        consume_stop(task); /* or it is reported again */
    if (!task->adopted)
        return;
    if (is_stop_signal(signal)) {
        ptrace(PTRACE_LISTEN, task->tid, 0, 0);
        return;
    }
    release(engine, task);
}

/* -- ends ------------------------------------------------------------------------------------ */

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
