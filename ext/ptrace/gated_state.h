/* What gated.c, which decides who uses the gate, and gated_records.c share. */
#ifndef SCOPE_PTRACE_GATED_STATE_H
#define SCOPE_PTRACE_GATED_STATE_H

#include "gate/image.h"
#include "gate/rounds.h"
#include "ptrace/state.h"

struct gate {
    uint8_t actions[GATE_NUMBERS];
    struct module_cache modules;
    struct gate_thread *threads;
    bool used;            /* some program has an arena */
    unsigned differences; /* that verified records had */
    uint64_t renames;     /* context.renames when names of files were last doubted */
    uint64_t origin_ticks, origin_ns;
    uint64_t ways[WAYS]; /* how calls were made; without those in the gate of threads that live */
    struct gate_round round;
    size_t round_room; /* of its arrays */
};

/* The counter of the CPU by which calls in the gate are timed. */
uint64_t ticks_now(void);
uint64_t time_of_ticks(const struct gate *gate, uint64_t ticks);

/* The row of a call's number; -1: the gate makes no such call. */
int gated_row(const struct engine *engine, uint64_t number);

void init_round(struct engine *engine);
void deinit_round(struct gate *gate);

#endif
