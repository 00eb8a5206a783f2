#include "gate/image.h"

#include <stdlib.h>
#include <string.h>

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
    arena_drop(image->arena);
    free(image->patches);
    free(image->seen);
    free(image);
}

static bool copy_array(void *array_out, const void *array, size_t bytes)
{
    void *copy = malloc(bytes ? bytes : 1);

    if (copy && bytes)
        memcpy(copy, array, bytes);
    memcpy(array_out, &copy, sizeof copy);
    return copy;
}

struct image *image_copy(const struct image *image)
{
    struct image *copy = image_new();

    if (!copy)
        return NULL;
    *copy = *image;
    copy->uses = 1;
    copy->arena = arena_share(image->arena);
    copy->seen = NULL;
    if (copy_array(&copy->patches, image->patches, image->patch_count * sizeof *image->patches) &&
        copy_array(&copy->seen, image->seen, image->seen_count * sizeof *image->seen))
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

/* Add an item to an array. False: there is no memory. */
static bool append(void *array, size_t *count, const void *item, size_t bytes)
{
    void *old;

    memcpy(&old, array, sizeof old);
    uint8_t *grown = realloc(old, (*count + 1) * bytes);
    if (!grown)
        return false;
    memcpy(grown + *count * bytes, item, bytes);
    memcpy(array, &grown, sizeof grown);
    ++*count;
    return true;
}

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

static bool are_as_in_file(const struct space *space, pid_t tid, const struct mapping *mapping,
                           const struct patch *patch)
{
    return is_as_in_file(space, tid, mapping, patch->site - patch->moved_bytes,
                         patch->moved_bytes + CALL_BYTES) &&
           is_as_in_file(space, tid, mapping, patch_jump_at(patch), JUMP_BYTES) &&
           is_as_in_file(space, tid, mapping, patch->trampoline - MOVED_ROOM, TRAMPOLINE_ROOM);
}

/* The site is changed last: until then nothing leads to the rest. */
static bool write_patch(const struct space *space, pid_t tid, const struct patch *patch,
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

bool image_patch(struct image *image, struct module_cache *cache, pid_t tid,
                 const struct space *space, uint64_t address, bool alone)
{
    struct mapping mapping;
    struct patch_bytes bytes;

    if (was_seen(image, address))
        return false;
    const struct site_record *record = find_kept(image, cache, tid, address, &mapping)
                                           ? plan_site(mapping.file, address - mapping.base)
                                           : NULL;
    if (!record) {
        append(&image->seen, &image->seen_count, &address, sizeof address);
        return false;
    }
    struct patch patch = patch_of(&mapping, record);
    bool possible = patch.form != SITE_TRACED && record->trampoline;
    if (possible && !alone && patch_needs_stop(&patch))
        return false; /* perhaps later */
    append(&image->seen, &image->seen_count, &address, sizeof address);
    if (!possible || !are_as_in_file(space, tid, &mapping, &patch))
        return false;
    const uint8_t *moved = mapping.file->bytes + record->site - patch.moved_bytes;
    if (!patch_encode(&patch, moved, &bytes) ||
        !append(&image->patches, &image->patch_count, &patch, sizeof patch))
        return false;
    return write_patch(space, tid, &patch, &bytes);
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

void image_retire(const struct image *image, const struct space *space, pid_t tid)
{
    static const uint8_t SKIP[CALL_BYTES] = { JUMP_SHORT, TRAMPOLINE_CALL - CALL_BYTES };

    for (size_t i = 0; i < image->patch_count; i++)
        if (image_has(&image->patches[i], space, tid))
            memory_write(space, tid, image->patches[i].trampoline, SKIP, sizeof SKIP);
}
