#include "gate/module.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "gate/array.h"

enum {
    PAGE_BYTES = 4096,
    LETTERS_LIMIT = 16,        /* of an augmentation string */
    FUNCTIONS_LIMIT = 1 << 20, /* that are read from .eh_frame */
};

/* -- reading ---------------------------------------------------------------------------------- */

/* A place in the file that numbers are read from, one after the other. */
struct cursor {
    const struct module *module;
    uint64_t at;
    bool failed; /* what was to be read is not in the file: it reads as 0 */
};

static bool in_file(const struct module *module, uint64_t at, uint64_t bytes)
{
    return at <= module->size && bytes <= module->size - at;
}

static bool copy(const struct module *module, uint64_t at, void *out, size_t bytes)
{
    if (!in_file(module, at, bytes)) {
        memset(out, 0, bytes);
        return false;
    }
    memcpy(out, module->bytes + at, bytes);
    return true;
}

/* x86-64 and this file are little-endian, so the bytes of a number stand at its start. */
static uint64_t read_number(struct cursor *cursor, size_t bytes)
{
    uint64_t number = 0;

    if (!copy(cursor->module, cursor->at, &number, bytes))
        cursor->failed = true;
    cursor->at += bytes;
    return number;
}

static int64_t read_signed(struct cursor *cursor, size_t bytes)
{
    unsigned unused = 64 - 8 * (unsigned)bytes;

    return (int64_t)(read_number(cursor, bytes) << unused) >> unused;
}

/* LEB128 (DWARF 5, section 7.6), whose values are of no interest here: at most 64 bits. */
static void skip_leb128(struct cursor *cursor)
{
    for (unsigned i = 0; i < 10 && read_number(cursor, 1) & 0x80; i++)
        ;
}

/* -- segments and sections -------------------------------------------------------------------- */

static bool read_header(const struct module *module, Elf64_Ehdr *header_out)
{
    static const uint8_t IDENT[] = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB };

    return copy(module, 0, header_out, sizeof *header_out) &&
           !memcmp(header_out->e_ident, IDENT, sizeof IDENT) &&
           header_out->e_machine == EM_X86_64 && header_out->e_phentsize == sizeof(Elf64_Phdr);
}

/* A segment counts from the start of its first page, as it is mapped. */
static bool add_segment(struct module *module, const Elf64_Phdr *header)
{
    uint64_t lead = header->p_offset % PAGE_BYTES;

    if (module->segment_count == SEGMENTS_LIMIT || !header->p_filesz ||
        !in_file(module, header->p_offset, header->p_filesz) ||
        header->p_vaddr % PAGE_BYTES != lead)
        return false;
    module->segments[module->segment_count++] = (struct segment){
        .file = { header->p_offset - lead, header->p_offset + header->p_filesz },
        .address = header->p_vaddr - lead,
    };
    return true;
}

static void read_segments(struct module *module, const Elf64_Ehdr *header)
{
    Elf64_Phdr each;

    for (unsigned i = 0; i < header->e_phnum; i++) {
        if (!copy(module, header->e_phoff + i * sizeof each, &each, sizeof each))
            return;
        if (each.p_type != PT_LOAD || !add_segment(module, &each))
            continue;
        if (each.p_flags & PF_X && !span_bytes(module->code.file))
            module->code = module->segments[module->segment_count - 1];
    }
}

static bool is_called(const struct module *module, const Elf64_Shdr *names, uint32_t at,
                      const char *name)
{
    uint64_t place = names->sh_offset + at;
    size_t bytes = strlen(name) + 1;

    return place >= names->sh_offset && in_file(module, place, bytes) &&
           !memcmp(module->bytes + place, name, bytes);
}

static bool find_section(const struct module *module, const Elf64_Ehdr *header, const char *name,
                         struct span *section_out)
{
    Elf64_Shdr names, each;

    if (header->e_shentsize != sizeof each || header->e_shstrndx >= header->e_shnum ||
        !copy(module, header->e_shoff + header->e_shstrndx * sizeof each, &names, sizeof names))
        return false;
    for (unsigned i = 0; i < header->e_shnum; i++) {
        if (!copy(module, header->e_shoff + i * sizeof each, &each, sizeof each))
            return false;
        if (!is_called(module, &names, each.sh_name, name) || each.sh_type == SHT_NOBITS ||
            !in_file(module, each.sh_offset, each.sh_size))
            continue;
        *section_out = (struct span){ each.sh_offset, each.sh_offset + each.sh_size };
        return true;
    }
    return false;
}

bool module_place(const struct module *module, uint64_t address, uint64_t *place_out)
{
    for (size_t i = 0; i < module->segment_count; i++) {
        uint64_t within = address - module->segments[i].address;
        if (within < span_bytes(module->segments[i].file)) {
            *place_out = module->segments[i].file.start + within;
            return true;
        }
    }
    return false;
}

