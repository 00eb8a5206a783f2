/*
 * The bytes of a patch: what is written to a site, to its pad, and to its trampoline. Nothing is
 * written here; all addresses are those of the program.
 *
 * A trampoline has TRAMPOLINE_ROOM bytes. The instruction that SITE_MOVED moves ends where the
 * trampoline proper starts, and runs first:
 *
 *     -15  the moved instruction
 *       0  lea 0(%rip), %r11      r11 = the trampoline
 *       7  mov $gate, %ecx
 *      12  jmp *%rcx
 *      14  syscall                where the gate goes if it does not make the call
 *      16  nop
 *      17  lea site + 2, %rcx     as a call at the site leaves it
 *      24  jmp *%rcx
 */
#ifndef SCOPE_GATE_PATCH_H
#define SCOPE_GATE_PATCH_H

#include "gate/layout.h"
#include "gate/length.h"
#include "gate/sites.h"

enum {
    JUMP_SHORT = 0xeb,
    MOVED_ROOM = 32, /* before a trampoline */
    TRAMPOLINE_ROOM = MOVED_ROOM + TRAMPOLINE_BYTES,
};

struct patch {
    enum site_form form;
    uint64_t site, pad, trampoline;
    uint32_t moved_bytes;
};

/* What is written at the site or before it, for SITE_PAD also at the pad. */
struct patch_bytes {
    uint8_t trampoline[TRAMPOLINE_ROOM]; /* from `trampoline` - MOVED_ROOM */
    uint8_t jump[JUMP_BYTES];            /* at the pad, or instead of the moved instruction */
    uint8_t hop[CALL_BYTES];             /* SITE_PAD: at the site; CALL_CODE takes it back */
};

/* `moved`: the bytes of the instruction that is moved. False: the trampoline is out of reach. */
bool patch_encode(const struct patch *patch, const uint8_t *moved, struct patch_bytes *bytes_out);

/*
 * Whether other threads have to be stopped while a site is changed: a CPU sees two bytes change at
 * once if they lie in one word of 8. Of the five of a long jump it could see a part.
 */
static inline bool form_needs_stop(enum site_form form, uint64_t site)
{
    enum { WORD = 8 };

    return form == SITE_MOVED || site % WORD > WORD - CALL_BYTES;
}

static inline bool patch_needs_stop(const struct patch *patch)
{
    return form_needs_stop(patch->form, patch->site);
}

/* Where the long jump of a patch goes. */
static inline uint64_t patch_jump_at(const struct patch *patch)
{
    return patch->form == SITE_PAD ? patch->pad : patch->site - patch->moved_bytes;
}

#endif
