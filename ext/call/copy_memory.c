#include "call/copy_memory.h"

#include <limits.h>
#include <string.h>

enum {
    STRUCTURES_MAX = 4096, /* most bytes copied of an array, however many elements it has */
    SCRATCH_BYTES = 32768, /* no piece is larger: what a C library reads of a folder at once */
    POINTERS_MAX = 512,    /* most strings of an argv, and most pointers of any array */
    MESSAGES_MAX = 64,
    VECTORS_MAX = 1024, /* IOV_MAX: readv(2) */
    SOCKETCALL_WORDS = 6,
    SOCKETCALL_ARGUMENT = 8, /* added to the arguments of the call that a socketcall(2) is */
};

/* A call, its arguments (of a socketcall(2) those of the call that it is), and who makes it. */
struct source {
    const struct copy_plan *plan;
    const struct caller *caller;
    struct packed *to;
    const uint64_t *args;
    size_t abi;
    uint32_t word;
    int64_t result;
    unsigned offset; /* added to the number of the argument in each piece */
    enum copy_phase phase;
};

/* The tracer is one thread, and a piece is packed before the next one is read. */
static uint8_t scratch[SCRATCH_BYTES];

/* -- pieces ----------------------------------------------------------------------------------- */

static uint64_t argument(const struct source *from, uint8_t position)
{
    return position < CALL_ARGUMENTS ? from->args[position] : 0;
}

static void add_piece(const struct source *from, const struct copy *copy, uint64_t address,
                      const void *bytes, size_t size, bool fault)
{
    unsigned bits = (copy->argument + from->offset) & PIECE_ARGUMENT;
    bool is_argument = !from->offset && address == argument(from, copy->argument);

    if (from->phase == COPY_AT_EXIT)
        bits |= PIECE_EXIT;
    if (fault)
        bits |= PIECE_FAULT;
    packed_piece(from->to, bits, is_argument ? NULL : &address, bytes, size);
}

/* Read up to `size` bytes to `bytes`; returns how many came. The caller's thread is stopped. */
static size_t read_some(const struct source *from, uint64_t address, void *bytes, size_t size)
{
    size_t copied;

    if (from->word == 4)
        address &= UINT32_MAX;
    if (memory_read(from->caller->space, from->caller->tid, address, bytes, size, &copied) < 0)
        return 0;
    return copied;
}

/* A piece of at most `size` bytes, cut at `most`; returns how many bytes of it are in `scratch`. */
static size_t copy_bytes(const struct source *from, const struct copy *copy, uint64_t address,
                         uint64_t size, size_t most)
{
    size_t limit = most < SCRATCH_BYTES ? most : SCRATCH_BYTES;
    size_t wanted = size < limit ? (size_t)size : limit;
    size_t copied = read_some(from, address, scratch, wanted);

    if (copied || (!wanted && address))
        add_piece(from, copy, address, scratch, copied, copied < wanted);
    return copied;
}

/* A string with its NUL, or without one what could be read, cut at `size`. */
static void copy_string(const struct source *from, const struct copy *copy, uint64_t address)
{
    enum { FIRST_STEP = 256, NEXT_STEP = 4096 };
    size_t most = copy->size < SCRATCH_BYTES ? copy->size : SCRATCH_BYTES;
    size_t used = 0, step = FIRST_STEP;

    while (used < most) {
        size_t wanted = step < most - used ? step : most - used;
        size_t copied = read_some(from, address + used, scratch + used, wanted);
        uint8_t *end = memchr(scratch + used, '\0', copied);
        used = end ? (size_t)(end - scratch) + 1 : used + copied;
        if (end || copied < wanted) {
            if (used)
                add_piece(from, copy, address, scratch, used, !end);
            return;
        }
        step = NEXT_STEP;
    }
    add_piece(from, copy, address, scratch, used, false);
}

