/* The table of system calls that can be watched: syscalls.def as C. */
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

enum call_transfer { TRANSFER_NONE, TRANSFER_IN, TRANSFER_OUT, TRANSFER_ACROSS };

/* Tests on arguments that the seccomp filter makes: calls that fail them do not stop. */
enum call_when {
    WHEN_ALWAYS,
    WHEN_FCNTL_DUP,      /* command is F_DUPFD or F_DUPFD_CLOEXEC */
    WHEN_UNSHARE,        /* flags have CLONE_FILES, CLONE_FS, CLONE_NEWNS or CLONE_NEWUSER */
    WHEN_NAMED_4,        /* argument 4 lacks AT_EMPTY_PATH: it is about a name, not an fd */
    WHEN_NAMED_3,        /* the same for argument 3 */
    WHEN_MAPS_FILE,      /* flags lack MAP_ANONYMOUS; not a part of a library again */
    WHEN_UNTRACED,       /* flags have CLONE_UNTRACED */
    WHEN_SETS_SECCOMP,   /* PR_SET_SECCOMP */
    WHEN_SETS_DUMPABLE,  /* PR_SET_DUMPABLE */
    WHEN_ASKS_ERROR,     /* SO_ERROR, of whatever level */
    WHEN_TRACES,         /* PTRACE_TRACEME, PTRACE_ATTACH or PTRACE_SEIZE */
    WHEN_LOCKS,          /* command sets a lock of a file, of whatever kind */
    WHEN_RIGHTS,         /* an option of prctl(2) that changes the rights of the process */
    WHEN_SETS_LIMIT,     /* argument 3 is no null pointer */
    WHEN_LARGE_2,        /* argument 2 is 1 MiB or more */
    WHEN_LARGE_3,        /* the same for argument 3 */
    WHEN_NEVER,          /* the row is of an asynchronous operation, not of a call */
    WHEN_MAPS_LOW,       /* of mmap(2): MAP_FIXED to an address below the end of the gate */
    WHEN_MOVES,          /* of mremap(2): to an address of the program's choice, or a copy */
    WHEN_DISPATCHES,     /* PR_SET_SYSCALL_USER_DISPATCH */
    WHEN_SHARED_AT_ONCE, /* flags are MAP_SHARED and MAP_POPULATE, as for the rings of io_uring */
};

/* Which calls of a row are recorded. */
enum call_mode {
    MODE_OFF,      /* none: they do not stop */
    MODE_FAILURES, /* those that fail */
    MODE_ALL,
};

/* One row of syscalls.def. Positions of arguments are counted from 1; 0: the call has no such argument. */
struct call {
    const char *name;
    uint8_t group, stops, transfer, when;
    uint8_t fd, fd2, makes_fd, pair, path, path2, dirfd, dirfd2, how;
    uint8_t buffer, length, vector, count, message, messages, cwd, status, answer;
    uint8_t address, options, value, ends;
    uint8_t nofollow, at_flags, is_text, signal;
    uint8_t counted; /* 1 + its place in struct caller.counted; 0: its calls are not counted */
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

/* Names of the groups in Python, scope.yml and the documentation. */
extern const char *const GROUP_NAMES[GROUP_COUNT];

#endif
