/*
 * What threads have published in the gate becomes what a traced call would have left: tallies of fds,
 * counts of calls, and records.
 *
 * A round takes records in the order in which calls happened (gate/rounds.h), and tallies after them: of an
 * fd whose open has no record yet the tally is left for a later round. A tally that a thread gives away
 * comes as a record.
 */
#include <stdlib.h>
#include <string.h>

#include "arch/abi.h"
#include "call/call.h"
#include "call/records.h"
#include "call/tally.h"
#include "call/transfer.h"
#include "ptrace/gated.h"
#include "ptrace/gated_state.h"

/* -- time ------------------------------------------------------------------------------------- */

uint64_t ticks_now(void)
{
    return __builtin_ia32_rdtsc();
}

static uint64_t ticks_to_ns(const struct gate *gate, uint64_t ticks)
{
    uint64_t since_ticks = ticks_now() - gate->origin_ticks;
    uint64_t since_ns = monotonic_ns() - gate->origin_ns;

    return (uint64_t)((double)ticks * (double)since_ns / (double)(since_ticks ? since_ticks : 1));
}

uint64_t time_of_ticks(const struct gate *gate, uint64_t ticks)
{
    return gate->origin_ns + ticks_to_ns(gate, ticks - gate->origin_ticks);
}

/* -- tallies ---------------------------------------------------------------------------------- */

struct taking {
    struct engine *engine;
    const struct gate_thread *thread;
};

int gated_row(const struct engine *engine, uint64_t number)
{
    return number < GATE_NUMBERS && engine->gate->actions[number] != GATE_REFUSE
               ? engine->rows[0][number]
               : -1;
}

static void take(void *context, const struct gate_tally *more)
{
    const struct taking *taking = context;
    struct caller *caller = taking->thread->caller;
    struct fd_entry *entry =
        caller->fds ? fd_table_find(caller->fds, (int)(uint32_t)more->fd) : NULL;
    int row = gated_row(taking->engine, more->number);

    if (row >= 0 && CALLS[row].counted)
        caller->counted[CALLS[row].counted - 1] += (uint32_t)more->sums.calls;
    else if (row >= 0 && entry && entry->generation == GATE_FD_GENERATION(more->fd))
        count_transfers(entry, (uint16_t)row, CALLS[row].transfer == TRANSFER_OUT, more->sums.calls,
                        more->sums.bytes, ticks_to_ns(taking->engine->gate, more->sums.ticks));
}

/* Whether the engine knows of the fd of a tally: else its open has no record yet. */
static bool is_known(const void *context, uint64_t fd)
{
    const struct taking *taking = context;
    const struct fd_table *fds = taking->thread->caller->fds;
    const struct fd_entry *entry = fds ? fd_table_find(fds, (int)(uint32_t)fd) : NULL;

    return (uint32_t)fd == UINT32_MAX || (entry && entry->generation >= GATE_FD_GENERATION(fd));
}

static void collect_thread(struct engine *engine, struct gate_thread *thread)
{
    gate_thread_collect(thread, is_known, take, &(struct taking){ engine, thread });
}

/* -- records ---------------------------------------------------------------------------------- */

/* Another thread may have tallied transfers through an fd that is closed. */
static void collect_others(struct engine *engine, const struct gate_thread *closing)
{
    struct fd_table *fds = closing->caller->fds;

    for (struct gate_thread *thread = engine->gate->threads; fds->uses > 1 && thread;
         thread = thread->next)
        if (thread->caller->fds == fds)
            collect_thread(engine, thread);
}

/* Python has muted the fd since it was published. */
static void mute_word(const struct fd_table *fds, const struct fd_entry *entry)
{
    uint64_t *word = &fds->words[entry->fd], old = *word;

    if (GATE_FD_GENERATION(old) == entry->generation)
        __atomic_compare_exchange_n(word, &old, old | GATE_FD_MUTED, false, __ATOMIC_RELAXED,
                                    __ATOMIC_RELAXED);
}

/* Finish a transfer as if it had returned now; its bytes are there. */
static void apply_transfer(struct engine *engine, const struct gate_thread *thread,
                           struct pending *call, const struct gate_record *record)
{
    struct caller *caller = thread->caller;
    const struct fd_entry *entry = fd_table_find(caller->fds, (int)call->args[0]);
    bool same = entry && entry->generation == record->generation;

    call->fd_serial = same ? entry->serial : 0;
    call->first_fd_serial = same ? entry->first_serial : ANOTHER_SERIAL;
    call->early = CALLS[call->row].transfer == TRANSFER_IN && same && entry->kind == FD_STREAM &&
                  gated_is_sent_to(engine, caller, entry->fd, record->left);
    if (same && entry->muted) {
        parts_reset(&call->parts);
        mute_word(caller->fds, entry);
    }
    finish_transfer(&engine->context, caller, call, record->result,
                    ticks_to_ns(engine->gate, record->left - record->entered));
}

