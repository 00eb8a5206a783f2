/*
 * Which threads make calls in the gate (ext/gate/), and what the engine learns of these calls.
 *
 * Traced is always right, gated only faster: whatever is not certain ends in a traced call. The life of a
 * program, as far as the gate is concerned:
 *
 *  1. It begins without a gate, by exec. Its calls are traced.
 *  2. At the traced call number `gate_at` that the gate could have made, the gate and an arena are
 *     injected. Before that the cost would be more than the gain.
 *  3. At its next such call a thread is given a slot, and the call's site is patched. If the arena is full,
 *     another one is injected.
 *  4. A call uses an fd that the tracer knows: its word says so from then on (publish_fd). Calls on it are
 *     made in the gate, and their bytes are tallied there.
 *  5. At each stop of any thread all records and tallies are taken, before anything else is done
 *     (gated_collect). A thread whose ring is full has its next call traced: that is such a stop.
 *  6. A call in the gate fails, or something about it is not plain: the thread asks the tracer to record
 *     it, with one stop (record_asked).
 *  7. A signal comes: the thread is moved out of the gate (gated_leave).
 *  8. A fork copies the program, and the child has the same arena. No child has a slot at its birth.
 *  9. Calls have to be seen that the gate does not show (own filters of the program, a call that is
 *     suspended, asynchronous operations): slots are in mode GATE_TRACED (gated_mode).
 */
#include <sched.h>
#include <sys/auxv.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "arch/abi.h"
#include SCOPE_ARCH_H
#include "call/call.h"
#include "call/proc.h"
#include "call/records.h"
#include "call/tally.h"
#include "gate/inject.h"
#include "ptrace/gated.h"
#include "ptrace/gated_state.h"
#include "ptrace/seccomp.h"

/* -- fds -------------------------------------------------------------------------------------- */

static bool has_gate(const struct task *task)
{
    return task->image && task->image->arena_count;
}

static bool has_words(const struct task *task)
{
    return task->caller.fds && task->caller.fds->words &&
           image_has_arena(task->image, task->caller.fds->arena);
}

/* False: all tables of all arenas are in use. */
static bool take_words(const struct task *task)
{
    struct fd_table *fds = task->caller.fds;

    for (unsigned i = 0; !fds->words && i < task->image->arena_count; i++) {
        fds->words = arena_take_table(task->image->arenas[i]);
        fds->arena = fds->words ? task->image->arenas[i] : NULL;
        fds->word_count = fds->words ? ARENA_FDS : 0;
    }
    return fds->words;
}

void gated_release_words(struct fd_table *fds)
{
    if (fds->words)
        arena_give_table(fds->arena, fds->words);
    fds->words = NULL;
    fds->word_count = 0;
}

/* What the gate may know of an fd; 0: its calls are traced. */
static uint64_t flags_of(const struct engine *engine, const struct task *task,
                         struct fd_entry *entry, bool name_is_fresh)
{
    uint64_t time = GATE_FD_TIME(ticks_now()) << GATE_FD_TIME_SHIFT;
    uint64_t muted = entry->muted ? GATE_FD_MUTED : 0;

    switch (fd_kind_of(&task->caller, entry)) {
    case FD_PLAIN:
        return GATE_FD_KNOWN | muted | (name_is_fresh ? GATE_FD_FRESH | time : 0);
    case FD_STREAM:
        if (entry->connecting || (!engine->context.flows && !muted))
            return 0;
        return GATE_FD_STREAM | muted |
               (entry->ends_recorded || !engine->context.flows ? GATE_FD_ENDS : 0);
    default:
        return 0;
    }
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
    uint64_t kept = name_is_fresh ? 0 : (uint32_t)old & ~(uint64_t)(GATE_FD_KNOWN | GATE_FD_MUTED);
    uint64_t generation = (uint64_t)entry->generation << GATE_FD_GENERATION_SHIFT;
    if (GATE_FD_GENERATION(old) == entry->generation)
        __atomic_compare_exchange_n(word, &old, generation | kept | flags, false, __ATOMIC_RELEASE,
                                    __ATOMIC_RELAXED);
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
    if (!engine->gate || !has_gate(task) || call->abi != ABIS || result < 0 || !task->caller.fds)
        return;
    take_words(task);
    if (!has_words(task))
        return;
    if (CALLS[call->row].group == GROUP_OPEN)
        publish_fd(engine, task, (int)result, true);
    else if (CALLS[call->row].group == GROUP_NET && CALLS[call->row].ends)
        publish_fd(engine, task, (int)(CALLS[call->row].makes_fd ? result : (int64_t)call->args[0]),
                   false);
    else if (CALLS[call->row].transfer == TRANSFER_IN || CALLS[call->row].transfer == TRANSFER_OUT)
        publish_fd(engine, task, (int)call->args[0], CALLS[call->row].transfer == TRANSFER_OUT);
    if (CALLS[call->row].transfer == TRANSFER_OUT)
        gated_own_file(engine, task, (int)call->args[0]);
}

