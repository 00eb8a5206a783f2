#include "call/holder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h> /* statx */
#include <unistd.h>

#include "call/proc.h"

static bool is_file(const char *path, const struct raw_stat *file)
{
    struct raw_stat found;

    return proc_stat(path, &found) == 0 && found.dev == file->dev && found.ino == file->ino;
}

static bool runs(pid_t pid, const struct raw_stat *file)
{
    char path[PROC_PATH];

    proc_path(path, pid, "exe");
    return is_file(path, file);
}

/* The link of an fd that is open for writing may be written: proc_pid_fd(5). */
static bool writes(pid_t pid, const struct raw_stat *file)
{
    char path[PROC_PATH];
    struct stat link;
    uint32_t *fds;
    ssize_t count = proc_fds(pid, &fds);
    bool found = false;

    for (ssize_t i = 0; i < count && !found; i++) {
        proc_fd_path(path, pid, (int)fds[i]);
        found = lstat(path, &link) == 0 && link.st_mode & S_IWUSR && is_file(path, file);
    }
    free(fds);
    return found;
}

static bool holds(pid_t pid, const void *file)
{
    return runs(pid, file) || writes(pid, file);
}

/* The first process that `has` what is asked about, other than ourselves; 0: none. */
static pid_t find(bool (*has)(pid_t, const void *), const void *asked)
{
    uint32_t *pids;
    ssize_t count = proc_pids(&pids);
    pid_t found = 0;

    for (ssize_t i = 0; i < count && !found; i++)
        if ((pid_t)pids[i] != getpid() && has((pid_t)pids[i], asked))
            found = (pid_t)pids[i];
    free(pids);
    return found;
}

pid_t find_holder(const char *path)
{
    struct raw_stat file;

    return proc_stat(path, &file) == 0 ? find(holds, &file) : 0;
}

/* The number of the mount that a path is on, of a link in /proc of what it leads to; 0: not known. */
static uint64_t mount_of(const char *path)
{
    struct statx found;

    if (statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_MNT_ID, &found) < 0)
        return 0;
    return found.stx_mask & STATX_MNT_ID ? found.stx_mnt_id : 0;
}

static bool is_there(pid_t pid, const void *mount)
{
    static const char *const LINKS[] = { "cwd", "root", "exe" };
    const uint64_t *wanted = mount;
    char path[PROC_PATH];
    uint32_t *fds = NULL;
    bool found = false;

    for (size_t i = 0; i < sizeof LINKS / sizeof *LINKS && !found; i++) {
        proc_path(path, pid, LINKS[i]);
        found = mount_of(path) == *wanted;
    }
    ssize_t count = found ? 0 : proc_fds(pid, &fds);
    for (ssize_t i = 0; i < count && !found; i++) {
        proc_fd_path(path, pid, (int)fds[i]);
        found = mount_of(path) == *wanted;
    }
    free(fds);
    return found;
}

pid_t find_user(const char *path)
{
    uint64_t mount = mount_of(path);

    return mount ? find(is_there, &mount) : 0;
}
