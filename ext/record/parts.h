/* The payload of a record while it grows: parts, as record/record.h lays them out. */
#ifndef SCOPE_RECORD_PARTS_H
#define SCOPE_RECORD_PARTS_H

#include <stddef.h>
#include <stdint.h>

#include "record/record.h"

struct parts {
    uint8_t *bytes;
    size_t used, room;
};

/*
 * Begin a part with room for `size` bytes and return where they go, or NULL without memory. The
 * part counts only once parts_end has said how many of them were filled; the pointer is good until
 * then.
 */
void *parts_begin(struct parts *parts, size_t size);
void parts_end(struct parts *parts, enum raw_part_kind kind, unsigned flags, size_t size);

/* Add a part whose bytes are at hand. */
void parts_add(struct parts *parts, enum raw_part_kind kind, unsigned flags, const void *bytes,
               size_t size);

/* Add parts that are laid out as they are here. */
void parts_append(struct parts *parts, const uint8_t *bytes, size_t size);

/* The first part of a kind, or NULL; good until a part is added. */
const struct raw_part *parts_find(const struct parts *parts, enum raw_part_kind kind);

/* Empty it, keeping a little memory for the next record. */
void parts_reset(struct parts *parts);
void parts_deinit(struct parts *parts);

#endif
