/* A thread that is not the leader execs while other threads are in calls. */
#include "expect.h"
#include <pthread.h>

static void *open_for_ever(void *name)
{
    for (;;) {
        int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
        if (fd >= 0)
            close(fd);
    }
    return NULL;
}

static void *execute(void *program)
{
    usleep(20000);
    execl(program, program, "again", NULL);
    _exit(98);
}

int main(int argc, char **argv)
{
    pthread_t thread;
    char pid[16];

    if (argc > 1) {
        MUST(atoi(getenv("STARTED_AS")) == getpid() && getpid() == syscall(SYS_gettid));
        expect("'source': 'proc.start', 'op': 'execve', 'args': ['%s', 'again']", argv[0]);
        expect_open("openat", "after", open("after", O_CREAT | O_WRONLY, 0644));
        expect("'source': 'proc.exit', 'exit_code': 5");
        return 5;
    }
    snprintf(pid, sizeof pid, "%d", getpid());
    setenv("STARTED_AS", pid, 1);
    for (int i = 0; i < 4; i++)
        MUST(pthread_create(&thread, NULL, open_for_ever, "before") == 0);
    MUST(pthread_create(&thread, NULL, execute, argv[0]) == 0);
    pause();
}
