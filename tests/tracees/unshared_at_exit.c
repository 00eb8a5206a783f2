/*
 * A thread leaves the fd table that it shared (unshare(CLONE_FILES)) and ends before the others:
 * the files of the shared table must still have their counts when the last thread that uses it
 * ends.
 */
#include "expect.h"
#include <pthread.h>
#include <sched.h>

static void *leave(void *unused)
{
    MUST(unshare(CLONE_FILES) == 0);
    int fd = open("own", O_CREAT | O_WRONLY, 0644);
    MUST(fd >= 0 && write(fd, "abc", 3) == 3);
    return unused;
}

int main(void)
{
    pthread_t thread;
    int fd = expect_open("openat", "shared", open("shared", O_CREAT | O_WRONLY, 0644));

    MUST(pthread_create(&thread, NULL, leave, NULL) == 0 && pthread_join(thread, NULL) == 0);
    MUST(write(fd, "12345", 5) == 5);
    expect("'source': 'fs.open', 'file': '%s'", here("own"));
    expect("'source': 'fs.close', 'file': '%s', 'op': 'exit', 'file_write_bytes': 3", here("own"));
    expect_close("exit", "shared", 0, 0, 5, 1);
    return 0;
}
