/*
 * What the files share that are copied into the program: gate_calls.c has the rules, and decides; the others
 * know one kind of calls each.
 */
#ifndef SCOPE_GATE_GATE_CALLS_H
#define SCOPE_GATE_GATE_CALLS_H

#include "gate/in_program.h"
#include "gate/records.h"
#include "record/record.h"

#define IN_ORDER __atomic_signal_fence(__ATOMIC_SEQ_CST) /* the CPU keeps the order of stores */
#define NO_FD (~(uint64_t)0)                             /* of calls that are only counted */

enum { PATH_MOST = 4096 }; /* PATH_MAX */

/* -- the call, and its fd ----------------------------------------------------------------------- */

INLINE_IN_THE_PROGRAM uint64_t now_ticks(void)
{
    return __builtin_ia32_rdtsc();
}

INLINE_IN_THE_PROGRAM uint8_t table_entry_of(const struct gate_slot *slot)
{
    uint64_t at = GATE_BASE + GATE_CODE_BYTES + slot->registers.rax;

    return *(const uint8_t *)(uintptr_t)at;
}

INLINE_IN_THE_PROGRAM enum gate_action action_of(const struct gate_slot *slot)
{
    return table_entry_of(slot) & ~GATE_PATHS;
}

INLINE_IN_THE_PROGRAM enum gate_path path_argument_of(const struct gate_slot *slot)
{
    return table_entry_of(slot) & GATE_PATHS;
}

INLINE_IN_THE_PROGRAM volatile uint64_t *word_of(const struct gate_slot *slot, uint32_t fd)
{
    return (volatile uint64_t *)(uintptr_t)slot->fds + fd;
}

INLINE_IN_THE_PROGRAM int has(const struct gate_slot *slot, uint64_t flags)
{
    return (slot->fd_word & flags) == flags;
}

/* Of what is no socket the same bit belongs to a time. */
INLINE_IN_THE_PROGRAM int has_messages(const struct gate_slot *slot)
{
    return (slot->fd_word & (GATE_FD_MESSAGES | GATE_FD_KNOWN)) == GATE_FD_MESSAGES;
}

/* The name of a file has just been asked for, or it has none. */
INLINE_IN_THE_PROGRAM int is_fresh_word(uint64_t word, uint64_t now)
{
    return word & GATE_FD_KNOWN &&
           (word & GATE_FD_NAMELESS || (word & GATE_FD_FRESH && GATE_FD_AGE(word, now) <= 1));
}

INLINE_IN_THE_PROGRAM int is_fresh(const struct gate_slot *slot)
{
    return is_fresh_word(slot->fd_word, slot->entered);
}

/* The fd of a call as a tally has it. */
INLINE_IN_THE_PROGRAM uint64_t fd_key(const struct gate_slot *slot)
{
    return GATE_FD_GENERATION(slot->fd_word) << GATE_FD_GENERATION_SHIFT |
           (uint32_t)slot->registers.rdi;
}

INLINE_IN_THE_PROGRAM int is_of_socket(enum gate_action action)
{
    return action >= GATE_ACCEPT && action <= GATE_SOCKET_ERROR;
}

INLINE_IN_THE_PROGRAM int is_about_name(enum gate_action action)
{
    return action >= GATE_UNLINK && action <= GATE_EXEC;
}

INLINE_IN_THE_PROGRAM int is_of_message(enum gate_action action)
{
    return action == GATE_RECEIVE_MESSAGE || action == GATE_SEND_MESSAGE;
}

INLINE_IN_THE_PROGRAM int is_across(enum gate_action action)
{
    return action == GATE_COPY || action == GATE_SENDFILE;
}

/* -- gate_records.c ----------------------------------------------------------------------------- */

/* Where a record of at most so many bytes begins; NULL: the ring has no room. */
HIDDEN struct gate_record *begin_record(struct gate_slot *slot, uint64_t most);

/* Fill in a record without payload; the second: of the call, which has returned at `left`. */
HIDDEN void fill_record(const struct gate_slot *slot, struct gate_record *record,
                        enum gate_kind kind);
HIDDEN void fill_returned(const struct gate_slot *slot, struct gate_record *record, uint64_t left);

/* Begin the record of a call on an fd. NULL: an fd was `changed`, or there is no room for `most` bytes. */
HIDDEN struct gate_record *begin_about(struct gate_slot *slot, uint32_t fd, uint64_t changed,
                                       uint64_t left, uint64_t most);

/* Begin the record of a call that has made an fd; the same, with payload that is there. */
HIDDEN struct gate_record *begin_made(struct gate_slot *slot, uint64_t most);
HIDDEN int publish_made(struct gate_slot *slot, struct gate_record *record, uint64_t flags);

/* Begin a part of a record, with what follows in it. */
HIDDEN struct raw_part *next_part(struct gate_record *record, enum raw_part_kind kind);

