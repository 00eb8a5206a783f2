/* A program that nobody may look into, as one that holds secrets: /proc/PID is closed to us. */
#include "tell.h"
#include <sys/prctl.h>

int main(void)
{
    MUST(mkdir("sub", 0755) == 0);
    MUST(prctl(PR_SET_DUMPABLE, 0) == 0);
    int fd = opened("openat", "secret.log", open("secret.log", O_CREAT | O_WRONLY, 0600));
    MUST(write(fd, "hidden\n", 7) == 7);
    closes("close", "secret.log", 0, 0, 7, 1);
    close(fd);
    opened("openat", "absent", open("absent", O_RDONLY));
    fd = opened("openat", "/etc/hostname", open("/etc/hostname", O_RDONLY));
    if (fd >= 0)
        close(fd);
    MUST(chdir("sub") == 0);
    fd = opened("openat", "sub/below", open("below", O_CREAT | O_WRONLY, 0600));
    closes("close", "sub/below", 0, 0, 0, 0);
    close(fd);
    return 0;
}
