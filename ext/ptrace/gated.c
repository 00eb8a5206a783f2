/*
 * Which threads make calls in the gate (ext/gate/), and what the engine learns of these calls.
 *
 * Traced is always right, gated only faster: whatever is not certain ends in a traced call. The life of a
 * program, as far as the gate is concerned:
 *
 *  1. It begins without a gate, by exec. Its calls are traced.
 *  2. At the traced call number `gate_at` that the gate could have made, the gate and an arena are
 *     injected. Before that the cost would be more than the gain, unless the same program was given the
 *     gate before: then it has it from its first such call.
 *  3. At that or its next such call a thread is given a slot, and the call's site is patched, with those in the
 *     same file that programs before have used. If the arena is full, another one is injected. A call that needs no
 *     fd is then made in the gate at once.
 *  4. A call uses an fd that the tracer knows: its word says so from then on (publish_fd). Calls on it are
 *     made in the gate, and their bytes are tallied there.
 *  5. At each stop of any thread all records and tallies are taken, before anything else is done
 *     (gated_collect). A thread whose ring is full has its next call traced: that is such a stop.
 *  6. A call in the gate fails, or something about it is not plain: the thread asks the tracer to record
 *     it, with one stop (record_asked).
 *  7. A signal comes: the thread is moved out of the gate (gated_leave).
 *  8. A fork copies the program, and the child has the same arena. A thread that is made in the gate is led out
 *     of it in its first stop (gated_start).
 *  9. Calls have to be seen that the gate does not show (own filters of the program, a call that is
 *     suspended, asynchronous operations): slots are in mode GATE_TRACED (gated_mode).
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "arch/abi.h"
#include "call/arguments.h"
#include "call/call.h"
#include "call/proc.h"
#include "call/tally.h"
#include "ptrace/gated.h"
#include "ptrace/gated_state.h"
#include "ptrace/seccomp.h"

/* -- fds --------------------------------------------------------------------------------------- */

static uint64_t socket_flags_of(const struct engine *engine, const struct fd_entry *entry)
{
    bool flows = engine->context.flows, is_stream = entry->kind == FD_STREAM;

    if (entry->name.hash)
        return 0;
    return GATE_FD_NAMELESS | (entry->connecting ? GATE_FD_CONNECTING : 0) |
           (is_stream && flows ? GATE_FD_HANGUP : 0) |
           (is_stream && (flows || entry->muted) ? GATE_FD_STREAM : 0) |
           (is_stream && entry->muted ? GATE_FD_MUTED : 0) |
           (entry->kind == FD_MESSAGES && flows && !entry->muted ? GATE_FD_MESSAGES : 0) |
           (entry->kind == FD_MESSAGES && entry->ends_recorded ? GATE_FD_ENDS : 0) |
           (is_stream && (entry->ends_recorded || !flows) ? GATE_FD_ENDS : 0);
}

/* What the gate may know of an fd; 0: its calls are traced. */
static uint64_t flags_of(const struct engine *engine, const struct task *task,
                         struct fd_entry *entry, bool name_is_fresh)
{
    uint64_t time = GATE_FD_TIME(ticks_now()) << GATE_FD_TIME_SHIFT;
    uint64_t muted = entry->muted ? GATE_FD_MUTED : 0;
    uint64_t nameless = entry->name.hash ? 0 : GATE_FD_NAMELESS;

    if (fd_kind_of(&task->caller, entry) != FD_PLAIN)
        return socket_flags_of(engine, entry);
    return GATE_FD_KNOWN | muted | nameless | (name_is_fresh ? GATE_FD_FRESH | time : 0);
}

/*
 * After a traced call on an fd: the gate may make the next ones. Another thread may close the fd in the
 * gate meanwhile: then its word has another generation, and stays as it is.
 */
static void publish_fd(const struct engine *engine, struct task *task, int fd, bool name_is_fresh)
{
    struct fd_entry *entry = fd_table_find(task->caller.fds, fd);
    uint64_t flags = entry && fd < ARENA_FDS ? flags_of(engine, task, entry, name_is_fresh) : 0;

    if (!flags)
        return;
    uint64_t *word = &task->caller.fds->words[fd], old = *word;
    const uint64_t decided = GATE_FD_KNOWN | GATE_FD_MUTED | GATE_FD_CONNECTING |
                             (entry->kind == FD_MESSAGES ? GATE_FD_ENDS : 0);
    uint64_t kept = name_is_fresh ? 0 : (uint32_t)old & ~decided;
    uint64_t generation = (uint64_t)entry->generation << GATE_FD_GENERATION_SHIFT;
    if (GATE_FD_GENERATION(old) == entry->generation)
        __atomic_compare_exchange_n(word, &old, generation | kept | flags, false, __ATOMIC_RELEASE,
                                    __ATOMIC_RELAXED);
}

