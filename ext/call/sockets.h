/*
 * What the kernel says about a socket of a stopped tracee. The socket is borrowed for the moment it
 * takes to ask (pidfd_getfd(2)), so the answers are those that the program itself would get; where
 * that is refused, /proc/TID/net is read instead, which knows less of unix sockets.
 */
#ifndef SCOPE_CALL_SOCKETS_H
#define SCOPE_CALL_SOCKETS_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "record/record.h"

/*
 * A copy of a descriptor of another process that we may trace (pidfd_getfd(2), Linux 5.6); a negative
 * errno if it cannot be had.
 */
int borrow_fd(int pid, int fd);

struct socket_end {
    struct sockaddr_storage address;
    socklen_t size; /* 0: there is none, or it is not known */
};

struct socket_facts {
    struct raw_socket kind;
    struct socket_end local, peer;
};

/* Ask about fd `fd` of thread `tid` of process `tgid`. Returns 0, or a negative errno: it is no
 * socket (-ENOTSOCK), it is gone, or nobody would say. */
int socket_ask(pid_t tgid, pid_t tid, int fd, struct socket_facts *facts_out);

/* What poll(2) says of an open socket's hanging up: POLLRDHUP, POLLHUP, POLLERR; 0 if it is well, or
 * if nobody would say. */
uint32_t socket_hangup(pid_t tgid, int fd);

#endif