/* False: it is longer than it can be, or could not be read. */
HIDDEN int end_part(struct gate_record *record, struct raw_part *part, int64_t size, int64_t most);

/* PART_STAT of an open fd, with what fstat(2) says. False: it says nothing. */
HIDDEN int write_stat(struct gate_record *record, uint32_t fd, struct raw_stat **stat_out);

/* The record of the call itself, behind which nothing of it is left to do. */
HIDDEN void publish_call(struct gate_slot *slot, uint64_t bytes);

/* The same of a record whose payload is there. True. */
INLINE_IN_THE_PROGRAM int publish_with_payload(struct gate_slot *slot, struct gate_record *record)
{
    record->size += record->copied;
    publish_call(slot, record->size);
    return 1;
}

/* Have the word of a call's first fd say more, and less, unless another thread has closed it. */
HIDDEN void change_word(struct gate_slot *slot, uint64_t set, uint64_t cleared);

/* Have the tracer look at the slot in its next round. */
HIDDEN void mark_slot(struct gate_slot *slot);

/*
 * Read memory of the program before a call, by process_vm_readv(2): it fails where a load would raise SIGSEGV. False:
 * it could not be read.
 */
HIDDEN int read_program(void *to, uint64_t from, uint64_t size);

/* Count a call that has succeeded. False: there is no place for it. */
HIDDEN int tally_call(struct gate_slot *slot, uint64_t fd, uint64_t bytes, uint64_t ticks);

/* Write the tallies of an fd before it is closed. False: the ring is full. */
HIDDEN int write_tallies(struct gate_slot *slot, uint64_t fd);

/*
 * Of each kind of calls: what gate_before and gate_after do. The former answer whether the tracer is to see
 * the call (enum gate_how), the latter 0 if it has to record it.
 */

/* -- gate_bytes.c */
HIDDEN int before_across(struct gate_slot *slot);
HIDDEN int before_transfer(struct gate_slot *slot, enum gate_action action);
HIDDEN int after_transfer(struct gate_slot *slot, enum gate_action action);
HIDDEN void give_lock(struct gate_slot *slot); /* of the file that it has written to */

/* -- gate_fds.c */
HIDDEN int before_close(struct gate_slot *slot);
HIDDEN int before_copy(struct gate_slot *slot);
HIDDEN int after_copy(struct gate_slot *slot);
HIDDEN int may_map(const struct gate_slot *slot); /* else the tracer sees a mapping */
HIDDEN int before_file(struct gate_slot *slot);
HIDDEN int after_file(struct gate_slot *slot);

/* -- gate_sockets.c */
HIDDEN int before_socket_call(struct gate_slot *slot, enum gate_action action);
HIDDEN int after_socket_call(struct gate_slot *slot, enum gate_action action);
HIDDEN uint32_t hangup_of(uint32_t fd); /* what poll(2) says of a connection's end, or 0 */
HIDDEN int write_hangup_part(struct gate_record *record, uint32_t events);

/* SOCKET, LOCAL and PEER of a socket; those of the call's fd, if no record has them yet. */
enum gate_ends {
    ENDS_UNKNOWN /* the tracer has to ask */,
    ENDS_LOCAL /* it has no peer */,
    ENDS_BOTH
};
enum { ENDS_MOST = 5 * sizeof(struct raw_part) + sizeof(struct raw_socket) + 2 * 128 };
HIDDEN enum gate_ends write_ends(struct gate_record *record, uint32_t fd, uint64_t inode);
HIDDEN int write_first_ends(struct gate_slot *slot, struct gate_record *record);
HIDDEN uint64_t inode_of(uint32_t fd);

/* Whether the tracer is to see a call that sends or receives a message; ADDRESS, to whom or from whom it went. */
HIDDEN int before_message(struct gate_slot *slot, enum gate_action action);
HIDDEN int write_message_address(const struct gate_slot *slot, struct gate_record *record);

/*
 * Whether the gate may make a call that sends or receives by a struct msghdr, whose flags are these at most. What it
 * sends besides bytes the tracer sees; that something came with them the thread sees when the call has returned.
 */
HIDDEN int may_pass_message(struct gate_slot *slot, enum gate_action action, uint64_t flags);
HIDDEN int brings_more(const struct gate_slot *slot);

/* A call has shown that the connection of its fd stands, or does not. */
HIDDEN void note_connected(struct gate_slot *slot);

/* -- gate_paths.c */
HIDDEN int prepare_try(struct gate_slot *slot, enum gate_action action);
HIDDEN int after_open(struct gate_slot *slot);
HIDDEN int before_name(struct gate_slot *slot, enum gate_action action);
/* PART_LINK of an open fd. False: it could not be read, or is too long. */
HIDDEN int write_link(struct gate_record *record, uint32_t fd);

/* Of a call whose paths lead in the next round to what they lead to now: one path, or two. */
HIDDEN int record_path(struct gate_slot *slot);
HIDDEN int record_link(struct gate_slot *slot);

#endif
