#include "gate/arena.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "gate/segment.h"

_Static_assert(ARENA_RINGS_AT + ARENA_SLOTS * ARENA_RING_BYTES <= GATE_ARENA_BYTES, "");
_Static_assert(ARENA_RING_BYTES >= 2 * GATE_RECORD_MAX, "");

_Static_assert(GATE_ARENA_BYTES <= GATE_ARENA_STRIDE, "");
_Static_assert(ARENA_DIRTY_AT + ARENA_DIRTY_WORDS * sizeof(uint64_t) <= GATE_SLOT_BYTES, "");

struct arena *arena_new(unsigned index, uid_t owner, struct arena **list)
{
    struct arena *arena = calloc(1, sizeof *arena);

    if (!arena || !(arena->memory = segment_map(GATE_ARENA_BYTES, owner, &arena->id))) {
        free(arena);
        return NULL;
    }
    arena->address = GATE_ARENA_BASE + (uint64_t)index * GATE_ARENA_STRIDE;
    arena->uses = 1;
    arena->next = *list;
    arena->link = list;
    if (*list)
        (*list)->link = &arena->next;
    *list = arena;
    return arena;
}

struct arena *arena_share(struct arena *arena)
{
    arena->uses++;
    return arena;
}

void arena_drop(struct arena *arena)
{
    if (--arena->uses)
        return;
    *arena->link = arena->next;
    if (arena->next)
        arena->next->link = arena->link;
    shmdt(arena->memory);
    free(arena);
}

uint64_t arena_address(const struct arena *arena, const void *memory)
{
    return arena->address + (uint64_t)((const uint8_t *)memory - arena->memory);
}

/* -- tables ----------------------------------------------------------------------------------- */

uint64_t *arena_take_table(struct arena *arena)
{
    unsigned index = 0;

    while (index < ARENA_TABLES && arena->tables[index])
        index++;
    if (index == ARENA_TABLES)
        return NULL;
    arena->tables[index] = true;
    arena->uses++;
    return (uint64_t *)(arena->memory + ARENA_TABLES_AT + (size_t)index * ARENA_TABLE_BYTES);
}

/* Pages of it that were never written stay without memory. */
void arena_give_table(struct arena *arena, uint64_t *words)
{
    size_t offset = (size_t)((uint8_t *)words - arena->memory);

    madvise(words, ARENA_TABLE_BYTES, MADV_REMOVE);
    arena->tables[(offset - ARENA_TABLES_AT) / ARENA_TABLE_BYTES] = false;
    arena_drop(arena);
}

/* -- slots ------------------------------------------------------------------------------------ */

static uint64_t *dirty_word(const struct gate_thread *thread)
{
    uint64_t *words = (uint64_t *)(thread->arena->memory + ARENA_DIRTY_AT);

    return &words[thread->index / 64];
}

static uint64_t dirty_bit(const struct gate_thread *thread)
{
    return (uint64_t)1 << thread->index % 64;
}

static void reset_slot(struct gate_thread *thread)
{
    struct gate_slot *slot = &thread->page->slot;
    uint8_t *ring =
        thread->arena->memory + ARENA_RINGS_AT + (size_t)thread->index * ARENA_RING_BYTES;

    memset(slot, 0, sizeof *slot);
    slot->magic = GATE_MAGIC;
    slot->self = arena_address(thread->arena, slot);
    slot->stack_top = slot->self + GATE_SLOT_BYTES;
    slot->holder = gate_thread_holder(thread);
    slot->ring = arena_address(thread->arena, ring);
    slot->ring_size = ARENA_RING_BYTES;
    slot->dirty = arena_address(thread->arena, dirty_word(thread));
    slot->dirty_bit = dirty_bit(thread);
    thread->reader = (struct gate_reader){
        .ring = ring,
        .size = ARENA_RING_BYTES,
        .head = (_Atomic uint64_t *)&slot->head,
        .tail = (_Atomic uint64_t *)&slot->tail,
    };
}

static union gate_page *page_of(const struct arena *arena, size_t index)
{
    return (union gate_page *)(arena->memory + ARENA_SLOTS_AT + index * GATE_SLOT_BYTES);
}

