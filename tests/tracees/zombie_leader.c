/* The first thread ends before the others, which empties /proc/PID. */
#include "expect.h"
#include <pthread.h>

static void *go_on(void *unused)
{
    char text[16];
    (void)unused;
    usleep(50000);

    MUST(mkdir("sub", 0755) == 0 && chdir("sub") == 0);
    int fd = expect_open("openat", "sub/late", open("late", O_CREAT | O_RDWR, 0644));
    MUST(write(fd, "abcdef", 6) == 6 && pread(fd, text, sizeof text, 2) == 4);
    expect_close("close", "sub/late", 4, 1, 6, 1);
    close(fd);
    expect_open("openat", "sub/absent", open("absent", O_RDONLY));
    exit(3);
}

int main(void)
{
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, go_on, NULL) == 0);
    pthread_exit(NULL);
}