static bool address_of(const struct module *module, uint64_t at, uint64_t *address_out)
{
    for (size_t i = 0; i < module->segment_count; i++)
        if (span_has(module->segments[i].file, at)) {
            *address_out = module->segments[i].address + (at - module->segments[i].file.start);
            return true;
        }
    return false;
}

/* -- unwind information ----------------------------------------------------------------------- */

/* DW_EH_PE_…: how a pointer is written. The low half says the form, the rest relative to what. */
enum {
    FORM_POINTER = 0x00,
    FORM_U4 = 0x03,
    FORM_U8 = 0x04,
    FORM_S4 = 0x0b,
    FORM_S8 = 0x0c,
    FROM_NOTHING = 0x00,
    FROM_HERE = 0x10,
    FROM_TABLE_S4 = 0x3b,
    HERE_S4 = FROM_HERE | FORM_S4,
    INDIRECT = 0x80,
};

/* The bytes of a pointer; 0: a form that is not used for code. */
static size_t pointer_bytes(uint8_t encoding)
{
    switch (encoding & 15) {
    case FORM_U4:
    case FORM_S4:
        return 4;
    case FORM_POINTER:
    case FORM_U8:
    case FORM_S8:
        return 8;
    default:
        return 0;
    }
}

/* Read the augmentation data, whose items the letters of a string name (as in "zPLR"). */
static bool read_augmentation(struct cursor *cursor, uint64_t letters, uint8_t *encoding_out)
{
    const uint8_t *letter = cursor->module->bytes + letters;

    for (; !cursor->failed; letter++)
        switch (*letter) {
        case '\0':
            return true;
        case 'R':
            *encoding_out = (uint8_t)read_number(cursor, 1);
            break;
        case 'P':
            cursor->at += pointer_bytes((uint8_t)read_number(cursor, 1));
            break;
        case 'L':
            read_number(cursor, 1);
            break;
        case 'S': /* the frame of a signal handler: no data */
            break;
        default:
            return false;
        }
    return false;
}

/* How the FDEs of a CIE give addresses. */
static bool read_cie(const struct module *module, uint64_t at, uint8_t *encoding_out)
{
    struct cursor cursor = { module, at + 4, false };

    *encoding_out = FORM_POINTER;
    if (read_number(&cursor, 4)) /* else a FDE */
        return false;
    uint64_t version = read_number(&cursor, 1), letters = cursor.at;
    while (read_number(&cursor, 1))
        if (cursor.at - letters > LETTERS_LIMIT)
            return false;
    if (cursor.failed || version != 1)
        return false;
    skip_leb128(&cursor);    /* code alignment */
    skip_leb128(&cursor);    /* data alignment */
    read_number(&cursor, 1); /* return address register */
    if (cursor.failed)
        return false;
    if (!module->bytes[letters])
        return true;
    if (module->bytes[letters] != 'z')
        return false;
    skip_leb128(&cursor); /* length of the data */
    return read_augmentation(&cursor, letters + 1, encoding_out);
}

/* Turn an address and a length into a span of the code. */
static bool to_function(const struct module *module, uint64_t address, uint64_t bytes,
                        struct span *function_out)
{
    uint64_t within = address - module->code.address, room = span_bytes(module->code.file);

    if (within >= room || !bytes || bytes > room - within)
        return false;
    function_out->start = module->code.file.start + within;
    function_out->end = function_out->start + bytes;
    return true;
}

/* Read which function the FDE at a place is about. */
static bool read_fde(const struct module *module, uint64_t at, struct span *function_out)
{
    struct cursor cursor = { module, at + 4, false };
    uint64_t back = read_number(&cursor, 4), here, from = 0;
    uint8_t encoding;

    if (cursor.failed || !back || back > at + 4 || !read_cie(module, at + 4 - back, &encoding))
        return false;
    size_t bytes = pointer_bytes(encoding);
    uint8_t base = encoding & 0xf0;
    if (!bytes || (base != FROM_NOTHING && base != FROM_HERE) ||
        !address_of(module, cursor.at, &here))
        return false;
    if (base == FROM_HERE)
        from = here;
    uint64_t start =
        from + (encoding & 8 ? (uint64_t)read_signed(&cursor, bytes) : read_number(&cursor, bytes));
    uint64_t length = read_number(&cursor, bytes);
    return !cursor.failed && to_function(module, start, length, function_out);
}

/* -- the table -------------------------------------------------------------------------------- */

enum { TABLE_HEAD_BYTES = 12, TABLE_ENTRY_BYTES = 8 };

