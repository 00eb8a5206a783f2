/* open, openat, openat2, creat; and their usual failures. */
#include "expect.h"
#include <linux/openat2.h>

static void close_untouched(const char *name, int fd)
{
    expect_close("close", name, 0, 0, 0, 0);
    close(fd);
}

int main(void)
{
    struct open_how how = { .flags = O_RDONLY | O_CLOEXEC };

    close_untouched("made", expect_open("openat", "made", open("made", O_CREAT | O_WRONLY, 0644)));
    close_untouched("made", expect_open("open", "made", syscall(SYS_open, "made", O_RDONLY)));
    close_untouched("made", expect_open("openat", "made", openat(AT_FDCWD, here("made"), O_RDWR)));
    close_untouched("made", expect_open("openat2", "made",
                                        syscall(SYS_openat2, AT_FDCWD, "made", &how, sizeof how)));
    close_untouched("new", expect_open("creat", "new", syscall(SYS_creat, "new", 0600)));
    close_untouched("made", expect_open("openat", "made", open("./made", O_PATH)));

    expect_open("openat", "absent", open("absent", O_RDONLY));
    expect_open("openat", "no/such/folder", open("no/such/folder", O_RDONLY));
    expect_open("openat", "made/below", open("made/below", O_RDONLY));
    expect_open("openat", "made", open("made", O_CREAT | O_EXCL | O_WRONLY, 0600));
    expect_open("creat", "made/below", syscall(SYS_creat, "made/below", 0600));
    expect_open("openat2", "absent", syscall(SYS_openat2, AT_FDCWD, "absent", &how, sizeof how));

    /* Root may; for other users it is EACCES. */
    MUST(chmod("new", 0) == 0);
    int fd = expect_open("openat", "new", open("new", O_RDWR));
    if (fd >= 0)
        close_untouched("new", fd);
    return 0;
}
