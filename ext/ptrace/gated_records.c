/*
 * What threads have published in the gate becomes what a traced call would have left: tallies of fds,
 * counts of calls, and records.
 *
 * A round takes records in the order in which calls happened (gate/rounds.h), and tallies after them: of an
 * fd whose open has no record yet the tally is left for a later round. A tally that a thread gives away
 * comes as a record.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "arch/abi.h"
#include "call/arguments.h"
#include "call/call.h"
#include "call/fd_names.h"
#include "call/records.h"
#include "call/tally.h"
#include "call/transfer.h"
#include "gate/array.h"
#include "ptrace/gated.h"
#include "ptrace/gated_state.h"
#include "ptrace/seccomp.h"

/* -- time ------------------------------------------------------------------------------------- */

uint64_t ticks_now(void)
{
    return __builtin_ia32_rdtsc();
}

/* Once in a round: what ticks of it are converted by. */
static void read_clocks(struct gate *gate)
{
    gate->now_ticks = ticks_now();
    gate->now_ns = monotonic_ns();
    uint64_t ticks = gate->now_ticks - gate->origin_ticks;
    gate->ns_per_tick = (double)(gate->now_ns - gate->origin_ns) / (double)(ticks ? ticks : 1);
}

static const uint64_t MINUTE_TICKS = (uint64_t)1 << 37; /* or so */

/* Of a duration. The program may have lied: none is longer than the recording. */
static uint64_t ticks_to_ns(const struct gate *gate, uint64_t ticks)
{
    const uint64_t most = gate->now_ticks - gate->origin_ticks + MINUTE_TICKS;

    return (uint64_t)((double)(ticks < most ? ticks : most) * gate->ns_per_tick);
}

uint64_t time_of_ticks(const struct gate *gate, uint64_t ticks)
{
    double since_round = (double)(int64_t)(ticks - gate->now_ticks);

    if (ticks < gate->origin_ticks || ticks > gate->now_ticks + MINUTE_TICKS)
        return gate->now_ns; /* the program has lied */
    return gate->now_ns + (uint64_t)(int64_t)(since_round * gate->ns_per_tick);
}

/* -- tallies ---------------------------------------------------------------------------------- */

int gated_row(const struct engine *engine, uint64_t number)
{
    return number < GATE_NUMBERS && engine->gate->actions[number] != GATE_REFUSE
               ? engine->rows[0][number]
               : -1;
}

int gated_row_for(const struct engine *engine, int row, const uint64_t args[6])
{
    while (row >= 0 &&
           (engine->options.calls.modes[row] == MODE_OFF || !when_holds(CALLS[row].when, args)))
        row = engine->next_row[row];
    return row;
}

static void take(const void *context, const struct gate_thread *thread,
                 const struct gate_tally *more)
{
    const struct engine *engine = context;
    struct caller *caller = thread->caller;
    struct fd_entry *entry =
        caller->fds ? fd_table_find(caller->fds, (int)(uint32_t)more->fd) : NULL;
    int row = gated_row(engine, more->number);

    if (row >= 0 && CALLS[row].counted)
        caller->counted[CALLS[row].counted - 1] += (uint32_t)more->sums.calls;
    else if (row >= 0 && entry && entry->generation == GATE_FD_GENERATION(more->fd))
        count_transfers(entry, (uint16_t)row, CALLS[row].transfer == TRANSFER_OUT, more->sums.calls,
                        more->sums.bytes, ticks_to_ns(engine->gate, more->sums.ticks));
}

/* Whether the engine knows of the fd of a tally: else its open has no record yet. */
static bool is_known(const struct gate_thread *thread, uint64_t fd)
{
    const struct fd_table *fds = thread->caller->fds;
    const struct fd_entry *entry = fds ? fd_table_find(fds, (int)(uint32_t)fd) : NULL;

    return (uint32_t)fd == UINT32_MAX || (entry && entry->generation >= GATE_FD_GENERATION(fd));
}

static struct gate_thread *thread_of(struct gate_reader *reader)
{
    return (struct gate_thread *)((char *)reader - offsetof(struct gate_thread, reader));
}

/* -- records ---------------------------------------------------------------------------------- */

