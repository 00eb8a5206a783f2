/* A write that waits for a reader: the time that it waited is part of the file's io_duration. */
#include "expect.h"
#include <time.h>

#define WAIT_US 30000

static void read_late(int fd)
{
    char bytes[4096];

    await_sleep(getppid()); /* it is in its write: nothing before waits for anything */
    usleep(WAIT_US);
    while (read(fd, bytes, sizeof bytes) > 0)
        ;
    _exit(0);
}

int main(void)
{
    MUST(mkfifo("fifo", 0600) == 0);
    int hold = open("fifo", O_RDWR | O_CLOEXEC), status;
    int size = fcntl(hold, F_GETPIPE_SZ);
    char *bytes = calloc(1, size + 1);
    pid_t child = fork();

    if (child == 0) {
        int fd = open("fifo", O_RDONLY);
        close(hold);
        read_late(fd);
    }
    int fd = open("fifo", O_WRONLY);
    MUST(close(hold) == 0 && write(fd, bytes, size + 1) == size + 1 && close(fd) == 0);
    MUST(waitpid(child, &status, 0) == child && status == 0);
    return 0;
}
