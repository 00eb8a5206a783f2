#include "gate/module_cache.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call/proc.h"
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

bool find_mapping(struct module_cache *cache, pid_t tid, uint64_t address, struct mapping *mapping)
{
    char line[PATH_MAX + 128], path[PATH_MAX + PROC_PATH + 128];
    const char *name;
    uint64_t inode;

    if (!find_line(tid, address, line, sizeof line))
        return false;
    line[strcspn(line, "\n")] = '\0';
    if (!parse_mapping(line, mapping, &inode, &name))
        return false;
    snprintf(path, sizeof path, "/proc/%d/root%s", (int)tid, name);
    mapping->file = open_file(cache, path, inode);
    return mapping->file;
}

/* -- plans ------------------------------------------------------------------------------------ */

/* Trampolines stand on multiples of 32, as their words have to be aligned. */
static uint64_t take_room(struct mapped_file *file)
{
    uint64_t at = (file->slack.start + MOVED_ROOM - 1) & ~(uint64_t)(MOVED_ROOM - 1);

    if (at + TRAMPOLINE_ROOM > file->slack.end)
        return 0;
    file->slack.start = at + TRAMPOLINE_ROOM;
    return at + MOVED_ROOM;
}

static struct site_record *add_plan(struct mapped_file *file, uint64_t site)
{
    struct site_record *grown = realloc(file->plans, (file->plan_count + 1) * sizeof *file->plans);

    if (!grown)
        return NULL;
    file->plans = grown;
    struct site_record *record = &grown[file->plan_count++];
    *record = (struct site_record){ .site = site, .plan = sites_plan(&file->sites, site) };
    if (record->plan.form != SITE_TRACED)
        record->trampoline = take_room(file);
    return record;
}

const struct site_record *plan_site(struct mapped_file *file, uint64_t site)
{
    for (size_t i = 0; i < file->plan_count; i++)
        if (file->plans[i].site == site)
            return &file->plans[i];
    return add_plan(file, site);
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
        free(file);
    }
}
