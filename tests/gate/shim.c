/*
 * What the tests call of ext/gate/, by ctypes: structs stay on this side, numbers go to the other.
 */
#include <stdlib.h>

#include "gate/length.h"
#include "gate/module.h"
#include "gate/sites.h"

struct file {
    struct module module;
    struct sites sites;
};

/* Read an instruction at every byte of `code`; one that is unknown has the length 0. */
void read_everywhere(const uint8_t *code, size_t size, struct instruction *instructions_out)
{
    for (size_t at = 0; at < size; at++)
        if (!read_instruction(code + at, size - at, &instructions_out[at]))
            instructions_out[at].length = 0;
}

/* NULL: not a file that can be read. `bytes` must stay. */
struct file *file_open(const uint8_t *bytes, uint64_t size)
{
    struct file *file = malloc(sizeof *file);

    if (file && module_init(&file->module, bytes, size)) {
        sites_init(&file->sites, &file->module);
        return file;
    }
    free(file);
    return NULL;
}

void file_close(struct file *file)
{
    sites_deinit(&file->sites);
    module_deinit(&file->module);
    free(file);
}

void file_plan(struct file *file, uint64_t site, uint64_t *plan_out)
{
    struct site_plan plan = sites_plan(&file->sites, site);

    plan_out[0] = plan.form;
    plan_out[1] = plan.pad;
    plan_out[2] = plan.moved_bytes;
}

size_t file_functions(const struct file *file, struct span *functions_out, size_t room)
{
    size_t found = 0;

    for (size_t i = 0; i < file->module.function_count && found < room; i++)
        found += module_function(&file->module, i, &functions_out[found]);
    return found;
}

void file_slack(const struct file *file, struct span *slack_out)
{
    *slack_out = module_slack(&file->module);
}
