#include "table/copy_plan.h"

#include <stdlib.h>
#include <string.h>

/* Where a call's rows would stand among those of all ABIs and numbers. */
static size_t place_of(size_t abi, size_t number)
{
    return abi * (ABI_NUMBERS + 1) + number;
}

static void index_copies(struct copy_plan *plan)
{
    uint32_t *first = plan->first[0];
    size_t at = 0;

    for (size_t place = 0; place < place_of(ABI_COUNT, 0); place++) {
        while (at < plan->count && place_of(plan->copies[at].abi, plan->copies[at].number) < place)
            at++;
        first[place] = (uint32_t)at;
    }
}

struct copy_plan *copy_plan_new(const struct copy *copies, size_t count,
                                const call_arguments arguments, bool others, uint32_t snaplen)
{
    struct copy_plan *plan = calloc(1, sizeof *plan + count * sizeof *copies);

    if (!plan)
        return NULL;
    memcpy(plan->arguments, arguments, sizeof plan->arguments);
    if (count)
        memcpy(plan->copies, copies, count * sizeof *copies);
    plan->count = count;
    plan->others = others;
    plan->snaplen = snaplen;
    index_copies(plan);
    return plan;
}
