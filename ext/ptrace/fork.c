/*
 * New threads and processes: fork, vfork, clone and clone3.
 *
 * A child is traced from its first instruction on. Two events report it, in either order:
 *
 *  1. The parent's PTRACE_EVENT_FORK, VFORK or CLONE first: the child is adopted, that is, given
 *     its share in the tables of its parent, and RAW_FORK is written. Its first stop then only
 *     resumes it.
 *  2. The child's first stop (PTRACE_EVENT_STOP) first: its parent is not known, so it stays in
 *     that stop (newborn) until the parent's event adopts it. RAW_FORK precedes all its records.
 *  3. The child's first stop, and then the end of its parent, whose event never comes (start_orphans). Of a child that
 *     was made in the gate the slot names the maker. Another one is adopted if the thread ended in a call that makes a
 *     child, and if the process that /proc/TID/status calls the child's parent has ended or is in no such call.
 *  4. The end of the parent first, as the child has not run yet: what the parent had is kept for it
 *     (keep_ended), and the process that is its parent by then has its RAW_FORK.
 *  5. The end of the child first: it is written with the parent's event.
 *  6. Recording has ended: newborns are resumed without being adopted (start_newborns), of those that were made in
 *     the gate (gated_note_birth) after the parent's event.
 *
 * CLONE_UNTRACED would have the child not traced at all: the flag is cleared before the call is made,
 * for clone in the register, for clone3 in the memory of the program, where it is restored.
 */
#include <sched.h>

#include "arch/abi.h"
#include SCOPE_ARCH_H
#include "call/payload.h"
#include "call/proc.h"
#include "call/records.h"
#include "ptrace/gated.h"
#include "ptrace/state.h"

enum { CHILD_LATE_NS = 1000 * 1000 * 1000 }; /* how long a child may take to its first stop */
enum { THREAD_FLAGS = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD };

void read_clone3_flags(struct task *task, uint64_t address)
{
    uint64_t flags;

    task->clone3_flags =
        memory_read_whole(task->caller.space, task->caller.tid, address, &flags, sizeof flags) < 0
            ? -1
            : (int64_t)flags;
}

/* clone with CLONE_UNTRACED would let the child escape: clear it, and put it back later. */
void patch_clone(struct task *task, const struct pending *call)
{
    struct arch_regs regs;
    uint64_t flags;

    if (call->row == ROW_clone) {
        if (arch_get_regs(task->caller.tid, &regs) == 0) {
            arch_set_first_arg(&regs, call->abi->audit_arch != ABIS[0].audit_arch,
                               call->args[0] & ~(uint64_t)CLONE_UNTRACED);
            arch_set_regs(task->caller.tid, &regs);
        }
        return;
    }
    read_clone3_flags(task, call->args[0]);
    flags = (uint64_t)task->clone3_flags;
    if (task->clone3_flags < 0 || !(flags & CLONE_UNTRACED))
        return;
    uint64_t traced = flags & ~(uint64_t)CLONE_UNTRACED;
    if (memory_write(task->caller.space, task->caller.tid, call->args[0], &traced, sizeof traced) ==
        0) {
        task->patched_at = call->args[0];
        task->patched_from = flags;
    }
}

void unpatch_clone(struct task *task)
{
    if (task->patched_at)
        memory_write(task->caller.space, task->caller.tid, task->patched_at, &task->patched_from,
                     sizeof task->patched_from);
    task->patched_at = 0;
}

/* A birth is known by its flags; those of clone3 lie in memory, those of clone were patched. */
void fill_birth_flags(struct task *task, struct pending *call)
{
    if (call->row == ROW_clone3__any)
        call->args[0] = task->clone3_flags < 0 ? 0 : (uint64_t)task->clone3_flags;
    else if (call->row == ROW_clone__any)
        task->entry.args[0] &= ~(uint64_t)CLONE_UNTRACED;
}

/*
 * The flags of a clone3 whose struct clone_args could not be read, as far as they show: the kind of the
 * event follows from the exit signal and CLONE_VFORK (kernel_clone in kernel/fork.c).
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

/* The flags of the call that has just made a child of `task`; -1: a clone3. */
static int64_t flags_in_registers(const struct task *task)
{
    struct arch_regs regs;

    if (task->in_call && task->call.row == ROW_clone__any)
        return (int64_t)(uint32_t)task->call.args[0]; /* they were there at its entry */
    return arch_get_regs(task->caller.tid, &regs) < 0 ? 0 : arch_fork_flags(&regs);
}

