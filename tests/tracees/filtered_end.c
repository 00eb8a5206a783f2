/*
 * Processes with a filter of their own whose threads write until a signal ends them all: a call that is
 * not made, since the signal comes first, was not refused by a filter.
 */
#include "expect.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>

enum { THREADS = 3 };

static int written; /* by the pipe that says that all threads are at it */

static void *write_on(void *log)
{
    MUST(write((int)(long)log, "x\n", 2) == 2 && write(written, "x", 1) == 1);
    for (;;)
        MUST(write((int)(long)log, "x\n", 2) == 2);
    return NULL;
}

static void end_in_the_middle(void)
{
    struct sock_filter rules[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
    struct sock_fprog program = { 1, rules };
    long log = open("many.out", O_WRONLY | O_CREAT | O_APPEND, 0600);
    int begun[2];
    pthread_t thread;
    char byte;

    MUST(log >= 0 && pipe(begun) == 0);
    written = begun[1];
    MUST(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    MUST(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
    for (int i = 0; i < THREADS; i++)
        MUST(pthread_create(&thread, NULL, write_on, (void *)log) == 0);
    for (int i = 0; i < THREADS; i++)
        MUST(read(begun[0], &byte, 1) == 1);
    kill(getpid(), SIGTERM);
    pause();
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 1, status;

    for (int i = 0; i < count; i++) {
        pid_t pid = fork();
        if (pid == 0)
            end_in_the_middle();
        MUST(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    }
    return 0;
}
