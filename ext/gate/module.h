/*
 * One ELF file with code, as far as finding call sites needs it: where its code is, and which
 * functions it consists of. Bytes in, no system calls.
 *
 * The file belongs to the traced program and may contain anything: whatever does not fit together
 * counts as not being there. The caller must own the bytes: a mapping of a file that
 * another process shortens raises SIGBUS.
 *
 * All places are offsets in the file.
 */
#ifndef SCOPE_GATE_MODULE_H
#define SCOPE_GATE_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From `start` up to `end`, exclusive. */
struct span {
    uint64_t start, end;
};

static inline uint64_t span_bytes(struct span span)
{
    return span.end > span.start ? span.end - span.start : 0;
}

static inline bool span_has(struct span span, uint64_t at)
{
    return at >= span.start && at < span.end;
}

/* A part of the file that is mapped. */
struct segment {
    struct span file;
    uint64_t address; /* of its first byte, as the file numbers addresses */
};

enum { SEGMENTS_LIMIT = 16 };

/*
 * Functions are known by their unwind information (a struct FDE for each, Linux Standard Base Core,
 * "Exception Frames"). Most files have a table that finds it by address, .eh_frame_hdr; static
 * programs have .eh_frame alone, which is read once; some have neither.
 */
struct module {
    const uint8_t *bytes;
    uint64_t size;
    struct segment segments[SEGMENTS_LIMIT];
    size_t segment_count;
    struct segment code;    /* the segment that may be executed */
    struct span text;       /* the section .text within it; empty: there is none */
    struct span table;      /* entries of .eh_frame_hdr; empty: there is none */
    uint64_t table_address; /* of .eh_frame_hdr, which its entries are relative to */
    struct span *functions; /* without a table: sorted by their starts */
    size_t function_count;  /* of `functions`, or of the table's entries */
};

/* False, with nothing to deinit: it is no x86-64 ELF file with code, or there is no memory. */
bool module_init(struct module *module, const uint8_t *bytes, uint64_t size);
void module_deinit(struct module *module);

/* Where in the file an address is, as the file numbers addresses; false: nowhere. */
bool module_place(const struct module *module, uint64_t address, uint64_t *place_out);

/* The function at an index, in the order of addresses; false: what says where it is makes no sense. */
bool module_function(const struct module *module, size_t index, struct span *function_out);

/* How many functions start at or before a place. */
size_t module_functions_until(const struct module *module, uint64_t at);

/*
 * The bytes behind the code, in the last page that is mapped for it, if they are zero in the file as
 * well. Room for trampolines: nothing has ever been there.
 */
struct span module_slack(const struct module *module);

#endif