/* A pointer or a long of the program at an offset of bytes that were read. */
static uint64_t word_at(const struct source *from, const uint8_t *bytes, size_t offset)
{
    uint64_t wide;
    uint32_t narrow;

    if (from->word == 4) {
        memcpy(&narrow, bytes + offset, sizeof narrow);
        return narrow;
    }
    memcpy(&wide, bytes + offset, sizeof wide);
    return wide;
}

static uint32_t number_at(const uint8_t *bytes, size_t offset)
{
    uint32_t number;

    memcpy(&number, bytes + offset, sizeof number);
    return number;
}

/* -- vectors and messages ----------------------------------------------------------------------- */

/* An array of iovecs, and what they point to: at most `left` bytes in all. */
static void copy_vector(const struct source *from, const struct copy *copy, uint64_t address,
                        uint64_t count, uint64_t left)
{
    uint8_t vectors[VECTORS_MAX * 16];
    size_t each = 2 * (size_t)from->word;

    if (count > VECTORS_MAX)
        count = VECTORS_MAX;
    size_t copied = copy_bytes(from, copy, address, count * each, sizeof vectors);
    memcpy(vectors, scratch, copied);
    for (size_t at = 0; at + each <= copied && left; at += each) {
        uint64_t size = word_at(from, vectors, at + from->word);
        if (size > left)
            size = left;
        if (size)
            copy_bytes(from, copy, word_at(from, vectors, at), size, from->plan->snaplen);
        left -= size;
    }
}

/* How many bytes of a transfer are in memory now. */
static uint64_t transferred(const struct source *from)
{
    if (from->phase == COPY_AT_ENTRY)
        return UINT64_MAX;
    return from->result > 0 ? (uint64_t)from->result : 0;
}

/* What a struct msghdr points to; its members are words, but the length of the name and the flags. */
static void copy_message(const struct source *from, const struct copy *copy, const uint8_t *message,
                         uint64_t left)
{
    size_t word = from->word;
    uint64_t name = word_at(from, message, 0);

    if (name)
        copy_bytes(from, copy, name, number_at(message, word), from->plan->snaplen);
    copy_vector(from, copy, word_at(from, message, 2 * word), word_at(from, message, 3 * word),
                left);
    if (word_at(from, message, 5 * word))
        copy_bytes(from, copy, word_at(from, message, 4 * word), word_at(from, message, 5 * word),
                   STRUCTURES_MAX);
}

static size_t message_size(const struct source *from)
{
    return 7 * (size_t)from->word;
}

static void copy_one_message(const struct source *from, const struct copy *copy, uint64_t address)
{
    uint8_t message[7 * 8];

    if (copy_bytes(from, copy, address, message_size(from), sizeof message) < message_size(from))
        return;
    memcpy(message, scratch, message_size(from));
    copy_message(from, copy, message, transferred(from));
}

static void copy_messages(const struct source *from, const struct copy *copy, uint64_t address)
{
    uint64_t count = (uint32_t)argument(from, copy->length);
    size_t each = message_size(from) + from->word; /* msg_len, padded */

    if (from->phase == COPY_AT_EXIT && transferred(from) < count)
        count = transferred(from);
    for (uint64_t i = 0; i < count && i < MESSAGES_MAX; i++) {
        uint8_t message[8 * 8];
        if (copy_bytes(from, copy, address + i * each, each, sizeof message) < each)
            return;
        memcpy(message, scratch, each);
        copy_message(from, copy, message,
                     from->phase == COPY_AT_EXIT ? number_at(message, message_size(from))
                                                 : UINT64_MAX);
    }
}

/* -- arrays of pointers ------------------------------------------------------------------------- */

/* The array is a piece of its own; returns how many of its pointers were read. */
static size_t copy_array(const struct source *from, const struct copy *copy, uint64_t address,
                         uint64_t count, uint64_t pointers[static POINTERS_MAX])
{
    size_t copied = copy_bytes(from, copy, address, count * from->word, SCRATCH_BYTES);

    for (size_t i = 0; i < copied / from->word; i++)
        pointers[i] = word_at(from, scratch, i * from->word);
    return copied / from->word;
}