static void doubt_names_of(struct fd_table *fds, uint64_t renames)
{
    if (fds->doubted == renames)
        return;
    fds->doubted = renames;
    for (size_t fd = 0; fd < fds->size && fd < fds->word_count; fd++)
        __atomic_fetch_and(&fds->words[fd], ~(uint64_t)GATE_FD_FRESH, __ATOMIC_RELAXED);
}

/* A file was renamed: before the next write its name has to be asked for. */
static void doubt_names(const struct gate *gate)
{
    for (const struct arena *arena = gate->arenas; arena; arena = arena->next)
        for (unsigned i = 0; i < ARENA_SLOTS; i++)
            if (arena->slots[i] && arena->slots[i]->caller->fds)
                doubt_names_of(arena->slots[i]->caller->fds, gate->renames);
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

    return options->modes[row] == MODE_ALL || action >= GATE_COUNT ? action : GATE_REFUSE;
}

void gated_init(struct engine *engine)
{
    struct gate *gate =
        engine->options.gate_at && !engine->options.plan && is_clock_stable() && can_read_gs()
            ? calloc(1, sizeof *gate)
            : NULL;

    engine->gate = gate;
    if (!gate)
        return;
    init_round(engine);
    gate->origin_ticks = ticks_now();
    gate->origin_ns = monotonic_ns();
    gate->names_opens = can_name_opens(engine);
    for (int row = 0; row < ROW_COUNT; row++)
        if (ABIS[0].numbers[row] >= 0 && ABIS[0].numbers[row] < GATE_NUMBERS)
            gate->actions[ABIS[0].numbers[row]] |= action_of(&engine->options.calls, row);
}

void gated_deinit(struct engine *engine)
{
    if (!engine->gate)
        return;
    module_cache_deinit(&engine->gate->modules);
    deinit_round(engine->gate);
    free(engine->gate);
    engine->gate = NULL;
}

/* -- slots ------------------------------------------------------------------------------------ */

static bool is_held(const struct task *task)
{
    return task->being_killed || (task->held_until_ns && monotonic_ns() < task->held_until_ns);
}

void gated_hold(struct task *task)
{
    if (task->gated)
        task->gated->page->slot.mode = GATE_TRACED;
}

static enum gate_mode gated_mode(const struct engine *engine, const struct task *task)
{
    if (is_held(task))
        return GATE_TRACED;
    if (engine->recording_ended)
        return GATE_PASS;
    if (task->every_call || task->other_users || task->suspended_count || task->storm.deferring ||
        task->patched_at || !has_words(task) || task->image->refused ||
        (task->caller.space && task->caller.space->async))
        return GATE_TRACED;
    return engine->options.gate_verify ? GATE_VERIFY : GATE_RECORD;
}

/* All calls of a program are traced from now on. */
static void refuse_image(struct engine *engine, const struct task *task, enum raw_note note,
                         enum raw_ungated why)
{
    if (!task->image->refused && !engine->recording_ended)
        write_note(&engine->context, &task->caller, note, why);
    task->image->refused = true;
    image_retire(task->image, task->caller.space, task->caller.tid);
}

/* What the slot of a thread that runs on says of it. */
static void update_slot(const struct engine *engine, const struct task *task)
{
    struct gate_slot *slot = &task->gated->page->slot;
    bool words = has_words(task);

    slot->fds = words ? arena_address(task->caller.fds->arena, task->caller.fds->words) : 0;
    slot->fds_size = words ? ARENA_FDS : 0;
    slot->copy_limit = engine->options.calls.snaplen;
    slot->stream_limit =
        engine->context.flows ? engine->options.calls.flow_snaplen : engine->options.calls.snaplen;
    slot->may_try =
        engine->gate->names_opens && !engine->context.roots_differ && !engine->context.serves_files;
    slot->mode = gated_mode(engine, task);
}

