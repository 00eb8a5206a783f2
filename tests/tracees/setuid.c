/* A privileged program that drops to another user in a child, as servers do, and opens a file. */
#include "expect.h"

#include <grp.h>

int main(void)
{
    pid_t child = fork();

    if (child == 0) {
        if (getuid() == 0)
            MUST(setgroups(1, (gid_t[]){ 65531 }) == 0 && setgid(65530) == 0);
        MUST(setuid(65534) == 0);
        close(open("/etc/hostname", O_RDONLY));
        _exit(0);
    }
    int status;
    MUST(waitpid(child, &status, 0) == child && status == 0);
    close(open("/etc/passwd", O_RDONLY));
    return 0;
}
