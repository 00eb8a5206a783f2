/*
 * An exec that has succeeded (PTRACE_EVENT_EXEC).
 *
 *  1. The only thread of a process execs: its fd table may have been shared and is its own now, its
 *     address space is new, native AIO and io_uring of the old one have ended. RAW_EXEC is written.
 *  2. The leader of several threads execs: the kernel has ended the others, some of them without an
 *     event. They are removed here (end_other_threads).
 *  3. Another thread execs: it has the leader's tid from now on, the process's pid. PTRACE_GETEVENTMSG
 *     returns its former one. The leader's task is given its call and its fd table (take_over_leader),
 *     and its own task is removed as in 2. Until the stop is consumed, the kernel refuses ptrace
 *     requests for the new tid (ESRCH).
 *  4. The launcher becomes the program: recording starts. Like 1, or like 3 if a thread of its own
 *     did it (launch.h). Descriptors that the program inherits are recorded before RAW_EXEC.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "arch/abi.h"
#include SCOPE_ARCH_H
#include "call/async.h"
#include "call/payload.h"
#include "call/proc.h"
#include "call/records.h"
#include "call/tally.h"
#include "ptrace/gated.h"
#include "ptrace/state.h"

/* RAW_EXEC must fit into the ring: longer lists of fds are left out of it. */
enum { LISTED_FDS = 1 << 17 };

/*
 * From this exec on the program must end with the tracer (PTRACE_O_EXITKILL), since without one its
 * calls would fail with ENOSYS. Before it, the end of the tracer means only that nothing is
 * recorded. So the launcher makes the call without a path, and the tracer adds it once the option
 * is set (exec_watched in launch.c).
 */
void complete_first_exec(struct task *task, call_info *info)
{
    struct arch_regs regs;

    if (ptrace(PTRACE_SETOPTIONS, task->caller.tid, 0, TRACE_OPTIONS | PTRACE_O_EXITKILL) < 0)
        return;
    if (info->entry.args[0] || arch_get_regs(task->caller.tid, &regs) < 0)
        return;
    arch_set_first_arg(&regs, false, info->entry.args[3]);
    if (arch_set_regs(task->caller.tid, &regs) == 0)
        info->entry.args[0] = info->entry.args[3];
}

/* False: without memory, it keeps its table. */
static bool renew_files(struct engine *engine, struct task *task)
{
    struct fd_table *fresh = fd_table_new();

    if (!fresh)
        return false;
    if (task->caller.fds->uses == 1)
        flush_and_remove_all(&engine->context, &task->caller);
    drop_fd_table(engine, task);
    task->caller.fds = fresh;
    return true;
}

/* The exec ended all other threads of the process; not all of them have had an exit stop. */
static void end_other_threads(struct engine *engine, struct task *task)
{
    for (struct task *other = tasks_next(&engine->tasks, NULL); other;) {
        struct task *next = tasks_next(&engine->tasks, other);
        if (other != task && other->caller.tgid == task->caller.tgid && !other->kept_until_ns) {
            gated_take_last(engine, other);
            bool child_comes = start_orphans(engine, other);
            abandon_calls(engine, other);
            abandon_whole_calls(engine, other);
            flush_counted_calls(&engine->context, &other->caller);
            flush_signals(engine, other);
            if (child_comes && renew_files(engine, other))
                keep_ended(engine, other);
            else
                drop_task(engine, other);
        }
        other = next;
    }
}

/* Returns whether its file gives who runs it other rights. */
static bool add_program(struct parts *parts, pid_t tid, struct program_file *file_out)
{
    struct raw_stat found = { .mode = 0 };
    char path[PROC_PATH];
    uint8_t caps[64];

    proc_path(path, tid, "exe");
    add_link(parts, PART_EXE, path);
    if (proc_stat(path, &found) == 0)
        parts_add(parts, PART_STAT, 0, &found, sizeof found);
    ssize_t size = getxattr(path, "security.capability", caps, sizeof caps);
    if (size > 0)
        parts_add(parts, PART_CAPS, 0, caps, (size_t)size);
    *file_out = (struct program_file){ found.dev, found.ino };
    return size > 0 || found.mode & (S_ISUID | S_ISGID);
}

/* Who runs it. /proc/TID/status says that as well and takes longer; only it says what no_new_privs withholds. */
static void add_ids(struct parts *parts, pid_t tid, bool gives_rights)
{
    struct raw_ids ids;
    bool known = proc_ids(tid, &ids) == 0;

    if (known)
        parts_add(parts, PART_IDS, 0, &ids, sizeof ids);
    if (!known || gives_rights)
        add_status(parts, tid);
}

/* ROOT is the first program's, unless a thread may have changed its own. */
static void add_root(struct engine *engine, struct parts *parts, pid_t tid)
{
    const uint8_t *modes = engine->options.calls.modes;
    bool seen = modes[ROW_chroot] == MODE_ALL && modes[ROW_unshare] == MODE_ALL;
    char path[PROC_PATH];

    if (seen && engine->root_size && !engine->context.roots_differ) {
        parts_add(parts, PART_ROOT, 0, engine->root, engine->root_size);
        return;
    }
    proc_path(path, tid, "root");
    add_link(parts, PART_ROOT, path);
    const struct raw_part *root = parts_find(parts, PART_ROOT);
    if (root && !engine->context.roots_differ && root->size <= sizeof engine->root) {
        memcpy(engine->root, root->bytes, root->size);
        engine->root_size = root->size;
    }
}

