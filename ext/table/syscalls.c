#include "table/syscalls.h"

#include <errno.h>

const struct call CALLS[ROW_COUNT] = {
#define CALL(row_name, row_group, row_stops, ...)                                                  \
    [ROW_##row_name] = { .name = #row_name,                                                        \
                         .group = GROUP_##row_group,                                               \
                         .stops = STOPS_##row_stops,                                               \
                         .counted = IS_COUNTED(GROUP_##row_group) ? COUNTED_##row_name + 1 : 0,    \
                         ##__VA_ARGS__ },
#include "table/syscalls.def"
#undef CALL
};

/* Wherever a counted row stands, its place is in an array of COUNTED_ROWS. */
#define CALL(name, group, ...)                                                                     \
    _Static_assert(!IS_COUNTED(GROUP_##group) || COUNTED_##name < COUNTED_ROWS, #name);
#include "table/syscalls.def"
#undef CALL

const char *const GROUP_NAMES[GROUP_COUNT] = {
    [GROUP_OPEN] = "open",     [GROUP_CLOSE] = "close",   [GROUP_FD] = "fd",
    [GROUP_READ] = "read",     [GROUP_WRITE] = "write",   [GROUP_MOVE] = "move",
    [GROUP_NET] = "net",       [GROUP_SEND] = "send",     [GROUP_RECEIVE] = "receive",
    [GROUP_DELETE] = "delete", [GROUP_RENAME] = "rename", [GROUP_LINK] = "link",
    [GROUP_MKDIR] = "mkdir",   [GROUP_ATTR] = "attr",     [GROUP_STAT] = "stat",
    [GROUP_SEEK] = "seek",     [GROUP_MAP] = "map",       [GROUP_CWD] = "cwd",
    [GROUP_EXEC] = "exec",     [GROUP_TASK] = "task",     [GROUP_CRED] = "cred",
    [GROUP_GUARD] = "guard",   [GROUP_MAKE] = "make",     [GROUP_LOCK] = "lock",
    [GROUP_TOUCH] = "touch",   [GROUP_BIRTH] = "birth",   [GROUP_PERMIT] = "permit",
    [GROUP_ROOM] = "room",     [GROUP_HEAP] = "heap",     [GROUP_TUNE] = "tune",
    [GROUP_AIO] = "aio",       [GROUP_URING] = "uring",
};
