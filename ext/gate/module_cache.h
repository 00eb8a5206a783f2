/*
 * The files whose sites are patched, each read once for a whole recording, and what was planned there: a
 * plan is the same in all programs that map the file, as is the place of its trampoline.
 */
#ifndef SCOPE_GATE_MODULE_CACHE_H
#define SCOPE_GATE_MODULE_CACHE_H

#include <sys/stat.h>
#include <sys/types.h>

#include "gate/layout.h"
#include "gate/sites.h"

struct site_record {
    uint64_t site; /* an offset in the file, as all places here */
    struct site_plan plan;
    uint64_t trampoline; /* 0: none yet (give_trampoline); it may be outside of the file */
    unsigned images;     /* of how many programs it was patched */
};

struct mapped_file {
    struct stat identity;
    uint8_t *bytes;
    struct module module;
    struct sites sites;
    struct span slack; /* what is left of it, */
    uint64_t
        room; /* and how much is used of the room behind the gate, of a program that can jump there */
    struct site_record *plans;
    size_t plan_count;
    unsigned images; /* of how many programs sites were patched */
    uint64_t *ahead; /* sites that are patched before there are threads */
    size_t ahead_count;
    bool knows_ahead; /* they were looked for */
    struct mapped_file *next;
};

struct module_cache {
    struct mapped_file *files;
};

/* Code of a file as a program has it mapped. */
struct mapping {
    uint64_t start, end; /* addresses */
    uint64_t base;       /* what an offset in the file is added to for its address */
    struct mapped_file *file;
};

/*
 * Find the private mapping with code of a thread's program that an address is in. False: there is none,
 * or its file cannot be read or is no module.
 */
bool find_mapping(struct module_cache *cache, pid_t tid, uint64_t address,
                  struct mapping *mapping_out);

/* The same of the code of its C library, by the usual names. */
bool find_c_library(struct module_cache *cache, pid_t tid, struct mapping *mapping_out);

/* The plan of a site; good until the next one is made. NULL without memory. */
struct site_record *plan_site(struct mapped_file *file, uint64_t site);

/* Have a place for the trampoline of a site. False: there is no room, or the site stays as it is. */
bool give_trampoline(const struct mapping *mapping, struct site_record *record);

/*
 * Find the sites that load a number for which `actions` is not GATE_REFUSE just before, and whose patch needs
 * that no other thread runs: file->ahead.
 */
void find_sites_ahead(struct mapped_file *file, const uint8_t actions[GATE_NUMBERS]);

void module_cache_deinit(struct module_cache *cache);

#endif