void gated_before_resume(struct engine *engine, struct task *task)
{
    struct gate *gate = engine->gate;

    if (!gate)
        return;
    if (gate->renames != engine->context.renames) {
        gate->renames = engine->context.renames;
        doubt_names(gate);
    }
    if (!task->gated)
        return;
    if (!engine->wake_ns && !engine->recording_ended)
        wake_at(engine, gated_next_round(engine, monotonic_ns()));
    if (task->gated->reader.broken)
        refuse_image(engine, task, NOTE_SPOILED, 0);
    update_slot(engine, task);
}

static bool is_in_arena(uint64_t address)
{
    return address - GATE_ARENA_BASE < (uint64_t)GATE_ARENAS * GATE_ARENA_STRIDE;
}

/* False: all slots of all arenas are in use. */
static bool take_slot(struct engine *engine, struct task *task)
{
    for (unsigned i = 0; !task->gated && i < task->image->arena_count; i++)
        task->gated =
            gate_thread_new(task->image->arenas[i], &task->caller, &engine->gate->threads);
    return task->gated;
}

static void enter_slot(struct engine *engine, struct task *task)
{
    struct arch_regs regs;

    if (arch_get_regs(task->caller.tid, &regs) < 0)
        return;
    if (regs.user.gs_base && !is_in_arena(regs.user.gs_base)) {
        refuse_image(engine, task, NOTE_UNGATED, UNGATED_GS); /* it has a use of its own for gs */
        return;
    }
    if (!take_slot(engine, task))
        return;
    regs.user.gs_base = task->gated->page->slot.self;
    arch_set_regs(task->caller.tid, &regs);
}

static void end_thread(struct engine *engine, struct task *task)
{
    if (!task->gated)
        return;
    gate_thread_mark(task->gated);
    gated_collect(engine);
    gated_disown_all(task->gated);
    engine->gate->ways[WAY_GATED] += task->gated->calls;
    gate_thread_free(task->gated);
    task->gated = NULL;
}

void gated_end_recording(struct engine *engine)
{
    for (struct task *task = tasks_next(&engine->tasks, NULL); engine->gate && task;
         task = tasks_next(&engine->tasks, task))
        if (task->gated)
            update_slot(engine, task);
}

/* -- births and execs -------------------------------------------------------------------------- */

/* The first other thread is about to run: afterwards some sites could not be patched any more. */
static void patch_ahead(const struct engine *engine, const struct task *parent, uint64_t flags)
{
    enum { PARENT_AND_CHILD = 2 };

    if (has_gate(parent) && !parent->image->refused && flags & CLONE_THREAD &&
        parent->caller.space && parent->caller.space->uses == PARENT_AND_CHILD)
        image_patch_ahead(parent->image, &engine->gate->modules, parent->caller.tid,
                          parent->caller.space, engine->gate->actions);
}

void gated_birth(const struct engine *engine, struct task *parent, struct task *child,
                 uint64_t flags)
{
    child->other_users = parent->other_users || flags & CLONE_NEWUSER;
    if (!engine->gate)
        return;
    patch_ahead(engine, parent, flags);
    if (flags & CLONE_VM && !parent->image)
        parent->image = image_new();
    if (flags & CLONE_VM)
        child->image = image_share(parent->image);
    else if (has_gate(parent))
        child->image = image_copy(parent->image);
}

/* While one thread forked another one may have been given an arena, which the child does not have. */
static void check_arenas(const struct task *child)
{
    struct image *image = child->image;
    uint64_t word;

    for (unsigned i = 0; i < image->arena_count; i++)
        if (memory_read_whole(child->caller.space, child->caller.tid, image->arenas[i]->address,
                              &word, sizeof word) < 0)
            image_drop_arenas(image, i);
}

void gated_start(const struct engine *engine, const struct task *child)
{
    struct arch_regs regs;

    if (has_gate(child) && !shares_space(child))
        check_arenas(child);
    if (!engine->gate || !engine->gate->used || child->gated ||
        arch_get_regs(child->caller.tid, &regs) < 0 || !is_in_arena(regs.user.gs_base))
        return;
    regs.user.gs_base = GATE_NO_SLOT;
    arch_set_regs(child->caller.tid, &regs);
}

void gated_leave_image(struct engine *engine, struct task *task)
{
    end_thread(engine, task);
    image_drop(task->image);
    task->image = NULL;
}

/* -- calls that are traced, and could be gated ---------------------------------------------------- */

