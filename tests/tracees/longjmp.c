/*
 * A signal handler leaves a call that waits by siglongjmp: the call never returns, and has failed for
 * the program with EINTR, before whatever the program does next.
 */
#include "tell.h"
#include <setjmp.h>

static sigjmp_buf out;

static void leave(int number)
{
    (void)number;
    siglongjmp(out, 1);
}

/* End when the parent sleeps in its call. */
static void interrupt(pid_t parent)
{
    await_sleep(parent);
    kill(parent, SIGUSR1);
    _exit(0);
}

int main(void)
{
    MUST(mkfifo("fifo", 0600) == 0 && signal(SIGUSR1, leave) != SIG_ERR);
    for (int i = 0; i < 6; i++) {
        pid_t parent = getpid();
        if (sigsetjmp(out, 1) == 0) {
            pid_t child = fork();
            if (child == 0)
                interrupt(parent);
            open("fifo", O_RDONLY); /* waits for a writer, which never comes: fifo(7) */
            _exit(1);
        }
        errno = EINTR;
        failed("open_close", "openat", "fifo");
        MUST(close(opened("openat", "next", open("next", O_CREAT | O_WRONLY, 0644))) == 0);
        closes("close", "next", 0, 0, 0, 0);
        MUST(wait(NULL) > 0);
    }
    return 0;
}
