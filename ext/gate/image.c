#include "gate/image.h"

#include <stdlib.h>
#include <string.h>

#include "gate/array.h"

struct image *image_new(void)
{
    struct image *image = calloc(1, sizeof *image);

    if (image)
        image->uses = 1;
    return image;
}

struct image *image_share(struct image *image)
{
    if (image)
        image->uses++;
    return image;
}

void image_drop(struct image *image)
{
    if (!image || --image->uses)
        return;
    image_drop_arenas(image, 0);
    free(image->patches);
    free(image->seen);
    free(image);
}

bool image_has_arena(const struct image *image, const struct arena *arena)
{
    for (unsigned i = 0; arena && i < image->arena_count; i++)
        if (image->arenas[i] == arena)
            return true;
    return false;
}

void image_drop_arenas(struct image *image, unsigned kept)
{
    while (image->arena_count > kept)
        arena_drop(image->arenas[--image->arena_count]);
}

struct image *image_copy(const struct image *image)
{
    struct image *copy = image_new();

    if (!copy)
        return NULL;
    *copy = *image;
    copy->uses = 1;
    copy->judged = true;
    for (unsigned i = 0; i < copy->arena_count; i++)
        arena_share(copy->arenas[i]);
    copy->patches = array_copy(image->patches, image->patch_count, sizeof *image->patches);
    copy->seen = array_copy(image->seen, image->seen_count, sizeof *image->seen);
    if (copy->patches && copy->seen)
        return copy;
    image_drop(copy);
    return NULL;
}

const struct patch *image_find_patch(void *context, uint64_t address)
{
    const struct image *image = context;

    for (size_t i = 0; i < image->patch_count; i++)
        if (patch_has(&image->patches[i], address))
            return &image->patches[i];
    return NULL;
}

/* -- sites ------------------------------------------------------------------------------------ */

static bool was_seen(const struct image *image, uint64_t site)
{
    for (size_t i = 0; i < image->seen_count; i++)
        if (image->seen[i] == site)
            return true;
    return false;
}

static bool find_kept(struct image *image, struct module_cache *cache, pid_t tid, uint64_t address,
                      struct mapping *mapping_out)
{
    for (unsigned i = 0; i < MAPPINGS_KEPT && i < image->mapping_count; i++)
        if (address >= image->mappings[i].start && address < image->mappings[i].end) {
            *mapping_out = image->mappings[i];
            return true;
        }
    if (!find_mapping(cache, tid, address, mapping_out))
        return false;
    image->mappings[image->mapping_count++ % MAPPINGS_KEPT] = *mapping_out;
    return true;
}

/* -- writing ---------------------------------------------------------------------------------- */

/* Whether memory still has the bytes of the file: another file may be mapped there by now. */
static bool is_as_in_file(const struct space *space, pid_t tid, const struct mapping *mapping,
                          uint64_t address, size_t size)
{
    uint8_t memory[TRAMPOLINE_ROOM];

    return memory_read_whole(space, tid, address, memory, size) == 0 &&
           !memcmp(memory, mapping->file->bytes + (address - mapping->base), size);
}

/* Behind the gate no other file of the program may have taken the same room. */
static bool has_room(const struct space *space, pid_t tid, const struct mapping *mapping,
                     uint64_t start)
{
    static const uint8_t unused[TRAMPOLINE_ROOM];
    uint8_t memory[TRAMPOLINE_ROOM];

    if (start - GATE_BASE >= GATE_MAPPING_BYTES)
        return is_as_in_file(space, tid, mapping, start, TRAMPOLINE_ROOM);
    return memory_read_whole(space, tid, start, memory, sizeof memory) == 0 &&
           !memcmp(memory, unused, sizeof unused);
}

/* A part of the code may be mapped alone, beside something else. */
static bool is_mapped(const struct mapping *mapping, uint64_t address, size_t size)
{
    return address >= mapping->start && address + size <= mapping->end;
}

