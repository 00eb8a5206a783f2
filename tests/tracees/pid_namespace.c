/*
 * A process 1 of a PID namespace sends its child a signal, and is notified of the child's end. Exits
 * with 77 where that is not permitted.
 */
#include "expect.h"
#include <sched.h>

enum { NOT_ALLOWED = 77 };

static volatile sig_atomic_t came;

static void on_signal(int number)
{
    (void)number;
    came = 1;
}

static int be_first(void)
{
    sigset_t some, before;
    int status;

    signal(SIGUSR1, on_signal);
    signal(SIGCHLD, on_signal);
    sigemptyset(&some);
    sigaddset(&some, SIGUSR1);
    sigprocmask(SIG_BLOCK, &some, &before);
    pid_t child = fork();
    if (!child) {
        while (!came)
            sigsuspend(&before);
        _exit(7);
    }
    if (getpid() != 1 || kill(child, SIGUSR1) < 0)
        return 1;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return WEXITSTATUS(status);
}

int main(void)
{
    int status;

    if (unshare(CLONE_NEWPID | (geteuid() ? CLONE_NEWUSER : 0)) < 0)
        _exit(NOT_ALLOWED);
    pid_t first = fork();
    if (!first)
        _exit(be_first());
    MUST(waitpid(first, &status, 0) == first);
    return WEXITSTATUS(status) == 7 ? 0 : 1;
}
