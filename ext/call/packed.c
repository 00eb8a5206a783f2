#include "call/packed.h"

#include <stdlib.h>
#include <string.h>

#include "record/record.h"

enum { KEPT_BYTES = 1024, NUMBER_MAX = 10, RUN_MAX = 15, SPARSE_MIN = 8 };

static bool reserve(struct packed *packed, size_t size)
{
    size_t needed = packed->used + size;
    size_t room = 2 * needed < KEPT_BYTES ? KEPT_BYTES : 2 * needed;

    if (needed <= packed->room)
        return true;
    uint8_t *grown = realloc(packed->bytes, room);
    if (!grown)
        return false;
    packed->bytes = grown;
    packed->room = room;
    return true;
}

void packed_deinit(struct packed *packed)
{
    free(packed->bytes);
    memset(packed, 0, sizeof *packed);
}

bool packed_reset(struct packed *packed)
{
    if (packed->room > KEPT_BYTES)
        packed_deinit(packed);
    packed->used = 0;
    if (!reserve(packed, KEPT_BYTES))
        return false;
    packed->used = sizeof(struct raw_part);
    return true;
}

/* There is room for NUMBER_MAX bytes. */
static void add_number(struct packed *packed, uint64_t number)
{
    uint64_t zigzag = number << 1 ^ (number >> 63 ? UINT64_MAX : 0);

    for (; zigzag >= 0x80; zigzag >>= 7)
        packed->bytes[packed->used++] = (uint8_t)(zigzag | 0x80);
    packed->bytes[packed->used++] = (uint8_t)zigzag;
}

void packed_arguments(struct packed *packed, const uint64_t *args, uint8_t count)
{
    if (!reserve(packed, 1 + (size_t)count * NUMBER_MAX))
        return;
    packed->bytes[packed->used++] = count;
    for (uint8_t i = 0; i < count; i++)
        add_number(packed, args[i]);
}

/* How many of the bytes from `at` on are zeros, or are none that a run of zeros begins with. */
static size_t run_length(const uint8_t *bytes, size_t size, size_t at, bool zeros)
{
    size_t length = 0;

    while (at + length < size && length < RUN_MAX) {
        bool zero = !bytes[at + length];
        bool ends = at + length + 1 == size || !bytes[at + length + 1];
        if (zeros != (zero && (zeros || ends)))
            break;
        length++;
    }
    return length;
}

/* Write `bytes` as runs to at most `room` bytes; returns how many, or 0: they are not shorter so. */
static size_t write_runs(const uint8_t *bytes, size_t size, uint8_t *to, size_t room)
{
    size_t used = 0;

    for (size_t at = 0; at < size;) {
        size_t run = run_length(bytes, size, at, false);
        size_t zeros = run_length(bytes, size, at + run, true);
        if (used + 1 + run >= room)
            return 0;
        to[used++] = (uint8_t)(run << 4 | zeros);
        memcpy(to + used, bytes + at, run);
        used += run;
        at += run + zeros;
    }
    return used;
}

static void add_bytes(struct packed *packed, const void *bytes, size_t size)
{
    if (size)
        memcpy(packed->bytes + packed->used, bytes, size);
    packed->used += size;
}

bool packed_piece(struct packed *packed, unsigned bits, const uint64_t *address, const void *bytes,
                  size_t size)
{
    size_t most = 1 + 2 * NUMBER_MAX + size;

    if (packed->used + most > PACKED_MAX || !reserve(packed, most))
        return false;
    uint8_t *head = packed->bytes + packed->used++;
    *head = (uint8_t)(bits | (address ? PIECE_FAR : 0));
    if (address)
        add_number(packed, *address);
    add_number(packed, size);
    size_t sparse =
        size < SPARSE_MIN ? 0 : write_runs(bytes, size, packed->bytes + packed->used, size);
    if (sparse)
        *head |= PIECE_SPARSE;
    else
        add_bytes(packed, bytes, size);
    packed->used += sparse;
    return true;
}
