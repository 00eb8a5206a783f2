/* Children that another process kills as soon as it sees them. */
#include "expect.h"

enum { CHILDREN = 300 };

static void kill_children_of(pid_t parent)
{
    char path[64], line[256];

    snprintf(path, sizeof path, "/proc/%d/task/%d/children", parent, parent);
    int children = open(path, O_RDONLY);
    MUST(children >= 0);
    for (;;) {
        ssize_t size = pread(children, line, sizeof line - 1, 0);
        MUST(size >= 0);
        line[size] = 0;
        for (char *at = line, *end; (end = strchr(at, ' ')); at = end + 1)
            if (atoi(at) != getpid())
                kill(atoi(at), SIGKILL);
    }
}

int main(void)
{
    pid_t killer = fork();
    int status;

    if (killer == 0)
        kill_children_of(getppid());
    for (int i = 0; i < CHILDREN; i++) {
        pid_t child = fork();
        if (child == 0)
            for (;;)
                pause();
        MUST(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    }
    MUST(kill(killer, SIGKILL) == 0 && waitpid(killer, &status, 0) == killer);
    return 0;
}
