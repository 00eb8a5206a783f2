/*
 * What the kernel says about a socket of a stopped tracee. The socket is copied with
 * pidfd_getfd(2) for the time of the questions, so the answers are those that the program would get.
 * Where that is refused, /proc/TID/net is read instead, which says less of unix sockets.
 */
#ifndef SCOPE_CALL_SOCKETS_H
#define SCOPE_CALL_SOCKETS_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "record/record.h"

/*
 * A copy of a descriptor of another process that we may trace (pidfd_getfd(2), Linux 5.6); a negative
 * errno if the kernel refuses it or is too old.
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
 * socket (-ENOTSOCK), it is not open, or neither pidfd_getfd nor /proc may be asked. */
int socket_ask(pid_t tgid, pid_t tid, int fd, struct socket_facts *facts_out);

/* The same of both ends of a pair; an inode of 0: nothing is known of that one. */
void socket_ask_pair(pid_t tgid, pid_t tid, const int32_t fds[2], struct socket_facts facts_out[2]);

/* Those of POLLRDHUP, POLLHUP and POLLERR that poll(2) reports of an open socket; 0 if it has not been
 * hung up, or cannot be asked. */
uint32_t socket_hangup(pid_t tgid, int fd);

#endif
