/* Opens files in every way there is, and fails to in the usual ways. */
#include "tell.h"
#include <linux/openat2.h>

static void close_untouched(const char *name, int fd)
{
    closes("close", name, 0, 0, 0, 0);
    close(fd);
}

int main(void)
{
    struct open_how how = { .flags = O_RDONLY | O_CLOEXEC };

    close_untouched("made", opened("openat", "made", open("made", O_CREAT | O_WRONLY, 0644)));
    close_untouched("made", opened("open", "made", syscall(SYS_open, "made", O_RDONLY)));
    close_untouched("made", opened("openat", "made", openat(AT_FDCWD, here("made"), O_RDWR)));
    close_untouched("made", opened("openat2", "made",
                                   syscall(SYS_openat2, AT_FDCWD, "made", &how, sizeof how)));
    close_untouched("new", opened("creat", "new", syscall(SYS_creat, "new", 0600)));
    close_untouched("made", opened("openat", "made", open("./made", O_PATH)));

    opened("openat", "absent", open("absent", O_RDONLY));
    opened("openat", "no/such/folder", open("no/such/folder", O_RDONLY));
    opened("openat", "made/below", open("made/below", O_RDONLY));
    opened("openat", "made", open("made", O_CREAT | O_EXCL | O_WRONLY, 0600));
    opened("creat", "made/below", syscall(SYS_creat, "made/below", 0600));
    opened("openat2", "absent", syscall(SYS_openat2, AT_FDCWD, "absent", &how, sizeof how));

    /* Root may; everybody else is told EACCES. */
    MUST(chmod("new", 0) == 0);
    int fd = opened("openat", "new", open("new", O_RDWR));
    if (fd >= 0)
        close_untouched("new", fd);
    return 0;
}
