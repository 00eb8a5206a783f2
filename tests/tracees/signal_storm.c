/*
 * Signals come faster than they can be delivered under a tracer: the program makes progress all the
 * same, its handlers run, and each of its calls sees the mask that it set.
 *
 * A busy virtual machine can take longer than PERIOD_NS for a handler without any tracer; nothing
 * of the program runs between two handlers then, for ever. So after each MANY signals the timer
 * slows down to half of its speed. A tracer that lets the program run between them never lets it
 * come to that: the test counts the signals that were recorded.
 */
#include "expect.h"
#include <time.h>

enum { STEPS = 3000000, CALLS = 20, PERIOD_NS = 10000, MANY = 200000 };

static volatile long handled;
static timer_t timer;
static long period_ns;

static void set_period(long ns)
{
    struct itimerspec period = { { 0, ns }, { 0, ns } };
    period_ns = ns;
    MUST(timer_settime(timer, 0, &period, NULL) == 0);
}

static void handle(int number)
{
    (void)number;
    if (++handled % MANY == 0)
        set_period(2 * period_ns);
}

static void begin(int number, void (*handler)(int))
{
    struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = number };
    struct sigaction action = { .sa_handler = handler, .sa_flags = SA_RESTART };
    MUST(sigaction(number, &action, NULL) == 0);
    MUST(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
    set_period(PERIOD_NS);
}

static void compute(void)
{
    for (volatile long i = 0; i < STEPS; i++)
        ;
}

static void ask(void)
{
    sigset_t mask;
    for (int i = 0; i < CALLS; i++)
        MUST(sigprocmask(SIG_BLOCK, NULL, &mask) == 0 && sigisemptyset(&mask));
    int fd =
        expect_open("openat", "log", openat(AT_FDCWD, "log", O_CREAT | O_WRONLY | O_APPEND, 0600));
    MUST(write(fd, "line\n", 5) == 5 && close(fd) == 0);
    expect_close("close", "log", 0, 0, 5, 1);
}

static void weather(int number, void (*handler)(int), const char *name)
{
    handled = 0;
    begin(number, handler);
    compute();
    ask();
    MUST(timer_delete(timer) == 0);
    print_line("%s: %s", name, handled ? "handled" : "not handled");
}

/* Nothing else would end this: a thread that was given a breath must get its signal after it. */
static void await_signal(void)
{
    handled = 0;
    begin(SIGUSR1, handle);
    for (long seen = 0; seen < 200; seen++)
        for (long before = handled; handled == before;)
            ;
    MUST(timer_delete(timer) == 0);
    print_line("awaited: %d", handled >= 200);
}

int main(void)
{
    weather(SIGCONT, SIG_DFL, "SIGCONT by default");
    weather(SIGCONT, handle, "SIGCONT");
    weather(SIGURG, SIG_DFL, "SIGURG by default");
    weather(SIGUSR1, SIG_IGN, "SIGUSR1 ignored");
    weather(SIGUSR1, handle, "SIGUSR1");
    weather(SIGRTMIN, handle, "SIGRTMIN");
    await_signal();
    signal(SIGUSR2, handle);
    handled = 0;
    for (int i = 0; i < 1000; i++)
        raise(SIGUSR2);
    print_line("raised: %ld", handled);
    return 0;
}
