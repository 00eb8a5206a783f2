/*
 * How a system call instruction can be made to lead elsewhere without harm to any thread that runs
 * the same code: a plan for each call site. Bytes in, plan out.
 *
 * An instruction that makes a call is too short for a jump that reaches a trampoline. There are two
 * ways (forms):
 *
 *  1. SITE_PAD: it becomes a short jump to a pad near it, dead bytes that hold the long jump. No
 *     instruction but the call itself changes.
 *  2. SITE_MOVED: the one instruction before it becomes the long jump, and runs in the trampoline.
 *     The call itself stays, for a thread that comes to it by another way.
 *
 * What follows a call is never changed: a thread that waits in the call returns to it.
 *
 * Bytes are dead if the CPU never gets to them, or if they lie outside of all functions and are
 * nothing but padding. Whether it gets to them is known only by reading the function from its start:
 * in `89 c3 90 90 90` the c3 is no return.
 */
#ifndef SCOPE_GATE_SITES_H
#define SCOPE_GATE_SITES_H

#include "gate/module.h"

enum site_form {
    SITE_TRACED, /* neither form is possible */
    SITE_PAD,
    SITE_MOVED,
};

struct site_plan {
    enum site_form form;
    uint64_t pad;         /* SITE_PAD: where the long jump goes, an offset in the file */
    uint32_t moved_bytes; /* SITE_MOVED: how long the instruction is that ends at the site */
};

/* Spans in the order of their ends. */
struct spans {
    struct span *list;
    size_t count;
};

/* What is known of the call sites of one file. */
struct sites {
    const struct module *module;
    struct spans pads; /* that plans have taken, in no order */
    struct spans
        dead;       /* dead bytes of the whole section .text, read for sites of no known function */
    bool text_read; /* `dead` is known */
};

void sites_init(struct sites *sites, const struct module *module);
void sites_deinit(struct sites *sites);

/*
 * Plan the site whose call instruction is at an offset of the file. A pad is taken: no later plan has
 * it. Without memory the site is traced.
 */
struct site_plan sites_plan(struct sites *sites, uint64_t site);

#endif