/* Only in the form that all linkers write: version, pointer to .eh_frame, count, entries. */
static void read_table(struct module *module, const Elf64_Phdr *segment)
{
    static const uint8_t HEAD[] = { 1, HERE_S4, FORM_U4, FROM_TABLE_S4 };
    uint8_t head[sizeof HEAD];
    struct cursor cursor = { module, segment->p_offset + 8, false };
    uint64_t count = read_number(&cursor, 4);

    if (!copy(module, segment->p_offset, head, sizeof head) || memcmp(head, HEAD, sizeof HEAD) ||
        cursor.failed || !in_file(module, cursor.at, count * TABLE_ENTRY_BYTES))
        return;
    module->table = (struct span){ cursor.at, cursor.at + count * TABLE_ENTRY_BYTES };
    module->table_address = segment->p_vaddr;
    module->function_count = count;
}

static void find_table(struct module *module, const Elf64_Ehdr *header)
{
    Elf64_Phdr each;

    for (unsigned i = 0; i < header->e_phnum; i++)
        if (copy(module, header->e_phoff + i * sizeof each, &each, sizeof each) &&
            each.p_type == PT_GNU_EH_FRAME) {
            read_table(module, &each);
            return;
        }
}

/* The address that entry `index` of the table begins with. */
static uint64_t table_start(const struct module *module, size_t index)
{
    struct cursor cursor = { module, module->table.start + index * TABLE_ENTRY_BYTES, false };

    return module->table_address + (uint64_t)read_signed(&cursor, 4);
}

static bool read_table_entry(const struct module *module, size_t index, struct span *function_out)
{
    struct cursor cursor = { module, module->table.start + index * TABLE_ENTRY_BYTES + 4, false };
    uint64_t address = module->table_address + (uint64_t)read_signed(&cursor, 4), at;

    return module_place(module, address, &at) && read_fde(module, at, function_out) &&
           table_start(module, index) - module->code.address ==
               function_out->start - module->code.file.start;
}

/* -- without a table -------------------------------------------------------------------------- */

static int compare_starts(const void *one, const void *other)
{
    const struct span *a = one, *b = other;

    return (a->start > b->start) - (a->start < b->start);
}

/* Read all of .eh_frame, which ends with a length of 0 or with the section. */
static void read_frames(struct module *module, struct span frames)
{
    static const uint32_t LONG_FORM = 0xffffffff;
    struct cursor cursor = { module, frames.start, false };

    while (cursor.at < frames.end && module->function_count < FUNCTIONS_LIMIT) {
        uint64_t at = cursor.at, bytes = read_number(&cursor, 4);
        struct span function;
        if (cursor.failed || !bytes || bytes == LONG_FORM)
            break;
        if (read_fde(module, at, &function) &&
            !array_append(&module->functions, &module->function_count, &function, sizeof function))
            break;
        cursor.at += bytes;
    }
    if (module->function_count)
        qsort(module->functions, module->function_count, sizeof *module->functions, compare_starts);
}

/* -- what others ask -------------------------------------------------------------------------- */

bool module_init(struct module *module, const uint8_t *bytes, uint64_t size)
{
    Elf64_Ehdr header;
    struct span frames;

    *module = (struct module){ .bytes = bytes, .size = size };
    if (!read_header(module, &header))
        return false;
    read_segments(module, &header);
    if (!span_bytes(module->code.file))
        return false;
    if (find_section(module, &header, ".text", &module->text) &&
        (module->text.start < module->code.file.start || module->text.end > module->code.file.end))
        module->text = (struct span){ 0, 0 };
    find_table(module, &header);
    if (!module->function_count && find_section(module, &header, ".eh_frame", &frames))
        read_frames(module, frames);
    return true;
}

void module_deinit(struct module *module)
{
    free(module->functions);
    *module = (struct module){ 0 };
}

bool module_function(const struct module *module, size_t index, struct span *function_out)
{
    if (index >= module->function_count)
        return false;
    if (!module->functions)
        return read_table_entry(module, index, function_out);
    *function_out = module->functions[index];
    return true;
}

static bool starts_until(const struct module *module, size_t index, uint64_t at)
{
    if (module->functions)
        return module->functions[index].start <= at;
    uint64_t address = module->code.address + (at - module->code.file.start);
    return (int64_t)(table_start(module, index) - address) <= 0;
}

size_t module_functions_until(const struct module *module, uint64_t at)
{
    size_t low = 0, high = module->function_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (starts_until(module, middle, at))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct span module_slack(const struct module *module)
{
    uint64_t start = module->code.file.end;
    uint64_t end = (start + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;

    for (uint64_t at = start; at < end; at++)
        if (at >= module->size || module->bytes[at])
            return (struct span){ start, start };
    return (struct span){ start, end };
}