/* Other threads may have tallied transfers through an fd that is closed: those of this round. */
static void collect_others(struct gate *gate, const struct fd_table *fds,
                           const struct fd_entry *entry)
{
    for (size_t i = 0; i < gate->round.count; i++) {
        struct gate_thread *thread = thread_of(gate->round.readers[i]);
        if (thread->caller->fds == fds)
            tallies_collect(&gate->tallies, thread);
    }
    if (entry)
        tallies_take_kept(&gate->tallies, gate_fd_key(entry->generation, entry->fd));
}

static void apply_close(struct engine *engine, const struct gate_thread *thread,
                        struct pending *call)
{
    const struct fd_table *fds = thread->caller->fds;
    struct fd_entry *entry = fd_table_find(fds, (int)call->args[0]);

    if (fds->uses > 1)
        collect_others(engine->gate, fds, entry);
    take_last_name(&engine->context, thread->caller, entry, &call->parts);
    record_close(&engine->context, thread->caller, call);
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
    struct fd_entry *entry = fd_table_find(caller->fds, (int)call->args[0]);
    bool same = entry && entry->generation == record->generation;

    call->fd_serial = same ? entry->serial : 0;
    call->first_fd_serial = same ? entry->first_serial : ANOTHER_SERIAL;
    call->early = CALLS[call->row].transfer == TRANSFER_IN && same && entry->kind == FD_STREAM &&
                  gated_is_sent_to(engine, caller, entry->fd, record->left);
    if (same && parts_find(&call->parts, PART_SOCKET))
        entry->ends_recorded = true;
    if (same && entry->muted) {
        parts_reset(&call->parts);
        mute_word(caller->fds, entry);
    }
    finish_transfer(&engine->context, caller, call, record->result,
                    ticks_to_ns(engine->gate, record->left - record->entered));
}

/*
 * The same of bytes that were copied from one fd to another. That a thread receives early from the second one
 * does not concern them: they come in from a file.
 */
static void apply_across(struct engine *engine, const struct gate_thread *thread,
                         struct pending *call, const struct gate_record *record)
{
    const struct call *row = &CALLS[call->row];
    struct caller *caller = thread->caller;
    const struct fd_entry *from = fd_table_find(caller->fds, (int)call->args[row->fd - 1]);
    const struct fd_entry *to = fd_table_find(caller->fds, (int)call->args[row->fd2 - 1]);

    if (!from || from->generation != record->generation)
        call->args[row->fd - 1] = UINT64_MAX;
    if (!to || to->generation != record->to_generation)
        call->args[row->fd2 - 1] = UINT64_MAX;
    call->fd_serial = from ? from->serial : 0;
    finish_transfer(&engine->context, caller, call, record->result,
                    ticks_to_ns(engine->gate, record->left - record->entered));
}

static void set_generation(const struct gate_thread *thread, int fd, uint32_t generation)
{
    struct fd_entry *entry = fd_table_find(thread->caller->fds, fd);

    if (entry)
        entry->generation = generation;
}

static void apply_open(struct engine *engine, struct gate_thread *thread, struct pending *call,
                       const struct gate_record *record, uint64_t elapsed_ns)
{
    add_opened_name(engine, thread, record, call);
    record_ended(&engine->context, thread->caller, call, record->result, elapsed_ns);
    set_generation(thread, (int)record->result, record->generation);
}

static void apply_pair(struct engine *engine, const struct gate_thread *thread,
                       struct pending *call, const struct gate_record *record, uint64_t elapsed_ns)
{
    int32_t pair[2];

    if (record->result < 0 || !read_pair(call, pair))
        return; /* the program has lied */
    record_ended(&engine->context, thread->caller, call, record->result, elapsed_ns);
    set_generation(thread, pair[0], record->generation);
    set_generation(thread, pair[1], record->to_generation);
}

/* An fd was copied. */
static void apply_copy(struct engine *engine, const struct gate_thread *thread,
                       struct pending *call, const struct gate_record *record, uint64_t elapsed_ns)
{
    struct caller *caller = thread->caller;
    const struct fd_entry *from = fd_table_find(caller->fds, (int)call->args[0]);

    if (!from || from->generation != record->to_generation)
        call->args[0] = UINT64_MAX;
    record_ended(&engine->context, caller, call, record->result, elapsed_ns);
    set_generation(thread, (int)record->result, record->generation);
}

/* What verify (gated_verify.c) will look at. */
static void keep_parts(const struct engine *engine, struct gate_thread *thread,
                       const struct parts *parts)
{
    if (!engine->options.gate_verify)
        return;
    parts_reset(&thread->last);
    parts_append(&thread->last, parts->bytes, parts->used);
}

