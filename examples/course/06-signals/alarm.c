#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

static void on_alarm(int number)
{
    (void)number;
    write(1, "ring\n", 5);
}

int main(void)
{
    struct sigaction action = { .sa_handler = on_alarm };
    struct itimerval soon = { .it_value = { .tv_usec = 300000 } };
    sigset_t alarm, none;

    sigemptyset(&none);
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);

    sigaction(SIGALRM, &action, NULL);     /* what to do when it comes */
    signal(SIGUSR1, SIG_IGN);              /* this one does not matter */
    sigprocmask(SIG_BLOCK, &alarm, NULL);  /* not before we are ready */
    setitimer(ITIMER_REAL, &soon, NULL);   /* send it in 0.3 seconds */
    sigsuspend(&none);                     /* now: wait for it */

    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGTERM);
    write(1, "still here\n", 11);
    return 0;
}
