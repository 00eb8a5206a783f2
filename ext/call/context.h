/*
 * All that the files of call/ may touch.
 *
 * System calls can be caught in more than one way: ptrace/ stops threads at them, code inside the process
 * could record them without a stop. Whatever catches a call fills in a caller and a pending call, and
 * hands both with its context to call/ (call.h), which says what the call means as a record. Nothing
 * here knows how a call was caught.
 */
#ifndef SCOPE_CALL_CONTEXT_H
#define SCOPE_CALL_CONTEXT_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "arch/abi.h"
#include "call/fd_table.h"
#include "call/memory.h"
#include "record/parts.h"
#include "record/record.h"
#include "record/ring.h"
#include "table/syscalls.h"

enum { PATH_LIMIT = 4096 };                    /* PATH_MAX */
enum { RANGE_UNSHARE = 2, RANGE_CLOEXEC = 4 }; /* flags of close_range(2) */

/* What is to be recorded. */
struct call_options {
    uint8_t modes[ROW_COUNT]; /* enum call_mode, by row */
    uint32_t snaplen;         /* most bytes copied of one write */
    uint32_t flow_snaplen;    /* most bytes copied of one transfer through a socket */
    bool counts;              /* write RAW_COUNT: how often calls were made that make no record */
};

/* Of one recording: where records go, and what its threads have done that concerns all their calls. */
struct context {
    const struct call_options *options;
    struct ring ring;
    struct raw_counts counts;
    struct fd_pool fd_pool;
    struct parts scratch; /* parts of records that belong to no pending call */
    bool started;         /* the first exec has succeeded; before that no record is written */
    bool flows;           /* bytes that go through sockets are wanted */
    uint32_t flush_count; /* how often all tallies were flushed */
    uint32_t searches;    /* of /proc for who holds a file */

    /* once true, these stay true */
    bool names_given;  /* linkat(2) may have named a file that was opened without a name */
    bool roots_differ; /* a thread changed its root or its mounts: chroot(2), CLONE_NEWNS */
    bool pids_differ;  /* a process, or its children, may be in another PID namespace than ours */
    bool serves_files; /* a thread opened /dev/fuse: it may serve a file system, fuse(4) */
    uint64_t renames;  /* how often a thread renamed something */
    uint64_t moves;    /* how often a thread changed its cwd or root */

    struct folders *folders; /* of walks (resolve.h), while a round is made; else NULL */
};

/* A call between its entry and its return. */
struct pending {
    uint16_t row;
    const struct abi *abi;
    uint64_t args[6]; /* those of the row: of socketcall(2) not those that were passed */
    uint64_t entered_ns;
    uint32_t address_room; /* size of the program's buffer for an address that the kernel returns */
    uint32_t copy_limit;   /* most bytes to copy of what it transfers */
    uint64_t fd_serial;    /* of the fd_entry that it uses, or 0 */
    uint64_t first_fd_serial; /* the first serial of that fd_entry: a rename does not change it */
    uint64_t sending_to;      /* serial of the fd_entry that it is counted in as sending, or 0 */
    bool early; /* it has received, and another thread's sending is known to be under way */
    struct parts parts;
};

/* The thread that makes a call. */
struct caller {
    pid_t tid, tgid;
    struct space *space;            /* its memory, or NULL: it could not be opened */
    struct fd_table *fds;           /* its fd table, or NULL: its parent is not known yet */
    uint32_t counted[COUNTED_ROWS]; /* calls since the last RAW_COUNT of their row */
};

#endif