static void publish_pair(const struct engine *engine, struct task *task, const struct pending *call)
{
    int32_t pair[2];

    if (!read_pair(call, pair))
        return;
    publish_fd(engine, task, pair[0], false);
    publish_fd(engine, task, pair[1], false);
}

/* In another user namespace the ids of files are others. */
static bool leaves_users(const struct pending *call)
{
    return call->row == ROW_setns || (call->row == ROW_unshare && call->args[0] & CLONE_NEWUSER);
}

void gated_after_call(struct engine *engine, struct task *task, const struct pending *call,
                      int64_t result)
{
    task->other_users |= result >= 0 && leaves_users(call);
    bool connects = is_connect(call->row);

    if (connects && is_under_way(result) && task->caller.fds)
        fd_table_forget(task->caller.fds, (int)call->args[0], false);
    if (!engine->gate || !gated_has_gate(task) || call->abi != ABIS || (result < 0 && !connects) ||
        !task->caller.fds)
        return;
    gated_take_words(task);
    if (!gated_has_words(task))
        return;
    const struct call *row = &CALLS[call->row];
    if (row->group == GROUP_OPEN)
        publish_fd(engine, task, (int)result, true);
    else if (row->group == GROUP_FD && row->makes_fd)
        publish_fd(engine, task, (int)result, false);
    else if (row->pair)
        publish_pair(engine, task, call);
    else if (row->group == GROUP_NET && (row->ends || row->makes_fd || call->row == ROW_getsockopt))
        publish_fd(engine, task, (int)(row->makes_fd ? result : (int64_t)call->args[0]), false);
    else if (row->transfer != TRANSFER_NONE)
        publish_fd(engine, task, (int)call->args[row->fd - 1], row->transfer == TRANSFER_OUT);
    if (row->transfer == TRANSFER_ACROSS)
        publish_fd(engine, task, (int)call->args[row->fd2 - 1], true);
    if (row->transfer == TRANSFER_OUT) {
        gated_own_file(task, (int)call->args[0]);
        gated_watch_renames(engine->gate, task, (int)call->args[0]);
    }
}

static void doubt_names_of(struct fd_table *fds, uint64_t renames)
{
    if (fds->doubted == renames)
        return;
    fds->doubted = renames;
    for (size_t fd = 0; fd < fds->size && fd < fds->word_count; fd++)
        __atomic_fetch_and(&fds->words[fd], ~(uint64_t)GATE_FD_FRESH, __ATOMIC_RELAXED);
}

/* If a file was renamed: before the next write its name has to be asked for. */
static void doubt_names(struct gate *gate, uint64_t renames)
{
    if (gate->renames == renames)
        return;
    gate->renames = renames;
    for (const struct arena *arena = gate->arenas; arena; arena = arena->next)
        for (unsigned i = 0; i < ARENA_SLOTS; i++)
            if (arena->slots[i] && arena->slots[i]->caller->fds)
                doubt_names_of(arena->slots[i]->caller->fds, renames);
}

void gated_follow_renames(struct engine *engine)
{
    if (engine->gate && gated_take_renames(engine->gate))
        doubt_names(engine->gate, ++engine->context.renames);
}

/* -- the beginning and the end ----------------------------------------------------------------- */

/* Whether the kernel trusts the counter that the gate reads. */
static bool is_clock_stable(void)
{
    static const char PATH[] = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    char name[16] = { 0 };

    return proc_file(PATH, name, sizeof name - 1) > 0 && !strncmp(name, "tsc\n", 4);
}

/* Whether programs may read the base of gs: Linux 5.9, on processors since 2013. */
static bool can_read_gs(void)
{
    enum { FSGSBASE = 1 << 1 }; /* HWCAP2_FSGSBASE of asm/hwcap2.h */

    return getauxval(AT_HWCAP2) & FSGSBASE;
}

static uint8_t action_of(const struct call_options *options, int row)
{
    uint8_t action = filter_gate_action(row);

    bool by_failures = options->modes[row] == MODE_FAILURES && action >= GATE_COUNT;

    return options->modes[row] == MODE_ALL || by_failures ? action : GATE_REFUSE;
}

/* The same, and which argument is a path. */
static uint8_t table_entry_of(const struct call_options *options, int row)
{
    const struct call *call = &CALLS[row];
    uint8_t action = action_of(options, row);
    bool has_one = action != GATE_REFUSE && !call->path2 && !call->is_text;

    return action | (has_one && call->path == 1   ? GATE_PATH_1
                     : has_one && call->path == 2 ? GATE_PATH_2
                                                  : 0);
}

