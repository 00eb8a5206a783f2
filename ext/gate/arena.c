#include "gate/arena.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

_Static_assert(ARENA_RINGS_AT + ARENA_SLOTS * ARENA_RING_BYTES <= GATE_ARENA_BYTES, "");
_Static_assert(ARENA_RING_BYTES >= 2 * GATE_RECORD_MAX, "");

struct arena *arena_new(int fd)
{
    struct arena *arena = calloc(1, sizeof *arena);
    void *memory = MAP_FAILED;

    if (arena && ftruncate(fd, GATE_ARENA_BYTES) == 0)
        memory =
            mmap(NULL, GATE_ARENA_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (memory == MAP_FAILED) {
        free(arena);
        return NULL;
    }
    arena->memory = memory;
    arena->uses = 1;
    return arena;
}

struct arena *arena_share(struct arena *arena)
{
    if (arena)
        arena->uses++;
    return arena;
}

void arena_drop(struct arena *arena)
{
    if (!arena || --arena->uses)
        return;
    munmap(arena->memory, GATE_ARENA_BYTES);
    free(arena);
}

uint64_t arena_address(const struct arena *arena, const void *memory)
{
    return GATE_ARENA_BASE + (uint64_t)((const uint8_t *)memory - arena->memory);
}

/* The first of `count` places that is not in use; `count`: all are. */
static unsigned take_place(bool *places, unsigned count)
{
    unsigned at = 0;

    while (at < count && places[at])
        at++;
    if (at < count)
        places[at] = true;
    return at;
}

/* -- tables ----------------------------------------------------------------------------------- */

uint64_t *arena_take_table(struct arena *arena)
{
    unsigned index = take_place(arena->tables, ARENA_TABLES);

    if (index == ARENA_TABLES)
        return NULL;
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

/* -- locks ------------------------------------------------------------------------------------ */

int arena_take_lock(struct arena *arena)
{
    unsigned index = take_place(arena->locks, ARENA_LOCKS);

    return index == ARENA_LOCKS ? -1 : (int)index;
}

void arena_give_lock(struct arena *arena, unsigned index)
{
    __atomic_store_n(arena_lock(arena, index), 0, __ATOMIC_RELEASE);
    arena->locks[index] = false;
}

uint64_t arena_lock_address(unsigned index)
{
    return GATE_ARENA_BASE + ARENA_LOCKS_AT + (uint64_t)index * ARENA_LOCK_BYTES;
}

uint32_t *arena_find_lock(const struct arena *arena, uint64_t address)
{
    uint64_t offset = address - arena_lock_address(0);

    return offset < ARENA_LOCKS * ARENA_LOCK_BYTES && offset % ARENA_LOCK_BYTES == 0
               ? arena_lock(arena, (unsigned)(offset / ARENA_LOCK_BYTES))
               : NULL;
}

/* -- slots ------------------------------------------------------------------------------------ */

static size_t ring_offset(const struct gate_thread *thread)
{
    return ARENA_RINGS_AT + (size_t)thread->index * ARENA_RING_BYTES;
}

static void reset_slot(struct gate_thread *thread)
{
    struct gate_slot *slot = &thread->page->slot;

    memset(slot, 0, sizeof *slot);
    slot->magic = GATE_MAGIC;
    slot->self = arena_address(thread->arena, slot);
    slot->stack_top = slot->self + GATE_SLOT_BYTES;
    slot->ring = GATE_ARENA_BASE + ring_offset(thread);
    slot->ring_size = ARENA_RING_BYTES;
    thread->reader = (struct gate_reader){
        .ring = thread->arena->memory + ring_offset(thread),
        .size = ARENA_RING_BYTES,
        .head = (_Atomic uint64_t *)&slot->head,
        .tail = (_Atomic uint64_t *)&slot->tail,
    };
}

struct gate_thread *gate_thread_new(struct arena *arena, struct caller *caller,
                                    struct gate_thread **list)
{
    struct gate_thread *thread = calloc(1, sizeof *thread);
    unsigned index = thread ? take_place(arena->slots, ARENA_SLOTS) : ARENA_SLOTS;

    if (index == ARENA_SLOTS) {
        free(thread);
        return NULL;
    }
    thread->caller = caller;
    thread->arena = arena_share(arena);
    thread->index = index;
    thread->page =
        (union gate_page *)(arena->memory + ARENA_SLOTS_AT + (size_t)index * GATE_SLOT_BYTES);
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
    *thread->link = thread->next;
    if (thread->next)
        thread->next->link = thread->link;
    thread->page->slot.magic = 0;
    parts_deinit(&thread->last);
    thread->arena->slots[thread->index] = false;
    arena_drop(thread->arena);
    free(thread);
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

    memcpy(copy, shared, sizeof *copy);
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

static void collect_tally(struct gate_tally *shared, struct gate_tally *seen, is_known_fd *is_known,
                          take_tally *take, void *context)
{
    struct gate_tally now;

    if (!copy_tally(shared, &now) ||
        (now.version == seen->version && now.sums.calls == seen->sums.calls) ||
        !is_known(context, now.fd))
        return;
    take_more(now, seen, take, context);
    shared->taken = GATE_TAKEN(now.version, now.sums.calls);
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

    if (record->args[3] < GATE_TALLIES)
        take_more(now, &thread->seen[record->args[3]], take, context);
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

void gate_thread_collect(struct gate_thread *thread, is_known_fd *is_known, take_tally *take,
                         void *context)
{
    struct gate_slot *slot = &thread->page->slot;
    uint64_t made = __atomic_load_n(&slot->made, __ATOMIC_ACQUIRE);

    if (made == thread->made)
        return;
    thread->calls += made - thread->made <= INT32_MAX ? made - thread->made : 0;
    thread->made = made;
    for (int i = 0; i < GATE_TALLIES; i++)
        collect_tally(&slot->tallies[i], &thread->seen[i], is_known, take, context);
}

/* A place that was being given away is empty. */
static void empty_torn(struct gate_tally *shared, struct gate_tally *seen)
{
    if (shared->version % 2 == 0)
        return;
    shared->version++;
    shared->fd = UINT64_MAX;
    memset(&shared->sums, 0, sizeof shared->sums);
    shared->taken = GATE_TAKEN(shared->version, 0);
    *seen = *shared;
}

bool gate_thread_complete(struct gate_thread *thread)
{
    struct gate_slot *slot = &thread->page->slot;
    uint64_t index = slot->tally;

    for (int i = 0; i < GATE_TALLIES; i++)
        empty_torn(&slot->tallies[i], &thread->seen[i]);
    if (index && index <= GATE_TALLIES)
        slot->tallies[index - 1].sums = slot->next;
    else if (!gate_thread_published(thread))
        return false;
    slot->made++;
    return true;
}
