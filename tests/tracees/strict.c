/* Asks for seccomp's strict mode, which a process with a filter cannot have. */
#include "expect.h"
#include <linux/seccomp.h>
#include <sys/prctl.h>

int main(void)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) < 0)
            _exit(errno);
        syscall(SYS_exit, 0);
    }
    MUST(waitpid(child, &status, 0) == child);
    print_line("ended with %d", WEXITSTATUS(status));
    return 0;
}
