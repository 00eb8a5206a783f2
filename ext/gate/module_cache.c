#include "gate/module_cache.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call/proc.h"
#include "gate/array.h"
#include "gate/patch.h"

enum { FILE_LIMIT = 256 << 20 }; /* a larger file is not read */

/* -- files ------------------------------------------------------------------------------------ */

static bool is_same(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino &&
           one->st_size == other->st_size && one->st_mtim.tv_sec == other->st_mtim.tv_sec &&
           one->st_mtim.tv_nsec == other->st_mtim.tv_nsec;
}

static bool read_whole(int fd, uint8_t *bytes, size_t size)
{
    size_t done = 0;

    while (done < size) {
        ssize_t more = read(fd, bytes + done, size - done);
        if (more <= 0)
            return false;
        done += (size_t)more;
    }
    return true;
}

/* A file is known even if it is no module, so that it is not read again: then it has no bytes. */
static struct mapped_file *add_file(struct module_cache *cache, int fd, const struct stat *identity)
{
    struct mapped_file *file = calloc(1, sizeof *file);
    size_t size = (size_t)identity->st_size;

    if (!file)
        return NULL;
    file->identity = *identity;
    file->next = cache->files;
    cache->files = file;
    if (!S_ISREG(identity->st_mode) || size > FILE_LIMIT || !(file->bytes = malloc(size)))
        return file;
    if (!read_whole(fd, file->bytes, size) || !module_init(&file->module, file->bytes, size)) {
        free(file->bytes);
        file->bytes = NULL;
        return file;
    }
    sites_init(&file->sites, &file->module);
    file->slack = module_slack(&file->module);
    return file;
}

static struct mapped_file *open_file(struct module_cache *cache, const char *path, uint64_t inode)
{
    struct stat identity;
    struct mapped_file *file = cache->files;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0 || fstat(fd, &identity) < 0 || identity.st_ino != inode) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    while (file && !is_same(&file->identity, &identity))
        file = file->next;
    if (!file)
        file = add_file(cache, fd, &identity);
    close(fd);
    return file && file->bytes ? file : NULL;
}

/* -- mappings --------------------------------------------------------------------------------- */

/* One line of /proc/TID/maps (proc(5)). False: it is no private mapping of code in a file. */
static bool parse_mapping(const char *line, struct mapping *mapping, uint64_t *inode_out,
                          const char **path_out)
{
    uint64_t offset;
    char rights[5];
    int path = 0;

    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %" SCNu64 " %n", &mapping->start,
               &mapping->end, rights, &offset, inode_out, &path) != 5)
        return false;
    mapping->base = mapping->start - offset;
    *path_out = line + path;
    return !strcmp(rights, "r-xp") && line[path] == '/';
}

/* The line of the mapping that an address is in. */
static bool find_line(pid_t tid, uint64_t address, char *line, int size)
{
    char path[PROC_PATH];
    uint64_t start, end;
    bool found = false;

    proc_path(path, tid, "maps");
    FILE *maps = fopen(path, "re");
    while (maps && !found && fgets(line, size, maps))
        found = sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) == 2 && address >= start &&
                address < end;
    if (maps)
        fclose(maps);
    return found;
}

enum { LINE_ROOM = PATH_MAX + 128 };

/* The mapping of a line, if `is_wanted` holds for its name, or is NULL. */
static bool open_mapping(struct module_cache *cache, pid_t tid, char *line,
                         bool (*is_wanted)(const char *), struct mapping *mapping)
{
    char path[LINE_ROOM + PROC_PATH];
    const char *name;
    uint64_t inode;

    line[strcspn(line, "\n")] = '\0';
    if (!parse_mapping(line, mapping, &inode, &name) || (is_wanted && !is_wanted(name)))
        return false;
    snprintf(path, sizeof path, "/proc/%d/root%s", (int)tid, name);
    mapping->file = open_file(cache, path, inode);
    return mapping->file;
}

bool find_mapping(struct module_cache *cache, pid_t tid, uint64_t address, struct mapping *mapping)
{
    char line[LINE_ROOM];

    return find_line(tid, address, line, sizeof line) &&
           open_mapping(cache, tid, line, NULL, mapping);
}

static bool is_c_library(const char *name)
{
    return strstr(name, "/libc.so") || strstr(name, "/libc-") || strstr(name, "/ld-musl");
}