union gate_page *arena_page(const struct arena *arena, uint64_t address)
{
    uint64_t offset = address - arena->address - ARENA_SLOTS_AT;
    uint64_t index = offset / GATE_SLOT_BYTES;

    return index < ARENA_SLOTS && offset % GATE_SLOT_BYTES == 0 ? page_of(arena, index) : NULL;
}

struct gate_thread *gate_thread_new(struct arena *arena, struct caller *caller,
                                    struct gate_thread **list)
{
    struct gate_thread *thread;
    unsigned index = 0;

    while (index < ARENA_SLOTS && arena->slots[index])
        index++;
    if (index == ARENA_SLOTS || !(thread = calloc(1, sizeof *thread)))
        return NULL;
    thread->caller = caller;
    thread->arena = arena_share(arena);
    thread->index = index;
    thread->page = page_of(arena, index);
    arena->slots[index] = thread;
    thread->next = *list;
    thread->link = list;
    if (*list)
        (*list)->link = &thread->next;
    *list = thread;
    reset_slot(thread);
    return thread;
}

void gate_thread_free(struct gate_thread *thread)
{
    if (!thread)
        return;
    thread->page->slot.magic = 0;
    parts_deinit(&thread->last);
    *thread->link = thread->next;
    if (thread->next)
        thread->next->link = thread->link;
    thread->arena->slots[thread->index] = NULL;
    arena_drop(thread->arena);
    free(thread->folder.name);
    free(thread);
}

void gate_thread_mark(struct gate_thread *thread)
{
    thread->arena->left[thread->index / 64] |= dirty_bit(thread);
}

static void visit_word(struct arena *arena, unsigned word, uint64_t bits, visit_thread *visit,
                       void *context)
{
    for (; bits; bits &= bits - 1) {
        struct gate_thread *thread = arena->slots[word * 64 + (unsigned)__builtin_ctzll(bits)];
        if (!thread) /* the program has set a bit of nothing */
            continue;
        __atomic_store_n(&thread->page->slot.is_dirty, 0, __ATOMIC_SEQ_CST);
        visit(context, thread);
    }
}

void arena_visit_dirty(struct arena *arena, visit_thread *visit, void *context)
{
    uint64_t *words = (uint64_t *)(arena->memory + ARENA_DIRTY_AT);

    for (unsigned word = 0; word < ARENA_DIRTY_WORDS; word++) {
        uint64_t again = arena->left[word], found = 0;
        if (__atomic_load_n(&words[word], __ATOMIC_RELAXED))
            found = __atomic_exchange_n(&words[word], 0, __ATOMIC_SEQ_CST);
        arena->left[word] =
            found; /* a thread may not have made visible what it has published: mark_slot */
        visit_word(arena, word, again | found, visit, context);
    }
}

/* -- tallies ---------------------------------------------------------------------------------- */

static uint32_t version_of(const struct gate_tally *shared)
{
    return __atomic_load_n(&shared->version, __ATOMIC_ACQUIRE);
}

/*
 * Copy a tally. False: its place is being given to another fd. The thread gives it away only if all was
 * taken, so then there is nothing in it to lose.
 */
static bool copy_tally(const struct gate_tally *shared, struct gate_tally *copy)
{
    uint32_t version = version_of(shared);
    uint64_t calls = __atomic_load_n(&shared->sums.calls, __ATOMIC_ACQUIRE);

    memcpy(copy, shared, sizeof *copy);
    copy->sums.calls = calls; /* read before the other sums, which the thread adds to before */
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return version % 2 == 0 && copy->version == version && version_of(shared) == version;
}

static void take_more(struct gate_tally now, struct gate_tally *seen, take_tally *take,
                      void *context)
{
    struct gate_sums before = { 0 };

    if (now.version == seen->version)
        before = seen->sums;
    *seen = now;
    now.sums.calls -= before.calls;
    now.sums.bytes -= before.bytes;
    now.sums.ticks -= before.ticks;
    if (now.sums.calls)
        take(context, &now);
}

