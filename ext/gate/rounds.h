/*
 * A round: take what the threads of all programs have published, in the order in which it happened.
 *
 * What one thread can know of another's call it knows after that call's record was published: of a
 * close before the number is free, of all else after the return. What the thread does then has a
 * higher key. So a round is right if it takes a record only with all records of a lower key:
 *
 *  1. `until` is read from the clock, then which rings have something, then the head of each.
 *  2. Records with a key up to `until` are taken, the lowest of all rings first.
 *  3. A record that step 1 missed, as its head was read too early, was published after `until`. Then
 *     whatever followed from it has a key above `until`, and waits for the next round as well.
 *
 * A ring that breaks a rule is not read any more: `broken` says which rule.
 */
#ifndef SCOPE_GATE_ROUNDS_H
#define SCOPE_GATE_ROUNDS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "gate/records.h"

struct gate_reader {
    const uint8_t *ring;    /* shared with the program */
    uint64_t size;          /* of the ring, a power of two, at least 2 * GATE_RECORD_MAX */
    _Atomic uint64_t *head; /* shared */
    _Atomic uint64_t *tail; /* shared: the writer looks at it; NULL: gate_look_from */
    uint64_t read;          /* bytes ever read */
    uint64_t last_key;
    const char *broken; /* NULL: no rule is broken */

    /* Of the round under way: */
    uint64_t end;            /* head, as read in step 1 */
    struct gate_record next; /* the record at `read`, checked; without payload */
};

struct gate_round {
    struct gate_reader **readers;
    size_t count;
    size_t rows; /* numbers of calls: a higher one is a lie */
    uint64_t (*now)(void);
    void (*fill)(struct gate_round *round); /* sets `readers` in step 1; NULL: they are there */

    /* Called for each record, in order. `payload`: record->copied bytes, a sound sequence of parts. */
    void (*apply)(void *context, struct gate_reader *reader, const struct gate_record *record,
                  const uint8_t *payload);
    void *context;

    struct gate_reader **heap; /* room for `count`: readers with a record, the lowest key first */
    uint8_t *payload;          /* room for GATE_RECORD_MAX */
};

/* Look at records that are published and not taken: from what was read of the ring, or a record behind it, on. */
struct gate_reader gate_look_from(const struct gate_reader *reader, uint64_t position);
/* The next one, without its payload. False: there is none, or it breaks a rule. */
bool gate_look(struct gate_reader *at, struct gate_record *record_out);

/* Make one round. Returns how many records were taken. */
size_t gate_round(struct gate_round *round);

#endif
