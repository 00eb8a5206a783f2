/* A file is passed to another process through a socket (SCM_RIGHTS); each has its own counts. */
#include "expect.h"
#include <sys/socket.h>

static int with_credentials; /* SO_PASSCRED: another control message comes before, unix(7) */

static void *rights(struct msghdr *message)
{
    struct cmsghdr *header = CMSG_FIRSTHDR(message);

    if (header->cmsg_type != SCM_RIGHTS)
        header = CMSG_NXTHDR(message, header);
    MUST(header && header->cmsg_type == SCM_RIGHTS);
    return CMSG_DATA(header);
}

static void transfer(int socket, int *fd, ssize_t (*call)(int, struct msghdr *, int))
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
    } control = { .header = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
    char byte = 'x';
    struct iovec part = { &byte, 1 };
    struct msghdr message = { .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = control.bytes,
                              .msg_controllen = call == recvmsg ? sizeof control.bytes
                                                                : CMSG_SPACE(sizeof(int)) };
    memcpy(CMSG_DATA(&control.header), fd, sizeof *fd);
    MUST(call(socket, &message, 0) == 1);
    memcpy(fd, rights(&message), sizeof *fd);
}

static ssize_t send_one(int socket, struct msghdr *message, int flags)
{
    return sendmsg(socket, message, flags);
}

int main(int argc, char **argv)
{
    int ends[2], status;
    with_credentials = argc > 1 && strcmp(argv[1], "with-credentials") == 0;
    MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
    MUST(setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &with_credentials, sizeof(int)) == 0);

    pid_t child = fork();
    if (child == 0) {
        int fd = -1, unused = -1;
        transfer(ends[1], &fd, recvmsg);
        transfer(ends[1], &unused, recvmsg);
        _exit(write(fd, "by child", 8) == 8 && close(fd) == 0 ? 0 : 1);
    }
    int fd = expect_open("openat", "passed", open("passed", O_CREAT | O_WRONLY, 0644));
    MUST(write(fd, "abc", 3) == 3);
    transfer(ends[0], &fd, send_one);
    int unused = open("unused", O_CREAT | O_WRONLY, 0644);
    transfer(ends[0], &unused, send_one);
    MUST(waitpid(child, &status, 0) == child && status == 0);
    expect("'source': 'fs.open', 'op': 'recvmsg', 'file': '%s', 'pid': %d", here("passed"), child);
    expect("'source': 'fs.close', 'file': '%s', 'pid': %d, 'file_write_bytes': 8", here("passed"),
           child);
    expect("'source': 'fs.close', 'file': '%s', 'pid': %d, 'file_write_bytes': 3", here("passed"),
           getpid());
    expect("'source': 'fs.open', 'op': 'openat', 'file': '%s'", here("unused"));
    expect("'source': 'fs.open', 'op': 'recvmsg', 'file': '%s', 'pid': %d", here("unused"), child);
    expect("'source': 'fs.close', 'file': '%s', 'pid': %d", here("unused"), child);
    expect("'source': 'fs.close', 'file': '%s', 'pid': %d", here("unused"), getpid());
    close(fd);
    return 0;
}
