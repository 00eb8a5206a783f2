#include "call/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h> /* statx */
#include <sys/syscall.h>
#include <unistd.h>

#include "call/proc.h"

enum { KEPT_FOLDERS = sizeof((struct folders *)NULL)->kept / sizeof(struct kept_folder) };

static const char DELETED[] = " (deleted)"; /* appended to the name of a deleted file: proc(5) */
static const char UNREACHABLE[] = "(unreachable)"; /* before a name in other mounts: getcwd(2) */

/* A path that is walked. */
struct walk {
    int root;                  /* the root to which it is confined, or -1: the recorder's own */
    size_t floor;              /* length of the start of `path`, which is never cut off */
    size_t length;             /* of `path` */
    bool moved;                /* it has changed the cwd of the calling thread */
    char path[NAME_LIMIT + 1]; /* ended by a NUL while it is passed to the kernel */
};

void resolve_init(void)
{
    /*
     * Container runtimes may refuse unshare(2). Then the cwd of the whole recorder changes for the few
     * microseconds of a walk, which does no harm: it uses no relative paths.
     */
    unshare(CLONE_FS);
}

static bool ends_with(const char *text, size_t length, const char *end)
{
    size_t size = strlen(end);

    return length >= size && !memcmp(text + length - size, end, size);
}

/* -- where a walk starts ---------------------------------------------------------------------- */

static bool append(struct walk *walk, const char *text, size_t length)
{
    if (length > NAME_LIMIT - walk->length)
        return false;
    memcpy(walk->path + walk->length, text, length);
    walk->length += length;
    return true;
}

/* Paths that lead each process to itself, and what they mean for the stopped thread, below its /proc/PID. */
static const struct own {
    const char *passed, *meant;
    bool of_thread;
} OWN[] = {
    { "/proc/self", "", false },       { "/proc/thread-self", "", true },
    { "/dev/fd", "/fd", false },       { "/dev/stdin", "/fd/0", false },
    { "/dev/stdout", "/fd/1", false }, { "/dev/stderr", "/fd/2", false },
};

/* Replace the start of a path that would lead the recorder to itself; returns the length of that start. */
static size_t start_at_own(struct walk *walk, const struct lookup *lookup, const char *passed,
                           size_t length)
{
    char own[PROC_PATH];

    for (size_t i = 0; i < sizeof OWN / sizeof *OWN; i++) {
        size_t size = strlen(OWN[i].passed);
        if (length < size || memcmp(passed, OWN[i].passed, size) ||
            (length > size && passed[size] != '/'))
            continue;
        proc_path(own, OWN[i].of_thread ? lookup->tid : lookup->tgid, "");
        append(walk, own, strlen(own) - 1);
        append(walk, OWN[i].meant, strlen(OWN[i].meant));
        return size;
    }
    return 0;
}

static void start_path(char start[static PROC_PATH], const struct lookup *lookup)
{
    if (lookup->dirfd == AT_FDCWD)
        proc_path(start, lookup->tid, "cwd");
    else
        proc_fd_path(start, lookup->tid, lookup->dirfd);
}

/* The root of a thread if it differs from the recorder's: an fd, or -1. */
static int open_other_root(const struct lookup *lookup, char path[static PROC_PATH])
{
    struct statx own, found;
    unsigned asked = STATX_INO | STATX_MNT_ID;

    proc_path(path, lookup->tid, "root");
    if (statx(AT_FDCWD, path, 0, asked, &found) < 0 || statx(AT_FDCWD, "/", 0, asked, &own) < 0 ||
        (own.stx_mnt_id == found.stx_mnt_id && own.stx_ino == found.stx_ino &&
         own.stx_dev_major == found.stx_dev_major && own.stx_dev_minor == found.stx_dev_minor))
        return -1;
    return open(path, O_PATH | O_CLOEXEC);
}

/* A relative path of a thread with another root starts with the name of its folder below that root. */
static bool start_below_root(struct walk *walk, const char *start, const char *root)
{
    char from[NAME_LIMIT], top[NAME_LIMIT];
    ssize_t length = proc_link(start, from, sizeof from);
    ssize_t above = proc_link(root, top, sizeof top);

    if (length < 0 || above < 0)
        return false;
    if (above == 1)
        above = 0; /* "/" */
    if (length < above || memcmp(from, top, (size_t)above))
        return false;
    walk->floor = (size_t)(length - above);
    return append(walk, from + above, walk->floor);
}

