/* Paths that only the kernel can resolve: links, "..", folders that were renamed. */
#include <linux/openat2.h>

#include "expect.h"

#define EXPECT(source, op, ...) expect("'source': '" source "', 'op': '" op "', " __VA_ARGS__)

/* What a name is in the end, and what was passed if that is another text. */
static const char *both(const char *name, const char *passed)
{
    static char text[PATH_MAX * 4];
    int size = snprintf(text, sizeof text, "'file': '%s'", here(name));

    if (strcmp(here(name), passed))
        snprintf(text + size, sizeof text - size, ", 'file_passed': '%s'", passed);
    return text;
}

static void fails(const char *class, const char *op, const char *name, const char *passed)
{
    expect("'source': 'fs.error', 'class': '%s', 'op': '%s', 'error': '%s', %s", class, op,
           error_name(errno), both(name, passed));
}

static void absent(const char *name, const char *passed)
{
    MUST(open(passed, O_RDONLY) < 0);
    fails("open_close", "openat", name, passed);
}

/* An open for a name alone is a question, as stat(2) is. */
static void asked(const char *name, const char *passed)
{
    MUST(open(passed, O_PATH) < 0);
    fails("stat", "openat", name, passed);
}

static void made(const char *name, const char *passed)
{
    MUST(mkdir(passed, 0755) == 0);
    EXPECT("fs.mkdir", "mkdir", "%s", both(name, passed));
}

static void removed(const char *name, const char *passed)
{
    MUST(rmdir(passed) == 0);
    EXPECT("fs.delete", "rmdir", "%s", both(name, passed));
}

static int make(const char *name)
{
    int fd = open(name, O_CREAT | O_WRONLY, 0644);
    MUST(fd >= 0);
    return fd;
}

/* link leads to real/deep, so that link/.. is real. */
static void through_links(void)
{
    char passed[PATH_MAX * 2];

    absent("real/deep/x", "link/x");
    asked("real/deep/x", "link/x");
    absent("real/x", "link/../x");
    absent("real/none/../x", "link/../none/../x");
    absent("real/deep/x", "./link//./x");
    snprintf(passed, sizeof passed, "%s", here("link/absent"));
    absent("real/deep/absent", passed);
    made("real/sub", "link/../sub");
    removed("real/sub", "link/../sub/");

    close(make("real/file"));
    MUST(rename("link/../file", "link/moved") == 0);
    EXPECT("fs.rename", "rename",
           "'file': '%s', 'file_passed': 'link/../file', 'file_new': '%s', "
           "'file_new_passed': 'link/moved'",
           here("real/file"), here("real/deep/moved"));
    MUST(link("link/moved", "link/again") == 0);
    EXPECT("fs.link", "link",
           "'file': '%s', 'file_target': '%s', 'file_target_passed': 'link/moved'",
           here("real/deep/again"), here("real/deep/moved"));
    MUST(link("link/moved", "link/again") < 0);
    EXPECT("fs.error", "link",
           "'file': '%s', 'file_passed': 'link/moved', 'file_new': '%s', "
           "'file_new_passed': 'link/again', 'error': 'EEXIST'",
           here("real/deep/moved"), here("real/deep/again"));
    MUST(symlink("any", "link/again") < 0);
    EXPECT("fs.error", "symlink", "'file': 'any', 'file_new': '%s'", here("real/deep/again"));
}

/* The last name is followed by some calls, and is meant itself by others. */
static void last_names(void)
{
    struct stat facts;

    MUST(symlink("deep/moved", "real/last") == 0);
    EXPECT("fs.link", "symlink", "'file': '%s', 'file_target': 'deep/moved'", here("real/last"));
    MUST(chmod("real/last", 0600) == 0);
    EXPECT("fs.attr", "chmod", "'file': '%s', 'file_passed': 'real/last'", here("real/deep/moved"));
    MUST(truncate("real/last", 5) == 0);
    EXPECT("fs.attr", "truncate", "'file': '%s'", here("real/deep/moved"));
    MUST(lchown("real/last", getuid(), getgid()) == 0);
    expect("'source': 'fs.attr', 'file': '%s'", here("real/last")); /* of 32 bits it is lchown32 */
    MUST(fchownat(AT_FDCWD, "real/last", getuid(), getgid(), 0) == 0);
    EXPECT("fs.attr", "fchownat", "'file': '%s'", here("real/deep/moved"));
    MUST(fchownat(AT_FDCWD, "real/last", getuid(), getgid(), AT_SYMLINK_NOFOLLOW) == 0);
    EXPECT("fs.attr", "fchownat", "'file': '%s'", here("real/last"));
    MUST(open("real/last", O_RDONLY | O_DIRECTORY) < 0);
    fails("open_close", "openat", "real/deep/moved", "real/last");
    MUST(open("real/last", O_RDONLY | O_NOFOLLOW) < 0);
    fails("open_close", "openat", "real/last", "real/last");
    MUST(open("real/last", O_RDWR | O_CREAT | O_EXCL, 0600) < 0);
    fails("open_close", "openat", "real/last", "real/last");
    MUST(chdir("real/last") < 0);
    fails("cwd", "chdir", "real/deep/moved", "real/last");
    MUST(stat("real/last/", &facts) < 0);
    expect("'source': 'fs.error', 'class': 'stat', 'file': '%s'", here("real/deep/moved"));
    MUST(linkat(AT_FDCWD, "real/last", AT_FDCWD, "hard", AT_SYMLINK_FOLLOW) == 0);
    EXPECT("fs.link", "linkat", "'file': '%s', 'file_target': '%s'", here("hard"),
           here("real/deep/moved"));
    MUST(linkat(AT_FDCWD, "real/last", AT_FDCWD, "soft", 0) == 0);
    EXPECT("fs.link", "linkat", "'file': '%s', 'file_target': '%s'", here("soft"),
           here("real/last"));
    MUST(unlink("real/last") == 0);
    EXPECT("fs.delete", "unlink", "'file': '%s'", here("real/last"));
}