/* The effective user id of a thread's program; of one that may not be traced by its user, that of root. */
static uid_t owner_of(pid_t tid)
{
    struct raw_stat found = { .uid = 0 };
    char path[PROC_PATH];

    proc_path(path, tid, "");
    proc_stat(path, &found);
    return found.uid;
}

static bool may_be_gated(const struct task *task)
{
    return !task->every_call && !task->supervised && !task->other_users && task->caller.space &&
           task->caller.space->fd >= 0 && !task->caller.space->async && task->caller.fds;
}

/* Whether a limit on memory leaves so much that the program will not miss what the gate takes of it. */
static bool has_room(pid_t tid)
{
    enum { PART = 100 };
    struct rlimit limit;

    return prlimit(tid, RLIMIT_AS, NULL, &limit) < 0 ||
           limit.rlim_cur / PART >= GATE_MAPPING_BYTES + GATE_ARENA_BYTES;
}

/* False: the thread is in another stop by now. */
static bool add_arena(struct engine *engine, struct task *task)
{
    struct image *image = task->image;
    const uint8_t *actions = image->arena_count ? NULL : engine->gate->actions;
    struct arena *arena =
        image->arena_count < GATE_ARENAS && has_room(task->caller.tid)
            ? arena_new(image->arena_count, owner_of(task->caller.tid), &engine->gate->arenas)
            : NULL;
    enum injected done =
        arena ? inject(task->caller.tid, task->caller.space, actions, arena) : INJECT_REFUSED;

    if (done == INJECT_DONE)
        image->arenas[image->arena_count++] = arena;
    else if (arena)
        arena_drop(arena);
    image->full = done == INJECT_REFUSED;
    engine->gate->used |= done == INJECT_DONE;
    return done != INJECT_GONE;
}

/* False: the thread is in another stop by now. */
static bool inject_gate(struct engine *engine, struct task *task)
{
    struct image *image = task->image;

    if (image->refused || ++image->calls < engine->options.gate_at)
        return true;
    bool is_there = add_arena(engine, task);
    if (image->full)
        refuse_image(engine, task, NOTE_UNGATED, UNGATED_ROOM);
    return is_there;
}

/* Give the thread what it needs in an arena. False: it is in another stop by now. */
static bool give_place(struct engine *engine, struct task *task)
{
    if (!task->gated)
        enter_slot(engine, task);
    if ((task->gated || task->image->refused) && take_words(task))
        return true;
    return task->image->refused || task->image->full || add_arena(engine, task);
}

static bool prepare_gate(struct engine *engine, struct task *task, const call_info *info)
{
    if (!task->image && !(task->image = image_new()))
        return true;
    if (!has_gate(task))
        return inject_gate(engine, task);
    if (task->image->refused)
        return true;
    if (!give_place(engine, task))
        return false;
    if (task->gated)
        image_patch(task->image, &engine->gate->modules, task->caller.tid, task->caller.space,
                    info->instruction_pointer - ARCH_SYSCALL_BYTES, !shares_space(task));
    return true;
}

/* -- calls in the gate that the tracer records --------------------------------------------------- */

/* Begin the call of the thread's slot, as if it had stopped at its entry. False: it is none. */
static bool begin_gated(struct engine *engine, struct task *task)
{
    const struct gate_slot *slot = &task->gated->page->slot;
    const struct gate_registers registers = slot->registers;
    struct pending *call = &task->call;
    int row = gated_row(engine, registers.rax);

    if (row < 0 || !task->caller.fds)
        return false;
    const uint64_t args[6] = { registers.rdi, registers.rsi, registers.rdx,
                               registers.r10, registers.r8,  registers.r9 };
    task->entry = (struct entry_stop){ .number = registers.rax, .filter_passed = true };
    memcpy(task->entry.args, args, sizeof args);
    call_reset(&engine->context, call, row);
    memcpy(call->args, args, sizeof args);
    call->abi = ABIS;
    call_entered(&engine->context, &task->caller, call);
    call->entered_ns = time_of_ticks(engine->gate, slot->entered);
    return true;
}

/* Whether another thread has closed the fd since the call was entered. */
static bool was_given_away(const struct task *task)
{
    const struct gate_slot *slot = &task->gated->page->slot;
    uint32_t fd = (uint32_t)slot->registers.rdi;

    return CALLS[task->call.row].transfer != TRANSFER_NONE && has_words(task) && fd < ARENA_FDS &&
           GATE_FD_GENERATION(task->caller.fds->words[fd] ^ slot->fd_word);
}