/* The flags of the fork, vfork, clone or clone3 that has just made a child of `task`. */
static uint64_t birth_flags(const struct task *task, pid_t child)
{
    int64_t flags = flags_in_registers(task);

    if (flags < 0)
        flags = task->clone3_flags;
    if (flags < 0)
        flags = guess_flags(task->caller.tid, child);
    return (uint64_t)flags & ~(uint64_t)CLONE_UNTRACED;
}

/*
 * The inode of a new process's PID namespace, or 0 if that is the recorder's. By unshare and setns a process
 * can choose another one for its children at any time before: it is asked for until the first child is known
 * to be in the recorder's, and again once one of these calls was made.
 */
static uint64_t pid_namespace(struct engine *engine, pid_t tid)
{
    const uint8_t *modes = engine->options.calls.modes;
    bool seen = modes[ROW_unshare__any] != MODE_OFF && modes[ROW_setns__any] != MODE_OFF;
    char path[PROC_PATH];
    struct raw_stat found;

    if (seen && engine->pid_namespace && !engine->context.pids_differ)
        return 0;
    if (!engine->pid_namespace && proc_stat("/proc/self/ns/pid", &found) == 0)
        engine->pid_namespace = found.ino;
    proc_path(path, tid, "ns/pid");
    bool differs = proc_stat(path, &found) == 0 && found.ino != engine->pid_namespace;
    engine->context.pids_differ |= differs;
    return differs ? found.ino : 0;
}

static void write_fork(struct engine *engine, const struct task *parent, const struct task *child,
                       uint64_t flags)
{
    uint64_t namespace =
        child->caller.tid == child->caller.tgid ? pid_namespace(engine, child->caller.tid) : 0;
    struct raw_record header = { .kind = RAW_FORK,
                                 .result = child->caller.tid,
                                 .args = { flags, (uint64_t)child->caller.tgid, namespace } };

    parts_reset(&engine->context.scratch);
    if (namespace)
        add_status(&engine->context.scratch, child->caller.tid);
    write_record(&engine->context, &parent->caller, &header, &engine->context.scratch);
}

/*
 * Give a new task what it shares with its parent or copies from it, and write RAW_FORK: that is `by` another task if
 * the parent has ended.
 */
static void adopt(struct engine *engine, struct task *parent, const struct task *by,
                  struct task *child, uint64_t flags)
{
    child->caller.tgid = flags & CLONE_THREAD ? parent->caller.tgid : child->caller.tid;
    child->program = parent->program;
    child->every_call = parent->every_call;
    child->supervised = parent->supervised;
    child->caller.fds = flags & CLONE_FILES ? parent->caller.fds : fd_table_new();
    if (!child->caller.fds)
        child->caller.fds =
            parent->caller.fds; /* without memory: counted together rather than not at all */
    if (child->caller.fds == parent->caller.fds)
        child->caller.fds->uses++;
    child->caller.space = flags & CLONE_VM ? space_share(parent->caller.space) : NULL;
    gated_birth(engine, parent, child, flags);
    child->adopted = true;
    engine->context.roots_differ |= (flags & CLONE_NEWNS) != 0;
    engine->context.pids_differ |= (flags & CLONE_NEWPID) != 0;
    write_fork(engine, by, child, flags);
}

void start_child(struct engine *engine, struct task *task)
{
    if (!task->caller.space)
        task->caller.space = space_new(task->caller.tid);
    if (task->newborn)
        engine->tasks.newborns--;
    task->newborn = false;
    gated_start(engine, task);
    resume(engine, task, 0);
}

struct task *find_living(struct engine *engine, pid_t tid)
{
    struct task *task = tasks_find(&engine->tasks, tid);

    if (!task || !task->kept_until_ns)
        return task;
    drop_task(engine, task);
    return NULL;
}

struct task *find_child(struct engine *engine, struct task *task)
{
    unsigned long message = 0;

    if (ptrace(PTRACE_GETEVENTMSG, task->caller.tid, 0, &message) < 0)
        return NULL;
    struct task *child = tasks_find(&engine->tasks, (pid_t)message);
    if (!child || !child->exit)
        child = find_living(engine, (pid_t)message);
    if (!child)
        child = tasks_add(&engine->tasks, (pid_t)message, (pid_t)message);
    if (child)
        gated_note_birth(task, child);
    else
        engine->context.counts.lost++;
    return child;
}

