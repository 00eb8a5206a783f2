/*
 * The files whose sites are patched, each read once for a whole recording, and what was planned there: a
 * plan is the same in all programs that map the file, as is the place of its trampoline.
 */
#ifndef SCOPE_GATE_MODULE_CACHE_H
#define SCOPE_GATE_MODULE_CACHE_H

#include <sys/stat.h>
#include <sys/types.h>

#include "gate/sites.h"

struct site_record {
    uint64_t site; /* an offset in the file, as all places here */
    struct site_plan plan;
    uint64_t trampoline; /* 0: there is no room for one */
};

struct mapped_file {
    struct stat identity;
    uint8_t *bytes;
    struct module module;
    struct sites sites;
    struct span slack; /* what is left of it */
    struct site_record *plans;
    size_t plan_count;
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

/* The plan of a site, and where its trampoline is. NULL without memory. */
const struct site_record *plan_site(struct mapped_file *file, uint64_t site);

void module_cache_deinit(struct module_cache *cache);

#endif