/* The file of an fd was changed or mapped. */
static void apply_file(struct engine *engine, const struct gate_thread *thread,
                       struct pending *call, const struct gate_record *record, uint64_t elapsed_ns)
{
    const struct call *row = &CALLS[call->row];
    const struct fd_entry *entry = fd_table_find(thread->caller->fds, (int)call->args[row->fd - 1]);
    bool maps = row->stops == STOPS_ENTRY;

    if (!entry || entry->generation != record->generation)
        call->args[row->fd - 1] = UINT64_MAX;
    write_call(&engine->context, thread->caller, call, maps ? RAW_RESULT_UNKNOWN : record->result,
               maps ? 0 : elapsed_ns, 0);
}

/* The fd from whose folder a path starts may have been closed by another thread: then that is not known. */
static void check_folder(const struct gate_thread *thread, struct pending *call,
                         const struct gate_record *record)
{
    const struct call *row = &CALLS[call->row];
    const struct fd_table *fds = thread->caller->fds;
    const struct raw_part *path = parts_find(&call->parts, PART_PATH);
    int dirfd = row->dirfd ? (int)call->args[row->dirfd - 1] : AT_FDCWD;

    if (dirfd == AT_FDCWD || !path || (path->size && path->bytes[0] == '/'))
        return;
    const struct fd_entry *entry = fd_table_find(fds, dirfd);
    if (!entry || entry->generation != record->generation || (size_t)dirfd >= fds->word_count ||
        GATE_FD_GENERATION(fds->words[dirfd]) != entry->generation)
        call->args[row->dirfd - 1] = UINT64_MAX;
}

/*
 * A call has found nothing where its path leads, which is as true now, or has changed what is there. Else the
 * program has lied.
 */
static void apply_path(struct engine *engine, const struct gate_thread *thread,
                       struct pending *call, const struct gate_record *record, uint64_t elapsed_ns)
{
    int64_t result = record->result;

    check_folder(thread, call, record);
    if ((result == -ENOENT || result == 0) && CALLS[call->row].path &&
        parts_find(&call->parts, PART_PATH))
        call_ended(&engine->context, thread->caller, call, result, elapsed_ns);
}

static bool changes_by_path(const struct call *row)
{
    return row->path && (row->group == GROUP_DELETE || row->group == GROUP_LINK ||
                         row->group == GROUP_MKDIR || row->group == GROUP_ATTR);
}

/* A record says what its call can be known by; the rest follows from its row. */
static void apply_by_row(struct engine *engine, struct gate_thread *thread, struct pending *call,
                         const struct gate_record *record)
{
    const struct call *row = &CALLS[call->row];
    uint64_t elapsed_ns = ticks_to_ns(engine->gate, record->left - record->entered);

    if (call->row == ROW_close) {
        apply_close(engine, thread, call);
    } else if (row->group == GROUP_FD && row->makes_fd && record->result >= 0) {
        apply_copy(engine, thread, call, record, elapsed_ns);
    } else if (row->pair) {
        apply_pair(engine, thread, call, record, elapsed_ns);
    } else if (row->group == GROUP_NET) {
        apply_socket_record(engine, thread, call, record, elapsed_ns);
    } else if (record->result < 0 || changes_by_path(row)) {
        apply_path(engine, thread, call, record, elapsed_ns);
    } else if (row->group == GROUP_OPEN) {
        apply_open(engine, thread, call, record, elapsed_ns);
    } else if (row->group == GROUP_MAP || row->group == GROUP_ATTR) {
        apply_file(engine, thread, call, record, elapsed_ns);
    } else if (row->transfer == TRANSFER_ACROSS && record->result >= 0) {
        apply_across(engine, thread, call, record);
    } else if (row->transfer != TRANSFER_NONE) {
        apply_transfer(engine, thread, call, record);
    }
}

static void apply_call_record(struct engine *engine, struct gate_thread *thread,
                              const struct gate_record *record, const uint8_t *payload)
{
    struct context *context = &engine->context;
    struct caller *caller = thread->caller;
    struct pending call = { .copy_limit = 0 };
    int row = gated_row_for(engine, gated_row(engine, record->row), record->args);

    if (row < 0 || !caller->fds)
        return;
    call_reset(context, &call, row);
    call.abi = ABIS;
    memcpy(call.args, record->args, sizeof call.args);
    call.entered_ns = time_of_ticks(engine->gate, record->entered);
    parts_append(&call.parts, payload, record->copied);
    caller->fds->words_are_newer = true;
    apply_by_row(engine, thread, &call, record);
    caller->fds->words_are_newer = false;
    keep_parts(engine, thread, &call.parts);
    parts_deinit(&call.parts);
}

