/* Relative paths below the cwd and a dirfd, also after chdir and fchdir. */
#include "expect.h"

static void visit(const char *name, int fd)
{
    MUST(expect_open("openat", name, fd) >= 0);
    close(fd);
}

int main(void)
{
    MUST(mkdir("a", 0755) == 0 && mkdir("a/b", 0755) == 0 && mkdir("c", 0755) == 0);
    MUST(symlink("../c", "a/to-c") == 0);

    int a = expect_open("openat", "a", open("a", O_RDONLY | O_DIRECTORY));
    visit("a/one", openat(a, "one", O_CREAT | O_WRONLY, 0644));
    visit("a/b/two", openat(a, "b/two", O_CREAT | O_WRONLY, 0644));
    visit("one", openat(a, "../one", O_CREAT | O_WRONLY, 0644));
    expect_open("openat", "a/absent", openat(a, "absent", O_RDONLY));

    MUST(chdir("a/b") == 0);
    visit("a/b/three", open("three", O_CREAT | O_WRONLY, 0644));
    visit("a/four", open("../four", O_CREAT | O_WRONLY, 0644));
    expect_open("openat", "a/b/absent", open("absent", O_RDONLY));

    MUST(fchdir(a) == 0);
    visit("a/five", open("five", O_CREAT | O_WRONLY, 0644));
    expect_open("openat", "a/absent", open("absent", O_RDONLY));

    /* Through a link: the file is where the kernel ended up. */
    MUST(chdir("to-c") == 0);
    visit("c/six", open("six", O_CREAT | O_WRONLY, 0644));
    expect_open("openat", "c/absent", open("absent", O_RDONLY));

    MUST(chdir("nowhere") < 0);
    expect_error("cwd", "chdir", "c/nowhere");
    visit("c/six", open("six", O_RDONLY));
    return 0;
}
