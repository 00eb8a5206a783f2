/* New programs: what an exec leaves of the old one, and what is known of the new one. */
#include <stdlib.h>
#include <sys/xattr.h>

#include "arch/abi.h"
#include SCOPE_ARCH_H
#include "call/async.h"
#include "call/proc.h"
#include "ptrace/state.h"

/* A record of an exec must fit into the ring: of more fds, those are closed that are known to be. */
enum { LISTED_FDS = 1 << 17 };

/*
 * The exec that makes our launcher the program. Now the program must die with us, since without us its
 * calls would fail: before this, our end is no more than a recording that does not begin. The
 * launcher left the path's place empty for us to fill only after that (exec_watched in launch.c).
 */
void let_start(struct task *task, call_info *info)
{
    struct arch_regs regs;

    if (ptrace(PTRACE_SETOPTIONS, task->tid, 0, TRACE_OPTIONS | PTRACE_O_EXITKILL) < 0)
        return;
    if (info->entry.args[0] || arch_get_regs(task->tid, &regs) < 0)
        return;
    arch_set_first_arg(&regs, false, info->entry.args[3]);
    if (arch_set_regs(task->tid, &regs) == 0)
        info->entry.args[0] = info->entry.args[3];
}

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
    consume_stop(task->tid, NULL);
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
