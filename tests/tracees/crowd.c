/* Many processes at the same time, which write one after another. */
#include "expect.h"
#include <sys/uio.h>

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 100, begin[2], turn[2];
    struct iovec parts[] = { { "he", 2 }, { "re\n", 3 } };
    char token;

    MUST(pipe(begin) == 0 && pipe(turn) == 0 && write(turn[1], "t", 1) == 1);
    for (int i = 0; i < count; i++) {
        pid_t pid = fork();
        MUST(pid >= 0);
        if (pid)
            continue;
        close(begin[1]);
        MUST(read(begin[0], &token, 1) == 0); /* until all are there */
        MUST(read(turn[0], &token, 1) == 1);
        MUST(writev(1, parts, 0) == 0 && writev(1, parts, 2) == 5);
        MUST(write(turn[1], "t", 1) == 1);
        _exit(0);
    }
    close(begin[1]);
    while (wait(NULL) > 0)
        ;
    return 0;
}
