/* What a program asks of stepper.c, and how. */
#ifndef STEPPER_H
#define STEPPER_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

enum { STEP_MADE = '1', STEP_BEHIND = '0', STEP_STRAYED = '?' };

#define NO_INSTRUCTION UINT64_MAX

struct step_request {
    uint64_t start;  /* address of the first instruction; 0: the next injection of the gate */
    uint64_t end;    /* address behind the last one */
    uint64_t number; /* of the instruction; of an injection the stops of the tracer count, too */
    int signal;
    int next_signal; /* that its process gets when the tracer has it run on; 0: none */
};

/* SIGRTMAX must not be blocked. */
static inline void ask_step(const struct step_request *request)
{
    if (sigqueue(getpid(), SIGRTMAX, (union sigval){ .sival_ptr = (void *)(uintptr_t)request }))
        abort();
}

/*
 * What became of the last request, by the file STEPPER_REPORT: the signal was sent, the call has fewer
 * instructions, or it took another way than before, and the request is to be made again.
 */
static inline char end_of_step(const char *report)
{
    int file = open(report, O_RDONLY);
    char end = 0;

    if (file < 0 || read(file, &end, 1) != 1)
        abort();
    close(file);
    return end;
}

#endif