/* How many pointers come before the NULL that ends an array, and that, or the first that cannot be read;
 * at most POINTERS_MAX. */
static size_t count_pointers(const struct source *from, uint64_t address)
{
    uint8_t words[32 * 8];
    size_t count = 0;

    while (count < POINTERS_MAX) {
        size_t copied =
            read_some(from, address + count * from->word, words, 32 * (size_t)from->word);
        for (size_t at = 0; at + from->word <= copied; at += from->word)
            if (++count == POINTERS_MAX || !word_at(from, words, at))
                return count;
        if (copied < 32 * (size_t)from->word)
            return count + 1;
    }
    return count;
}

static void copy_strings(const struct source *from, const struct copy *copy, uint64_t address)
{
    uint64_t pointers[POINTERS_MAX];
    size_t count = copy_array(from, copy, address, count_pointers(from, address), pointers);

    for (size_t i = 0; i < count && copy->size; i++)
        if (pointers[i])
            copy_string(from, copy, pointers[i]);
}

static void copy_pointers(const struct source *from, const struct copy *copy, uint64_t address)
{
    uint64_t pointers[POINTERS_MAX], count = argument(from, copy->length);

    count = copy_array(from, copy, address, count < POINTERS_MAX ? count : POINTERS_MAX, pointers);
    for (size_t i = 0; i < count; i++)
        copy_bytes(from, copy, pointers[i], copy->size, STRUCTURES_MAX);
}

/* -- rules -------------------------------------------------------------------------------------- */

static size_t most_of(const struct source *from, const struct copy *copy)
{
    if (copy->most)
        return copy->most;
    return copy->size == 1 ? from->plan->snaplen : STRUCTURES_MAX;
}

/* So many elements; a product that does not fit is larger than any limit. */
static void copy_elements(const struct source *from, const struct copy *copy, uint64_t address,
                          uint64_t count)
{
    uint64_t size;

    if (__builtin_mul_overflow(count, (uint64_t)copy->size, &size))
        size = UINT64_MAX;
    copy_bytes(from, copy, address, size, most_of(from, copy));
}

static void copy_by_length_at(const struct source *from, const struct copy *copy, uint64_t address)
{
    uint32_t length;

    if (read_some(from, argument(from, copy->length), &length, sizeof length) == sizeof length)
        copy_bytes(from, copy, address, length, copy->size);
}

/* select(2) has sets of whole words; its first argument is an int. */
static void copy_bits(const struct source *from, const struct copy *copy, uint64_t address)
{
    int32_t bits = (int32_t)argument(from, copy->length);
    uint64_t bits_of_word = 8 * (uint64_t)from->word;

    if (bits > 0)
        copy_bytes(from, copy, address,
                   ((uint64_t)bits + bits_of_word - 1) / bits_of_word * from->word, STRUCTURES_MAX);
}

/* asm-generic/ioctl.h: size in bits 16 to 29, the direction above it, as the program sees it. */
static void copy_ioctl(const struct source *from, const struct copy *copy, uint64_t address)
{
    enum { PROGRAM_GIVES = 1, KERNEL_GIVES = 2, SIZE_SHIFT = 16, DIRECTION_SHIFT = 30 };
    uint32_t request = (uint32_t)argument(from, copy->length);
    uint32_t size = request >> SIZE_SHIFT & 0x3fff;
    uint32_t wanted = from->phase == COPY_AT_ENTRY ? PROGRAM_GIVES : KERNEL_GIVES;

    if (request >> DIRECTION_SHIFT & wanted && size)
        copy_bytes(from, copy, address, size, copy->size);
}

static void copy_all(const struct source *from, uint64_t number);

