/*
 * What a program registers with an instance of io_uring (io_uring_register(2)), or gives to it by an operation: operations
 * then name files by their index, and have the kernel choose a buffer, whose id is in the result.
 *
 * A file is known while the fd is open that it was registered by. A buffer is found by its id where it was last given.
 */
#include "call/uring.h"

#include <stdlib.h>
#include <string.h>

#include "call/fd_table.h"
#include "call/memory.h"
#include "call/tally.h"

/* Newer than some headers; numbers of the kernel's include/uapi/linux/io_uring.h. */
enum {
    REGISTER_FILES = 2,
    UNREGISTER_FILES = 3,
    REGISTER_FILES_UPDATE = 6,
    REGISTER_FILES2 = 13,
    REGISTER_FILES_UPDATE2 = 14,
    REGISTER_RING_FDS = 20,
    REGISTER_PBUF_RING = 22,
    UNREGISTER_PBUF_RING = 23,
    REGISTER_RESIZE_RINGS = 33,
    BY_REGISTERED_RING = 1u << 31,
    PBUF_RING_INC = 2,
    KEEPS_FILE = -2, /* IORING_REGISTER_FILES_SKIP */
    FILES_MAX = 1 << 20,
    BUFFERS_MAX = 1 << 12, /* struct uring_buffers of one instance */
    BUFFER_PLACES_MAX = 1 << 15,
    TAIL = 14, /* of a ring of buffers: it takes the place of the first entry's last field */
};

struct files_registration { /* struct io_uring_rsrc_register */
    uint32_t count, flags;
    uint64_t reserved, list, tags;
};

struct update { /* struct io_uring_rsrc_update2; an io_uring_rsrc_update is its first 16 bytes */
    uint32_t offset, reserved;
    uint64_t data, tags;
    uint32_t count, reserved2;
};

struct buffer_registration { /* struct io_uring_buf_reg */
    uint64_t address;
    uint32_t places;
    uint16_t group, flags;
    uint64_t reserved[3];
};

struct buffer { /* struct io_uring_buf */
    uint64_t address;
    uint32_t length;
    uint16_t id, reserved;
};

/* -- files ------------------------------------------------------------------------------------ */

static void forget_files(struct uring *ring)
{
    free(ring->files);
    ring->files = NULL;
    ring->file_count = 0;
}

int uring_fd_of_file(const struct caller *caller, const struct uring *ring, uint32_t index)
{
    if (index >= ring->file_count || ring->files[index].fd < 0)
        return -1;
    const struct fd_entry *entry = fd_table_find(caller->fds, ring->files[index].fd);
    return entry && entry->serial == ring->files[index].serial ? ring->files[index].fd : -1;
}

void uring_update_files(struct context *context, struct caller *caller, struct uring *ring,
                        uint64_t list, uint32_t offset, uint32_t count)
{
    for (uint32_t i = 0; i < count && offset < ring->file_count; i++, offset++) {
        int fd = -1;
        memory_read_whole(caller->space, caller->tid, list + 4 * (uint64_t)i, &fd, sizeof fd);
        if (fd == KEEPS_FILE)
            continue;
        const struct fd_entry *entry = fd < 0 ? NULL : use_fd(context, caller, fd);
        ring->files[offset] = (struct uring_file){ entry ? fd : -1, entry ? entry->serial : 0 };
    }
}

static void register_files(struct context *context, struct caller *caller, struct uring *ring,
                           uint64_t list, uint32_t count)
{
    forget_files(ring);
    if (count > FILES_MAX || !(ring->files = malloc((count + 1) * sizeof *ring->files)))
        return;
    ring->file_count = count;
    for (uint32_t i = 0; i < count; i++)
        ring->files[i].fd = -1;
    if (list)
        uring_update_files(context, caller, ring, list, 0, count);
}

/* -- rings that a thread names by an index ---------------------------------------------------- */

static struct uring_alias *alias_of(struct async *async, pid_t tid, uint32_t index)
{
    for (int i = 0; async && i < URING_ALIASES; i++)
        if (async->aliases[i].tid == tid && async->aliases[i].index == index)
            return &async->aliases[i];
    return NULL;
}