/*
 * The place of a tally was given away. Its GATE_TALLY, if that is not read yet, says all of it again, so what was taken
 * is kept. False: that of a tally before it is kept.
 */
static bool set_aside(struct gate_thread *thread, int index)
{
    const struct gate_reader *reader = &thread->reader;
    struct gate_tally *aside = &thread->aside[index];
    bool unread =
        !reader->broken && atomic_load_explicit(reader->head, memory_order_acquire) != reader->read;

    if (unread && aside->version)
        return false;
    *aside = unread ? thread->seen[index] : (struct gate_tally){ .version = 0 };
    return true;
}

/* False: there is something to take later. */
static bool collect_tally(struct gate_thread *thread, int index, is_known_fd *is_known,
                          take_tally *take, void *context)
{
    struct gate_tally *shared = &thread->page->slot.tallies[index], *seen = &thread->seen[index];
    struct gate_tally now;

    if (!copy_tally(shared, &now))
        return false;
    if (now.version == seen->version && now.sums.calls == seen->sums.calls)
        return true;
    if (!is_known(context, now.fd) || (now.version != seen->version && !set_aside(thread, index)))
        return false;
    take_more(now, seen, take, context);
    shared->taken = GATE_TAKEN(now.version, now.sums.calls);
    return true;
}

void gate_thread_take(struct gate_thread *thread, const struct gate_record *record,
                      take_tally *take, void *context)
{
    const struct gate_tally now = {
        .fd = (uint64_t)record->generation << GATE_FD_GENERATION_SHIFT | record->fd,
        .number = record->row,
        .version = (uint32_t)record->args[4],
        .sums = { record->args[0], record->args[1], record->args[2] },
    };

    struct gate_tally none = { .version = 0 };
    uint64_t index = record->args[3];

    if (index >= GATE_TALLIES)
        return;
    if (now.version == thread->seen[index].version)
        take_more(now, &thread->seen[index], take, context);
    else if (now.version == thread->aside[index].version)
        take_more(now, &thread->aside[index], take, context);
    else
        take_more(now, &none, take, context);
}

bool gate_thread_is_in_call(const struct gate_thread *thread)
{
    uint32_t phase = __atomic_load_n(&thread->page->slot.phase, __ATOMIC_ACQUIRE);

    return phase != GATE_IDLE && phase != GATE_COMMITTED;
}

bool gate_thread_published(const struct gate_thread *thread)
{
    const struct gate_slot *slot = &thread->page->slot;

    return slot->record_end && slot->record_end == slot->head;
}

bool gate_thread_collect(struct gate_thread *thread, is_known_fd *is_known, take_tally *take,
                         void *context)
{
    struct gate_slot *slot = &thread->page->slot;
    uint64_t made = __atomic_load_n(&slot->made, __ATOMIC_ACQUIRE);

    if (made == thread->made && thread->is_taken)
        return true;
    thread->calls += made - thread->made <= INT32_MAX ? made - thread->made : 0;
    thread->made = made;
    thread->is_taken = true;
    for (int i = 0; i < GATE_TALLIES; i++)
        thread->is_taken &= collect_tally(thread, i, is_known, take, context);
    return thread->is_taken;
}

/* A place that was being given away is empty. */
static void empty_torn(struct gate_thread *thread, int index)
{
    struct gate_tally *shared = &thread->page->slot.tallies[index];

    if (shared->version % 2 == 0)
        return;
    set_aside(thread, index);
    shared->version++;
    shared->fd = UINT64_MAX;
    memset(&shared->sums, 0, sizeof shared->sums);
    shared->taken = GATE_TAKEN(shared->version, 0);
    thread->seen[index] = *shared;
}

bool gate_thread_complete(struct gate_thread *thread)
{
    struct gate_slot *slot = &thread->page->slot;
    uint64_t index = slot->tally;

    for (int i = 0; i < GATE_TALLIES; i++)
        empty_torn(thread, i);
    if (index && index <= GATE_TALLIES)
        slot->tallies[index - 1].sums = slot->next;
    else if (!gate_thread_published(thread))
        return false;
    slot->made++;
    return true;
}