/* The call that a socketcall(2) is, by its i386 number, and how many arguments it has (net/socket.c). */
static void copy_socketcall(const struct source *from, const struct copy *copy, uint64_t address)
{
    static const struct {
        uint16_t number;
        uint8_t arguments;
    } CALLS_OF_SOCKETCALL[] = {
        { 0, 0 },   { 359, 3 }, { 361, 3 }, { 362, 3 }, { 363, 2 }, { 364, 3 }, { 367, 3 },
        { 368, 3 }, { 360, 4 }, { 369, 4 }, { 371, 4 }, { 369, 6 }, { 371, 6 }, { 373, 2 },
        { 366, 5 }, { 365, 5 }, { 370, 3 }, { 372, 3 }, { 364, 4 }, { 337, 5 }, { 345, 4 },
    };
    uint64_t which = argument(from, 0), args[CALL_ARGUMENTS] = { 0 };
    struct source inner = *from;

    if (from->offset || which >= sizeof CALLS_OF_SOCKETCALL / sizeof *CALLS_OF_SOCKETCALL)
        return;
    size_t size = (size_t)CALLS_OF_SOCKETCALL[which].arguments * from->word;
    size_t copied = copy_bytes(from, copy, address, size, SOCKETCALL_WORDS * (size_t)from->word);
    for (size_t i = 0; (i + 1) * from->word <= copied; i++)
        args[i] = word_at(from, scratch, i * from->word);
    inner.args = args;
    inner.offset = SOCKETCALL_ARGUMENT;
    copy_all(&inner, CALLS_OF_SOCKETCALL[which].number);
}

static void copy_by_rule(const struct source *from, const struct copy *copy, uint64_t address)
{
    switch (copy->rule) {
    case COPY_FIXED:
        copy_bytes(from, copy, address, copy->size, SCRATCH_BYTES);
        break;
    case COPY_STRING:
        copy_string(from, copy, address);
        break;
    case COPY_LENGTH:
        copy_elements(from, copy, address, argument(from, copy->length));
        break;
    case COPY_RESULT:
        copy_elements(from, copy, address, transferred(from));
        break;
    case COPY_LENGTH_AT:
        copy_by_length_at(from, copy, address);
        break;
    case COPY_STRINGS:
        copy_strings(from, copy, address);
        break;
    case COPY_IOVEC:
        copy_vector(from, copy, address, argument(from, copy->length), transferred(from));
        break;
    case COPY_MSGHDR:
        copy_one_message(from, copy, address);
        break;
    case COPY_MMSGHDR:
        copy_messages(from, copy, address);
        break;
    case COPY_BITS:
        copy_bits(from, copy, address);
        break;
    case COPY_POINTERS:
        copy_pointers(from, copy, address);
        break;
    case COPY_IOCTL:
        copy_ioctl(from, copy, address);
        break;
    case COPY_SOCKETCALL:
        copy_socketcall(from, copy, address);
        break;
    }
}

/* The address that a row says, or 0: there is nothing to copy. */
static uint64_t address_of(const struct source *from, const struct copy *copy)
{
    uint64_t address = argument(from, copy->argument);
    uint8_t pointer[8];

    if (copy->when != NO_ARGUMENT &&
        ((uint32_t)argument(from, copy->when) & copy->mask) != copy->value)
        return 0;
    if (copy->through < 0 || !address)
        return address;
    if (read_some(from, address + (uint64_t)copy->through, pointer, from->word) < from->word)
        return 0;
    return word_at(from, pointer, 0);
}

static void copy_all(const struct source *from, uint64_t number)
{
    const uint32_t *first = from->plan->first[from->abi] + number;

    for (uint32_t at = first[0]; at < first[1]; at++) {
        const struct copy *copy = &from->plan->copies[at];
        uint64_t address = copy->phase == from->phase ? address_of(from, copy) : 0;
        if (address)
            copy_by_rule(from, copy, address);
    }
}

void copy_memory(const struct copy_plan *plan, const struct caller *caller, struct whole_call *call,
                 enum copy_phase phase, int64_t result)
{
    const struct source from = {
        .plan = plan,
        .caller = caller,
        .to = &call->packed,
        .args = call->args,
        .abi = (size_t)(call->abi - ABIS),
        .word = call->abi->word,
        .result = result,
        .phase = phase,
    };

    if (call->number < ABI_NUMBERS)
        copy_all(&from, call->number);
}