static void apply_call_record(struct engine *engine, struct gate_thread *thread,
                              const struct gate_record *record, const uint8_t *payload)
{
    struct context *context = &engine->context;
    struct caller *caller = thread->caller;
    struct pending call = { .copy_limit = 0 };
    int row = gated_row(engine, record->row);

    if (row < 0 || !caller->fds)
        return;
    call_reset(context, &call, row);
    call.abi = ABIS;
    memcpy(call.args, record->args, sizeof call.args);
    call.entered_ns = time_of_ticks(engine->gate, record->entered);
    parts_append(&call.parts, payload, record->copied);
    if (engine->options.gate_verify) {
        parts_reset(&thread->last);
        parts_append(&thread->last, payload, record->copied);
    }
    caller->fds->words_are_newer = true;
    if (row == ROW_close) {
        collect_others(engine, thread);
        record_close(context, caller, &call);
    } else if (CALLS[row].group == GROUP_OPEN) {
        record_open(context, caller, &call, record->result,
                    ticks_to_ns(engine->gate, record->left - record->entered));
        struct fd_entry *entry = fd_table_find(caller->fds, (int)record->result);
        if (entry)
            entry->generation = record->generation;
    } else if (CALLS[row].transfer != TRANSFER_NONE && record->result > 0) {
        apply_transfer(engine, thread, &call, record);
    }
    caller->fds->words_are_newer = false;
    parts_deinit(&call.parts);
}

static void apply(void *context, struct gate_reader *reader, const struct gate_record *record,
                  const uint8_t *payload)
{
    struct engine *engine = context;
    struct gate_thread *thread =
        (struct gate_thread *)((char *)reader - offsetof(struct gate_thread, reader));

    if (record->kind == GATE_TALLY)
        gate_thread_take(thread, record, take, &(struct taking){ engine, thread });
    else
        apply_call_record(engine, thread, record, payload);
}

/* The readers of all threads. False: there is no memory. */
static bool fill_round(struct gate *gate)
{
    struct gate_round *round = &gate->round;

    round->count = 0;
    for (struct gate_thread *thread = gate->threads; thread; thread = thread->next) {
        if (round->count == gate->round_room) {
            size_t room = 2 * gate->round_room + 16;
            void *readers = realloc(round->readers, room * sizeof *round->readers);
            round->readers = readers ? readers : round->readers;
            void *heap = realloc(round->heap, room * sizeof *round->heap);
            round->heap = heap ? heap : round->heap;
            if (!readers || !heap)
                return false;
            gate->round_room = room;
        }
        round->readers[round->count++] = &thread->reader;
    }
    return true;
}

void gated_collect(struct engine *engine)
{
    struct gate *gate = engine->gate;

    if (!gate || !gate->threads || engine->recording_ended)
        return;
    gate->idle = !fill_round(gate) || !gate_round(&gate->round);
    for (struct gate_thread *thread = gate->threads; thread; thread = thread->next)
        collect_thread(engine, thread);
}

void gated_write_ways(struct engine *engine, const struct caller *caller)
{
    if (!engine->gate)
        return;
    uint64_t ways[WAYS];
    memcpy(ways, engine->gate->ways, sizeof ways);
    for (struct gate_thread *thread = engine->gate->threads; thread; thread = thread->next)
        ways[WAY_GATED] += thread->calls;
    for (uint64_t way = 0; way < WAYS; way++) {
        struct raw_record header = { .kind = RAW_WAY, .args = { way, ways[way] } };
        write_record(&engine->context, caller, &header, NULL);
    }
}

uint64_t gated_next_round(const struct engine *engine, uint64_t now_ns)
{
    enum { BUSY_NS = 20 * 1000 * 1000, IDLE_NS = 100 * 1000 * 1000 };
    const struct gate *gate = engine->gate;

    if (!gate || !gate->threads || engine->recording_ended)
        return 0;
    return now_ns + (gate->idle ? IDLE_NS : BUSY_NS);
}

void init_round(struct engine *engine)
{
    engine->gate->round = (struct gate_round){
        .rows = GATE_NUMBERS,
        .now = ticks_now,
        .apply = apply,
        .context = engine,
        .payload = malloc(GATE_RECORD_MAX),
    };
}

void deinit_round(struct gate *gate)
{
    free(gate->round.payload);
    free(gate->round.readers);
    free(gate->round.heap);
}