static bool start_walk(struct walk *walk, const struct lookup *lookup, const char *passed,
                       size_t length)
{
    char start[PROC_PATH], root[PROC_PATH] = "";
    size_t used = 0;

    start_path(start, lookup);
    walk->root = lookup->confined       ? open(start, O_PATH | O_CLOEXEC)
                 : lookup->root_differs ? open_other_root(lookup, root)
                                        : -1;
    if (lookup->confined && walk->root < 0)
        return false;
    if (passed[0] == '/' && walk->root < 0)
        used = start_at_own(walk, lookup, passed, length);
    else if (passed[0] != '/' && walk->root < 0)
        append(walk, start, walk->floor = strlen(start));
    else if (passed[0] != '/' && !lookup->confined && !start_below_root(walk, start, root))
        return false;
    if (passed[0] != '/' && !append(walk, "/", 1))
        return false;
    return append(walk, passed + used, length - used);
}

/* -- the walk --------------------------------------------------------------------------------- */

static int open_at(int root, const char *path, uint64_t flags, uint64_t resolve)
{
    struct open_how how = { .flags = flags | O_PATH | O_CLOEXEC, .resolve = resolve };

    return (int)syscall(SYS_openat2, root < 0 ? AT_FDCWD : root, path, &how, sizeof how);
}

static size_t name_of_fd(int fd, char name[static NAME_LIMIT])
{
    char link[PROC_PATH];

    proc_fd_path(link, getpid(), fd);
    ssize_t length = proc_link(link, name, NAME_LIMIT);
    return length < 0 ? 0 : (size_t)length;
}

/* Replace the recorder's own /proc/PID at the start of a name by the thread's. */
static size_t name_as_its(const struct lookup *lookup, char name[static NAME_LIMIT], size_t length)
{
    char own[PROC_PATH], its[PROC_PATH];

    if (length < 7 || memcmp(name, "/proc/", 6))
        return length;
    proc_path(own, getpid(), "");
    proc_path(its, lookup->tgid, "");
    size_t own_size = strlen(own) - 1, its_size = strlen(its) - 1;
    if (length < own_size || memcmp(name, own, own_size) ||
        (length > own_size && name[own_size] != '/'))
        return length;
    memmove(name + its_size, name + own_size, length - own_size);
    memcpy(name, its, its_size);
    return length - own_size + its_size;
}

/* The name of the cwd of the calling thread. */
static size_t name_of_here(char name[static NAME_LIMIT])
{
    const size_t prefix = sizeof UNREACHABLE - 1;
    long status = syscall(SYS_getcwd, name, NAME_LIMIT);
    size_t length = status > 0 ? (size_t)status - 1 : 0;

    if (status < 0 && errno == ENOENT) { /* it has been deleted */
        ssize_t size = proc_link("/proc/thread-self/cwd", name, NAME_LIMIT);
        length = size < 0 ? 0 : (size_t)size;
        if (ends_with(name, length, DELETED))
            length -= sizeof DELETED - 1;
    }
    if (length >= prefix && !memcmp(name, UNREACHABLE, prefix))
        memmove(name, name + prefix, length -= prefix);
    return length;
}

enum arrival { ARRIVED, ONLY_NAMED, NOT_THERE };

/*
 * Go to the folder to which the first `length` bytes of a walk lead, and ask for its name. chdir(2) needs
 * the right to search the folder itself; an O_PATH fd of it, whose link has its name, does not. So a
 * call that failed with EACCES for that folder has a name, too (ONLY_NAMED).
 */
static enum arrival go_to(struct walk *walk, size_t length, char name[static NAME_LIMIT],
                          size_t *length_out)
{
    char next = walk->path[length];
    const char *path = length ? walk->path : "/";
    int fd = -1, status;

    walk->path[length] = '\0';
    walk->moved = true;
    if (walk->root < 0) {
        status = chdir(path) < 0 ? -errno : 0;
    } else {
        fd = open_at(walk->root, path, O_DIRECTORY, RESOLVE_IN_ROOT);
        status = fd < 0 || fchdir(fd) < 0 ? -errno : 0;
    }
    if (status == -EACCES && fd < 0)
        fd = open_at(walk->root, path, O_DIRECTORY, walk->root < 0 ? 0 : RESOLVE_IN_ROOT);
    walk->path[length] = next;
    *length_out = status == 0 ? name_of_here(name) : fd >= 0 ? name_of_fd(fd, name) : 0;
    if (fd >= 0)
        close(fd);
    return !*length_out ? NOT_THERE : status == 0 ? ARRIVED : ONLY_NAMED;
}

/* -- from the folder to the name -------------------------------------------------------------- */

