/*
 * Rules that a ring must keep, or it is broken: its head is not further than its size ahead of what was
 * read; a record lies in one piece before that head and before the end of the ring, has a known kind
 * and row, and a payload of sound parts; its key is not below that of the record before, nor above
 * the time of now.
 */
#include "gate/rounds.h"

#include <string.h>

#include "record/record.h"

enum { ADDRESS_MOST = 128 }; /* struct sockaddr_storage */
enum { HEAD_BYTES = 8 };     /* size, row, kind and flags: all that a GATE_PAD has */

static bool refuse(struct gate_reader *reader, const char *rule)
{
    reader->broken = rule;
    return false;
}

/* Where a record lies, and how many bytes are there in one piece. */
static const uint8_t *piece(const struct gate_reader *reader, uint64_t *bytes_out)
{
    uint64_t offset = reader->read & (reader->size - 1);
    uint64_t published = reader->end - reader->read;

    *bytes_out = published < reader->size - offset ? published : reader->size - offset;
    return reader->ring + offset;
}

static void advance(struct gate_reader *reader, uint32_t size)
{
    reader->read += size;
    if (reader->tail)
        atomic_store_explicit(reader->tail, reader->read, memory_order_release);
}

/* Copy and check the first bytes of the next record that is no padding. False: there is none. */
static bool read_head(struct gate_reader *reader)
{
    struct gate_record *next = &reader->next;

    while (reader->read != reader->end) {
        uint64_t bytes;
        const uint8_t *at = piece(reader, &bytes);
        if (bytes < HEAD_BYTES)
            return refuse(reader, "a record ends beyond the head");
        memcpy(next, at, HEAD_BYTES);
        if (next->size < HEAD_BYTES || next->size % 8 || next->size > bytes)
            return refuse(reader, "the size of a record");
        if (next->kind != GATE_PAD)
            return true;
        advance(reader, next->size);
    }
    return false;
}

static bool read_rest(const struct gate_round *round, struct gate_reader *reader)
{
    struct gate_record *next = &reader->next;
    uint64_t bytes;
    const uint8_t *at = piece(reader, &bytes);

    if (next->size < sizeof *next || next->size > GATE_RECORD_MAX)
        return refuse(reader, "the size of a record");
    memcpy((uint8_t *)next + HEAD_BYTES, at + HEAD_BYTES, sizeof *next - HEAD_BYTES);
    if (next->copied > next->size - sizeof *next)
        return refuse(reader, "the size of a payload");
    if ((next->kind != GATE_CALL && next->kind != GATE_TALLY) || next->row >= round->rows)
        return refuse(reader, "the kind of a record");
    if (gate_key(next) < reader->last_key || gate_key(next) > round->now())
        return refuse(reader, "the time of a record");
    return true;
}

/* Whether the reader has a record whose turn may come in this round. */
static bool peek(const struct gate_round *round, struct gate_reader *reader, uint64_t until)
{
    return read_head(reader) && read_rest(round, reader) && gate_key(&reader->next) <= until;
}

struct gate_reader gate_look_from(const struct gate_reader *reader, uint64_t position)
{
    struct gate_reader at = *reader;

    at.tail = NULL;
    at.read = position;
    at.end = atomic_load_explicit(reader->head, memory_order_acquire);
    if (reader->broken || at.end - reader->read > reader->size || at.end - position > reader->size)
        at.end = position;
    return at;
}

bool gate_look(struct gate_reader *at, struct gate_record *record_out)
{
    uint64_t bytes;

    if (!read_head(at))
        return false;
    if (at->next.size < sizeof *record_out)
        return refuse(at, "the size of a record");
    memcpy(record_out, piece(at, &bytes), sizeof *record_out);
    record_out->size = at->next.size; /* the program may have written to it since */
    advance(at, at->next.size);
    return true;
}

/* -- the heap -------------------------------------------------------------------------------- */

static bool is_before(const struct gate_reader *a, const struct gate_reader *b)
{
    return gate_key(&a->next) < gate_key(&b->next);
}

static void sift_down(struct gate_reader **heap, size_t count, size_t at)
{
    for (;;) {
        size_t least = at, left = 2 * at + 1;
        for (size_t child = left; child < count && child <= left + 1; child++)
            if (is_before(heap[child], heap[least]))
                least = child;
        if (least == at)
            return;
        struct gate_reader *moved = heap[at];
        heap[at] = heap[least];
        heap[least] = moved;
        at = least;
    }
}

static size_t fill_heap(struct gate_round *round, uint64_t until)
{
    size_t count = 0;

    for (size_t i = 0; i < round->count; i++) {
        struct gate_reader *reader = round->readers[i];
        if (reader->broken)
            continue;
        reader->end = atomic_load_explicit(reader->head, memory_order_acquire);
        if (reader->end - reader->read > reader->size)
            refuse(reader, "the head of the ring");
        else if (peek(round, reader, until))
            round->heap[count++] = reader;
    }
    for (size_t i = count / 2; i--;)
        sift_down(round->heap, count, i);
    return count;
}

/* -- records --------------------------------------------------------------------------------- */

/* The parts that the code in the program makes. Of others the size is not known to be right. */
static bool is_sound_part(const struct raw_part *part)
{
    switch (part->kind) {
    case PART_PATH:
    case PART_PATH2:
    case PART_DATA:
    case PART_LINK:
        return part->flags <= (PART_CUT | PART_UNREADABLE);
    case PART_LOCAL:
    case PART_PEER:
    case PART_ADDRESS:
        return !part->flags && part->size <= ADDRESS_MOST;
    case PART_SOCKET:
        return !part->flags && part->size == sizeof(struct raw_socket);
    case PART_HANGUP:
    case PART_VALUE:
        return !part->flags && part->size == sizeof(uint32_t);
    case PART_PAIR:
        return !part->flags && part->size == 2 * sizeof(int32_t);
    case PART_STAT:
        return !part->flags && part->size == sizeof(struct raw_stat);
    default:
        return false;
    }
}

static bool are_sound_parts(const uint8_t *payload, size_t size)
{
    while (size) {
        struct raw_part part;
        if (size < sizeof part)
            return false;
        memcpy(&part, payload, sizeof part);
        size_t whole = sizeof part + ((size_t)part.size + 7) / 8 * 8;
        if (whole > size || !is_sound_part(&part))
            return false;
        payload += whole;
        size -= whole;
    }
    return true;
}

/* Take the record that `peek` found. False: its payload breaks a rule. */
static bool take(struct gate_round *round, struct gate_reader *reader)
{
    struct gate_record *next = &reader->next;
    uint64_t bytes;
    const uint8_t *at = piece(reader, &bytes);

    memcpy(round->payload, at + sizeof *next, next->copied);
    if (!are_sound_parts(round->payload, next->copied))
        return refuse(reader, "a part of a payload");
    reader->last_key = gate_key(next);
    round->apply(round->context, reader, next, round->payload);
    advance(reader, next->size);
    return true;
}

size_t gate_round(struct gate_round *round)
{
    uint64_t until = round->now();
    size_t taken = 0;

    atomic_thread_fence(memory_order_seq_cst); /* no head is read before the clock */
    if (round->fill)
        round->fill(round);
    size_t count = fill_heap(round, until);
    while (count) {
        struct gate_reader *first = round->heap[0];
        bool sound = take(round, first);
        taken += sound;
        if (!sound || !peek(round, first, until))
            round->heap[0] = round->heap[--count];
        sift_down(round->heap, count, 0);
    }
    return taken;
}
