/*
 * Programs that get a signal while the tracer puts the gate into them: injected REPORT FIRST EVERY, as
 * recorded.c. Each must end as natively: a signal that is ignored changes nothing, one that stops it lets it go
 * on, and one that ends it does. The lines that are printed have the signal, and how many programs got it.
 */
#include "stepper.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum { DONE = 7 };

static bool wrong;

static void nothing(int number)
{
    (void)number;
}

/* What a program gets, and the signal that ends it; 0: it ends as if it had got nothing. */
static const struct arrival {
    int signal, next, ends;
} ARRIVALS[] = {
    { SIGWINCH, 0, 0 },      { SIGTERM, 0, SIGTERM }, { SIGSTOP, 0, 0 },
    { SIGSTOP, SIGCONT, 0 }, { SIGKILL, 0, SIGKILL },
};

static __attribute__((noreturn)) void start(const char *self, const struct arrival *arrival,
                                            uint64_t at)
{
    const struct step_request request = {
        .number = at,
        .signal = arrival->signal,
        .next_signal = arrival->next,
    };

    signal(SIGRTMAX, nothing);
    ask_step(&request);
    execl(self, self, NULL);
    abort();
}

/* Have a child go on that was stopped, unless it is to go on by itself. Returns its end. */
static int await(pid_t child, const struct arrival *arrival)
{
    int status;

    do {
        if (waitpid(child, &status, arrival->next ? 0 : WUNTRACED) != child)
            abort();
        if (WIFSTOPPED(status))
            kill(child, SIGCONT);
    } while (WIFSTOPPED(status));
    return status;
}

static bool is_right(int status, int ends)
{
    return ends ? WIFSIGNALED(status) && WTERMSIG(status) == ends
                : WIFEXITED(status) && WEXITSTATUS(status) == DONE;
}

/* Start a program that gets the signal there. Returns whether it did. */
static bool try_at(const char *self, const char *report, const struct arrival *arrival, uint64_t at)
{
    pid_t child = fork();

    if (!child)
        start(self, arrival, at);
    int status = await(child, arrival);
    bool reached = end_of_step(report) == STEP_MADE;
    if (!is_right(status, reached ? arrival->ends : 0)) {
        fprintf(stderr, "WRONG: status %#x after signal %d at %d\n", status, arrival->signal,
                (int)at);
        wrong = true;
    }
    return reached;
}

static int be_program(void)
{
    char byte;
    int file = open("read", O_RDONLY);

    return read(file, &byte, 1) == 1 && close(file) == 0 ? DONE : 1;
}

int main(int argc, char **argv)
{
    if (argc == 1)
        return be_program();
    if (argc != 4)
        return 96;
    for (size_t i = 0; i < sizeof ARRIVALS / sizeof *ARRIVALS; i++) {
        uint64_t at = strtoull(argv[2], NULL, 10), every = strtoull(argv[3], NULL, 10);
        int got = 0;
        for (; try_at(argv[0], argv[1], &ARRIVALS[i], at); at += every)
            got++;
        printf("%d|%d\n", ARRIVALS[i].signal, got);
    }
    return wrong ? 1 : 3;
}
