/* Many processes, one after another; every tenth opens a file. */
#include "expect.h"

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 2000, status, ended = 0;

    for (int i = 0; i < count; i++) {
        pid_t child = fork();
        MUST(child >= 0);
        if (child == 0) {
            int fd = i % 10 ? 0 : open("visited", O_CREAT | O_WRONLY, 0644);
            _exit(fd >= 0 ? i % 200 : 255);
        }
        MUST(waitpid(child, &status, 0) == child);
        ended += WIFEXITED(status) && WEXITSTATUS(status) == i % 200;
    }
    print_line("%d ended as they should", ended);
    return 0;
}
