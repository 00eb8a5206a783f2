/*
 * All that the files of call/ may touch.
 *
 * Two things catch system calls: ptrace/ stops threads at them; code inside the process itself could record them without
 * a stop. Either fills in a context and a caller and hands both to call/, which says what a call means
 * as a record. So nothing here knows how a call was caught.
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
    uint32_t flow_snaplen;    /* most bytes copied of what goes through a socket at once */
    bool counts;              /* write RAW_COUNT: how often calls were made that make no record */
};

/* Of one recording: where records go, and what every call of it has to know. */
struct context {
    const struct call_options *options;
    struct ring ring;
    struct raw_counts counts;
    struct stream_pool pool;
    struct parts scratch; /* the parts of records that belong to no pending call */
    bool started;         /* the first exec has succeeded: before that no record is written */
    bool flows;           /* bytes that go through sockets are wanted */
    uint32_t tellings;    /* how often the tallies of all open fds were flushed */

    /* What some thread of the session has done by now; none of it is undone. */
    uint64_t renames;   /* how often a file was renamed */
    bool names_given;   /* linkat(2) may have named a file that was opened without a name */
    bool strange_roots; /* a thread changed its root or its mounts: chroot(2), CLONE_NEWNS */
    bool serves_files;  /* a thread holds /dev/fuse: it may serve a file system, fuse(4) */
};

/* A call between its entry and its result. */
struct pending {
    uint16_t row;
    const struct abi *abi;
    uint64_t args[6]; /* those of the row: of socketcall(2) not those that were passed */
    uint64_t entered_ns;
    uint32_t address_room; /* bytes that the program has for an address that it is to be given */
    uint32_t most;         /* bytes copied of what it moves, at most */
    uint64_t serial;       /* of the stream it uses, or 0 */
    uint64_t first_serial; /* the same, whatever the file is called by now */
    uint64_t sends;        /* serial of the stream that it puts bytes into, or 0 */
    struct parts parts;
};

/* The thread that makes a call. */
struct caller {
    pid_t tid, tgid;
    struct space *space;
    struct files *files;
    uint32_t
        counted[COUNTED_ROWS]; /* calls made since the last RAW_COUNT of their row (struct call) */
};

#endif
