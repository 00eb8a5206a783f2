/*
 * Drives ext/gate/arena.c: arenas, their tables and slots are taken and given back, and each goes with its last
 * use. The sanitizer finds what is not freed. Prints what is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gate/arena.h"
#include "record/parts.h"

#define CHECK(what) ((what) ? (void)0 : fail(#what, __LINE__))

enum { TIMES = 20 };

static void fail(const char *what, int line)
{
    printf("line %d: not %s\n", line, what);
    exit(1);
}

static bool has_segments = true;

/* That of the C library, unless there are to be no more segments. */
int shmget(key_t key, size_t size, int flags)
{
    return has_segments ? (int)syscall(SYS_shmget, key, size, flags) : -1;
}

static bool is_mapped(const void *memory)
{
    return msync((void *)(uintptr_t)memory, 4096, MS_ASYNC) == 0;
}

static void check_list(void)
{
    struct arena *list = NULL, *first = arena_new(0, getuid(), &list);
    struct arena *second = arena_new(1, getuid(), &list), *third = arena_new(2, getuid(), &list);
    const uint8_t *memory = second->memory;

    CHECK(list == third && third->next == second && second->next == first && !first->next);
    has_segments = false;
    CHECK(!arena_new(3, getuid(), &list) && list == third);
    has_segments = true;
    CHECK(third->address - second->address == GATE_ARENA_STRIDE);
    CHECK(arena_address(third, third->memory + 8) == third->address + 8);
    CHECK(arena_share(second) == second);
    arena_drop(second);
    CHECK(third->next == second && is_mapped(memory));
    arena_drop(second);
    CHECK(list == third && third->next == first && !first->next && !is_mapped(memory));
    arena_drop(third);
    CHECK(list == first && first->link == &list && !first->next);
    arena_drop(first);
    CHECK(!list);
}

static void check_tables(void)
{
    struct arena *list = NULL, *arena = arena_new(0, getuid(), &list);
    uint64_t *tables[ARENA_TABLES];
    const uint8_t *memory = arena->memory;

    for (int i = 0; i < ARENA_TABLES; i++) {
        tables[i] = arena_take_table(arena);
        CHECK(tables[i] && !tables[i][0] && !tables[i][ARENA_FDS - 1]);
        CHECK(!i || tables[i] - tables[i - 1] == ARENA_FDS);
        tables[i][0] = tables[i][ARENA_FDS - 1] = 1;
    }
    CHECK(!arena_take_table(arena));
    arena_give_table(arena, tables[7]);
    CHECK(arena_take_table(arena) == tables[7] && !tables[7][0] && !tables[7][ARENA_FDS - 1]);
    CHECK(tables[6][ARENA_FDS - 1] == 1 && tables[8][0] == 1);
    arena_drop(arena);
    for (int i = 0; i < ARENA_TABLES; i++) {
        CHECK(list && is_mapped(memory));
        arena_give_table(arena, tables[i]);
    }
    CHECK(!list && !is_mapped(memory));
}

static struct gate_thread *threads[ARENA_SLOTS];

/* As the tracer does: it remembers a name, and a record that it verifies. */
static void use(struct gate_thread *thread)
{
    thread->folder.name = strdup("/home");
    parts_add(&thread->last, PART_PATH, 0, "text", 4);
}

/* What a slot says where the program finds what belongs to it. */
static void check_slot(const struct gate_thread *thread)
{
    const struct arena *arena = thread->arena;
    const struct gate_slot *slot = &thread->page->slot;
    const size_t index = thread->index, word = index / 64;
    const uint8_t *ring = arena->memory + ARENA_RINGS_AT + index * ARENA_RING_BYTES;
    const uint8_t *place = arena->memory + ARENA_SLOTS_AT + index * GATE_SLOT_BYTES;

    CHECK((const uint8_t *)slot == place && slot->self == arena_address(arena, slot));
    CHECK(slot->magic == GATE_MAGIC && slot->stack_top == slot->self + GATE_SLOT_BYTES);
    CHECK(slot->holder == gate_thread_holder(thread));
    CHECK(slot->ring == arena_address(arena, ring) && slot->ring_size == ARENA_RING_BYTES);
    CHECK(slot->dirty == arena_address(arena, arena->memory + ARENA_DIRTY_AT + 8 * word));
    CHECK(slot->dirty_bit == (uint64_t)1 << (index - 64 * word));
    CHECK(slot->mode == GATE_TRACED && !slot->head && !slot->tail);
    CHECK(thread->reader.ring == ring && thread->reader.size == ARENA_RING_BYTES);
    CHECK((const void *)thread->reader.head == &slot->head);
    CHECK((const void *)thread->reader.tail == &slot->tail);
}

