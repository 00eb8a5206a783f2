/*
 * How the bytes around a site are read:
 *
 *  1. The site is in a function that is known (module.h): the functions within reach of a short jump
 *     are each read from start to end. One with an instruction that is unknown, or that its end
 *     cuts, is left as it is. What lies between two of them is dead if it is nothing but padding.
 *  2. Else the section .text is read once from start to end. Where an instruction is unknown, reading
 *     goes on one byte later, and trusts what it finds when SETTLED bytes have made sense again.
 *  3. Besides, or where that section is too long to be read, a run of int3 counts that aligns the
 *     next function: no program runs into one on purpose.
 *
 * Filler is dead if it follows an instruction that ends the flow, and nothing leads to it:
 *
 *  - no branch, jump or call of the range that is read, and no operand in memory;
 *  - in a function: no table of addresses, as there is none if no jump is computed;
 *  - in a section: no entry of a table whose start an instruction names, and no word in the rest of
 *    the file that is its address, as of a symbol, a relocation or a table.
 *
 * The limits bound what a file that was made to take time can take.
 */
#include "gate/sites.h"

#include <stdlib.h>
#include <string.h>

#include "gate/array.h"
#include "gate/length.h"

enum {
    GAP_LIMIT = 64, /* bytes between two functions that may be padding */
    SETTLED = 64,
    FUNCTION_LIMIT = 64 << 10, /* bytes: longer ones are not read for one site */
    READING_LIMIT = 256 << 10, /* bytes that are read for one site */
    TABLE_LIMIT = 4096,        /* entries of a table of addresses */
    TABLES_LIMIT = 1 << 20,    /* entries of all tables */
    PADS_LIMIT = 4096,
    TEXT_LIMIT = 4 << 20, /* bytes of a section that is read whole */
    NO_PAD = 0,           /* there is the header of the file */
};

/* -- spans ------------------------------------------------------------------------------------ */

static bool add_span(struct spans *spans, struct span span)
{
    return array_append(&spans->list, &spans->count, &span, sizeof span);
}

static void free_spans(struct spans *spans)
{
    free(spans->list);
    *spans = (struct spans){ 0 };
}

