#include "gate/arena.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include "gate/segment.h"
#include "gate/tallies.h"

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
    tallies_forget(thread);
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

/* -- calls under way --------------------------------------------------------------------------- */

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

/* A place that was being given away is empty. */
static void empty_torn(struct gate_tally *shared)
{
    if (shared->version % 2 == 0)
        return;
    shared->version++;
    shared->fd = UINT64_MAX;
    memset(&shared->sums, 0, sizeof shared->sums);
    shared->taken = GATE_TAKEN(shared->version, 0);
}

bool gate_thread_complete(struct gate_thread *thread)
{
    struct gate_slot *slot = &thread->page->slot;
    uint64_t index = slot->tally;

    for (int i = 0; i < GATE_TALLIES; i++)
        empty_torn(&slot->tallies[i]);
    if (index && index <= GATE_TALLIES)
        slot->tallies[index - 1].sums = slot->next;
    else if (!gate_thread_published(thread))
        return false;
    slot->made++;
    return true;
}