/* Append names to a folder's, without "." and empty ones. ".." stays: it may follow a symbolic link. */
static size_t add_names(char name[static NAME_LIMIT], size_t length, const char *rest, size_t size)
{
    if (length == 1)
        length = 0; /* the root */
    for (size_t at = 0; at < size;) {
        const char *slash = memchr(rest + at, '/', size - at);
        size_t part = slash ? (size_t)(slash - rest) - at : size - at;
        bool counts = part && !(part == 1 && rest[at] == '.');
        if (counts && length + part + 1 <= NAME_LIMIT) {
            name[length++] = '/';
            memcpy(name + length, rest + at, part);
            length += part;
        }
        at += part + 1;
    }
    if (!length)
        name[length++] = '/';
    return length;
}

/* The links in /proc/PID cannot be followed by their text: it is the name of their target (proc(5)). */
static size_t follow_in_proc(const char *last, char name[static NAME_LIMIT], size_t length)
{
    char path[NAME_LIMIT], target[4096];

    size_t end = add_names(memcpy(path, name, length), length, last, strlen(last));
    if (end == NAME_LIMIT)
        return 0;
    path[end] = '\0';
    ssize_t size = proc_link(path, target, sizeof target);
    if (size <= 0 || target[0] != '/')
        return 0;
    memcpy(name, target, (size_t)size);
    return (size_t)size;
}

/* The name of the target of `last`, a link in the cwd of the calling thread; 0 if it is no link. */
static size_t follow_last(const struct walk *walk, const char *last, char name[static NAME_LIMIT],
                          size_t length)
{
    char target[1];

    if (readlink(last, target, sizeof target) < 0)
        return 0;
    if (walk->root < 0 && length > 6 && !memcmp(name, "/proc/", 6))
        return follow_in_proc(last, name, length);
    /* not through /proc/self, which is the recorder's */
    int fd = walk->root < 0
                 ? open_at(-1, last, 0, RESOLVE_NO_MAGICLINKS)
                 : open_at(walk->root, walk->path, 0, RESOLVE_NO_MAGICLINKS | RESOLVE_IN_ROOT);
    if (fd < 0)
        return 0;
    size_t found = name_of_fd(fd, name);
    close(fd);
    return found;
}

static bool is_dots(const char *name, size_t size)
{
    return (size == 1 && name[0] == '.') || (size == 2 && name[0] == '.' && name[1] == '.');
}

/* Where the last name of a path begins; the end of the path if that is "." or "..". */
static size_t begin_of_last(const struct walk *walk, size_t end)
{
    size_t last = end;

    while (last > walk->floor && walk->path[last - 1] != '/')
        last--;
    return is_dots(walk->path + last, end - last) ? end : last;
}

/* Cut the last name off the first `end` bytes of a path. */
static size_t cut_last(const struct walk *walk, size_t end)
{
    while (end > walk->floor && walk->path[end - 1] == '/')
        end--;
    while (end > walk->floor && walk->path[end - 1] != '/')
        end--;
    return end;
}

/* The folders below /proc are other ones for each process. */
static bool is_in_proc(const char *name, size_t size)
{
    return size >= 5 && !memcmp(name, "/proc", 5);
}

/* Whether where a walk leads depends on nothing but its path. */
static bool may_keep(const struct lookup *lookup, const struct walk *walk, size_t size)
{
    return lookup->folders && walk->root < 0 && !walk->floor && !is_in_proc(walk->path, size) &&
           size <= sizeof lookup->folders->kept->path;
}

static const struct kept_folder *recall_folder(const struct lookup *lookup, const struct walk *walk,
                                               size_t size)
{
    const struct folders *folders = lookup->folders;

    if (!may_keep(lookup, walk, size))
        return NULL;
    for (size_t i = 0; i < folders->count && i < KEPT_FOLDERS; i++)
        if (folders->kept[i].size == size && !memcmp(folders->kept[i].path, walk->path, size))
            return &folders->kept[i];
    return NULL;
}

static void keep_folder(const struct lookup *lookup, const struct walk *walk, size_t size,
                        size_t reached, const char *name, size_t name_size)
{
    struct folders *folders = lookup->folders;

    if (!may_keep(lookup, walk, size) || name_size > sizeof folders->kept->name ||
        is_in_proc(name, name_size))
        return;
    struct kept_folder *kept = &folders->kept[folders->count++ % KEPT_FOLDERS];
    *kept = (struct kept_folder){ .size = size, .reached = reached, .name_size = name_size };
    memcpy(kept->path, walk->path, size);
    memcpy(kept->name, name, name_size);
}

