/*
 * What the code in the program writes of a call, and the ring in which it does.
 *
 * A ring belongs to one thread of the program, its only writer; the tracer is its only reader. Counters
 * are bytes ever written and read. A record lies in one piece: where it would pass the end of the ring, a
 * GATE_PAD fills the rest. A record is published by one store of `head` with release order, when all
 * of it is written.
 *
 * The program can write to the ring, too, at any moment and anything. The reader therefore copies what
 * it looks at once, checks its copy, and believes nothing else (rounds.c).
 */
#ifndef SCOPE_GATE_RECORDS_H
#define SCOPE_GATE_RECORDS_H

#include <stdint.h>

enum gate_kind {
    GATE_PAD = 1, /* nothing: its first 8 bytes are written, no more */
    GATE_CALL,    /* a call has returned, or is about to be made */
    /*
     * What was counted of one fd, of which more follows only in another version of the place.
     *   args  calls, bytes, ticks; index and version of the place
     */
    GATE_TALLY,
};

enum { GATE_RECORD_MAX = 1 << 14 }; /* bytes; a ring has room for two */

enum gate_flags {
    GATE_BEFORE_CALL = 1, /* published before the call is made: a close, before its fd is reused */
};

struct gate_record {
    uint32_t size; /* with payload; a multiple of 8 */
    uint16_t row;  /* the number of the call */
    uint8_t kind;  /* enum gate_kind */
    uint8_t flags; /* enum gate_flags */
    uint32_t fd;
    uint32_t generation; /* of the fd: how often its number was given before */
    uint64_t entered;    /* ticks of the clock of the ring's writer */
    uint64_t left;
    int64_t result;
    uint64_t args[6];
    uint32_t to_generation; /* of the fd to which bytes are copied, if there are two */
    uint32_t copied;        /* bytes of the payload: parts as struct raw_part of record.h */
    uint8_t payload[];      /* padded to a multiple of 8 */
};

/* The tick by which a record has its place among those of other threads. */
static inline uint64_t gate_key(const struct gate_record *record)
{
    return record->flags & GATE_BEFORE_CALL ? record->entered : record->left;
}

#endif
