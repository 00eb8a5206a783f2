#include "call/sockets.h"

#include <errno.h>
#include <poll.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "call/proc.h"

int borrow_fd(int pid, int fd)
{
    int process = (int)syscall(SYS_pidfd_open, pid, 0);

    if (process < 0)
        return -errno;
    int copy = (int)syscall(SYS_pidfd_getfd, process, fd, 0);
    int status = copy < 0 ? -errno : copy;
    close(process);
    return status;
}

static int option(int fd, int name)
{
    int value = 0;
    socklen_t size = sizeof value;

    return getsockopt(fd, SOL_SOCKET, name, &value, &size) < 0 ? 0 : value;
}

static void ask_ends(int fd, struct socket_facts *facts)
{
    facts->local.size = facts->peer.size = sizeof(struct sockaddr_storage);
    if (getsockname(fd, (struct sockaddr *)&facts->local.address, &facts->local.size) < 0)
        facts->local.size = 0;
    if (getpeername(fd, (struct sockaddr *)&facts->peer.address, &facts->peer.size) < 0)
        facts->peer.size = 0;
}

/* -- unix sockets: which one is at the other end (unix_diag, sock_diag(7)) ---------------------- */

struct unix_question {
    struct nlmsghdr head;
    struct unix_diag_req body;
};

static uint64_t peer_in_answer(const char *answer, ssize_t size)
{
    const struct nlmsghdr *head = (const struct nlmsghdr *)answer;

    if (size < (ssize_t)NLMSG_LENGTH(sizeof(struct unix_diag_msg)) ||
        (ssize_t)head->nlmsg_len > size || head->nlmsg_type != SOCK_DIAG_BY_FAMILY)
        return 0;
    const char *at = answer + NLMSG_LENGTH(sizeof(struct unix_diag_msg));
    const char *end = answer + head->nlmsg_len;
    while (end - at >= (ssize_t)sizeof(struct nlattr)) {
        const struct nlattr *attribute = (const struct nlattr *)at;
        uint32_t inode;
        if (attribute->nla_len < sizeof *attribute || attribute->nla_len > end - at)
            return 0;
        if (attribute->nla_type == UNIX_DIAG_PEER &&
            attribute->nla_len >= sizeof *attribute + sizeof inode) {
            memcpy(&inode, at + sizeof *attribute, sizeof inode);
            return inode;
        }
        at += NLA_ALIGN(attribute->nla_len);
    }
    return 0;
}

/* The kernel goes through all unix sockets of the machine for that. */
static uint64_t unix_peer(uint64_t inode)
{
    struct unix_question question = {
        .head = { .nlmsg_len = sizeof question,
                  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                  .nlmsg_flags = NLM_F_REQUEST },
        .body = { .sdiag_family = AF_UNIX,
                  .udiag_states = ~0u,
                  .udiag_ino = (uint32_t)inode,
                  .udiag_show = UDIAG_SHOW_PEER,
                  .udiag_cookie = { ~0u, ~0u } },
    };
    _Alignas(struct nlmsghdr) char answer[1024];
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

    if (fd < 0)
        return 0;
    ssize_t size = send(fd, &question, sizeof question, 0);
    if (size == sizeof question)
        size = recv(fd, answer, sizeof answer, MSG_DONTWAIT);
    close(fd);
    return size > 0 ? peer_in_answer(answer, size) : 0;
}

/* -- without borrowing: the tables of /proc/TID/net (proc(5)) ----------------------------------- */

static const struct table {
    const char *name;
    int domain, type, protocol;
} TABLES[] = {
    { "net/tcp", AF_INET, SOCK_STREAM, IPPROTO_TCP },
    { "net/tcp6", AF_INET6, SOCK_STREAM, IPPROTO_TCP },
    { "net/udp", AF_INET, SOCK_DGRAM, IPPROTO_UDP },
    { "net/udp6", AF_INET6, SOCK_DGRAM, IPPROTO_UDP },
    { "net/raw", AF_INET, SOCK_RAW, 0 },
    { "net/raw6", AF_INET6, SOCK_RAW, 0 },
};

/* From the kernel's include/net/tcp_states.h. */
enum { STATE_SYN_SENT = 2, STATE_CLOSE = 7, STATE_LISTEN = 10 };

/* An address as these tables spell it: words in the machine's byte order, in hexadecimal. */
static void parse_end(const char *digits, unsigned port, int domain, struct socket_end *end)
{
    uint32_t words[4] = { 0 };
    int count = domain == AF_INET ? 1 : 4;

    for (int i = 0; i < count; i++)
        if (sscanf(digits + 8 * i, "%8x", &words[i]) != 1)
            return;
    if (domain == AF_INET) {
        struct sockaddr_in *address = (struct sockaddr_in *)&end->address;
        address->sin_family = AF_INET;
        address->sin_port = htons((uint16_t)port);
        memcpy(&address->sin_addr, words, sizeof address->sin_addr);
        end->size = sizeof *address;
        return;
    }
    struct sockaddr_in6 *address = (struct sockaddr_in6 *)&end->address;
    address->sin6_family = AF_INET6;
    address->sin6_port = htons((uint16_t)port);
    memcpy(&address->sin6_addr, words, sizeof address->sin6_addr);
    end->size = sizeof *address;
}

/* Fill in the facts from a line, if it is that of the socket with this inode. */
typedef bool line_parser(const char *line, const void *table, uint64_t inode,
                         struct socket_facts *facts);

static bool parse_line(const char *line, const void *of_table, uint64_t inode,
                       struct socket_facts *facts)
{
    const struct table *table = of_table;
    char local[33], peer[33];
    unsigned local_port, peer_port, state;
    unsigned long long found;