static void apply(void *context, struct gate_reader *reader, const struct gate_record *record,
                  const uint8_t *payload)
{
    struct engine *engine = context;
    struct gate_thread *thread = thread_of(reader);

    if (record->kind == GATE_TALLY)
        tallies_take_turn(&engine->gate->tallies, thread);
    else
        apply_call_record(engine, thread, record, payload);
}

/* False: there is no memory. */
static bool make_room(struct gate *gate)
{
    struct gate_round *round = &gate->round;
    size_t room = gate->round_room;

    if (round->count < room)
        return true;
    if (!array_make_room(&round->readers, room, sizeof *round->readers) ||
        !array_make_room(&round->heap, room, sizeof *round->heap))
        return false;
    gate->round_room = array_room(room + 1);
    return true;
}

static void add_reader(void *context, struct gate_thread *thread)
{
    struct gate *gate = context;

    if (make_room(gate))
        gate->round.readers[gate->round.count++] = &thread->reader;
    else
        gate_thread_mark(thread);
}

static void fill_round(struct gate_round *round)
{
    struct gate *gate = (struct gate *)((char *)round - offsetof(struct gate, round));

    round->count = 0;
    for (struct arena *arena = gate->arenas; arena; arena = arena->next)
        arena_visit_dirty(arena, add_reader, gate);
}

/*
 * A folder that is made without a stop must not be on the way of a path that has led to nothing before; one that is
 * removed not on that of any path.
 */
static void say_whether_paths_wait(struct gate *gate, bool wait)
{
    const uint64_t both = 0x0101; /* GATE_LOOKED_IN_VAIN, GATE_PATH_WAITS */

    __atomic_store_n(&gate->locks[GATE_LOCKS], wait ? both : 0, __ATOMIC_SEQ_CST);
}

static bool has_unread(const struct gate_reader *reader)
{
    return !reader->broken && reader->read != reader->end;
}

/*
 * What makes, removes or renames folders or links begins with a round, but mkdir(2), which waits for one if a path has
 * led to nothing, and rmdir(2), which does so if a record of any path waits: so for all records of a round a path leads to the
 * same folder.
 */
void gated_collect(struct engine *engine)
{
    struct gate *gate = engine->gate;

    if (!gate || !gate->arenas || engine->recording_ended)
        return;
    say_whether_paths_wait(gate, false); /* first: those are taken that it was said of */
    read_clocks(gate);
    gate->folders.count = 0;
    engine->context.folders = &gate->folders;
    gate->idle = !gate_round(&gate->round);
    engine->context.folders = NULL;
    for (size_t i = 0; i < gate->round.count; i++) {
        struct gate_thread *thread = thread_of(gate->round.readers[i]);
        if (!tallies_collect(&gate->tallies, thread) || has_unread(&thread->reader))
            gate_thread_mark(thread);
        if (has_unread(&thread->reader))
            say_whether_paths_wait(gate, true);
    }
}

void gated_write_ways(struct engine *engine, const struct caller *caller)
{
    if (!engine->gate)
        return;
    uint64_t ways[WAYS];
    memcpy(ways, engine->gate->ways, sizeof ways);
    for (const struct arena *arena = engine->gate->arenas; arena; arena = arena->next)
        for (unsigned i = 0; i < ARENA_SLOTS; i++)
            ways[WAY_GATED] += arena->slots[i] ? arena->slots[i]->calls : 0;
    ways[WAY_GATED] -= engine->gate->led < ways[WAY_GATED] ? engine->gate->led : ways[WAY_GATED];
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
        .fill = fill_round,
        .apply = apply,
        .context = engine,
        .payload = malloc(GATE_RECORD_MAX),
    };
    engine->gate->tallies.is_known = is_known;
    engine->gate->tallies.take = take;
    engine->gate->tallies.context = engine;
}

void deinit_round(struct gate *gate)
{
    free(gate->round.payload);
    free(gate->round.readers);
    free(gate->round.heap);
}