static void end_gated(struct engine *engine, struct task *task, int64_t result)
{
    if (!begin_gated(engine, task))
        return;
    if (was_given_away(task))
        task->call.first_fd_serial = ANOTHER_SERIAL;
    finish_call(engine, task, &task->call, result);
}

/* Why a call that could be made in the gate stops. */
static enum raw_way way_of(const struct task *task, bool refused)
{
    const struct image *image = task->image;

    if (!may_be_gated(task))
        return WAY_EACH;
    if (image && image->refused)
        return WAY_REFUSED;
    if (!task->gated)
        return image && image->full ? WAY_REFUSED : WAY_EARLY;
    return refused ? WAY_FD : WAY_SITE;
}

/* A thread asks to record its call, which has returned. */
static void record_asked(struct engine *engine, struct task *task)
{
    struct gate_slot *slot = task->gated ? &task->gated->page->slot : NULL;

    refuse_call(task, 0);
    if (slot && slot->phase == GATE_COMMITTED)
        gated_verify(engine, task);
    if (!slot || slot->phase != GATE_RETURNED)
        return;
    end_gated(engine, task, (int64_t)slot->result);
    gated_give_lock(task->gated);
    engine->gate->ways[WAY_ASKED]++;
    gate_thread_mark(task->gated);
    slot->phase = GATE_COMMITTED;
}

/* Whether a call maps something over the gate or its arenas. */
static bool displaces_gate(const struct image *image, const call_info *info)
{
    uint64_t end = GATE_ARENA_BASE + (uint64_t)image->arena_count * GATE_ARENA_STRIDE;
    const uint64_t *args = info->entry.args;
    bool maps = info->entry.nr == SYS_mmap && args[3] & MAP_FIXED;
    bool moves = info->entry.nr == SYS_mremap && args[3] & MREMAP_FIXED;
    uint64_t start = maps ? args[0] : args[4], size = maps ? args[1] : args[2];

    return (maps || moves) && start < end && (start >= GATE_BASE || size > GATE_BASE - start);
}

/* Whether a thread that has a slot has the base of gs lead elsewhere. */
static bool has_other_gs(const struct task *task)
{
    struct arch_regs regs;

    return task->gated && arch_get_regs(task->caller.tid, &regs) == 0 &&
           regs.user.gs_base != arena_address(task->gated->arena, task->gated->page);
}

/* What the gate cannot stand: its image is to use it no more before the call is made. */
static void guard_gate(struct engine *engine, struct task *task, const call_info *info)
{
    if (!has_gate(task))
        return;
    if (displaces_gate(task->image, info)) {
        refuse_image(engine, task, NOTE_UNGATED, UNGATED_ROOM);
        task->image->displaced = true;
    }
    if (info->entry.nr == SYS_prctl && info->entry.args[0] == PR_SET_SYSCALL_USER_DISPATCH)
        refuse_image(engine, task, NOTE_UNGATED, UNGATED_DISPATCH);
}

enum gated_entry gated_call_entry(struct engine *engine, struct task *task, const call_info *info,
                                  bool refused)
{
    bool native = info->arch == ABIS[0].audit_arch;

    if (!engine->gate)
        return GATED_TRACE;
    if (native && info->instruction_pointer == gate_address(gate_asked)) {
        record_asked(engine, task);
        return GATED_DONE;
    }
    if (native)
        guard_gate(engine, task, info);
    if (refused && task->gated) /* perhaps as the program has spoiled its slot */
        gate_thread_mark(task->gated);
    if (refused && !task->image->refused && has_other_gs(task))
        refuse_image(engine, task, NOTE_UNGATED, UNGATED_GS);
    bool other = !native || gated_row(engine, info->entry.nr) < 0;
    if (engine->context.started)
        engine->gate->ways[other ? WAY_OTHER : way_of(task, refused)]++;
    if (other || !engine->context.started || !may_be_gated(task))
        return GATED_TRACE;
    return prepare_gate(engine, task, info) ? GATED_TRACE : GATED_GONE;
}

bool gated_has_closed(struct task *task, const struct pending *call)
{
    bool has = call->row == ROW_close && task->closed == (int64_t)(uint32_t)call->args[0];

    task->closed = -1;
    return has;
}

/* -- signals ---------------------------------------------------------------------------------- */