    if (sscanf(line, " %*d: %32[0-9A-F]:%x %32[0-9A-F]:%x %x %*s %*s %*s %*s %*s %llu", local,
               &local_port, peer, &peer_port, &state, &found) != 6 ||
        found != inode)
        return false;
    facts->kind =
        (struct raw_socket){ .domain = table->domain,
                             .type = table->type,
                             .protocol = table->protocol,
                             .listening = table->type == SOCK_STREAM && state == STATE_LISTEN,
                             .inode = inode };
    parse_end(local, local_port, table->domain, &facts->local);
    bool stands = state != STATE_SYN_SENT && state != STATE_CLOSE;
    if (peer_port && (stands || table->type != SOCK_STREAM))
        parse_end(peer, peer_port, table->domain, &facts->peer);
    return true;
}

/* A line of net/unix: Num RefCount Protocol Flags Type St Inode Path. */
static bool parse_unix_line(const char *line, const void *unused, uint64_t inode,
                            struct socket_facts *facts)
{
    struct sockaddr_un *name = (struct sockaddr_un *)&facts->local.address;
    char path[sizeof name->sun_path + 1] = "";
    unsigned flags, type;
    unsigned long long found;

    (void)unused;
    if (sscanf(line, "%*x: %*x %*x %x %x %*x %llu %108s", &flags, &type, &found, path) < 3 ||
        found != inode)
        return false;
    enum { ACCEPTS = 0x10000 }; /* __SO_ACCEPTCON of include/uapi/linux/net.h */
    facts->kind = (struct raw_socket){ .domain = AF_UNIX,
                                       .type = (int)type,
                                       .listening = (flags & ACCEPTS) != 0,
                                       .inode = inode,
                                       .peer_inode = unix_peer(inode) };
    size_t length = strlen(path);
    name->sun_family = AF_UNIX;
    memcpy(name->sun_path, path, length);
    if (path[0] == '@')
        name->sun_path[0] = '\0';
    facts->local.size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    return true;
}

static bool search(pid_t tid, const char *name, line_parser *parse, const void *table,
                   uint64_t inode, struct socket_facts *facts)
{
    char path[PROC_PATH], line[512];
    bool found = false;

    proc_path(path, tid, name);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    while (!found && fgets(line, sizeof line, file))
        found = parse(line, table, inode, facts);
    fclose(file);
    return found;
}

static int look_up(pid_t tid, uint64_t inode, struct socket_facts *facts)
{
    for (size_t i = 0; i < sizeof TABLES / sizeof *TABLES; i++)
        if (search(tid, TABLES[i].name, parse_line, &TABLES[i], inode, facts))
            return 0;
    return search(tid, "net/unix", parse_unix_line, NULL, inode, facts) ? 0 : -ENOENT;
}

static int ask_proc(pid_t tid, int fd, struct socket_facts *facts)
{
    char path[PROC_PATH];
    struct raw_stat found;

    proc_fd_path(path, tid, fd);
    int status = proc_stat(path, &found);
    if (status < 0)
        return status;
    if (!S_ISSOCK(found.mode))
        return -ENOTSOCK;
    return look_up(tid, found.ino, facts);
}

/* ---------------------------------------------------------------------------------------------- */

/* All but which unix socket is at the other end. */
static int ask_socket(int fd, struct socket_facts *facts)
{
    struct stat found;

    if (fstat(fd, &found) < 0 || !S_ISSOCK(found.st_mode))
        return -ENOTSOCK;
    facts->kind = (struct raw_socket){
        .domain = option(fd, SO_DOMAIN),
        .type = option(fd, SO_TYPE),
        .protocol = option(fd, SO_PROTOCOL),
        .listening = option(fd, SO_ACCEPTCONN) != 0,
        .inode = found.st_ino,
    };
    ask_ends(fd, facts);
    return 0;
}

static int ask_but_peer(pid_t tgid, pid_t tid, int fd, struct socket_facts *facts_out)
{
    int copy = borrow_fd(tgid, fd);

    memset(facts_out, 0, sizeof *facts_out);
    if (copy < 0)
        return ask_proc(tid, fd, facts_out);
    int status = ask_socket(copy, facts_out);
    close(copy);
    return status;
}

int socket_ask(pid_t tgid, pid_t tid, int fd, struct socket_facts *facts_out)
{
    int status = ask_but_peer(tgid, tid, fd, facts_out);

    if (status == 0 && facts_out->kind.domain == AF_UNIX && facts_out->peer.size)
        facts_out->kind.peer_inode = unix_peer(facts_out->kind.inode);
    return status;
}

void socket_ask_pair(pid_t tgid, pid_t tid, const int32_t fds[2], struct socket_facts facts_out[2])
{
    struct raw_socket *one = &facts_out[0].kind, *other = &facts_out[1].kind;

    for (int i = 0; i < 2; i++)
        if (ask_but_peer(tgid, tid, fds[i], &facts_out[i]) < 0)
            facts_out[i] = (struct socket_facts){ 0 };
    if (one->domain != AF_UNIX || other->domain != AF_UNIX)
        return;
    one->peer_inode = other->inode;
    other->peer_inode = one->inode;
}

uint32_t socket_hangup(pid_t tgid, int fd)
{
    int copy = borrow_fd(tgid, fd);
    struct pollfd asked = { copy, POLLRDHUP, 0 };

    if (copy < 0)
        return 0;
    int found = poll(&asked, 1, 0);
    close(copy);
    return found > 0 ? (uint32_t)(uint16_t)asked.revents : 0;
}