int uring_fd_of_index(const struct caller *caller, uint64_t index)
{
    const struct uring_alias *alias =
        alias_of(caller->space ? caller->space->async : NULL, caller->tid, (uint32_t)index);

    return alias ? alias->fd : -1;
}

/* The kernel has put the indices into the list that the program passed. */
static void name_rings(struct caller *caller, uint64_t list, uint32_t count)
{
    struct async *async = caller->space->async;

    for (uint32_t i = 0; i < count && i < URING_ALIASES; i++) {
        struct update one;
        uint64_t at = list + 16 * (uint64_t)i;
        if (memory_read_whole(caller->space, caller->tid, at, &one, 16) < 0)
            return;
        struct uring_alias *alias = alias_of(async, caller->tid, one.offset);
        if (!alias)
            alias = &async->aliases[async->next_alias++ % URING_ALIASES];
        *alias = (struct uring_alias){ caller->tid, one.offset, (int)one.data };
    }
}

/* -- buffers ---------------------------------------------------------------------------------- */

static void forget_buffer_ring(struct uring *ring, uint16_t group)
{
    for (struct uring_buffer_ring **link = &ring->buffer_rings; *link; link = &(*link)->next)
        if ((*link)->group == group) {
            struct uring_buffer_ring *gone = *link;
            *link = gone->next;
            free(gone);
            return;
        }
}

static void add_buffer_ring(struct uring *ring, const struct buffer_registration *said)
{
    struct uring_buffer_ring *new = malloc(sizeof *new);
    bool is_power = said->places && (said->places & (said->places - 1)) == 0;

    forget_buffer_ring(ring, said->group);
    if (!new || !is_power || said->places > BUFFER_PLACES_MAX) {
        free(new);
        return;
    }
    *new = (struct uring_buffer_ring){ .next = ring->buffer_rings,
                                       .address = said->address,
                                       .places = said->places,
                                       .group = said->group,
                                       .consumes_parts = said->flags & PBUF_RING_INC };
    ring->buffer_rings = new;
}

void uring_buffers_mapped(struct uring *ring, uint16_t group, uint64_t address)
{
    for (struct uring_buffer_ring *each = ring->buffer_rings; each; each = each->next)
        if (each->group == group)
            each->address = address;
}

/* Whether these buffers have been given before: a program gives them back each time it has read one. */
static bool covers(const struct uring_buffers *old, const struct uring_buffers *given)
{
    uint32_t nth = (uint16_t)(given->first - old->first);

    return old->group == given->group && old->length == given->length && nth < old->count &&
           given->count <= old->count - nth &&
           given->address == old->address + (uint64_t)nth * old->length;
}

void uring_provide_buffers(struct uring *ring, const struct io_uring_sqe *entry)
{
    struct uring_buffers given = { .address = entry->addr,
                                   .length = entry->len,
                                   .count = (uint32_t)entry->fd,
                                   .group = entry->buf_group,
                                   .first = (uint16_t)entry->off };

    for (struct uring_buffers *old = ring->buffers; old; old = old->next)
        if (covers(old, &given))
            return;
    struct uring_buffers *new = ring->buffers_count < BUFFERS_MAX ? malloc(sizeof *new) : NULL;
    if (!new)
        return;
    *new = given;
    new->next = ring->buffers;
    ring->buffers = new;
    ring->buffers_count++;
}

static bool is_at(const struct caller *caller, const struct uring_buffer_ring *from, uint32_t place,
                  uint16_t id, struct buffer *found)
{
    uint64_t at = from->address + sizeof *found * (uint64_t)(place & (from->places - 1));

    return !memory_read_whole(caller->space, caller->tid, at, found, sizeof *found) &&
           found->id == id;
}

