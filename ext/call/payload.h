/* Bytes out of a stopped tracee and its /proc, as parts of a record. */
#ifndef SCOPE_CALL_PAYLOAD_H
#define SCOPE_CALL_PAYLOAD_H

#include "call/context.h"

/* A copy out of a tracee failed. A bad address (-EFAULT) is none for the kernel either: no loss. */
void count_unreadable(struct context *context, int status);
/* Copy `size` bytes at `address` as one part. A copy that comes short is flagged. */
void add_memory(struct context *context, const struct caller *caller, struct parts *parts,
                enum raw_part_kind kind, uint64_t address, size_t size, unsigned flags);
/* The buffers of an iovec, joined; at most `most` bytes, and what the call may copy. */
void add_vector(struct context *context, const struct caller *caller, struct pending *call,
                uint64_t address, uint64_t count, uint64_t most);
/* A struct sockaddr of `size` bytes; none if the program gave or wanted none. */
void add_address(struct context *context, const struct caller *caller, struct pending *call,
                 uint64_t address, uint64_t size);
/* Whether any of the buffers of an iovec can hold a byte, or they cannot be asked. */
bool vector_has_room(const struct caller *caller, const struct pending *call, uint64_t address,
                     uint64_t count);
/* How many buffers a readv or writev names: the kernel takes the low half (import_iovec). */
uint64_t buffer_count(const struct pending *call);
/* Whether the address of a call is the kernel's answer. */
static inline bool is_given_address(const struct call *row)
{
    return row->moves == MOVES_IN || row->makes_fd;
}
/* How much of such an answer there is room for: the kernel says how long all of it would be. */
void note_address_room(const struct caller *caller, struct pending *call);
/* The address that the kernel answered with, as much of it as there was room for. */
void add_given_address(struct context *context, const struct caller *caller, struct pending *call);
/* The DATA part of a call: at most `most` bytes of what its buffer or vector has. */
void add_data(struct context *context, const struct caller *caller, struct pending *call,
              uint64_t most);
/* What a socket is and what it is called at both ends; false if that cannot be learnt. */
bool add_ends(struct parts *parts, const struct caller *caller, int fd);
uint64_t argument(const struct pending *call, uint8_t position);
void add_link(struct parts *parts, enum raw_part_kind kind, const char *path);
void add_stat(struct parts *parts, const char *path);
/* LINK and STAT of an fd. */
void add_fd(struct parts *parts, pid_t tid, int fd);
/* Take note if the LINK part is of the device of those who serve a file system. */
void note_server(struct context *context, const struct parts *parts);
void add_status(struct parts *parts, pid_t tid);
void add_file(struct parts *parts, enum raw_part_kind kind, const char *path, size_t limit);
/* The strings of a file that each end with a NUL: those that are whole within the first `limit`
 * bytes. Returns how many more there are. */
uint64_t add_strings(struct parts *parts, enum raw_part_kind kind, const char *path, size_t limit);

#endif
