#pragma once

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Texts, each kept once, with what is known of it beside it: one look at memory finds both.
 *
 * The number of a text stays the same, its place does not: that lasts until another text is found.
 * Number 0 is the first one, and text_table_next leads to the others in the order in which they
 * came. */

enum { FIRST_SLOTS = 64, FIRST_BYTES = 4096, ENTRY_UNIT = 8 };

/* Of any bytes, without a NUL at the end. */
struct text {
    const char *start;
    size_t size;
};

struct text_slot {
    uint32_t hash;
    uint32_t number; /* of the text, plus one; 0: none */
};

/* Before it what is known of the text, `known_size` bytes, all 0 at first. */
struct text_entry {
    uint32_t size;
    char bytes[];
};

struct text_table {
    size_t known_size; /* a multiple of ENTRY_UNIT */
    char *entries;     /* a number counts units */
    size_t used, room;
    struct text_slot *slots; /* a power of two of them, half of them free */
    uint32_t slot_count, count;
    uint64_t seed; /* random: a recorded program cannot choose paths that share a slot */
};

static inline bool same_text(struct text one, struct text other)
{
    return one.size == other.size && !memcmp(one.start, other.start, one.size);
}

static inline void *text_known(const struct text_table *table, uint32_t number)
{
    return table->entries + (size_t)number * ENTRY_UNIT;
}

static inline struct text text_at(const struct text_table *table, uint32_t number)
{
    const char *known = text_known(table, number);
    const struct text_entry *entry = (const struct text_entry *)(known + table->known_size);

    return (struct text){ entry->bytes, entry->size };
}

static inline size_t entry_size(const struct text_table *table, size_t size)
{
    size += table->known_size + sizeof(struct text_entry);
    return (size + ENTRY_UNIT - 1) / ENTRY_UNIT * ENTRY_UNIT;
}

/* The text that came after another one; 0: none. */
static inline uint32_t text_table_next(const struct text_table *table, uint32_t number)
{
    size_t end = (size_t)number * ENTRY_UNIT + entry_size(table, text_at(table, number).size);

    return end < table->used ? (uint32_t)(end / ENTRY_UNIT) : 0;
}

static inline uint64_t mixed(uint64_t value)
{
    unsigned __int128 product = (unsigned __int128)value * UINT64_C(0x9e3779b97f4a7c15);

    return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

static uint32_t text_hash(const struct text_table *table, struct text text)
{
    uint64_t hash = table->seed ^ text.size, eight;

    for (; text.size >= sizeof(eight); text.start += sizeof(eight), text.size -= sizeof(eight)) {
        memcpy(&eight, text.start, sizeof(eight));
        hash = mixed(hash ^ eight);
    }
    eight = 0;
    memcpy(&eight, text.start, text.size);
    return (uint32_t)mixed(hash ^ eight);
}

/* Twice as many slots, or the first. */
static int more_slots(struct text_table *table)
{
    uint32_t count = table->slot_count ? 2 * table->slot_count : FIRST_SLOTS, at, old;
    struct text_slot *slots = calloc(count, sizeof(*slots));

    if (!slots)
        return -ENOMEM;
    for (old = 0; old < table->slot_count; old++) {
        if (!table->slots[old].number)
            continue;
        for (at = table->slots[old].hash & (count - 1); slots[at].number;)
            at = (at + 1) & (count - 1);
        slots[at] = table->slots[old];
    }
    free(table->slots);
    table->slots = slots;
    table->slot_count = count;
    return 0;
}

/* Room for `size` more bytes of entries. */
static int more_room(struct text_table *table, size_t size)
{
    size_t room = table->room ? table->room : FIRST_BYTES;
    char *entries;

    while (room - table->used < size)
        room *= 2;
    entries = room / ENTRY_UNIT > UINT32_MAX ? NULL : realloc(table->entries, room);
    if (!entries)
        return -ENOMEM;
    table->entries = entries;
    table->room = room;
    return 0;
}

static int text_table_init(struct text_table *table, size_t known_size)
{
    memset(table, 0, sizeof(*table));
    table->known_size = known_size;
    if (getrandom(&table->seed, sizeof(table->seed), GRND_NONBLOCK) < 0)
        table->seed = (uintptr_t)table;
    return more_slots(table);
}

static void text_table_deinit(struct text_table *table)
{
    free(table->entries);
    free(table->slots);
}

/* Have the memory fetched in which a text of this hash is looked for. */
static inline void text_table_fetch_slot(const struct text_table *table, uint32_t hash)
{
    __builtin_prefetch(&table->slots[hash & (table->slot_count - 1)]);
}

/* Likewise that of what is known of it. Returns whether its number is likely to be `*number_out`. */
static inline bool text_table_fetch(const struct text_table *table, uint32_t hash,
                                    uint32_t *number_out)
{
    struct text_slot slot = table->slots[hash & (table->slot_count - 1)];

    *number_out = slot.number - 1;
    if (!slot.number || slot.hash != hash)
        return false;
    __builtin_prefetch(text_known(table, *number_out));
    return true;
}

/* Find the number of a text, which is kept if it is new; it may be a part of one that is kept.
 * Returns 0 or -ENOMEM. */
static int text_table_find(struct text_table *table, struct text text, uint32_t *number_out)
{
    uint32_t hash = text_hash(table, text), at = hash & (table->slot_count - 1);
    size_t size = entry_size(table, text.size);
    struct text_entry *entry;
    uintptr_t inside;

    for (; table->slots[at].number; at = (at + 1) & (table->slot_count - 1)) {
        *number_out = table->slots[at].number - 1;
        if (table->slots[at].hash == hash && same_text(text_at(table, *number_out), text))
            return 0;
    }
    if (table->room - table->used < size) {
        inside = (uintptr_t)text.start - (uintptr_t)table->entries;
        if (more_room(table, size) < 0)
            return -ENOMEM;
        if (inside < table->used)
            text.start = table->entries + inside;
    }
    *number_out = (uint32_t)(table->used / ENTRY_UNIT);
    memset(table->entries + table->used, 0, table->known_size);
    entry = (struct text_entry *)(table->entries + table->used + table->known_size);
    entry->size = (uint32_t)text.size;
    memcpy(entry->bytes, text.start, text.size);
    table->used += size;
    table->slots[at] = (struct text_slot){ hash, *number_out + 1 };
    return ++table->count == table->slot_count / 2 ? more_slots(table) : 0;
}