/* The kernel takes buffers in their order, so the one is mostly where it is expected. */
static uint64_t find_in_ring(const struct caller *caller, struct uring_buffer_ring *from,
                             uint16_t id)
{
    struct buffer found;
    uint16_t tail;

    if (!from->address || from->consumes_parts ||
        memory_read_whole(caller->space, caller->tid, from->address + TAIL, &tail, sizeof tail) < 0)
        return 0;
    if (is_at(caller, from, from->expected, id, &found)) {
        from->expected++;
        return found.address;
    }
    for (uint32_t back = 1; back <= from->places; back++)
        if (is_at(caller, from, tail - back, id, &found)) {
            from->expected = tail - back + 1;
            return found.address;
        }
    return 0;
}

uint64_t uring_buffer_address(const struct caller *caller, struct uring *ring, uint16_t group,
                              uint16_t id)
{
    for (struct uring_buffer_ring *each = ring->buffer_rings; each; each = each->next)
        if (each->group == group)
            return find_in_ring(caller, each, id);
    for (struct uring_buffers *each = ring->buffers; each; each = each->next) {
        uint32_t nth = (uint16_t)(id - each->first);
        if (each->group == group && nth < each->count)
            return each->address + (uint64_t)nth * each->length;
    }
    return 0;
}

void uring_tables_free(struct uring *ring)
{
    forget_files(ring);
    while (ring->buffer_rings)
        forget_buffer_ring(ring, ring->buffer_rings->group);
    for (struct uring_buffers *each = ring->buffers, *next; each; each = next) {
        next = each->next;
        free(each);
    }
}

/* -- io_uring_register(2) --------------------------------------------------------------------- */

static void register_listed_files(struct context *context, struct caller *caller,
                                  struct uring *ring, const struct pending *call)
{
    struct files_registration files;

    if (memory_read_whole(caller->space, caller->tid, call->args[2], &files, sizeof files) == 0)
        register_files(context, caller, ring, files.list, files.count);
}

static void update_listed_files(struct context *context, struct caller *caller, struct uring *ring,
                                const struct pending *call, int64_t updated)
{
    struct update update;

    if (memory_read_whole(caller->space, caller->tid, call->args[2], &update, 16) == 0)
        uring_update_files(context, caller, ring, update.data, update.offset, (uint32_t)updated);
}

static void register_buffers(const struct caller *caller, struct uring *ring,
                             const struct pending *call, bool gone)
{
    struct buffer_registration said;

    if (memory_read_whole(caller->space, caller->tid, call->args[2], &said, sizeof said) < 0)
        return;
    if (gone)
        forget_buffer_ring(ring, said.group);
    else
        add_buffer_ring(ring, &said);
}

static void register_with(struct context *context, struct caller *caller, struct uring *ring,
                          const struct pending *call, int64_t result)
{
    uint32_t operation = (uint32_t)call->args[1] & ~BY_REGISTERED_RING;

    if (operation == REGISTER_FILES)
        register_files(context, caller, ring, call->args[2], (uint32_t)call->args[3]);
    else if (operation == REGISTER_FILES2)
        register_listed_files(context, caller, ring, call);
    else if (operation == UNREGISTER_FILES)
        forget_files(ring);
    else if (operation == REGISTER_FILES_UPDATE || operation == REGISTER_FILES_UPDATE2)
        update_listed_files(context, caller, ring, call, result);
    else if (operation == REGISTER_PBUF_RING || operation == UNREGISTER_PBUF_RING)
        register_buffers(caller, ring, call, operation == UNREGISTER_PBUF_RING);
    else if (operation == REGISTER_RING_FDS)
        name_rings(caller, call->args[2], (uint32_t)result);
    else if (operation == REGISTER_RESIZE_RINGS)
        forget_uring(context, caller, ring->fd);
}

void uring_registered(struct context *context, struct caller *caller, const struct pending *call,
                      int64_t result)
{
    bool by_index = call->args[1] & BY_REGISTERED_RING;
    int fd = by_index ? uring_fd_of_index(caller, call->args[0]) : (int)call->args[0];
    struct uring *ring = find_uring(caller, fd);

    if (ring && result >= 0)
        register_with(context, caller, ring, call, result);
}
