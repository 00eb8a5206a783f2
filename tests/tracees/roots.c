/*
 * Paths in another root (chroot) and with other mounts. Exits with 77 where that is not permitted.
 */
#include "expect.h"
#include <sched.h>
#include <sys/mount.h>

enum { NOT_ALLOWED = 77 };

static void absent(const char *name, const char *passed)
{
    MUST(open(passed, O_RDONLY) < 0);
    expect("'source': 'fs.error', 'file': '%s', 'file_passed': '%s'", name, passed);
}

static void put(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY);
    MUST(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && close(fd) == 0);
}

static void unshares(int flags)
{
    char users[64], groups[64];
    uid_t user = geteuid();

    snprintf(users, sizeof users, "%u %u 1", user, user);
    snprintf(groups, sizeof groups, "%u %u 1", getegid(), getegid());
    if (unshare(flags | (user ? CLONE_NEWUSER : 0)) < 0)
        _exit(NOT_ALLOWED);
    if (!user)
        return;
    put("/proc/self/uid_map", users);
    put("/proc/self/setgroups", "deny");
    put("/proc/self/gid_map", groups);
}

static void in_chroot(void)
{
    MUST(mkdir("jail", 0755) == 0 && mkdir("jail/etc", 0755) == 0 &&
         mkdir("jail/etc/a", 0755) == 0);
    MUST(symlink("/etc/a", "jail/link") == 0);
    if (geteuid())
        unshares(0);
    MUST(chroot("jail") == 0);
    absent(here("jail/etc/absent"), "/etc/absent");
    absent(here("jail/etc/a/absent"), "/link/absent");
    absent(here("jail/etc/absent"), "/link/../absent");
    absent(here("jail/absent"), "/../../absent");
    MUST(chdir("/etc/a") == 0);
    absent(here("jail/etc/a/absent"), "absent");
    absent(here("jail/absent"), "../../../../absent");
    absent(here("jail/etc/a/absent"), "../../link/absent");
}

static void in_mounts(void)
{
    char link[PATH_MAX * 2];

    MUST(mkdir("top", 0755) == 0);
    unshares(CLONE_NEWNS);
    MUST(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    MUST(mount("none", "top", "tmpfs", 0, "mode=0777") == 0);
    MUST(mkdir("top/sub", 0755) == 0 && symlink(here("top/sub"), "top/link") == 0);
    absent(here("top/sub/absent"), "top/link/absent");
    absent(here("top/sub/absent"), "top/link/../sub/absent");
    snprintf(link, sizeof link, "%s", here("top/link/absent"));
    absent(here("top/sub/absent"), link);
    MUST(chdir("top/link") == 0);
    absent(here("top/sub/absent"), "absent");
    absent(here("top/absent"), "../absent");
    MUST(chdir(start) == 0);
}

static void in_pivot(void)
{
    in_mounts();
    MUST(chdir("top") == 0 && mkdir("old", 0755) == 0 && symlink("/sub", "inner") == 0);
    MUST(syscall(SYS_pivot_root, ".", "old") == 0 && chdir("/") == 0);
    absent("/sub/absent", "/inner/absent");
    absent("/sub/absent", "inner/absent");
    absent("/absent", "../../absent");
    absent("/sub/absent", "./sub/absent");
}

int main(int argc, char **argv)
{
    const char *scenario = argc > 1 ? argv[1] : "";

    if (!strcmp(scenario, "chroot"))
        in_chroot();
    else if (!strcmp(scenario, "mounts"))
        in_mounts();
    else
        in_pivot();
    return 0;
}