/* Whether all calls stop by which a path may come to lead elsewhere, so that each begins with a round. */
static bool sees_folders(const struct call_options *options)
{
    static const int ROWS[] = {
        ROW_mkdir, ROW_rmdir, ROW_unlink, ROW_rename, ROW_symlink, ROW_chdir
    };

    for (size_t i = 0; i < sizeof ROWS / sizeof *ROWS; i++)
        if (options->modes[ROWS[i]] != MODE_ALL)
            return false;
    return true;
}

void gated_init(struct engine *engine)
{
    struct gate *gate =
        engine->options.gate_at && !engine->options.plan && is_clock_stable() && can_read_gs()
            ? calloc(1, sizeof *gate)
            : NULL;

    if (gate && !gated_init_locks(gate)) {
        free(gate);
        gate = NULL;
    }
    engine->gate = gate;
    if (!gate)
        return;
    init_round(engine);
    gate->origin_ticks = ticks_now();
    gate->origin_ns = monotonic_ns();
    gate->names_opens = can_name_opens(engine);
    gate->sees_folders = sees_folders(&engine->options.calls);
    for (int row = 0; row < ROW_COUNT; row++)
        if (ABIS[0].numbers[row] >= 0 && ABIS[0].numbers[row] < GATE_NUMBERS)
            gate->actions[ABIS[0].numbers[row]] |= table_entry_of(&engine->options.calls, row);
}

void gated_deinit(struct engine *engine)
{
    if (!engine->gate)
        return;
    module_cache_deinit(&engine->gate->modules);
    deinit_round(engine->gate);
    gated_deinit_locks(engine->gate);
    gated_deinit_renames(engine->gate);
    free(engine->gate);
    engine->gate = NULL;
}

/* -- what a slot says -------------------------------------------------------------------------- */

static bool is_held(const struct task *task)
{
    return task->being_killed || (task->held_until_ns && monotonic_ns() < task->held_until_ns);
}

void gated_hold(struct task *task)
{
    if (task->gated)
        task->gated->page->slot.mode = GATE_TRACED;
}

enum gate_mode gated_mode(const struct engine *engine, const struct task *task)
{
    if (is_held(task))
        return GATE_TRACED;
    if (engine->recording_ended)
        return GATE_PASS;
    if (task->every_call || task->other_users || task->suspended_count || task->storm.deferring ||
        task->patched_at || !gated_has_words(task) || task->image->refused ||
        (task->caller.space && task->caller.space->async))
        return GATE_TRACED;
    return engine->options.gate_verify ? GATE_VERIFY : GATE_RECORD;
}

/* Of which paths that lead to nothing a round can still find out what they have meant. */
static enum gate_missing missing_of(const struct engine *engine, const struct task *task)
{
    if (!engine->gate->sees_folders || engine->context.roots_differ || engine->context.serves_files)
        return GATE_MISSING_NONE;
    return is_alone(task) ? GATE_MISSING_ALL : GATE_MISSING_ABSOLUTE;
}

/* What the slot of a thread that runs on says of it. */
static void update_slot(const struct engine *engine, const struct task *task)
{
    struct gate_slot *slot = &task->gated->page->slot;
    bool words = gated_has_words(task);

    slot->fds = words ? arena_address(task->caller.fds->arena, task->caller.fds->words) : 0;
    slot->fds_size = words ? ARENA_FDS : 0;
    slot->copy_limit = engine->options.calls.snaplen;
    slot->stream_limit =
        engine->context.flows ? engine->options.calls.flow_snaplen : engine->options.calls.snaplen;
    slot->flows = engine->context.flows;
    slot->may_try =
        engine->gate->names_opens && !engine->context.roots_differ && !engine->context.serves_files;
    slot->missing = missing_of(engine, task);
    slot->mode = gated_mode(engine, task);
}

void gated_before_resume(struct engine *engine, struct task *task)
{
    struct gate *gate = engine->gate;

    if (!gate)
        return;
    doubt_names(gate, engine->context.renames);
    if (!task->gated)
        return;
    if (!engine->wake_ns && !engine->recording_ended)
        wake_at(engine, gated_next_round(engine, monotonic_ns()));
    if (task->gated->reader.broken)
        gated_refuse(engine, task, NOTE_SPOILED, 0);
    update_slot(engine, task);
}

void gated_end_recording(struct engine *engine)
{
    for (struct task *task = tasks_next(&engine->tasks, NULL); engine->gate && task;
         task = tasks_next(&engine->tasks, task))
        if (task->gated)
            update_slot(engine, task);
}