bool is_making_child(const struct task *task)
{
    return task->in_call && CALLS[task->call.row].group == GROUP_BIRTH;
}

void on_fork(struct engine *engine, struct task *task)
{
    struct task *child = find_child(engine, task);

    note_progress(task);
    if (!child)
        return;
    if (is_making_child(task))
        task->in_call = false; /* it has succeeded: its syscall-exit-stop is not needed */
    if (child->adopted)
        return;
    adopt(engine, task, task, child, birth_flags(task, child->caller.tid));
    if (child->newborn)
        start_child(engine, child);
    if (!child->exit)
        return;
    write_record(&engine->context, &child->caller, child->exit, NULL);
    drop_task(engine, child);
}

void start_newborns(struct engine *engine)
{
    for (struct task *task = tasks_next(&engine->tasks, NULL); task && engine->tasks.newborns;
         task = tasks_next(&engine->tasks, task))
        if (task->newborn && !gated_awaits_parent(task))
            start_child(engine, task);
}

/* Whether a process may have made a child: it may be the parent by PR_SET_CHILD_SUBREAPER alone. */
static bool may_have_made(const struct engine *engine, pid_t tgid)
{
    for (struct task *task = tasks_next(&engine->tasks, NULL); task;
         task = tasks_next(&engine->tasks, task))
        if (task->adopted && task->caller.tgid == tgid && is_making_child(task))
            return true;
    return false;
}

/*
 * Adopt a child in its first stop if `dead` has made it. False: another one may have, which has ended, too, or
 * whose event is still to come.
 */
static bool adopt_orphan(struct engine *engine, struct task *dead, struct task *child)
{
    enum gated_maker maker = gated_maker_of(dead, child);
    if (maker == GATED_OTHER_MAKER || (maker == GATED_NO_MAKER && !dead->ended_making))
        return false;
    pid_t tgid = (pid_t)proc_status_number(child->caller.tid, "\nTgid:\t");
    pid_t parent = (pid_t)proc_status_number(child->caller.tid, "\nPPid:\t");
    bool thread = tgid != child->caller.tid;
    const struct task *by = dead->kept_until_ns ? tasks_find(&engine->tasks, parent) : NULL;

    if (maker == GATED_NO_MAKER && may_have_made(engine, thread ? tgid : parent))
        return false;
    adopt(engine, dead, by ? by : dead, child, thread ? (uint64_t)THREAD_FLAGS : SIGCHLD);
    if (thread)
        child->caller.tgid = tgid;
    return true;
}

bool start_orphans(struct engine *engine, struct task *dead)
{
    dead->adopted = false; /* so that it is not taken for a living parent */
    dead->ended_making |= is_making_child(dead);
    if (!dead->ended_making && !gated_makes_child(engine, dead))
        return false;
    for (struct task *task = tasks_next(&engine->tasks, NULL); task && engine->tasks.newborns;
         task = tasks_next(&engine->tasks, task))
        if (task->newborn && adopt_orphan(engine, dead, task)) {
            start_child(engine, task);
            return false;
        }
    return true;
}

void keep_ended(struct engine *engine, struct task *dead)
{
    if (dead->newborn)
        engine->tasks.newborns--;
    dead->newborn = false;
    dead->kept_until_ns = monotonic_ns() + CHILD_LATE_NS;
    engine->tasks.kept++;
    wake_at(engine, dead->kept_until_ns);
}

uint64_t drop_due(struct engine *engine, struct task *task, uint64_t now_ns)
{
    if (!task->kept_until_ns || task->kept_until_ns > now_ns)
        return task->kept_until_ns;
    if (start_orphans(engine, task) && engine->tasks.newborns)
        return task->kept_until_ns = now_ns + CHILD_LATE_NS;
    drop_task(engine, task);
    return 0;
}

struct task *add_newborn(struct engine *engine, pid_t tid)
{
    struct task *task = tasks_add(&engine->tasks, tid, tid), *dead = NULL;

    if (!task) {
        engine->context.counts.lost++;
        return NULL;
    }
    while (engine->tasks.kept && (dead = tasks_next(&engine->tasks, dead)))
        if (dead->kept_until_ns && !dead->exit && adopt_orphan(engine, dead, task)) {
            drop_task(engine, dead);
            return task;
        }
    task->newborn = true;
    engine->tasks.newborns++;
    return task;
}
