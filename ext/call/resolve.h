/*
 * What a path that a stopped thread passed means: the name that the kernel has for it now.
 *
 * Only the kernel knows where a path leads: folders may be symbolic links, ".." after one of them
 * goes elsewhere, and any folder may have been renamed by anybody since it was entered. So the
 * folder part is walked again, from where the thread stands (/proc/TID/cwd, /proc/TID/fd/N), and
 * the kernel is asked for the name of the place that was reached (getcwd(2)).
 */
#ifndef SCOPE_CALL_RESOLVE_H
#define SCOPE_CALL_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { NAME_LIMIT = 2 * 4096 }; /* a folder's name and what is left of the path, each PATH_MAX */

struct lookup {
    pid_t tid, tgid;
    int dirfd;         /* what a relative path starts from, or AT_FDCWD */
    bool follow;       /* if the last name is a symbolic link, what that leads to is meant */
    bool confined;     /* `dirfd` is the root of the lookup: RESOLVE_IN_ROOT of openat2(2) */
    bool strange_root; /* the thread's root or mounts may not be ours */
    bool standing;     /* walk nowhere: some file system may be served by a thread that we hold */
};

/*
 * Write the absolute name of what `passed` means, without a NUL, and return its length. What does
 * not exist stays as it was passed, after the last folder that does. Returns 0 if not even the
 * start could be learnt (the process is not dumpable).
 */
size_t resolve_path(const struct lookup *lookup, const char *passed, size_t length,
                    char name[static NAME_LIMIT]);

/* Let this thread walk without moving the other threads of the process, where that is allowed. */
void resolve_init(void);

#endif
