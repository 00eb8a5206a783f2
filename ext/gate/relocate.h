/*
 * Moves a thread that stands in the gate, a trampoline or a pad to where it would stand without
 * them, before a signal is delivered to it. So no handler runs on top of the gate, and none sees an
 * address or a stack of ours. Registers and slot in, registers and verdict out.
 *
 * | the thread is                                   | and is moved                               |
 * |-------------------------------------------------|--------------------------------------------|
 * | in a pad                                        | to the site                                |
 * | at the moved instruction of a trampoline        | to that instruction in the program         |
 * | in a trampoline, before its call                | to the site                                |
 * | in a trampoline, behind its call                | behind the site                            |
 * | in the gate, its registers not saved, or undone | to the site                                |
 * | in the gate, before the call                    | to the site, with the registers of the slot|
 * | in the gate, at the return of the call          | behind the site; the kernel may restart it |
 * | the same of an open that was tried first        | likewise; if it failed, to the site        |
 * | in the gate, behind that                        | behind the site, with the result           |
 *
 * The moved instruction may be one that must not run twice. Once it has run the thread is moved to
 * the call itself, which has stayed where it is, and is traced.
 */
#ifndef SCOPE_GATE_RELOCATE_H
#define SCOPE_GATE_RELOCATE_H

#include <stdbool.h>
#include <sys/user.h>

#include "gate/layout.h"
#include "gate/patch.h"

enum verdict {
    RELOCATE_NOTHING,   /* the thread was in none of these */
    RELOCATE_BEFORE,    /* the call was not made, and will be made from its start */
    RELOCATE_RETURNING, /* it has returned or is to be restarted, as the kernel's registers say */
    RELOCATE_RETURNED,  /* it was made and its result is in rax; nothing of it is published */
    RELOCATE_COMMITTED, /* it was made, and all of it is published */
    RELOCATE_LOST, /* in the gate, but by no trampoline that is known: registers are unchanged */
};

/* The patch whose pad or trampoline an address is in, or NULL. */
typedef const struct patch *find_patch(void *context, uint64_t address);

/* A slot with its stack, as it is in the program. */
union gate_page {
    struct gate_slot slot;
    uint64_t words[GATE_SLOT_BYTES / sizeof(uint64_t)];
};

/* `page` is NULL for a thread without a slot. */
enum verdict relocate(struct user_regs_struct *regs, const union gate_page *page, find_patch *find,
                      void *context);

/* Whether an address is in the pad or the trampoline of a patch. */
static inline bool patch_has(const struct patch *patch, uint64_t address)
{
    return address - (patch->trampoline - patch->moved_bytes) <
               patch->moved_bytes + TRAMPOLINE_BYTES ||
           (patch->form == SITE_PAD && address == patch->pad);
}

#endif