/*
 * Command line, cwd, root and environment. `missing_out`: how many arguments and how many variables
 * were left out for their size.
 */
static void add_circumstances(struct engine *engine, struct parts *parts, pid_t tid,
                              uint64_t missing_out[2])
{
    char path[PROC_PATH];

    proc_path(path, tid, "cmdline");
    missing_out[0] = add_strings(parts, PART_ARGV, path, engine->options.args_limit);
    proc_path(path, tid, "cwd");
    add_link(parts, PART_CWD, path);
    add_root(engine, parts, tid);
    if (!engine->options.environment)
        return;
    proc_path(path, tid, "environ");
    missing_out[1] = add_strings(parts, PART_ENVIRON, path, engine->options.env_limit);
}

static void write_inherited(struct engine *engine, struct task *task, const uint32_t *fds,
                            ssize_t count)
{
    for (ssize_t i = 0; i < count; i++)
        write_found_fd(&engine->context, &task->caller, (int)fds[i], SEEN_INHERITED);
}

/* Threads that share the table may change it until the exec has ended them; a supervisor may add to it. */
void count_fds_before_exec(struct task *task)
{
    bool is_own = task->caller.fds && task->caller.fds->uses == 1 && !task->supervised;

    task->fds_before_exec = is_own ? proc_quick_fd_count(task->caller.tid) : 0;
}

/* Exec only closes fds: with as many as before it none was closed. To list them makes an inode of each. */
static bool has_same_fds(const struct task *task)
{
    return task->in_call && task->fds_before_exec &&
           task->fds_before_exec == proc_quick_fd_count(task->caller.tid);
}

static void add_fds(struct engine *engine, struct task *task, struct parts *parts, bool first)
{
    uint32_t *fds = NULL;
    ssize_t count = proc_fds(task->caller.tid, &fds);

    if (first)
        write_inherited(engine, task, fds, count);
    if (count >= 0 && count <= LISTED_FDS)
        parts_add(parts, PART_FDS, 0, fds, (size_t)count * sizeof *fds);
    free(fds);
}

static void write_exec(struct engine *engine, struct task *task, pid_t former_tid)
{
    struct raw_record header = { .kind = RAW_EXEC, .args = { (uint64_t)former_tid } };
    struct parts *parts = &task->call.parts; /* holds PATH, copied when the call began */
    bool first = !engine->context.started;

    header.entered_ns = task->in_call ? task->call.entered_ns : monotonic_ns();
    header.elapsed_ns = monotonic_ns() - header.entered_ns;
    header.syscall = task->in_call ? task->call.row : ROW_execve;
    if (!task->in_call)
        parts_reset(parts);
    engine->context.started = true;
    if (first)
        engine->launch_us = cpu_time_us(task->caller.tid);
    header.args[3] = !first && has_same_fds(task);
    if (!header.args[3])
        add_fds(engine, task, parts, first);
    bool gives_rights = add_program(parts, task->caller.tid, &task->program);
    add_ids(parts, task->caller.tid, gives_rights);
    add_circumstances(engine, parts, task->caller.tid, header.args + 1);
    write_record(&engine->context, &task->caller, &header, parts);
}

/*
 * A thread that is not the leader has execed: its call and its table are the leader's now. The leader may have been
 * making a child: what that is known by is left to the thread that has ended.
 */
static void take_over_leader(struct engine *engine, struct task *task, pid_t former_tid)
{
    struct task *former =
        former_tid == task->caller.tid ? NULL : tasks_find(&engine->tasks, former_tid);

    if (!former)
        return;
    former->ended_making = task->ended_making || is_making_child(task);
    task->ended_making = false;
    gated_swap(task, former);
    struct pending leaders = task->call;
    task->call = former->call;
    former->call = leaders;
    task->entry = former->entry;
    task->in_call = former->in_call;
    task->fds_before_exec = 0;
    task->every_call = former->every_call;
    task->supervised = former->supervised;
    former->in_call = false;
    move_whole_calls(engine, task, former);
    struct fd_table *files = task->caller.fds;
    task->caller.fds = former->caller.fds;
    former->caller.fds = files;
}

void on_exec(struct engine *engine, struct task *task)
{
    unsigned long former_tid = (unsigned long)task->caller.tid;

    consume_stop(task->caller.tid, NULL); /* case 3 */
    if (!engine->context
             .started) /* complete_first_exec has not, if the filter does not stop execve */
        ptrace(PTRACE_SETOPTIONS, task->caller.tid, 0, TRACE_OPTIONS | PTRACE_O_EXITKILL);
    ptrace(PTRACE_GETEVENTMSG, task->caller.tid, 0, &former_tid);
    take_over_leader(engine, task, (pid_t)former_tid);
    end_other_threads(engine, task);
    flush_counted_calls(&engine->context, &task->caller);
    async_leave(&engine->context, &task->caller);
    flush_signals(engine, task);
    gated_leave_image(engine, task);
    renew_files(engine, task);
    space_drop(task->caller.space);
    task->caller.space = space_new(task->caller.tid);
    /* Before the first exec there are no records, so none under a former tid. */
    write_exec(engine, task, engine->context.started ? (pid_t)former_tid : task->caller.tid);
    task->in_call = false;
    task->last_number = -1;
    abandon_calls(engine, task);
}
