#include "record/parts.h"

#include <stdlib.h>
#include <string.h>

enum { KEPT_BYTES = 1024 };

void *parts_begin(struct parts *parts, size_t size)
{
    size_t needed = parts->used + sizeof(struct raw_part) + RAW_ALIGN(size);

    if (needed > parts->room) {
        size_t room = needed < KEPT_BYTES ? KEPT_BYTES : needed;
        uint8_t *grown = realloc(parts->bytes, room);
        if (!grown)
            return NULL;
        parts->bytes = grown;
        parts->room = room;
    }
    return parts->bytes + parts->used + sizeof(struct raw_part);
}

void parts_end(struct parts *parts, enum raw_part_kind kind, unsigned flags, size_t size)
{
    struct raw_part header = { .size = (uint32_t)size, .kind = kind, .flags = (uint16_t)flags };
    uint8_t *at = parts->bytes + parts->used;

    memcpy(at, &header, sizeof header);
    memset(at + sizeof header + size, 0, RAW_ALIGN(size) - size);
    parts->used += sizeof header + RAW_ALIGN(size);
}

void parts_add(struct parts *parts, enum raw_part_kind kind, unsigned flags, const void *bytes,
               size_t size)
{
    void *room = parts_begin(parts, size);

    if (!room)
        return;
    if (size) /* `bytes` may be NULL then, which memcpy(3) must not be given */
        memcpy(room, bytes, size);
    parts_end(parts, kind, flags, size);
}

void parts_append(struct parts *parts, const uint8_t *bytes, size_t size)
{
    if (!size || !parts_begin(parts, size))
        return;
    memcpy(parts->bytes + parts->used, bytes, size);
    parts->used += size;
}

const struct raw_part *parts_find(const struct parts *parts, enum raw_part_kind kind)
{
    const struct raw_part *part;

    for (size_t at = 0; at < parts->used; at += sizeof *part + RAW_ALIGN(part->size)) {
        part = (const struct raw_part *)(parts->bytes + at);
        if (part->kind == kind)
            return part;
    }
    return NULL;
}

void parts_reset(struct parts *parts)
{
    if (parts->room > KEPT_BYTES)
        parts_deinit(parts);
    parts->used = 0;
}

void parts_deinit(struct parts *parts)
{
    free(parts->bytes);
    memset(parts, 0, sizeof *parts);
}
