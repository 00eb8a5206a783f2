/* What a program asks of stepper.c, and how. */
#ifndef STEPPER_H
#define STEPPER_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

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

/* Whether the instruction was reached that was asked for last, by the file STEPPER_REPORT. */
static inline bool was_step_reached(const char *report)
{
    int file = open(report, O_RDONLY);
    char found = 0;

    if (file < 0 || read(file, &found, 1) != 1)
        abort();
    close(file);
    return found == '1';
}

#endif