uint64_t gated_ip(const struct task *task, uint64_t ip)
{
    const struct patch *patch = has_gate(task) ? image_find_patch(task->image, ip) : NULL;

    return patch && ip > patch->trampoline + TRAMPOLINE_CALL ? patch->site + CALL_BYTES : ip;
}

/* A call that the gate made has returned to it, with that result in the kernel's registers. */
static void leave_returning(struct engine *engine, struct task *task, const struct arch_regs *regs)
{
    int64_t result = (int64_t)regs->user.rax;

    if (gate_thread_published(task->gated)) /* a close */
        return;
    if (!is_restart_result(result)) {
        end_gated(engine, task, result);
        return;
    }
    if (!begin_gated(engine, task))
        return;
    task->entry.ip = regs->user.rip;
    task->entry.sp = regs->user.rsp;
    suspend_call(engine, task);
}

/* The thread will enter its call again. If that is a close whose record is there, it has no other. */
static void leave_before(struct task *task)
{
    if (gate_thread_published(task->gated))
        task->closed = (int64_t)(uint32_t)task->gated->page->slot.registers.rdi;
}

static void leave_gate(struct engine *engine, struct task *task, enum verdict verdict,
                       const struct arch_regs *regs)
{
    struct gate_slot *slot = &task->gated->page->slot;

    if (engine->recording_ended) {
        gated_give_lock(task->gated);
        return;
    }
    gate_thread_mark(task->gated);
    if (verdict == RELOCATE_BEFORE && slot->phase == GATE_BEFORE)
        leave_before(task);
    else if (verdict == RELOCATE_RETURNING)
        leave_returning(engine, task, regs);
    else if (verdict == RELOCATE_RETURNED && !gate_thread_complete(task->gated))
        end_gated(engine, task, (int64_t)slot->result);
    gated_give_lock(task->gated);
    slot->phase = GATE_IDLE;
}

/* Whether an instruction caused the signal, and no process sent it. */
static bool is_fault(const struct task *task, int signal)
{
    siginfo_t info;

    return (signal == SIGSEGV || signal == SIGBUS) &&
           ptrace(PTRACE_GETSIGINFO, task->caller.tid, 0, &info) == 0 && info.si_code > 0;
}

/* The patch that an address is in, if the program has not mapped something else there. */
static const struct patch *find_patch_of(void *context, uint64_t address)
{
    const struct task *task = context;
    const struct patch *patch = image_find_patch(task->image, address);

    return patch && image_has(patch, task->caller.space, task->caller.tid) ? patch : NULL;
}

/*
 * A fault of the gate itself that it can go on from. At its entry gs leads nowhere: the trampoline makes the
 * call. The text that it copies was unmapped by another thread: the tracer records the call.
 */
static bool leave_fault(struct task *task, struct arch_regs *regs)
{
    const struct patch *patch = find_patch_of(task, regs->user.r11);
    uint64_t rip = regs->user.rip;

    if (rip == gate_address(gate_load) && patch)
        regs->user.rip = patch->trampoline + TRAMPOLINE_CALL;
    else if (rip >= gate_address(gate_end) && rip < gate_address(gate_copy_end))
        regs->user.rip = gate_address(gate_copy_fault);
    else
        return false;
    return arch_set_regs(task->caller.tid, regs) == 0;
}

bool gated_leave(struct engine *engine, struct task *task, int signal)
{
    struct arch_regs regs;

    if (!has_gate(task) || arch_get_regs(task->caller.tid, &regs) < 0)
        return false;
    bool in_gate = regs.user.rip - GATE_BASE < GATE_BYTES;
    if (in_gate && task->image->displaced)
        return false;
    bool fault = in_gate && is_fault(task, signal);
    if (fault && leave_fault(task, &regs)) {
        if (regs.user.rip != gate_address(gate_copy_fault))
            refuse_image(engine, task, NOTE_UNGATED, UNGATED_FAULT);
        return true;
    }
    enum verdict verdict =
        relocate(&regs.user, task->gated ? task->gated->page : NULL, find_patch_of, task);
    if (verdict == RELOCATE_NOTHING || verdict == RELOCATE_LOST)
        return false;
    if (in_gate && task->gated)
        leave_gate(engine, task, verdict, &regs);
    arch_set_regs(task->caller.tid, &regs);
    if (fault) /* PR_SET_TSC of prctl(2), or its memory is not as it was */
        refuse_image(engine, task, NOTE_UNGATED, UNGATED_FAULT);
    return fault;
}
