/* Files and folders are created, renamed, linked and removed through io_uring; and failures of that. */
#include "expect.h"

#include "ring.h"

#define EXPECT(source, ...) expect("'source': '" source "', 'op': 'io_uring_enter', " __VA_ARGS__)

enum { RENAMEAT = 35, UNLINKAT, MKDIRAT, SYMLINKAT, LINKAT };

static int one_name(int opcode, int folder, const char *name, unsigned mode, unsigned flags)
{
    ask(opcode, folder, name, mode)->rw_flags = flags;
    return results();
}

static int two_names(int opcode, int folder, const char *name, int to_folder, const char *to)
{
    ask(opcode, folder, name, to_folder)->off = (uintptr_t)to;
    return results();
}

static void changes(void)
{
    MUST(one_name(MKDIRAT, AT_FDCWD, "dir", 0750, 0) == 0);
    EXPECT("fs.mkdir", "'file': '%s', 'file_perms': 750", here("dir"));
    int dir = open("dir", O_RDONLY | O_DIRECTORY);
    int log = openat(dir, "a.log", O_CREAT | O_WRONLY, 0644);
    MUST(two_names(RENAMEAT, dir, "a.log", AT_FDCWD, "b.log") == 0);
    EXPECT("fs.rename", "'file': '%s', 'file_new': '%s'", here("dir/a.log"), here("b.log"));
    MUST(write(log, "renamed\n", 8) == 8);
    close(log);
    expect_close("close", "b.log", 0, 0, 8, 1);
    MUST(two_names(LINKAT, AT_FDCWD, "b.log", dir, "c") == 0);
    EXPECT("fs.link", "'file': '%s', 'file_target': '%s'", here("dir/c"), here("b.log"));
    ask(SYMLINKAT, dir, "../b.log", 0)->off = (uintptr_t) "s";
    MUST(results() == 0);
    EXPECT("fs.link", "'file': '%s', 'file_target': '../b.log'", here("dir/s"));
    MUST(one_name(UNLINKAT, dir, "c", 0, 0) == 0);
    EXPECT("fs.delete", "'file': '%s'", here("dir/c"));
    MUST(one_name(UNLINKAT, dir, "s", 0, 0) == 0);
    EXPECT("fs.delete", "'file': '%s'", here("dir/s"));
    MUST(one_name(UNLINKAT, AT_FDCWD, "dir", 0, AT_REMOVEDIR) == 0);
    EXPECT("fs.delete", "'file': '%s'", here("dir"));
    close(dir);
    expect_close("close", "dir", 0, 0, 0, 0);
}

/* Of a temporary file that is linked later, the name is the one that it then has. */
static void late_name(void)
{
    int fd = open(".", O_TMPFILE | O_WRONLY, 0644);
    char path[64];

    sprintf(path, "/proc/self/fd/%d", fd);
    ask(LINKAT, AT_FDCWD, path, AT_FDCWD)->off = (uintptr_t) "late.log";
    entries[(*place(made.sq_off.tail) - 1) & (made.sq_entries - 1)].hardlink_flags =
        AT_SYMLINK_FOLLOW;
    MUST(results() == 0);
    EXPECT("fs.link", "'file': '%s'", here("late.log"));
    MUST(write(fd, "named\n", 6) == 6);
    close(fd);
    expect_close("close", "late.log", 0, 0, 6, 1);
}

static void failures(void)
{
    MUST(one_name(UNLINKAT, AT_FDCWD, "absent", 0, 0) == -ENOENT);
    errno = ENOENT;
    expect_error("delete", "io_uring_enter", "absent");
    MUST(two_names(RENAMEAT, AT_FDCWD, "absent", AT_FDCWD, "new") == -ENOENT);
    EXPECT("fs.error", "'class': 'rename', 'file': '%s', 'file_new': '%s', 'error': 'ENOENT'",
           here("absent"), here("new"));
    MUST(one_name(MKDIRAT, AT_FDCWD, "b.log", 0755, 0) == -EEXIST);
    errno = EEXIST;
    expect_error("mkdir", "io_uring_enter", "b.log");
}

int main(void)
{
    set_up(0);
    changes();
    late_name();
    failures();
    return 0;
}
