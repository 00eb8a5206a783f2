#include "call/packed.h"

#include <stdlib.h>
#include <string.h>

#include "record/record.h"

enum { KEPT_BYTES = 1024, NUMBER_MAX = 10 };

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

bool packed_piece(struct packed *packed, unsigned bits, const uint64_t *address, const void *bytes,
                  size_t size)
{
    size_t most = 1 + 2 * NUMBER_MAX + size;

    if (packed->used + most > PACKED_MAX || !reserve(packed, most))
        return false;
    packed->bytes[packed->used++] = (uint8_t)(bits | (address ? PIECE_FAR : 0));
    if (address)
        add_number(packed, *address);
    add_number(packed, size);
    if (size)
        memcpy(packed->bytes + packed->used, bytes, size);
    packed->used += size;
    return true;
}
