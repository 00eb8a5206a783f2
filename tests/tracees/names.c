/* Files and folders are created, renamed, linked, changed and removed; and failures of that. */
#include "expect.h"

#define EXPECT(source, op, ...) expect("'source': '" source "', 'op': '" op "', " __VA_ARGS__)

int main(void)
{
    MUST(mkdir("dir", 0750) == 0);
    EXPECT("fs.mkdir", "mkdir", "'file': '%s'", here("dir"));
    MUST(mkdir("dir", 0750) < 0);
    expect_error("mkdir", "mkdir", "dir");
    MUST(mkdirat(AT_FDCWD, "dir/in", 0755) == 0);
    EXPECT("fs.mkdir", "mkdirat", "'file': '%s'", here("dir/in"));

    int dir = open("dir", O_RDONLY | O_DIRECTORY);
    MUST(dir >= 0 && close(openat(dir, "a", O_CREAT | O_WRONLY, 0644)) == 0);
    MUST(rename("dir/a", "b") == 0);
    EXPECT("fs.rename", "rename", "'file': '%s', 'file_new': '%s'", here("dir/a"), here("b"));
    MUST(renameat(AT_FDCWD, "b", dir, "c") == 0);
    EXPECT("fs.rename", "renameat", "'file': '%s', 'file_new': '%s'", here("b"), here("dir/c"));
    MUST(renameat2(dir, "c", dir, "d", RENAME_NOREPLACE) == 0);
    EXPECT("fs.rename", "renameat2", "'file': '%s', 'file_new': '%s'", here("dir/c"),
           here("dir/d"));
    MUST(rename("absent", "anywhere") < 0);
    expect(
        "'source': 'fs.error', 'class': 'rename', 'op': 'rename', 'file': '%s', 'file_new': '%s', "
        "'error': 'ENOENT'",
        here("absent"), here("anywhere"));

    MUST(link("dir/d", "e") == 0);
    EXPECT("fs.link", "link", "'file': '%s', 'file_target': '%s'", here("e"), here("dir/d"));
    MUST(linkat(dir, "d", AT_FDCWD, "f", 0) == 0);
    EXPECT("fs.link", "linkat", "'file': '%s', 'file_target': '%s'", here("f"), here("dir/d"));
    MUST(symlink("nowhere", "s") == 0);
    EXPECT("fs.link", "symlink", "'file': '%s', 'file_target': 'nowhere'", here("s"));
    MUST(symlinkat("../e", dir, "t") == 0);
    EXPECT("fs.link", "symlinkat", "'file': '%s', 'file_target': '../e'", here("dir/t"));

    MUST(chmod("e", 0600) == 0);
    EXPECT("fs.attr", "chmod", "'file': '%s', 'file_perms': 600", here("e"));
    MUST(fchmodat(dir, "d", 0640, 0) == 0);
    EXPECT("fs.attr", "fchmodat", "'file': '%s', 'file_perms': 640", here("dir/d"));
    MUST(chown("e", getuid(), getgid()) == 0);
    EXPECT("fs.attr", "chown", "'file': '%s', 'file_owner': %d, 'file_group': %d", here("e"),
           getuid(), getgid());
    MUST(truncate("e", 77) == 0);
    EXPECT("fs.attr", "truncate", "'file': '%s', 'file_size': 77", here("e"));
    int fd = open("e", O_WRONLY);
    MUST(ftruncate(fd, 5) == 0 && fchmod(fd, 0644) == 0);
    EXPECT("fs.attr", "ftruncate", "'file': '%s', 'file_size': 5", here("e"));
    EXPECT("fs.attr", "fchmod", "'file': '%s', 'file_perms': 644", here("e"));
    MUST(chmod("absent", 0600) < 0);
    expect_error("attr", "chmod", "absent");

    MUST(access("absent", F_OK) < 0);
    expect("'source': 'fs.error', 'class': 'stat', 'file': '%s', 'error': 'ENOENT'",
           here("absent"));
    struct stat facts;
    MUST(stat("dir/none", &facts) < 0);
    expect("'source': 'fs.error', 'class': 'stat', 'file': '%s', 'error': 'ENOENT'",
           here("dir/none"));

    MUST(unlink("e") == 0);
    EXPECT("fs.delete", "unlink", "'file': '%s'", here("e"));
    MUST(unlinkat(dir, "d", 0) == 0);
    EXPECT("fs.delete", "unlinkat", "'file': '%s'", here("dir/d"));
    MUST(unlinkat(dir, "in", AT_REMOVEDIR) == 0);
    EXPECT("fs.delete", "unlinkat", "'file': '%s'", here("dir/in"));
    MUST(rmdir("dir") < 0);
    expect_error("delete", "rmdir", "dir");
    MUST(unlink("dir/t") == 0 && rmdir("dir") == 0);
    EXPECT("fs.delete", "unlink", "'file': '%s'", here("dir/t"));
    EXPECT("fs.delete", "rmdir", "'file': '%s'", here("dir"));
    return 0;
}
