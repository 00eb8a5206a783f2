/*
 * The absolute name that the kernel has for a path which a stopped thread passed.
 *
 * Only the kernel knows where a path leads: a folder in it may be a symbolic link, ".." after a link leads
 * elsewhere, and the cwd may have been renamed. So the recorder walks the folder part of the path
 * again, from the thread's cwd or fd (/proc/TID/cwd, /proc/TID/fd/N), and asks the kernel for the name of
 * the folder that it reaches (getcwd(2)).
 */
#ifndef SCOPE_CALL_RESOLVE_H
#define SCOPE_CALL_RESOLVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { NAME_LIMIT = 2 * 4096 }; /* a folder's name and what is left of the path, each PATH_MAX */

/*
 * To which folders walks have led, for as long as that cannot change: the first `size` bytes of an absolute path lead
 * to that with a name, by `reached` of these bytes, as behind them nothing is there.
 */
struct folders {
    size_t count; /* ever kept: the oldest makes room */
    struct kept_folder {
        size_t size, reached, name_size;
        char path[256], name[256];
    } kept[64];
};

struct lookup {
    pid_t tid, tgid;
    int dirfd;         /* what a relative path starts from, or AT_FDCWD */
    bool follow;       /* if the last name is a symbolic link, its target is meant */
    bool confined;     /* `dirfd` is the root of the lookup: RESOLVE_IN_ROOT of openat2(2) */
    bool root_differs; /* the thread's root or mounts may differ from the recorder's */
    bool no_walk;      /* do not walk: a stopped thread may serve a file system (detect_fuse) */
    struct folders *folders; /* NULL: none are kept */
};

/*
 * Write the absolute name of what `passed` means, without a NUL, and return its length. The
 * part of a path that does not exist is kept as it was passed. Returns 0 if not even the folder where
 * it starts can be read (the process is not dumpable). `*there_out`: so much of the name is a folder
 * that was reached; more than its length if that is not known.
 */
size_t resolve_path(const struct lookup *lookup, const char *passed, size_t length,
                    char name[static NAME_LIMIT], size_t *there_out);

/*
 * Open what the first `length` bytes of `passed` mean, none of them for the folder where it starts, as
 * O_PATH with `flags` of open(2). A last symbolic link is followed whatever `lookup` says, unless
 * flags have O_NOFOLLOW. Returns an fd or a negative errno.
 */
int resolve_open(const struct lookup *lookup, const char *passed, size_t length, uint64_t flags);

/* Write the absolute name of what `fd` is open for, as `resolve_path` does. */
size_t resolve_name(const struct lookup *lookup, int fd, char name[static NAME_LIMIT]);

/* Whether the thread has another root or other mounts than the recorder, so that a name means another file. */
bool sees_other_files(const struct lookup *lookup);

/* Give the calling thread a cwd of its own, since a walk changes it (unshare(2)). */
void resolve_init(void);

#endif
