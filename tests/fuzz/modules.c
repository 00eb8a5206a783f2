/*
 * Fuzzes the reading of ELF files that belong to the traced program: modules FILE SEED COUNT.
 *
 * Alters or cuts FILE at random, COUNT times, and plans call sites in it. The invariant: no access
 * outside of the bytes that were given, which ASan watches, and an end.
 */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gate/module.h"
#include "gate/sites.h"

enum { CHANGES = 24, SITES = 24, INTERESTING = 6 };

static uint64_t state;

/* xorshift64 */
static uint64_t draw(uint64_t below)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return below ? state % below : 0;
}

struct bytes {
    uint8_t *at;
    uint64_t size;
};

static struct bytes read_file(const char *path)
{
    struct bytes file = { NULL, 0 };
    FILE *opened = fopen(path, "rb");

    if (!opened || fseek(opened, 0, SEEK_END) || (file.size = (uint64_t)ftell(opened)) < 64)
        exit(2);
    rewind(opened);
    file.at = malloc(file.size);
    if (!file.at || fread(file.at, 1, file.size, opened) != file.size)
        exit(2);
    fclose(opened);
    return file;
}

/* A place in the file: anywhere, or in one of the structures that are followed. */
static uint64_t place(const struct module *module, uint64_t size)
{
    Elf64_Ehdr header;

    memcpy(&header, module->bytes, sizeof header);
    switch (draw(6)) {
    case 0:
        return draw(sizeof header);
    case 1:
        return header.e_phoff + draw(header.e_phnum * sizeof(Elf64_Phdr));
    case 2:
        return header.e_shoff + draw(header.e_shnum * sizeof(Elf64_Shdr));
    case 3: /* .eh_frame_hdr, and .eh_frame behind it */
        return module->table.start - 12 + draw(4 * (module->table.end - module->table.start) + 64);
    case 4:
        return module->code.file.start + draw(module->code.file.end - module->code.file.start);
    default:
        return draw(size);
    }
}

static void alter(const struct module *module, struct bytes *copy)
{
    static const uint64_t VALUES[INTERESTING] = { 0, 1, 0x7fffffff, 0xffffffff, 1ull << 63, ~0ull };
    uint64_t whole = copy->size;

    for (uint64_t left = draw(CHANGES) + 1; left; left--) {
        uint64_t at = place(module, whole), bytes = 1ull << draw(4);
        uint64_t value = draw(2) ? VALUES[draw(INTERESTING)] : draw(0);
        if (at < whole && bytes <= whole - at)
            memcpy(copy->at + at, &value, bytes);
    }
}

static uint64_t next_call(const struct bytes *copy, uint64_t from)
{
    for (uint64_t at = from; at + 1 < copy->size; at++)
        if (copy->at[at] == 0x0f && copy->at[at + 1] == 0x05)
            return at;
    return draw(0);
}

static uint64_t plan_all(const struct bytes *copy)
{
    struct module module;
    struct sites sites;
    uint64_t planned = 0;

    if (!module_init(&module, copy->at, copy->size))
        return 0;
    sites_init(&sites, &module);
    module_slack(&module);
    for (unsigned i = 0; i < SITES; i++)
        planned += sites_plan(&sites, next_call(copy, draw(copy->size))).form != SITE_TRACED;
    sites_deinit(&sites);
    module_deinit(&module);
    return planned;
}

int main(int argc, char **argv)
{
    struct module module;
    uint64_t planned = 0;

    if (argc != 4)
        return 2;
    struct bytes file = read_file(argv[1]);
    state = strtoull(argv[2], NULL, 0) * 2 + 1;
    if (!module_init(&module, file.at, file.size))
        return 2;
    for (unsigned long left = strtoul(argv[3], NULL, 0); left; left--) {
        struct bytes copy = { NULL, draw(4) ? file.size : draw(file.size) + 1 };
        copy.at = malloc(copy.size); /* so that ASan knows where it ends */
        if (!copy.at)
            return 2;
        memcpy(copy.at, file.at, copy.size);
        alter(&module, &copy);
        planned += plan_all(&copy);
        free(copy.at);
    }
    module_deinit(&module);
    free(file.at);
    printf("%llu\n", (unsigned long long)planned);
    return 0;
}
