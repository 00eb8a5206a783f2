/* Bytes of a thread's memory and of its /proc, as parts of a record. */
#ifndef SCOPE_CALL_PAYLOAD_H
#define SCOPE_CALL_PAYLOAD_H

#include "call/context.h"

/* Count a copy that failed (`status` < 0), unless the kernel cannot read that address either (-EFAULT). */
void count_unreadable(struct context *context, int status);

/* Copy `size` bytes at `address` as one part. A copy that comes short is flagged. */
void add_memory(struct context *context, const struct caller *caller, struct parts *parts,
                enum raw_part_kind kind, uint64_t address, size_t size, unsigned flags);

/* DATA: the buffers of an iovec, joined; at most `most` bytes, and at most call->copy_limit. */
void add_vector(struct context *context, const struct caller *caller, struct pending *call,
                uint64_t address, uint64_t count, uint64_t most);

/* ADDRESS: a struct sockaddr of `size` bytes; no part if the program passed NULL or no size. */
void add_address(struct context *context, const struct caller *caller, struct pending *call,
                 uint64_t address, uint64_t size);

/* Whether any of the buffers of an iovec can hold a byte; true if the iovec cannot be read. */
bool vector_has_room(const struct caller *caller, const struct pending *call, uint64_t address,
                     uint64_t count);

/* How many buffers a readv or writev names: the kernel takes the low half (import_iovec). */
uint64_t buffer_count(const struct pending *call);

/* Whether the kernel fills in the address of a call, not the program. */
static inline bool returns_address(const struct call *row)
{
    return row->transfer == TRANSFER_IN || row->makes_fd;
}

/* Remember the size of the program's buffer for such an address: the kernel overwrites it. */
void read_address_room(const struct caller *caller, struct pending *call);

/* ADDRESS: the one that the kernel filled in, as far as the program's buffer reaches. */
void add_returned_address(struct context *context, const struct caller *caller,
                          struct pending *call);

/* DATA: at most `most` bytes of the buffer or vector of a call. */
void add_data(struct context *context, const struct caller *caller, struct pending *call,
              uint64_t most);

/* SOCKET, LOCAL and PEER; false if the fd is no socket or the kernel refuses to say. */
bool add_ends(struct parts *parts, const struct caller *caller, int fd);

/* The same of both sockets of a pair. */
void add_ends_of_pair(struct parts *parts, const struct caller *caller, const int32_t pair[2]);

/* The argument at a position of the row, counted from 1. */
uint64_t argument(const struct pending *call, uint8_t position);
void add_link(struct parts *parts, enum raw_part_kind kind, const char *path);
void add_stat(struct parts *parts, const char *path);

/* LINK and STAT of an fd. */
void add_fd(struct parts *parts, pid_t tid, int fd);

/* If the LINK part is /dev/fuse: its file system may wait for the thread, see resolve.h. */
void detect_fuse(struct context *context, const struct parts *parts);
void add_status(struct parts *parts, pid_t tid);
void add_file(struct parts *parts, enum raw_part_kind kind, const char *path, size_t limit);

/* The strings of a file that each end with a NUL: those that are whole within the first `limit`
 * bytes. Returns how many more there are. */
uint64_t add_strings(struct parts *parts, enum raw_part_kind kind, const char *path, size_t limit);

#endif
