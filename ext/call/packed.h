/*
 * A call that is recorded whole, packed: what PART_CALL holds, and the column `data` of the table
 * `syscall`. scopetrace/syscalls/packed.py reads it.
 *
 *     one byte       how many arguments follow
 *     numbers        the arguments
 *     pieces         until the end: memory of the program, in the order in which it was copied
 *
 * A number is a signed 64-bit number, zigzag (0, -1, 1, -2…), 7 bits in a byte, the low ones first; the
 * high bit says that another byte follows. A piece is a byte (enum piece_bits), then
 *
 *     number         the address, if PIECE_FAR; else it is that of the argument
 *     number         how many bytes it has
 *     bytes          all of them or, if PIECE_SPARSE, runs: a byte with the length of a run of bytes (high
 *                    half) and of the zeros behind it (low half), then the bytes of the run
 *
 * Structures are mostly zeros: as runs they take half the room.
 */
#ifndef SCOPE_CALL_PACKED_H
#define SCOPE_CALL_PACKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum piece_bits {
    PIECE_ARGUMENT = 0x0f, /* which argument led to it, from 0; + 8 of a call in socketcall(2) */
    PIECE_EXIT = 0x10,     /* copied when the call had returned */
    PIECE_FAULT = 0x20,    /* more was wanted, and could not be read */
    PIECE_FAR = 0x40,
    PIECE_SPARSE = 0x80,
};

/*
 * In place of an argument: the piece is one byte, whether the file of an open with O_CREAT was there; with
 * PIECE_EXIT, that a filter of the program refused the call (SECCOMP_RET_TRAP or a KILL), whose result is no
 * result then, but its number.
 */
enum { PIECE_WAS_THERE = PIECE_ARGUMENT };

/* The most that is kept of one call; pieces beyond are left out. */
enum { PACKED_MAX = 1 << 16 };

/* It grows as needed; all zero: empty. The head of its part (raw_part) comes first. */
struct packed {
    uint8_t *bytes;
    size_t used, room;
};

/* Empty it, keeping a little memory. Returns false without memory. */
bool packed_reset(struct packed *packed);
void packed_deinit(struct packed *packed);

void packed_arguments(struct packed *packed, const uint64_t *args, uint8_t count);

/* `address`: NULL if it is that of the argument. Returns false if there is no room. */
bool packed_piece(struct packed *packed, unsigned bits, const uint64_t *address, const void *bytes,
                  size_t size);

#endif
