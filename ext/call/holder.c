#include "call/holder.h"

#include <stdlib.h>
#include <sys/stat.h>
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

pid_t find_holder(const struct raw_stat *file)
{
    uint32_t *pids;
    ssize_t count = proc_pids(&pids);
    pid_t found = 0;

    for (ssize_t i = 0; i < count && !found; i++)
        if ((pid_t)pids[i] != getpid() &&
            (runs((pid_t)pids[i], file) || writes((pid_t)pids[i], file)))
            found = (pid_t)pids[i];
    free(pids);
    return found;
}
