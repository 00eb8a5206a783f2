/* Files that are renamed while they are open: later events have the new name. */
#include <linux/fs.h>
#include <sys/syscall.h>

#include "expect.h"

#define EXPECT(source, op, ...) expect("'source': '" source "', 'op': '" op "', " __VA_ARGS__)

static int make(const char *name)
{
    return expect_open("openat", name, open(name, O_CREAT | O_RDWR, 0644));
}

static void renames(const char *old, const char *new)
{
    MUST(rename(old, new) == 0);
    EXPECT("fs.rename", "rename", "'file': '%s', 'file_new': '%s'", here(old), here(new));
}

static void write_text(int fd, const char *text)
{
    MUST(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

/* A log that is written elsewhere first, and one that is rotated. */
static void logs(void)
{
    int job = make("job.tmp");
    write_text(job, "early\n");
    renames("job.tmp", "job.log");
    write_text(job, "late\n");
    expect_close("close", "job.log", 0, 0, 11, 2);
    close(job);

    int app = make("app.log");
    write_text(app, "before\n");
    renames("app.log", "app.log.1");
    write_text(app, "after\n");
    renames("app.log.1", "hidden");
    write_text(app, "unseen\n");
    write_text(app, "unseen\n");
    renames("hidden", "app.log.2");
    write_text(app, "again\n");
    expect_close("close", "app.log.2", 0, 0, 33, 5);
    close(app);
}

/* An fd that is copied after the rename, as a shell does for each redirection. */
static void copies(void)
{
    int log = make("copied.log"), status;
    write_text(log, "original\n");
    renames("copied.log", "copied.log.1");
    int copy = dup(log);
    write_text(copy, "copy\n");
    renames("copied.log.1", "copied.log.2");
    pid_t child = fork();
    if (child == 0) {
        MUST(dup2(log, copy) == copy);
        write_text(copy, "child's copy\n");
        _exit(0);
    }
    MUST(waitpid(child, &status, 0) == child && status == 0);
    expect("'source': 'fs.close', 'op': 'exit', 'pid': %d, 'file': '%s', 'file_write_bytes': 13",
           child, here("copied.log.2"));
    close(copy);
    expect_close("close", "copied.log.2", 0, 0, 14, 2);
    close(log);
}

static void folders(void)
{
    MUST(mkdir("folder", 0755) == 0);
    int in = make("folder/file");
    renames("folder", "other");
    MUST(ftruncate(in, 5) == 0);
    EXPECT("fs.attr", "ftruncate", "'file': '%s'", here("other/file"));
    MUST(fchmod(in, 0600) == 0);
    EXPECT("fs.attr", "fchmod", "'file': '%s'", here("other/file"));
    MUST(unlink("other/file") == 0);
    expect_close("close", "other/file", 0, 0, 0, 0); /* its last name */
    close(in);
    MUST(rmdir("other") == 0);
}

static void swapped(void)
{
    int one = make("one"), two = make("two");
    MUST(renameat2(AT_FDCWD, "one", AT_FDCWD, "two", RENAME_EXCHANGE) == 0);
    EXPECT("fs.rename", "renameat2", "'file': '%s', 'file_new': '%s', 'file_exchanged': true",
           here("one"), here("two"));
    write_text(one, "1");
    write_text(two, "22");
    expect_close("close", "two", 0, 0, 1, 1);
    close(one);
    expect_close("close", "one", 0, 0, 2, 1);
    close(two);
}

/* A file that has no name when it is opened. */
static int nameless(void)
{
    int fd = open(".", O_TMPFILE | O_RDWR, 0644);
    MUST(fd >= 0);
    expect("'source': 'fs.open', 'fd': %d", fd);
    write_text(fd, "nameless\n");
    return fd;
}

static void given_names(void)
{
    char link[64];
    int fd = nameless();

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    MUST(linkat(AT_FDCWD, link, AT_FDCWD, "given.log", AT_SYMLINK_FOLLOW) == 0);
    EXPECT("fs.link", "linkat", "'file': '%s'", here("given.log"));
    write_text(fd, "named\n");
    renames("given.log", "taken.log");
    write_text(fd, "renamed\n");
    expect_close("close", "taken.log", 0, 0, 23, 3);
    close(fd);
    fd = nameless();
    if (linkat(fd, "", AT_FDCWD, "empty", AT_EMPTY_PATH) < 0) { /* wants privilege: open(2) */
        snprintf(link, sizeof link, "/dev/fd/%d", fd);
        MUST(linkat(AT_FDCWD, link, AT_FDCWD, "empty", AT_SYMLINK_FOLLOW) == 0);
    }
    EXPECT("fs.link", "linkat", "'file': '%s'", here("empty"));
    expect_close("close", "empty", 0, 0, 9, 1);
    close(fd);
}

/* The fd goes by other ways than close. */
static void other_ends(void)
{
    int first = make("first"), second = make("second"), third = make("third");

    write_text(first, "x");
    write_text(second, "x");
    renames("first", "first-renamed");
    renames("second", "second-renamed");
    renames("third", "third-renamed");
    expect_close("dup2", "first-renamed", 0, 0, 1, 1);
    MUST(dup2(third, first) == first);
    expect_close("close_range", "second-renamed", 0, 0, 1, 1);
    MUST(syscall(SYS_close_range, second, second, 0) == 0);
    close(first);
    expect_close("close", "third-renamed", 0, 0, 0, 0);
    close(third);
    int left = make("left");
    write_text(left, "x");
    renames("left", "left-renamed");
    expect_close("exit", "left-renamed", 0, 0, 1, 1);
}

int main(void)
{
    logs();
    copies();
    folders();
    swapped();
    given_names();
    other_ends();
    return 0;
}