/* The index of the first span that ends after a place. */
static size_t first_after(const struct spans *spans, uint64_t at)
{
    size_t low = 0, high = spans->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (spans->list[middle].end <= at)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* -- reading instructions --------------------------------------------------------------------- */

struct walk {
    const struct module *module;
    struct span range;
    uint64_t at;                    /* of the next instruction */
    struct instruction instruction; /* the last one that was read */
};

static struct walk walk_over(const struct module *module, struct span range)
{
    return (struct walk){ .module = module, .range = range, .at = range.start };
}

/* Read the next instruction; false: the range has ended, or it is unknown. */
static bool step(struct walk *walk)
{
    if (walk->at >= walk->range.end ||
        !read_instruction(walk->module->bytes + walk->at, walk->range.end - walk->at,
                          &walk->instruction))
        return false;
    walk->at += walk->instruction.length;
    return true;
}

static bool is_at_end(const struct walk *walk)
{
    return walk->at >= walk->range.end;
}

/* Set where the last instruction leads, or what memory it uses. */
static bool has_target(const struct walk *walk, uint64_t *target_out)
{
    *target_out = walk->at + (uint64_t)(int64_t)walk->instruction.target;
    return walk->instruction.names_target;
}

static bool ends_flow(const struct instruction *instruction)
{
    return instruction->flow == FLOW_END || instruction->flow == FLOW_JUMP ||
           instruction->flow == FLOW_INDIRECT;
}

/* A jump that may go by a table: not through one pointer, as those to other files do. */
static bool is_computed(const struct instruction *instruction)
{
    return instruction->flow == FLOW_INDIRECT && !instruction->names_target;
}

/* -- dead bytes ------------------------------------------------------------------------------- */

/* What reading a range has found. */
struct survey {
    struct spans dead;
    bool trusting;    /* reading goes on where an instruction is unknown */
    bool has_table;   /* a jump through a register or a table may lead to any place in the range */
    bool may_run_on;  /* through its end. A last call is one that does not come back */
    uint32_t entries; /* of tables that were read */
};

static bool keep_dead(struct survey *survey, struct span span)
{
    return span_bytes(span) < JUMP_BYTES || add_span(&survey->dead, span);
}

/* Find filler that follows an instruction which ends the flow. */
static bool find_filler(struct walk walk, struct survey *survey)
{
    uint64_t dead_from = 0, settled_at = 0; /* 0: the next byte is not dead */

    while (!is_at_end(&walk)) {
        uint64_t at = walk.at;
        bool known = step(&walk);
        if (!known && !survey->trusting)
            return false;
        if (known && is_filler(&walk.instruction))
            continue;
        survey->has_table |= known && is_computed(&walk.instruction);
        if (dead_from && at >= settled_at && !keep_dead(survey, (struct span){ dead_from, at }))
            return false;
        dead_from = known && ends_flow(&walk.instruction) ? walk.at : 0;
        if (!known)
            settled_at = (walk.at = at + 1) + SETTLED;
        survey->may_run_on = !dead_from && (!known || walk.instruction.flow != FLOW_CALL);
    }
    return !dead_from || keep_dead(survey, (struct span){ dead_from, walk.at });
}

/* What something leads to is not dead. The end stays, by which the order is kept. */
static void revive(struct spans *dead, uint64_t target)
{
    size_t i = first_after(dead, target);

    if (i < dead->count && dead->list[i].start <= target)
        dead->list[i].start = dead->list[i].end;
}

static void revive_address(const struct module *module, struct spans *dead, uint64_t address)
{
    uint64_t within = address - module->code.address;

    if (within < span_bytes(module->code.file))
        revive(dead, module->code.file.start + within);
}

/* Revive what a table at an address leads to, if there is one: of distances from its start. */
static void revive_by_table(const struct module *module, struct survey *survey, uint64_t address)
{
    uint64_t at;
    int32_t distance;

    if (!module_place(module, address, &at) || span_has(module->code.file, at))
        return;
    for (unsigned i = 0; i < TABLE_LIMIT && module->size - at >= sizeof distance; i++) {
        memcpy(&distance, module->bytes + at, sizeof distance);
        uint64_t target = address + (uint64_t)(int64_t)distance;
        if (target - module->code.address >= span_bytes(module->code.file))
            return;
        revive_address(module, &survey->dead, target);
        survey->entries++;
        at += sizeof distance;
    }
}

/* Revive what instructions lead to or name; false: there is too much of it. */
static bool revive_targets(struct walk walk, struct survey *survey)
{
    const struct module *module = walk.module;
    uint64_t target;

    while (!is_at_end(&walk) && survey->entries < TABLES_LIMIT) {
        if (!step(&walk)) {
            walk.at++;
            continue;
        }
        if (!has_target(&walk, &target))
            continue;
        revive(&survey->dead, target);
        if (survey->trusting && walk.instruction.flow == FLOW_NEXT)
            revive_by_table(module, survey,
                            module->code.address + (target - module->code.file.start));
    }
    return is_at_end(&walk);
}

/* Revive all that a word in a part of the file is the address of. */
static void revive_by_words(const struct module *module, struct span part, struct spans *dead)
{
    uint64_t word;

    for (uint64_t at = part.start; part.end - at >= sizeof word; at += sizeof word) {
        memcpy(&word, module->bytes + at, sizeof word);
        revive_address(module, dead, word);
    }
}

/* Read a function; false: something in it is unknown. */
static bool survey_function(const struct module *module, struct span function,
                            struct survey *survey)
{
    struct walk walk = walk_over(module, function);

    survey->may_run_on = true;
    bool known = find_filler(walk, survey);
    if (!known || survey->has_table) {
        free_spans(&survey->dead);
        return known;
    }
    if (survey->dead.count)
        revive_targets(walk, survey);
    return true;
}

/* Read a section that may consist of many functions; false: no memory, or it takes too long. */
static bool survey_section(const struct module *module, struct span section, struct survey *survey)
{
    struct walk walk = walk_over(module, section);
    struct span before = { 0, module->code.file.start };
    struct span behind = { module->code.file.end & ~7ull, module->size };

    survey->trusting = true;
    if (!find_filler(walk, survey) || !revive_targets(walk, survey)) {
        free_spans(&survey->dead);
        return false;
    }
    revive_by_words(module, before, &survey->dead);
    revive_by_words(module, behind, &survey->dead);
    return true;
}

/* Whether a span outside of functions is nothing but padding; the linker itself pads with zeros. */
static bool is_padding(const struct module *module, struct span span)
{
    struct walk walk = walk_over(module, span);

    while (!is_at_end(&walk)) {
        if (!module->bytes[walk.at])
            walk.at++;
        else if (!step(&walk) || !is_filler(&walk.instruction))
            return false;
    }
    return true;
}

/* -- pads ------------------------------------------------------------------------------------- */

/* Where a pad for a site may start. */
static struct span reach_of(uint64_t site)
{
    uint64_t from = site + CALL_BYTES;

    return (struct span){ from > REACH_BACK ? from - REACH_BACK : 1, from + REACH_AHEAD + 1 };
}

static bool is_free(const struct spans *pads, uint64_t at)
{
    for (size_t i = 0; i < pads->count; i++)
        if (at < pads->list[i].end && at + JUMP_BYTES > pads->list[i].start)
            return false;
    return true;
}

/* The first place in a span that can be the pad of a site. */
static uint64_t pad_in(const struct sites *sites, uint64_t site, struct span span)
{
    struct span reach = reach_of(site);
    uint64_t at = span.start > reach.start ? span.start : reach.start;

    for (; at + JUMP_BYTES <= span.end && at < reach.end; at++)
        if (at % CACHE_LINE <= CACHE_LINE - JUMP_BYTES && is_free(&sites->pads, at))
            return at;
    return NO_PAD;
}

static uint64_t pad_among(const struct sites *sites, uint64_t site, const struct spans *dead)
{
    uint64_t pad = NO_PAD, end = reach_of(site).end;

    for (size_t i = first_after(dead, reach_of(site).start); i < dead->count; i++) {
        if (dead->list[i].start >= end || (pad = pad_in(sites, site, dead->list[i])))
            break;
    }
    return pad;
}

/* A pad in one function, or between it and the next one. */
static uint64_t pad_at_function(const struct sites *sites, uint64_t site, struct span function,
                                struct span next)
{
    struct survey survey = { 0 };
    struct span gap = { function.end, next.start };

    if (!survey_function(sites->module, function, &survey))
        return NO_PAD;
    uint64_t pad = pad_among(sites, site, &survey.dead);
    free_spans(&survey.dead);
    if (pad || survey.may_run_on || span_bytes(gap) < JUMP_BYTES || span_bytes(gap) > GAP_LIMIT ||
        !is_padding(sites->module, gap))
        return pad;
    return pad_in(sites, site, gap);
}

/* A pad in one of the functions around a site. */
static uint64_t pad_among_functions(const struct sites *sites, uint64_t site)
{
    struct span reach = reach_of(site), function, next;
    size_t i = module_functions_until(sites->module, reach.start);
    uint64_t pad = NO_PAD, bytes_read = 0;

    for (i -= i > 0; !pad && i < sites->module->function_count; i++) {
        if (!module_function(sites->module, i, &function))
            continue;
        bytes_read += span_bytes(function);
        if (function.start >= reach.end || bytes_read > READING_LIMIT)
            break;
        if (!module_function(sites->module, i + 1, &next))
            next = (struct span){ 0, 0 };
        if (span_bytes(function) <= FUNCTION_LIMIT)
            pad = pad_at_function(sites, site, function, next);
    }
    return pad;
}

/* A run of int3 that aligns the next function. */
static uint64_t pad_of_int3(const struct sites *sites, uint64_t site)
{
    const struct module *module = sites->module;
    struct span reach = reach_of(site);
    uint64_t pad = NO_PAD, end = reach.start / ALIGNMENT * ALIGNMENT + ALIGNMENT;

    for (; !pad && end < reach.end + ALIGNMENT && end <= module->text.end; end += ALIGNMENT) {
        uint64_t start = end;
        while (end - start < GAP_LIMIT && start > module->text.start &&
               module->bytes[start - 1] == INT3)
            start--;
        pad = pad_in(sites, site, (struct span){ start, end });
    }
    return pad;
}

/* -- the instruction before a site ------------------------------------------------------------ */

static bool can_move(const struct instruction *instruction)
{
    return instruction->length >= JUMP_BYTES && !instruction->names_target &&
           (instruction->flow == FLOW_NEXT || instruction->flow == FLOW_NOP);
}

/* Whether something in a range leads into the middle of an instruction, or part of it is unknown. */
static bool leads_into(const struct module *module, struct span range, struct span instruction)
{
    struct walk walk = walk_over(module, range);
    uint64_t target;

    while (step(&walk))
        if (has_target(&walk, &target) && target > instruction.start && target < instruction.end)
            return true;
    return !is_at_end(&walk);
}

/* How long the instruction before a site is, if it can be moved; else 0. */
static uint32_t moved_bytes(const struct module *module, struct span function, uint64_t site)
{
    struct walk walk = walk_over(module, function);
    struct span last = { 0, 0 };

    while (walk.at < site) {
        last.start = walk.at;
        if (!step(&walk))
            return 0;
        last.end = walk.at;
    }
    if (last.end != site || !can_move(&walk.instruction) || leads_into(module, function, last))
        return 0;
    return walk.instruction.length;
}

/* -- plans ------------------------------------------------------------------------------------ */

/* The function that a site is in; false: none that is known. */
static bool function_around(const struct module *module, uint64_t site, struct span *function_out)
{
    size_t until = module_functions_until(module, site);

    return until && module_function(module, until - 1, function_out) &&
           span_has(*function_out, site) && site + CALL_BYTES <= function_out->end;
}

static void read_text(struct sites *sites)
{
    struct survey survey = { 0 };
    struct span text = sites->module->text;

    if (!sites->text_read && span_bytes(text) <= TEXT_LIMIT &&
        survey_section(sites->module, text, &survey))
        sites->dead = survey.dead;
    sites->text_read = true;
}

/* The code between the dead bytes before and behind a site. */
static struct span piece_around(const struct sites *sites, uint64_t site)
{
    size_t i = first_after(&sites->dead, site);

    return (struct span){
        i ? sites->dead.list[i - 1].end : sites->module->text.start,
        i < sites->dead.count ? sites->dead.list[i].start : sites->module->text.end,
    };
}

static struct site_plan plan_by_text(struct sites *sites, uint64_t site)
{
    struct site_plan plan = { .form = SITE_TRACED };

    if (!span_has(sites->module->text, site))
        return plan;
    read_text(sites);
    plan.pad = pad_among(sites, site, &sites->dead);
    if (!plan.pad)
        plan.pad = pad_of_int3(sites, site);
    struct span piece = piece_around(sites, site);
    if (!plan.pad && span_bytes(piece) <= FUNCTION_LIMIT)
        plan.moved_bytes = moved_bytes(sites->module, piece, site);
    return plan;
}

static struct site_plan plan_by_function(struct sites *sites, uint64_t site, struct span function)
{
    struct site_plan plan = { .pad = pad_among_functions(sites, site) };

    if (!plan.pad && span_bytes(function) <= FUNCTION_LIMIT)
        plan.moved_bytes = moved_bytes(sites->module, function, site);
    return plan;
}

static bool is_call(const struct module *module, uint64_t site)
{
    struct span code = module->code.file;

    return span_has(code, site) && code.end - site >= CALL_BYTES &&
           !memcmp(module->bytes + site, CALL_CODE, CALL_BYTES);
}

void sites_init(struct sites *sites, const struct module *module)
{
    *sites = (struct sites){ .module = module };
}

void sites_deinit(struct sites *sites)
{
    free_spans(&sites->pads);
    free_spans(&sites->dead);
}

struct site_plan sites_plan(struct sites *sites, uint64_t site)
{
    struct site_plan plan = { .form = SITE_TRACED };
    struct span function;

    if (!is_call(sites->module, site))
        return plan;
    if (function_around(sites->module, site, &function))
        plan = plan_by_function(sites, site, function);
    else
        plan = plan_by_text(sites, site);
    if (plan.pad && sites->pads.count < PADS_LIMIT &&
        add_span(&sites->pads, (struct span){ plan.pad, plan.pad + JUMP_BYTES }))
        plan.form = SITE_PAD;
    else if (plan.moved_bytes)
        plan.form = SITE_MOVED;
    return plan;
}
