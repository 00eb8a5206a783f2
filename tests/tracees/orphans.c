/*
 * Children whose parents are killed while they make them, or execute a program in another thread, and that are then
 * children of this process.
 */
#include <pthread.h>
#include <sys/prctl.h>

#include "expect.h"

enum { ROUNDS = 300, LONGEST_US = 3000 };
enum way { IS_KILLED, LEADER_EXECS, THREAD_EXECS, WAYS };

static void *make_children(void *unused)
{
    for (;;) {
        pid_t child = fork();
        if (child == 0) {
            access("/etc", F_OK);
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
    return unused;
}

static void *execute(void *after_us)
{
    usleep(*(const useconds_t *)after_us);
    execl("/proc/self/exe", "orphans", "leave", NULL);
    abort();
}

static void be_parent(enum way way, useconds_t after_us)
{
    pthread_t thread;

    if (way != IS_KILLED)
        MUST(pthread_create(&thread, NULL, way == LEADER_EXECS ? make_children : execute,
                            &after_us) == 0);
    if (way == LEADER_EXECS)
        execute(&after_us);
    make_children(NULL);
}

int main(int count, char **arguments)
{
    int status;
    (void)arguments;

    if (count > 1)
        return 0;
    MUST(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    for (int i = 0; i < ROUNDS; i++) {
        enum way way = i % WAYS;
        useconds_t after_us = (useconds_t)(rand() % LONGEST_US);
        pid_t parent = fork();
        if (parent == 0)
            be_parent(way, after_us);
        usleep(after_us);
        MUST((way != IS_KILLED || kill(parent, SIGKILL) == 0) &&
             waitpid(parent, NULL, 0) == parent);
    }
    while (wait(&status) > 0)
        MUST(status == 0);
    return 0;
}
