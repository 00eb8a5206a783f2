/*
 * The patched sites of one address space. Threads share theirs; a fork copies it, with the memory.
 */
#ifndef SCOPE_GATE_IMAGE_H
#define SCOPE_GATE_IMAGE_H

#include "call/memory.h"
#include "gate/arena.h"
#include "gate/module_cache.h"

enum { MAPPINGS_KEPT = 8 };

struct gated_program;

struct image {
    unsigned uses; /* tasks */
    struct arena *arenas[GATE_ARENAS];
    unsigned arena_count; /* 0: there is no gate yet, */
    bool refused;         /* and there will be none, or none is used any more */
    bool is_ahead;        /* image_patch_ahead was called */
    bool full;            /* there will be no further arena */
    bool displaced;       /* the program has mapped something else where the gate was */
    unsigned calls;       /* traced so far that the gate could have made */
    uint64_t made;        /* in the gate, by threads that have left */
    bool judged; /* its program knows whether the gate paid; of a fork nothing is to be said */
    unsigned threads_born;         /* so far, beside the first, */
    unsigned threads_used;         /* and of these those that have made a call in the gate */
    struct gated_program *program; /* what is known of its program; NULL: it was not looked at */
    struct patch *patches;
    size_t patch_count;
    uint64_t *seen; /* sites that were planned, whatever became of them */
    size_t seen_count;
    struct mapping mappings[MAPPINGS_KEPT];
    unsigned mapping_count; /* ever found; the last ones are kept */
};

struct image *image_new(void);
struct image *image_share(struct image *image);
void image_drop(struct image *image);

/* Whether an arena is one of the image's; NULL is none. */
bool image_has_arena(const struct image *image, const struct arena *arena);

/* The child of a fork does not have those that were added while its parent forked. */
void image_drop_arenas(struct image *image, unsigned kept);

/* For the child of a fork. NULL without memory: then it is to have no gate. */
struct image *image_copy(const struct image *image);

/*
 * Lead a site to the gate from which a call came, if there is a way to do so: the first time, and again if its file
 * was unmapped since. `address`: of the call instruction. `alone`: no other thread can run the code meanwhile. Returns
 * the patch by which calls from there are made in the gate from now on, or NULL; it is valid until the next one is made.
 */
const struct patch *image_patch(struct image *image, struct module_cache *cache, pid_t tid,
                                struct space *space, uint64_t address, bool alone);

/* Have trampolines make calls themselves: the gate is not entered any more. Threads may run meanwhile. */
void image_retire(const struct image *image, struct space *space, pid_t tid);

/*
 * That memory is about to be moved, and jumps between it and the rest would lead elsewhere: have sites make their
 * calls themselves whose patches are there, in part or whole. They are not patched again.
 */
void image_restore(const struct image *image, struct space *space, pid_t tid, uint64_t start,
                   uint64_t size);

/* Whether memory has a patch still: its file may be unmapped, and another one mapped there. */
bool image_has(const struct patch *patch, const struct space *space, pid_t tid);

/*
 * The program is about to have threads: lead sites of its C library to the gate whose patches need that no
 * other thread runs. `actions`: as find_sites_ahead.
 */
void image_patch_ahead(struct image *image, struct module_cache *cache, pid_t tid,
                       struct space *space, const uint8_t actions[GATE_NUMBERS]);

/* The patch whose pad or trampoline an address is in, or NULL: a find_patch. */
const struct patch *image_find_patch(void *image, uint64_t address);

#endif
