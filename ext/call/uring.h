/*
 * What is known of one instance of io_uring: its rings (uring.c), and what is registered with it, by which operations
 * name files and buffers (uring_tables.c).
 */
#ifndef SCOPE_CALL_URING_H
#define SCOPE_CALL_URING_H

#include <linux/io_uring.h>
#include <stdbool.h>
#include <stdint.h>

#include "call/async.h"

/* A file of an instance's table: an fd of the program, which may be closed or another file by now. */
struct uring_file {
    int fd; /* -1: none, or one without an fd */
    uint64_t serial;
};

/* A ring of buffers, from which the kernel chooses: struct io_uring_buf_ring. */
struct uring_buffer_ring {
    struct uring_buffer_ring *next;
    uint64_t address; /* 0: it is not mapped yet */
    uint32_t places;
    uint32_t expected; /* where the buffer of the next result is likely to be */
    uint16_t group;
    bool consumes_parts; /* IOU_PBUF_RING_INC: one buffer takes many results */
};

/* Buffers that one IORING_OP_PROVIDE_BUFFERS has named. */
struct uring_buffers {
    struct uring_buffers *next;
    uint64_t address;
    uint32_t length, count;
    uint16_t group, first;
};

/* An instance, and the addresses of its rings in the program; 0: not known. */
struct uring {
    struct uring *next;
    int fd;
    struct io_uring_params params; /* as io_uring_setup(2) filled it in */
    uint64_t rings, results, sqes;
    uint32_t results_read; /* how many results have been read */
    struct uring_file *files;
    uint32_t file_count, buffers_count;
    struct uring_buffer_ring *buffer_rings;
    struct uring_buffers *buffers; /* the newest first */
};

/* uring.c */
struct uring *find_uring(const struct caller *caller, int fd);
void forget_uring(struct context *context, struct caller *caller, int fd);

/* uring_tables.c */
void uring_tables_free(struct uring *ring);

/* The fd of a ring that a thread has registered (IORING_REGISTER_RING_FDS), or -1. */
int uring_fd_of_index(const struct caller *caller, uint64_t index);

/* The fd of a file of the instance's table, or -1: it has none that is open. */
int uring_fd_of_file(const struct caller *caller, const struct uring *ring, uint32_t index);

/* Take `count` entries of the table of files, from `offset` on, from a list of fds in the program. */
void uring_update_files(struct context *context, struct caller *caller, struct uring *ring,
                        uint64_t list, uint32_t offset, uint32_t count);

void uring_provide_buffers(struct uring *ring, const struct io_uring_sqe *entry);

/* The address of a buffer that the kernel has chosen, or 0: it is not known. */
uint64_t uring_buffer_address(const struct caller *caller, struct uring *ring, uint16_t group,
                              uint16_t id);
void uring_buffers_mapped(struct uring *ring, uint16_t group, uint64_t address);

#endif