/* Each process has names of its own below /proc/self. */
static void own_names(void)
{
    char passed[64];

    int fd = open("real/deep/moved", O_RDONLY);
    MUST(fd >= 0);
    snprintf(passed, sizeof passed, "/proc/self/fd/%d", fd);
    MUST(chmod(passed, 0640) == 0);
    EXPECT("fs.attr", "chmod", "'file': '%s', 'file_passed': '%s'", here("real/deep/moved"),
           passed);
    snprintf(passed, sizeof passed, "/dev/fd/%d", fd);
    MUST(chmod(passed, 0640) == 0);
    EXPECT("fs.attr", "chmod", "'file': '%s', 'file_passed': '%s'", here("real/deep/moved"),
           passed);
    MUST(open("/proc/self/absent", O_RDONLY) < 0);
    expect("'source': 'fs.error', 'file_passed': '/proc/self/absent'");
    MUST(symlink("/proc/self", "me") == 0);
    EXPECT("fs.link", "symlink", "'file': '%s', 'file_target': '/proc/self'", here("me"));
    MUST(open("me/absent", O_RDONLY) < 0);
    expect("'source': 'fs.error', 'file_passed': 'me/absent'");
}

/* The root of a lookup may be a folder. */
static void confined(void)
{
    struct open_how how = { .flags = O_RDONLY, .resolve = RESOLVE_IN_ROOT };

    int real = open("real", O_RDONLY | O_DIRECTORY);
    MUST(real >= 0 && symlink("/deep", "real/to-deep") == 0);
    EXPECT("fs.link", "symlink", "'file': '%s'", here("real/to-deep"));
    MUST(syscall(SYS_openat2, real, "/deep/absent", &how, sizeof how) < 0);
    fails("open_close", "openat2", "real/deep/absent", "/deep/absent");
    MUST(syscall(SYS_openat2, real, "../../absent", &how, sizeof how) < 0);
    fails("open_close", "openat2", "real/absent", "../../absent");
    MUST(syscall(SYS_openat2, real, "to-deep/absent", &how, sizeof how) < 0);
    fails("open_close", "openat2", "real/deep/absent", "to-deep/absent");
    how.resolve = RESOLVE_BENEATH;
    MUST(syscall(SYS_openat2, real, "deep/absent", &how, sizeof how) < 0);
    fails("open_close", "openat2", "real/deep/absent", "deep/absent");
    close(real);
}

/* A folder keeps being where it is, whatever it is called. */
static void renamed_folders(void)
{
    int deep = open("real/deep", O_RDONLY | O_DIRECTORY);

    MUST(deep >= 0 && chdir("real/deep") == 0 && rename("../../real", "../../true") == 0);
    EXPECT("fs.rename", "rename", "'file': '%s', 'file_new': '%s'", here("real"), here("true"));
    absent("true/deep/x", "x");
    absent("true/x", "../x");
    made("true/deep/sub", "sub");
    MUST(openat(deep, "absent", O_RDONLY) < 0);
    fails("open_close", "openat", "true/deep/absent", "absent");
    MUST(unlinkat(deep, "sub", AT_REMOVEDIR) == 0);
    EXPECT("fs.delete", "unlinkat", "'file': '%s', 'file_passed': 'sub'", here("true/deep/sub"));
    made("true/gone", "../gone");
    MUST(chdir("../gone") == 0);
    removed("true/gone", here("true/gone"));
    absent("true/gone/x", "x");
    MUST(chdir(start) == 0);
}

int main(void)
{
    MUST(mkdir("real", 0755) == 0 && mkdir("real/deep", 0755) == 0);
    EXPECT("fs.mkdir", "mkdir", "'file': '%s'", here("real"));
    EXPECT("fs.mkdir", "mkdir", "'file': '%s'", here("real/deep"));
    MUST(symlink("real/deep", "link") == 0);
    EXPECT("fs.link", "symlink", "'file': '%s'", here("link"));
    through_links();
    last_names();
    own_names();
    confined();
    renamed_folders();
    return 0;
}