/* The same without a walk. 0: it needs one, as the folder is not known, or the last name is that of a link. */
static size_t finish_by_kept(const struct walk *walk, const struct lookup *lookup, size_t last,
                             size_t end, char name[static NAME_LIMIT], size_t *there_out)
{
    const struct kept_folder *kept = recall_folder(lookup, walk, last);
    char target[1];

    if (!kept || (lookup->follow && kept->reached == last &&
                  readlink(walk->path, target, sizeof target) >= 0))
        return 0;
    memcpy(name, kept->name, *there_out = kept->name_size);
    return add_names(name, *there_out, walk->path + kept->reached, end - kept->reached);
}

static size_t finish_walk(struct walk *walk, const struct lookup *lookup,
                          char name[static NAME_LIMIT], size_t *there_out)
{
    size_t end = walk->length, length = 0;
    enum arrival arrival;

    while (end > walk->floor && walk->path[end - 1] == '/')
        end--;
    walk->path[end] = '\0';
    size_t last = begin_of_last(walk, end), folder = last;
    size_t found = finish_by_kept(walk, lookup, last, end, name, there_out);
    if (found)
        return found;
    while ((arrival = go_to(walk, folder, name, &length)) == NOT_THERE) {
        if (folder <= walk->floor)
            return 0;
        folder = cut_last(walk, folder);
    }
    keep_folder(lookup, walk, last, folder, name, length);
    length = *there_out = name_as_its(lookup, name, length);
    if (lookup->follow && arrival == ARRIVED && folder == last && last < end) {
        size_t followed = follow_last(walk, walk->path + last, name, length);
        if (followed)
            return *there_out = followed;
    }
    return add_names(name, length, walk->path + folder, end - folder);
}

/* Without a walk: the folder's name and the path as it was passed. Exact for a single name. */
static size_t resolve_without_walk(const struct lookup *lookup, const char *passed, size_t length,
                                   char name[static NAME_LIMIT])
{
    char start[PROC_PATH];
    struct raw_stat facts;

    start_path(start, lookup);
    ssize_t size = proc_link(start, name, NAME_LIMIT - length - 1);
    if (size <= 0 || name[0] != '/')
        return 0;
    if (ends_with(name, (size_t)size, DELETED) && proc_stat(start, &facts) == 0 && facts.links == 0)
        size -= sizeof DELETED - 1;
    return add_names(name, (size_t)size, passed, length);
}

size_t resolve_path(const struct lookup *lookup, const char *passed, size_t length,
                    char name[static NAME_LIMIT], size_t *there_out)
{
    struct walk walk;
    size_t found = 0;

    *there_out = NAME_LIMIT;
    if (!length)
        return 0;
    if (lookup->no_walk) /* Python resolves these paths by the cwd that it remembers */
        return passed[0] == '/' || !memcmp(passed, "..", length < 2 ? length : 2)
                   ? 0
                   : resolve_without_walk(lookup, passed, length, name);
    if (!lookup->follow && !lookup->confined && !memchr(passed, '/', length) &&
        !is_dots(passed, length))
        return resolve_without_walk(lookup, passed, length, name);
    walk.floor = walk.length = 0;
    walk.moved = false;
    if (start_walk(&walk, lookup, passed, length))
        found = finish_walk(&walk, lookup, name, there_out);
    if (walk.root >= 0)
        close(walk.root);
    if (walk.moved && chdir("/") < 0)
        return 0; /* it always succeeds */
    return found;
}

/* -- what is on the way ------------------------------------------------------------------------ */

int resolve_open(const struct lookup *lookup, const char *passed, size_t length, uint64_t flags)
{
    struct walk walk;
    int fd = -EINVAL;

    if (lookup->no_walk)
        return -EOPNOTSUPP;
    walk.floor = walk.length = 0;
    if (start_walk(&walk, lookup, length ? passed : ".", length ? length : 1)) {
        walk.path[walk.length] = '\0';
        fd = open_at(walk.root, walk.path, flags, walk.root < 0 ? 0 : RESOLVE_IN_ROOT);
        fd = fd < 0 ? -errno : fd;
    }
    if (walk.root >= 0)
        close(walk.root);
    return fd;
}

bool sees_other_files(const struct lookup *lookup)
{
    char path[PROC_PATH];
    int root = lookup->root_differs ? open_other_root(lookup, path) : -1;

    if (root >= 0)
        close(root);
    return root >= 0;
}

size_t resolve_name(const struct lookup *lookup, int fd, char name[static NAME_LIMIT])
{
    return name_as_its(lookup, name, name_of_fd(fd, name));
}