static void check_slots(void)
{
    struct arena *list = NULL, *arena = arena_new(0, getuid(), &list);
    struct gate_thread *all = NULL;
    struct caller *caller = (struct caller *)arena;
    const uint8_t *memory = arena->memory;

    for (unsigned i = 0; i < ARENA_SLOTS; i++) {
        threads[i] = gate_thread_new(arena, caller, &all);
        CHECK(threads[i] && threads[i]->index == i && arena->slots[i] == threads[i]);
        CHECK(threads[i]->caller == caller && all == threads[i]);
        check_slot(threads[i]);
        use(threads[i]);
    }
    CHECK(!gate_thread_new(arena, caller, &all));
    struct gate_slot *slot = &threads[5]->page->slot;
    slot->mode = GATE_PASS;
    slot->head = slot->tail = 8;
    gate_thread_free(threads[5]);
    CHECK(!slot->magic && !arena->slots[5] && threads[6]->next == threads[4]);
    CHECK(threads[4]->link == &threads[6]->next);
    threads[5] = gate_thread_new(arena, caller, &all);
    CHECK(threads[5]->index == 5 && all == threads[5]);
    check_slot(threads[5]);
    arena_drop(arena);
    for (unsigned i = 0; i < ARENA_SLOTS; i++) {
        CHECK(list && is_mapped(memory));
        gate_thread_free(threads[i]);
    }
    CHECK(!list && !all && !is_mapped(memory));
    gate_thread_free(NULL);
}

static void count(void *context, struct gate_thread *thread)
{
    unsigned *visits = context;

    visits[thread->index]++;
}

/* How often a visit comes to a slot; no other is to be visited. */
static unsigned visits_of(struct arena *arena, unsigned index)
{
    unsigned visits[ARENA_SLOTS] = { 0 }, sum = 0;

    arena_visit_dirty(arena, count, visits);
    for (unsigned i = 0; i < ARENA_SLOTS; i++)
        sum += visits[i];
    CHECK(sum == visits[index]);
    return visits[index];
}

enum { MADE = 71, NO_THREAD = 65 };

/* Of a thread whose bit stands beside that of none. */
static void check_visits_of(struct arena *arena, const struct gate_thread *thread)
{
    uint64_t *words = (uint64_t *)(arena->memory + ARENA_DIRTY_AT);
    struct gate_slot *slot = &thread->page->slot;
    const unsigned at = thread->index;

    CHECK(!visits_of(arena, at));
    slot->is_dirty = 1;
    words[1] = slot->dirty_bit | (uint64_t)1 << (NO_THREAD - 64);
    CHECK(visits_of(arena, at) == 1 && !slot->is_dirty);
    CHECK(visits_of(arena, at) == 1 && !words[1]); /* what was not visible yet is taken then */
    CHECK(!visits_of(arena, at));
    gate_thread_mark(threads[at]);
    CHECK(visits_of(arena, at) == 1);
    CHECK(!visits_of(arena, at));
}

static void check_visits(void)
{
    struct arena *list = NULL, *arena = arena_new(0, getuid(), &list);
    struct gate_thread *all = NULL;

    for (unsigned i = 0; i < MADE; i++)
        threads[i] = gate_thread_new(arena, NULL, &all);
    gate_thread_free(threads[NO_THREAD]);
    threads[NO_THREAD] = NULL;
    check_visits_of(arena, threads[64]);
    check_visits_of(arena, threads[MADE - 1]);
    for (unsigned i = 0; i < MADE; i++)
        gate_thread_free(threads[i]);
    arena_drop(arena);
}

int main(void)
{
    for (int i = 0; i < TIMES; i++) {
        check_list();
        check_tables();
        check_slots();
        check_visits();
    }
    memset(threads, 0, sizeof threads);
    return 0;
}
