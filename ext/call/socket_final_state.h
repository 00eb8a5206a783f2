/*
 * The final state of a socket, read while its fd is still open.
 *
 * A program may close a socket without having asked whether its connection was established, and without
 * having read that the peer has hung up. After the close the kernel cannot be asked any more, and after a
 * shutdown(2) its answer no longer says which side ended the connection. So it is asked before a call
 * that may close or shut down an fd, and before an exec or the end of a process.
 */
#ifndef SCOPE_CALL_SOCKET_FINAL_STATE_H
#define SCOPE_CALL_SOCKET_FINAL_STATE_H

#include "call/context.h"

/* SOCKET, LOCAL, PEER of a socket that was connecting; HANGUP of a stream that has been hung up. */
void add_final_state(const struct context *context, struct parts *parts,
                     const struct caller *caller, const struct fd_entry *entry);

/* RAW_TALLY records with the final states of the sockets at fds `first` to `last`. */
void write_final_states(struct context *context, const struct caller *caller, unsigned first,
                        unsigned last);

/* The same of the fds that a call which is entered may close or shut down. */
void write_final_states_before(struct context *context, const struct caller *caller,
                               const struct pending *call);

/* The same of one socket that is about to be shut down, of which poll(2) has said `events`. */
void write_hangup(struct context *context, const struct caller *caller,
                  const struct fd_entry *entry, uint32_t events);

#endif