bool find_c_library(struct module_cache *cache, pid_t tid, struct mapping *mapping)
{
    char path[PROC_PATH], line[LINE_ROOM];
    bool found = false;

    proc_path(path, tid, "maps");
    FILE *maps = fopen(path, "re");
    while (maps && !found && fgets(line, sizeof line, maps))
        found = open_mapping(cache, tid, line, is_c_library, mapping);
    if (maps)
        fclose(maps);
    return found;
}

/* -- plans ------------------------------------------------------------------------------------ */

/* Trampolines stand on multiples of 32, as their words have to be aligned. */
static uint64_t take_room(const struct mapping *mapping)
{
    enum { REACH = 1u << 31 };
    struct mapped_file *file = mapping->file;
    uint64_t at = (file->slack.start + MOVED_ROOM - 1) & ~(uint64_t)(MOVED_ROOM - 1);

    if (at + TRAMPOLINE_ROOM <= file->slack.end) {
        file->slack.start = at + TRAMPOLINE_ROOM;
        return at + MOVED_ROOM;
    }
    if (GATE_BASE + GATE_MAPPING_BYTES - mapping->start >= REACH ||
        file->room + TRAMPOLINE_ROOM > GATE_ROOM_BYTES)
        return 0;
    file->room += TRAMPOLINE_ROOM;
    return GATE_BASE + GATE_BYTES + file->room - TRAMPOLINE_ROOM + MOVED_ROOM - mapping->base;
}

struct site_record *plan_site(struct mapped_file *file, uint64_t site)
{
    for (size_t i = 0; i < file->plan_count; i++)
        if (file->plans[i].site == site)
            return &file->plans[i];
    const struct site_record record = { .site = site, .plan = sites_plan(&file->sites, site) };
    return array_append(&file->plans, &file->plan_count, &record, sizeof record)
               ? &file->plans[file->plan_count - 1]
               : NULL;
}

bool give_trampoline(const struct mapping *mapping, struct site_record *record)
{
    if (record->plan.form != SITE_TRACED && !record->trampoline)
        record->trampoline = take_room(mapping);
    return record->trampoline;
}

/* -- sites that are patched ahead -------------------------------------------------------------- */

enum { BEFORE = 24 }; /* so far before a call its number is looked for */

/* The number that is probably loaded before a call: mov $number, %eax, or xor %eax, %eax. -1: any. */
static int64_t number_before(const uint8_t *site)
{
    static const uint8_t ZERO[] = { 0x31, 0xc0 };
    enum { MOV = 0xb8 };
    uint32_t number;

    if (!memcmp(site - sizeof ZERO, ZERO, sizeof ZERO))
        return 0;
    for (const uint8_t *at = site - sizeof number; at > site - BEFORE; at--) {
        memcpy(&number, at, sizeof number);
        if (at[-1] == MOV && number < GATE_NUMBERS)
            return number;
    }
    return -1;
}

static bool belongs_ahead(struct mapped_file *file, uint64_t site,
                          const uint8_t actions[GATE_NUMBERS])
{
    int64_t number = number_before(file->bytes + site);

    if (number >= 0 && actions[number] == GATE_REFUSE)
        return false;
    const struct site_record *record = plan_site(file, site);
    return record && record->plan.form != SITE_TRACED && form_needs_stop(record->plan.form, site);
}

void find_sites_ahead(struct mapped_file *file, const uint8_t actions[GATE_NUMBERS])
{
    const uint8_t *end = file->bytes + file->identity.st_size, *at = file->bytes + BEFORE;

    if (file->knows_ahead)
        return;
    file->knows_ahead = true;
    while (at < end && (at = memmem(at, (size_t)(end - at), CALL_CODE, CALL_BYTES))) {
        uint64_t site = (uint64_t)(at++ - file->bytes);
        if (belongs_ahead(file, site, actions))
            array_append(&file->ahead, &file->ahead_count, &site, sizeof site);
    }
}

void module_cache_deinit(struct module_cache *cache)
{
    while (cache->files) {
        struct mapped_file *file = cache->files;
        cache->files = file->next;
        if (file->bytes) {
            sites_deinit(&file->sites);
            module_deinit(&file->module);
        }
        free(file->bytes);
        free(file->plans);
        free(file->ahead);
        free(file);
    }
}