static bool are_as_in_file(const struct space *space, pid_t tid, const struct mapping *mapping,
                           const struct patch *patch)
{
    uint64_t room = patch->trampoline - MOVED_ROOM;

    return is_mapped(mapping, patch_jump_at(patch), JUMP_BYTES) &&
           (room - GATE_BASE < GATE_MAPPING_BYTES || is_mapped(mapping, room, TRAMPOLINE_ROOM)) &&
           is_as_in_file(space, tid, mapping, patch->site - patch->moved_bytes,
                         patch->moved_bytes + CALL_BYTES) &&
           is_as_in_file(space, tid, mapping, patch_jump_at(patch), JUMP_BYTES) &&
           has_room(space, tid, mapping, patch->trampoline - MOVED_ROOM);
}

/* The site is changed last: until then nothing leads to the rest. */
static bool write_patch(struct space *space, pid_t tid, const struct patch *patch,
                        const struct patch_bytes *bytes)
{
    uint64_t jump = patch_jump_at(patch);

    return memory_write(space, tid, patch->trampoline - MOVED_ROOM, bytes->trampoline,
                        sizeof bytes->trampoline) == 0 &&
           memory_write(space, tid, jump, bytes->jump, sizeof bytes->jump) == 0 &&
           (patch->form != SITE_PAD ||
            memory_write(space, tid, patch->site, bytes->hop, sizeof bytes->hop) == 0);
}

static struct patch patch_of(const struct mapping *mapping, const struct site_record *record)
{
    return (struct patch){
        .form = record->plan.form,
        .site = mapping->base + record->site,
        .pad = mapping->base + record->plan.pad,
        .trampoline = mapping->base + record->trampoline,
        .moved_bytes = record->plan.moved_bytes,
    };
}

/* Lead a site of a known mapping to the gate. False: that cannot be done, or not now. */
static bool patch_site(struct image *image, pid_t tid, struct space *space,
                       const struct mapping *mapping, uint64_t address, bool alone)
{
    struct patch_bytes bytes;
    struct site_record *record = plan_site(mapping->file, address - mapping->base);

    bool possible = record && give_trampoline(mapping, record);
    if (possible && !alone && form_needs_stop(record->plan.form, address))
        return false; /* perhaps later */
    array_append(&image->seen, &image->seen_count, &address, sizeof address);
    if (!possible)
        return false;
    struct patch patch = patch_of(mapping, record);
    if (!are_as_in_file(space, tid, mapping, &patch))
        return false;
    const uint8_t *moved = mapping->file->bytes + record->site - patch.moved_bytes;
    if (!patch_encode(&patch, moved, &bytes) ||
        !array_append(&image->patches, &image->patch_count, &patch, sizeof patch))
        return false;
    return write_patch(space, tid, &patch, &bytes);
}

/*
 * The first site of a file is about to be patched in a program: patch those, too, that many programs before have
 * used. That costs a quarter of the stop by which a site is found.
 */
static void patch_usual(struct image *image, pid_t tid, struct space *space,
                        const struct mapping *mapping, bool alone)
{
    enum { LEAST = 2, PART = 5 };
    struct mapped_file *file = mapping->file;

    file->images++;
    for (size_t i = 0; i < file->plan_count; i++) {
        struct site_record *record = &file->plans[i];
        uint64_t address = mapping->base + record->site;
        if (record->images >= LEAST && record->images >= file->images / PART &&
            address >= mapping->start && address < mapping->end && !was_seen(image, address) &&
            patch_site(image, tid, space, mapping, address, alone))
            record->images++;
    }
}

/* Forget a site, as if no call had come from there. */
static void forget_site(struct image *image, uint64_t site)
{
    for (size_t i = 0; i < image->seen_count; i++)
        if (image->seen[i] == site)
            image->seen[i--] = image->seen[--image->seen_count];
}

/* Forget the patches that memory does not have any more, and what is mapped where. */
static void forget_lost(struct image *image, struct space *space, pid_t tid)
{
    for (size_t i = 0; i < image->patch_count; i++) {
        if (image_has(&image->patches[i], space, tid))
            continue;
        forget_site(image, image->patches[i].site);
        image->patches[i--] = image->patches[--image->patch_count];
    }
    image->mapping_count = 0;
}

static const struct patch *patch_at(const struct image *image, uint64_t site)
{
    for (size_t i = 0; i < image->patch_count; i++)
        if (image->patches[i].site == site)
            return &image->patches[i];
    return NULL;
}

