/* The table of watched system calls, and their numbers in each ABI of this machine. */
#ifndef SCOPE_TABLE_SYSCALLS_H
#define SCOPE_TABLE_SYSCALLS_H

#include <stdint.h>

enum call_group {
    GROUP_OPEN,
    GROUP_CLOSE,
    GROUP_FD,
    GROUP_READ,
    GROUP_WRITE,
    GROUP_MOVE,
    GROUP_NET,
    GROUP_SEND,
    GROUP_RECEIVE,
    GROUP_DELETE,
    GROUP_RENAME,
    GROUP_LINK,
    GROUP_MKDIR,
    GROUP_ATTR,
    GROUP_STAT,
    GROUP_SEEK,
    GROUP_MAP,
    GROUP_CWD,
    GROUP_EXEC,
    GROUP_TASK,
    GROUP_CRED,
    GROUP_GUARD,
    GROUP_AIO,
    GROUP_URING,
    GROUP_MAKE,
    GROUP_LOCK,
    GROUP_TOUCH,
    GROUP_BIRTH,
    GROUP_PERMIT,
    GROUP_ROOM,
    GROUP_HEAP,
    GROUP_TUNE,
    GROUP_COUNT,
};

enum call_stops { STOPS_ENTRY = 1, STOPS_BOTH = 2 };

enum call_moves { MOVES_NOTHING, MOVES_IN, MOVES_OUT, MOVES_ACROSS };

/* Tests on arguments made inside the filter, so that the rest of such calls never stops. */
enum call_when {
    WHEN_ALWAYS,
    WHEN_FCNTL_DUP,      /* command is F_DUPFD or F_DUPFD_CLOEXEC */
    WHEN_UNSHARE,        /* flags have CLONE_FILES, CLONE_FS or CLONE_NEWNS */
    WHEN_NAMED_4,        /* argument 4 lacks AT_EMPTY_PATH: it asks about a name, not an fd */
    WHEN_NAMED_3,        /* the same for argument 3 */
    WHEN_MAPS_FILE,      /* flags lack MAP_ANONYMOUS */
    WHEN_UNTRACED,       /* flags have CLONE_UNTRACED */
    WHEN_SETS_SECCOMP,   /* PR_SET_SECCOMP */
    WHEN_ASKS_ERROR,     /* SO_ERROR, of whatever level */
    WHEN_TRACES,         /* PTRACE_TRACEME, PTRACE_ATTACH or PTRACE_SEIZE */
    WHEN_LOCKS,          /* command sets a lock of a file, of whatever kind */
    WHEN_RIGHTS,         /* of prctl(2), what changes which rights a process has */
    WHEN_SETS_LIMIT,     /* argument 3 is no null pointer */
    WHEN_LARGE_2,        /* argument 2 is 1 MiB or more */
    WHEN_LARGE_3,        /* the same for argument 3 */
    WHEN_NEVER,          /* no call is of this row: it is part of another */
    WHEN_SHARED_AT_ONCE, /* flags are MAP_SHARED and MAP_POPULATE: so rings are mapped */
};

/* What an engine does with a row. */
enum call_mode {
    MODE_OFF,      /* never stops */
    MODE_FAILURES, /* a record only if it failed */
    MODE_ALL,
};

/* One row of syscalls.def. Arguments are counted from 1; 0 means the call has none such. */
struct call {
    const char *name;
    uint8_t group, stops, moves, when;
    uint8_t fd, fd2, makes_fd, pair, path, path2, dirfd, dirfd2, how;
    uint8_t buffer, length, vector, count, message, messages, cwd, status, answer;
    uint8_t address, options, value, ends;
    uint8_t nofollow, at_flags, is_text;
    uint8_t
        counted; /* 1 + its place among the rows that are counted without a record; 0: it is not */
};

enum call_row {
#define CALL(name, ...) ROW_##name,
#include "table/syscalls.def"
#undef CALL
    ROW_COUNT,
};

/* Whether calls of a group are counted: only those that fail make a record. */
#define IS_COUNTED(group) ((group) == GROUP_STAT || (group) == GROUP_SEEK)

/*
 * The places of counted rows, numbered over the whole table: COUNTED_x is how many of the rows before x
 * are counted. So a row of such a group may stand anywhere in syscalls.def.
 */
enum counted_row {
#define CALL(name, group, ...)                                                                     \
    COUNTED_##name, AFTER_##name = COUNTED_##name - !IS_COUNTED(GROUP_##group),
#include "table/syscalls.def"
#undef CALL
    COUNTED_ROWS,
};
_Static_assert(COUNTED_ROWS < UINT8_MAX, "places of counted rows fit struct call");

extern const struct call CALLS[ROW_COUNT];

/* Names of the groups, as configuration and documentation spell them. */
extern const char *const GROUP_NAMES[GROUP_COUNT];

#endif
