/* Children that fork, and exit at once with their child: its first stop may precede the fork event. */
#include "expect.h"
#include <sys/prctl.h>

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 500, zeros = 0, ones = 0, status;

    MUST(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    for (int i = 0; i < rounds; i++) {
        pid_t child = fork();
        MUST(child >= 0);
        if (child == 0)
            _exit(!!fork());
        while (wait(&status) > 0) {
            zeros += status == 0;
            ones += WEXITSTATUS(status) == 1;
        }
    }
    print_line("%d ended with 0, %d with 1", zeros, ones);
    return 0;
}
