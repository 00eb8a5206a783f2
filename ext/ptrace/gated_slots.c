/* What a program and its threads are given for the gate: arenas, slots, and words of fds; and how that ends. */
#include <errno.h>
#include <sched.h>
#include <sys/resource.h>

#include "arch/abi.h"
#include SCOPE_ARCH_H
#include "call/proc.h"
#include "call/records.h"
#include "gate/inject.h"
#include "gate/segment.h"
#include "ptrace/gated.h"
#include "ptrace/gated_state.h"

bool gated_has_gate(const struct task *task)
{
    return task->image && task->image->arena_count;
}

void gated_refuse(struct engine *engine, const struct task *task, enum raw_note note,
                  enum raw_ungated why)
{
    if (!task->image->refused && !engine->recording_ended)
        write_note(&engine->context, &task->caller, note, why);
    task->image->refused = true;
    image_retire(task->image, task->caller.space, task->caller.tid);
}

/* -- words of fds ------------------------------------------------------------------------------ */

bool gated_has_words(const struct task *task)
{
    return task->caller.fds && task->caller.fds->words &&
           image_has_arena(task->image, task->caller.fds->arena);
}

bool gated_take_words(const struct task *task)
{
    struct fd_table *fds = task->caller.fds;

    for (unsigned i = 0; !fds->words && i < task->image->arena_count; i++) {
        uint64_t *words = arena_take_table(task->image->arenas[i]);
        fds->arena = words ? task->image->arenas[i] : NULL;
        fd_table_use_words(fds, words, words ? ARENA_FDS : 0);
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

/* -- slots ------------------------------------------------------------------------------------- */

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

static void point_to_slot(struct engine *engine, struct task *task, struct arch_regs *regs)
{
    if (regs->user.gs_base && !is_in_arena(regs->user.gs_base))
        gated_refuse(engine, task, NOTE_UNGATED, UNGATED_GS); /* it has a use of its own for gs */
    else if (take_slot(engine, task))
        regs->user.gs_base = task->gated->page->slot.self;
}

static void enter_slot(struct engine *engine, struct task *task)
{
    struct arch_regs regs;

    if (arch_get_regs(task->caller.tid, &regs) < 0)
        return;
    point_to_slot(engine, task, &regs);
    if (task->gated)
        arch_set_regs(task->caller.tid, &regs);
}

/* The thread has made a call, or is about to make one, for which it has a slot. */
static void count_use(const struct task *task)
{
    if (task->vforked && task->image->program)
        task->image->program->vforks_used++;
    else if (shares_space(task))
        task->image->threads_used++;
}

void gated_take_last(struct engine *engine, struct task *task)
{
    if (!task->gated)
        return;
    gate_thread_mark(task->gated);
    gated_collect(engine);
}

void gated_swap(struct task *task, struct task *other)
{
    struct gate_thread *slot = task->gated;

    task->gated = other->gated;
    other->gated = slot;
    if (task->gated)
        task->gated->caller = &task->caller;
    if (slot)
        slot->caller = &other->caller;
}

static void end_thread(struct engine *engine, struct task *task)
{
    if (!task->gated)
        return;
    gated_give_lock(engine->gate, task->gated);
    engine->gate->ways[WAY_GATED] += task->gated->calls;
    task->image->made += task->gated->calls;
    if (task->gated->since_birth && task->gated->calls)
        count_use(task);
    gate_thread_free(task->gated);
    task->gated = NULL;
}

/* -- births and execs -------------------------------------------------------------------------- */

/* The first other thread is about to run: afterwards some sites could not be patched any more. */
static void patch_ahead(const struct engine *engine, const struct task *parent, uint64_t flags)
{
    enum { PARENT_AND_CHILD = 2 };

    if (gated_has_gate(parent) && !parent->image->refused && flags & CLONE_THREAD &&
        parent->caller.space && parent->caller.space->uses == PARENT_AND_CHILD)
        image_patch_ahead(parent->image, &engine->gate->modules, parent->caller.tid,
                          parent->caller.space, engine->gate->actions);
}

void gated_birth(const struct engine *engine, struct task *parent, struct task *child,
                 uint64_t flags)
{
    child->other_users = parent->other_users || flags & CLONE_NEWUSER;
    child->has_parents_gs = gated_has_gate(parent);
    child->vforked = flags & CLONE_VFORK && flags & CLONE_VM;
    if (flags & CLONE_VM)
        parent->vforked = false; /* another thread may run beside it than the one that waits */
    if (!engine->gate)
        return;
    patch_ahead(engine, parent, flags);
    if (flags & CLONE_VM && !parent->image)
        parent->image = image_new();
    if (flags & CLONE_THREAD && parent->image)
        parent->image->threads_born++;
    if (flags & CLONE_VM)
        child->image = image_share(parent->image);
    else if (gated_has_gate(parent))
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

/*
 * Count a child of vfork(2). Whether it is to have a slot at its birth: at least half of those before it had a use for
 * one, of programs of the same file.
 */
static bool next_vfork_uses_slot(struct gated_program *program)
{
    return program && program->vforks_used >= program->vforks++ / 2;
}

/* Whether a thread is to have a slot at its birth: most of those before it have used theirs. */
static bool will_use_slot(const struct task *child)
{
    enum { FEW = 8 };
    const struct image *image = child->image;

    if (!gated_has_gate(child) || image->refused || !shares_space(child) || !gated_may_enter(child))
        return false;
    if (child->vforked)
        return next_vfork_uses_slot(image->program) && gated_take_words(child);
    return gated_has_words(child) && image->threads_born > FEW &&
           image->threads_used > image->threads_born / 2;
}

static void leave_birthplace(struct task *child, struct arch_regs *regs)
{
    regs->user.rip = regs->user.rcx = child->born.ip;
    regs->user.eflags = regs->user.r11 = child->born.flags;
    if (is_in_arena(regs->user.rsp)) /* it has no stack of its own */
        regs->user.rsp = child->born.sp;
    child->born.ip = 0;
}

void gated_start(struct engine *engine, struct task *child)
{
    bool may_have_gs = child->has_parents_gs || engine->recording_ended;
    struct arch_regs regs;

    if (gated_has_gate(child) && !shares_space(child))
        check_arenas(child);
    if (!engine->gate || child->gated || !may_have_gs ||
        arch_get_regs(child->caller.tid, &regs) < 0)
        return;
    gated_find_birthplace(child, &regs);
    if (child->born.ip)
        leave_birthplace(child, &regs);
    if (will_use_slot(child))
        point_to_slot(engine, child, &regs);
    if (child->gated)
        child->gated->since_birth = true;
    else if (is_in_arena(regs.user.gs_base))
        regs.user.gs_base = GATE_NO_SLOT;
    arch_set_regs(child->caller.tid, &regs);
}

static void judge_program(struct image *image, bool was_long)
{
    if (image->judged)
        return;
    image->judged = true;
    image->program->long_lives += was_long;
    image->program->short_lives += !was_long;
}

void gated_leave_image(struct engine *engine, struct task *task)
{
    struct image *image = task->image;

    end_thread(engine, task);
    if (image && image->uses == 1 && image->program)
        judge_program(image, image->calls + image->made >= engine->options.gate_at);
    image_drop(task->image);
    task->image = NULL;
    task->vforked = false;
}

/* -- at a traced call -------------------------------------------------------------------------- */

/* The effective user id of a thread's program; of one that may not be traced by its user, that of root. */
static uid_t owner_of(pid_t tid)
{
    struct raw_stat found = { .uid = 0 };
    char path[PROC_PATH];

    proc_path(path, tid, "");
    proc_stat(path, &found);
    return found.uid;
}

bool gated_may_enter(const struct task *task)
{
    return !task->every_call && !task->supervised && !task->other_users && task->caller.space &&
           (task->caller.space->fd >= 0 || !task->caller.space->held) &&
           !task->caller.space->async && task->caller.fds;
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
    uid_t owner = owner_of(task->caller.tid);
    struct arena *arena = image->arena_count < GATE_ARENAS && has_room(task->caller.tid)
                              ? arena_new(image->arena_count, owner, &engine->gate->arenas)
                              : NULL;

    segment_give(engine->gate->locks_id, owner);
    enum injected done =
        arena ? inject(task->caller.tid, task->caller.space, actions, engine->gate->locks_id, arena)
              : INJECT_REFUSED;

    if (done == INJECT_DONE)
        image->arenas[image->arena_count++] = arena;
    else if (arena)
        arena_drop(arena);
    image->full = done == INJECT_REFUSED;
    return done != INJECT_GONE;
}

static struct gated_program *program_of(struct gate *gate, struct program_file file)
{
    struct gated_program *program = &gate->programs[(file.dev * 31 + file.ino) % GATED_PROGRAMS];

    if (program->file.dev != file.dev || program->file.ino != file.ino)
        *program = (struct gated_program){ .file = file };
    return program;
}

/* At which of its calls a program is given the gate: at the first if most of those before it had a use for it. */
static unsigned gate_at(const struct engine *engine, struct task *task)
{
    struct image *image = task->image;

    if (!image->program)
        image->program = program_of(engine->gate, task->program);
    return image->program->long_lives > image->program->short_lives ? 1 : engine->options.gate_at;
}

/* Why a program was not given an arena. */
static enum raw_ungated why_refused(pid_t tid)
{
    struct raw_stat ignored;
    char path[PROC_PATH];

    proc_path(path, tid, "ns/ipc");
    return proc_stat(path, &ignored) == -EACCES ? UNGATED_HIDDEN : UNGATED_ROOM;
}

/* False: the thread is in another stop by now. */
static bool inject_gate(struct engine *engine, struct task *task)
{
    struct image *image = task->image;

    if (image->refused || ++image->calls < gate_at(engine, task))
        return true;
    space_hold(task->caller.space, task->caller.tid);
    if (task->caller.space->fd < 0)
        return true;
    bool is_there = add_arena(engine, task);
    if (image->full)
        gated_refuse(engine, task, NOTE_UNGATED, why_refused(task->caller.tid));
    if (image->calls >= engine->options.gate_at)
        judge_program(image, true);
    return is_there;
}

/* Give the thread what it needs in an arena. False: it is in another stop by now. */
static bool give_place(struct engine *engine, struct task *task)
{
    if (!task->gated) {
        enter_slot(engine, task);
        if (task->gated)
            count_use(task);
    }
    if ((task->gated || task->image->refused) && gated_take_words(task))
        return true;
    return task->image->refused || task->image->full || add_arena(engine, task);
}

/* Whether the gate is likely to make a call of a thread that has just come to it, and may know no fd yet. */
static bool needs_no_fd(const struct gate *gate, uint64_t number)
{
    enum gate_action action = gate->actions[number] & ~GATE_PATHS;

    return action == GATE_PIPE || (action >= GATE_UNLINK && action <= GATE_ALTER) ||
           (action >= GATE_OPEN && action <= GATE_WATCH);
}

/* Skip the call, and have the thread come to the gate with it, as if the site had been patched before. */
static bool lead_into_gate(struct engine *engine, const struct task *task, uint64_t number,
                           const struct patch *patch)
{
    struct arch_regs regs;

    if (gated_mode(engine, task) < GATE_RECORD || !needs_no_fd(engine->gate, number) ||
        arch_get_regs(task->caller.tid, &regs) < 0)
        return false;
    arch_step_back(&regs);
    regs.user.rip = patch->trampoline; /* behind the instruction that may be moved there */
    engine->gate->led++;
    return arch_set_regs(task->caller.tid, &regs) == 0;
}

enum gated_entry gated_prepare(struct engine *engine, struct task *task, const call_info *info,
                               bool refused)
{
    if (!task->image && !(task->image = image_new()))
        return GATED_TRACE;
    if (!gated_has_gate(task) && !inject_gate(engine, task))
        return GATED_GONE;
    if (!gated_has_gate(task) || task->image->refused)
        return GATED_TRACE;
    bool had_slot = task->gated;
    if (!give_place(engine, task))
        return GATED_GONE;
    if (!task->gated || (refused && had_slot))
        return GATED_TRACE;
    const struct patch *patch =
        image_patch(task->image, &engine->gate->modules, task->caller.tid, task->caller.space,
                    info->instruction_pointer - ARCH_SYSCALL_BYTES, is_alone(task));
    return patch && lead_into_gate(engine, task, info->entry.nr, patch) ? GATED_DONE : GATED_TRACE;
}
