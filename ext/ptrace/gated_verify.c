/*
 * Whether what the gate recorded of a call is what a traced call would have left (`gate: verify`).
 *
 * The thread stops behind its call, whose record has been taken by then, as each stop begins with a round.
 * The tracer asks as it would at the end of a traced call, and compares. An fd that another thread has
 * closed meanwhile cannot be asked for, and is no difference.
 */
#include <errno.h>
#include <string.h>

#include "call/arguments.h"
#include "call/call.h"
#include "call/payload.h"
#include "call/records.h"
#include "call/tally.h"
#include "ptrace/gated.h"
#include "ptrace/gated_state.h"

enum { DIFFERENCES_MAX = 8 }; /* that are written */

static void note_difference(struct engine *engine, const struct task *task, enum raw_differs what)
{
    struct raw_record header = {
        .kind = RAW_NOTE,
        .args = { NOTE_DIFFERS, what, task->gated->page->slot.registers.rax },
    };

    if (engine->gate->differences++ < DIFFERENCES_MAX)
        write_record(&engine->context, &task->caller, &header, NULL);
}

/* Whether another thread has closed or opened the fd since. */
static bool has_changed(const struct task *task, uint32_t fd, uint64_t word)
{
    return GATE_FD_GENERATION(task->caller.fds->words[fd] ^ word) != 0;
}

/* -- opens ------------------------------------------------------------------------------------ */

static bool is_same_part(const struct parts *left, const struct parts *right,
                         enum raw_part_kind kind)
{
    const struct raw_part *a = parts_find(left, kind), *b = parts_find(right, kind);

    return !a || !b || (a->size == b->size && !memcmp(a->bytes, b->bytes, a->size));
}

static bool is_same_file(const struct parts *left, const struct parts *right)
{
    const struct raw_part *a = parts_find(left, PART_STAT), *b = parts_find(right, PART_STAT);
    struct raw_stat one, other;

    if (!a || !b)
        return true;
    memcpy(&one, a->bytes, sizeof one);
    memcpy(&other, b->bytes, sizeof other);
    return one.dev == other.dev && one.ino == other.ino && one.rdev == other.rdev &&
           one.mode == other.mode && one.uid == other.uid && one.gid == other.gid;
}

static void verify_open(struct engine *engine, const struct task *task, uint32_t fd)
{
    struct parts *fresh = &engine->context.scratch, *last = &task->gated->last;
    uint64_t word = task->caller.fds->words[fd];

    parts_reset(fresh);
    add_fd(fresh, task->caller.tid, (int)fd);
    if (has_changed(task, fd, word))
        return;
    if (!is_same_part(fresh, last, PART_LINK))
        note_difference(engine, task, DIFFERS_NAME);
    if (!is_same_file(fresh, last))
        note_difference(engine, task, DIFFERS_FILE);
}

/* The same of a path that led to nothing. */
static void verify_missing(struct engine *engine, struct task *task)
{
    const struct parts *fresh = &task->call.parts, *last = &task->gated->last;

    if (!gated_begin_call(engine, task))
        return;
    copy_at_exit(&engine->context, &task->caller, &task->call, -ENOENT);
    if (!is_same_part(fresh, last, PART_PATH) || !is_same_part(fresh, last, PART_NAME) ||
        !is_same_part(fresh, last, PART_MISSING))
        note_difference(engine, task, DIFFERS_NAME);
}

/* -- transfers and ends ------------------------------------------------------------------------ */

/* `word`: what the thread knew of an fd through which its call has transferred. */
static void verify_transfer(struct engine *engine, const struct task *task, uint64_t fd,
                            uint64_t word)
{
    struct fd_entry *entry = fd_table_find(task->caller.fds, (int)fd);

    if (fd >= task->caller.fds->word_count || has_changed(task, (uint32_t)fd, word))
        return;
    enum fd_kind kind = word & GATE_FD_KNOWN    ? FD_PLAIN
                        : word & GATE_FD_STREAM ? FD_STREAM
                                                : FD_MESSAGES;
    bool right = entry && entry->generation == GATE_FD_GENERATION(word) &&
                 fd_kind_of(&task->caller, entry) == kind &&
                 (entry->muted || !(word & GATE_FD_MUTED));
    if (!right)
        note_difference(engine, task, DIFFERS_FD);
}

static void verify_transfers(struct engine *engine, const struct task *task, const struct call *row)
{
    const struct gate_slot *slot = &task->gated->page->slot;
    const uint64_t args[] = { slot->registers.rdi, slot->registers.rsi, slot->registers.rdx };

    verify_transfer(engine, task, (uint32_t)args[row->fd - 1], slot->fd_word);
    if (row->fd2)
        verify_transfer(engine, task, (uint32_t)args[row->fd2 - 1], slot->to_word);
}

static void verify_close(struct engine *engine, const struct task *task, uint32_t fd)
{
    const struct fd_entry *entry = fd_table_find(task->caller.fds, (int)fd);

    if (entry && entry->generation == GATE_FD_GENERATION(task->gated->page->slot.fd_word))
        note_difference(engine, task, DIFFERS_CLOSED);
}

/* The program can write to its slot: a number is looked at before it is an index. */
void gated_verify(struct engine *engine, struct task *task)
{
    const struct gate_slot *slot = &task->gated->page->slot;
    const uint64_t result = slot->result;
    const uint32_t fd = (uint32_t)slot->registers.rdi;
    int row = gated_row(engine, slot->registers.rax);
    const struct fd_table *fds = task->caller.fds;

    if (row < 0 || !fds || !fds->words)
        return;
    if (CALLS[row].path && (int64_t)result == -ENOENT)
        verify_missing(engine, task);
    if ((int64_t)result < 0)
        return;
    if (CALLS[row].group == GROUP_OPEN && result < fds->word_count)
        verify_open(engine, task, (uint32_t)result);
    else if (row == ROW_close && fd < fds->word_count)
        verify_close(engine, task, fd);
    else if (CALLS[row].transfer != TRANSFER_NONE)
        verify_transfers(engine, task, &CALLS[row]);
}
