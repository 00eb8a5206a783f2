/* Threads that stop sharing the fd table or the cwd (unshare(2)). */
#include "expect.h"
#include <pthread.h>
#include <sched.h>

static int shared;

static void *own_fds(void *unused)
{
    MUST(unshare(CLONE_FILES) == 0);
    MUST(close(shared) == 0);
    shared = open("own", O_CREAT | O_WRONLY, 0644); /* most likely the number just closed */
    MUST(shared >= 0 && write(shared, "abc", 3) == 3);
    return unused;
}

static void *own_folder(void *unused)
{
    MUST(unshare(CLONE_FS) == 0 && chdir("sub") == 0);
    MUST(close(open("below", O_CREAT | O_WRONLY, 0644)) == 0);
    expect("'source': 'fs.open', 'file': '%s'", here("sub/below"));
    MUST(rename("../sub", "../moved") == 0);
    expect_open("openat", "moved/absent", open("absent", O_RDONLY));
    return unused;
}

static void in_thread(void *(*work)(void *))
{
    pthread_t thread;
    MUST(pthread_create(&thread, NULL, work, NULL) == 0 && pthread_join(thread, NULL) == 0);
}

int main(void)
{
    MUST(mkdir("sub", 0755) == 0);
    int fd = shared = expect_open("openat", "shared", open("shared", O_CREAT | O_WRONLY, 0644));
    in_thread(own_fds);
    expect("'source': 'fs.open', 'file': '%s'", here("own"));
    MUST(write(fd, "12345", 5) == 5);
    in_thread(own_folder);
    expect_open("openat", "absent", open("absent", O_RDONLY));
    int above = expect_open("openat", "above", open("above", O_CREAT | O_WRONLY, 0644));
    close(above);
    close(fd);
    return 0;
}
