/* Children whose parents are killed while they make them, and that are then children of this process. */
#include <sys/prctl.h>

#include "expect.h"

enum { ROUNDS = 300, LONGEST_US = 3000 };

static void make_children(void)
{
    for (;;) {
        pid_t child = fork();
        if (child == 0) {
            access("/etc", F_OK);
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
}

int main(void)
{
    int status;

    MUST(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        pid_t parent = fork();
        if (parent == 0)
            make_children();
        usleep((useconds_t)(rand() % LONGEST_US));
        MUST(kill(parent, SIGKILL) == 0 && waitpid(parent, NULL, 0) == parent);
    }
    while (wait(&status) > 0)
        MUST(status == 0);
    return 0;
}