const struct patch *image_patch(struct image *image, struct module_cache *cache, pid_t tid,
                                struct space *space, uint64_t address, bool alone)
{
    struct mapping mapping;

    if (was_seen(image, address)) {
        const struct patch *patch = patch_at(image, address);
        if (!patch || image_has(patch, space, tid))
            return patch;
        forget_lost(image, space, tid); /* its file, or another one, is mapped there now */
    }
    unsigned known = image->mapping_count;
    if (!find_kept(image, cache, tid, address, &mapping)) {
        array_append(&image->seen, &image->seen_count, &address, sizeof address);
        return NULL;
    }
    bool done = patch_site(image, tid, space, &mapping, address, alone);
    if (done)
        plan_site(mapping.file, address - mapping.base)->images++;
    if (image->mapping_count != known)
        patch_usual(image, tid, space, &mapping, alone);
    return done ? patch_at(image, address) : NULL;
}

void image_patch_ahead(struct image *image, struct module_cache *cache, pid_t tid,
                       struct space *space, const uint8_t actions[GATE_NUMBERS])
{
    struct mapping mapping;

    if (image->is_ahead)
        return;
    image->is_ahead = true;
    if (!find_c_library(cache, tid, &mapping))
        return;
    find_sites_ahead(mapping.file, actions);
    for (size_t i = 0; i < mapping.file->ahead_count; i++) {
        uint64_t address = mapping.base + mapping.file->ahead[i];
        if (!was_seen(image, address))
            patch_site(image, tid, space, &mapping, address, true);
    }
}

/* -- memory that is moved ---------------------------------------------------------------------- */

static bool has_part_of(uint64_t start, uint64_t end, uint64_t part, uint64_t size)
{
    return part < end && part + size > start;
}

/* A whole page moves if any byte of it does. */
static bool is_moved(const struct patch *patch, uint64_t start, uint64_t size)
{
    enum { PAGE = 4096 };
    uint64_t end = (start + size + PAGE - 1) & ~(uint64_t)(PAGE - 1);

    return has_part_of(start, end, patch->site, CALL_BYTES) ||
           has_part_of(start, end, patch_jump_at(patch), JUMP_BYTES) ||
           has_part_of(start, end, patch->trampoline - MOVED_ROOM, TRAMPOLINE_ROOM);
}

/* The instruction that was moved stands before the trampoline as it was at the site. */
static void restore(const struct patch *patch, struct space *space, pid_t tid)
{
    uint8_t moved[MOVED_ROOM];
    size_t size = patch->moved_bytes;

    if (patch->form == SITE_PAD)
        memory_write(space, tid, patch->site, CALL_CODE, CALL_BYTES);
    else if (memory_read_whole(space, tid, patch->trampoline - size, moved, size) == 0)
        memory_write(space, tid, patch->site - size, moved, size);
}

void image_restore(const struct image *image, struct space *space, pid_t tid, uint64_t start,
                   uint64_t size)
{
    for (size_t i = 0; i < image->patch_count; i++)
        if (is_moved(&image->patches[i], start, size) && image_has(&image->patches[i], space, tid))
            restore(&image->patches[i], space, tid);
}

/* -- the end ---------------------------------------------------------------------------------- */

/* The first bytes are those that `image_retire` changes. */
bool image_has(const struct patch *patch, const struct space *space, pid_t tid)
{
    static const uint8_t moved[MOVED_ROOM];
    uint8_t memory[TRAMPOLINE_BYTES];
    struct patch_bytes bytes;

    return patch_encode(patch, moved, &bytes) &&
           memory_read_whole(space, tid, patch->trampoline, memory, sizeof memory) == 0 &&
           !memcmp(memory + CALL_BYTES, bytes.trampoline + MOVED_ROOM + CALL_BYTES,
                   sizeof memory - CALL_BYTES);
}

void image_retire(const struct image *image, struct space *space, pid_t tid)
{
    static const uint8_t SKIP[CALL_BYTES] = { JUMP_SHORT, TRAMPOLINE_CALL - CALL_BYTES };

    for (size_t i = 0; i < image->patch_count; i++)
        if (image_has(&image->patches[i], space, tid))
            memory_write(space, tid, image->patches[i].trampoline, SKIP, sizeof SKIP);
}
