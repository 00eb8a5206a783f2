/*
 * Operations that io_uring has got over the years: files cut, asked for and spliced, pipes, and a
 * connection from socket to shutdown. What the kernel does not have is left out.
 */
#include "expect.h"

#include "ring.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <sys/socket.h>

enum {
    STATX = 21,
    SPLICE = 30,
    TEE = 33,
    SHUTDOWN = 34,
    SOCKET = 45,
    SEND_ZC = 47,
    FTRUNCATE = 55
};
enum { BIND = 56, LISTEN, PIPE = 62 };

#define OPENED(...) expect("'source': 'net.open', " __VA_ARGS__)
#define CLOSED(...) expect("'source': 'net.close', 'op': 'close', " __VA_ARGS__)

/* Whether the kernel knows an operation: IORING_REGISTER_PROBE of io_uring_register(2). */
static bool has(int opcode)
{
    struct {
        struct io_uring_probe head;
        struct io_uring_probe_op operations[256];
    } all = { 0 };

    MUST(syscall(SYS_io_uring_register, ring, IORING_REGISTER_PROBE, &all, 256) == 0);
    return opcode <= all.head.last_op && all.operations[opcode].flags & IO_URING_OP_SUPPORTED;
}

static int spliced(int from, int64_t at, int to, unsigned size)
{
    struct io_uring_sqe *entry = ask(SPLICE, to, (void *)(intptr_t)at, size);

    entry->splice_fd_in = from;
    entry->off = (uint64_t)-1;
    return results();
}

static void files(void)
{
    static char bytes[5000];
    struct statx found;
    int from = expect_open("openat", "from", open("from", O_CREAT | O_RDWR, 0644));
    int to = expect_open("openat", "to", open("to", O_CREAT | O_RDWR, 0644)), pipes[2];

    MUST(write(from, bytes, sizeof bytes) == sizeof bytes && pipe(pipes) == 0);
    if (has(PIPE)) {
        ask(PIPE, 0, pipes, 0);
        MUST(results() == 0);
    }
    MUST(spliced(from, 0, pipes[1], 3000) == 3000 && spliced(pipes[0], -1, to, 3000) == 3000);
    ask(STATX, AT_FDCWD, "from", STATX_SIZE)->off = (uintptr_t)&found;
    MUST(results() == 0 && found.stx_size == sizeof bytes);
    ask(STATX, AT_FDCWD, "absent", STATX_SIZE)->off = (uintptr_t)&found;
    MUST(results() == -ENOENT);
    errno = ENOENT;
    expect_error("stat", "io_uring_enter", "absent");
    if (has(FTRUNCATE)) {
        ask(FTRUNCATE, to, NULL, 0)->off = 17;
        MUST(results() == 0);
        expect("'source': 'fs.attr', 'op': 'io_uring_enter', 'file': '%s', 'file_size': 17",
               here("to"));
    }
    expect_close("close", "to", 0, 0, 3000, 1);
    close(to);
    expect_close("close", "from", 3000, 1, sizeof bytes, 1);
    close(from);
}

static int made_socket(int type)
{
    if (!has(SOCKET))
        return socket(AF_INET, type, 0);
    ask(SOCKET, AF_INET, NULL, 0)->off = (uint64_t)type;
    return results();
}

static void make_listen(int fd, struct sockaddr_in *address)
{
    socklen_t size = sizeof *address;

    if (!has(LISTEN)) {
        MUST(bind(fd, (struct sockaddr *)address, size) == 0 && listen(fd, 1) == 0);
    } else {
        ask(BIND, fd, address, 0)->off = size;
        MUST(results() == 0);
        ask(LISTEN, fd, NULL, 1);
        MUST(results() == 0);
    }
    MUST(getsockname(fd, (struct sockaddr *)address, &size) == 0);
    expect("'source': 'net.listen', 'op': '%s', 'fd': %d, 'net_host_ip': '127.0.0.1'",
           has(LISTEN) ? "io_uring_enter" : "listen", fd);
}

static void connection(struct sockaddr_in address)
{
    int listener = made_socket(SOCK_STREAM), client = made_socket(SOCK_STREAM);
    char byte;

    make_listen(listener, &address);
    MUST(connect(client, (struct sockaddr *)&address, sizeof address) == 0);
    int server = accept(listener, NULL, NULL);
    OPENED("'role': 'client', 'op': 'connect', 'fd': %d, 'net_peer_ip': '127.0.0.1'", client);
    OPENED("'role': 'server', 'op': 'accept', 'fd': %d, 'net_host_ip': '127.0.0.1'", server);
    ask(SHUTDOWN, client, NULL, SHUT_WR);
    MUST(results() == 0);
    MUST(read(server, &byte, 1) == 0);
    CLOSED("'net_transport': 'IP.TCP', 'net_close_reason': 'remote'");
    close(server);
    CLOSED("'net_transport': 'IP.TCP', 'net_close_reason': 'local'");
    close(client);
}

/* A datagram whose address is in the operation. */
static void datagram(struct sockaddr_in address)
{
    socklen_t size = sizeof address;
    int to = made_socket(SOCK_DGRAM), from = made_socket(SOCK_DGRAM);
    char text[8];

    MUST(bind(to, (struct sockaddr *)&address, size) == 0);
    MUST(getsockname(to, (struct sockaddr *)&address, &size) == 0);
    expect("'source': 'net.listen', 'op': 'bind', 'fd': %d, 'net_host_ip': '127.0.0.1'", to);
    struct io_uring_sqe *entry = ask(IORING_OP_SEND, from, "datagram", 8);
    entry->addr2 = (uintptr_t)&address;
    entry->addr_len = sizeof address;
    MUST(results() == 8);
    MUST(recv(to, text, sizeof text, 0) == 8);
    OPENED("'role': 'client', 'op': 'io_uring_enter', 'fd': %d, 'net_peer_ip': '127.0.0.1'", from);
    OPENED("'role': 'server', 'op': 'recvfrom', 'fd': %d, 'net_host_ip': '127.0.0.1'", to);
    CLOSED("'net_peer_ip': '127.0.0.1', 'net_bytes_sent': 8, 'net_bytes_recv': 0");
    close(from);
    CLOSED("'net_host_ip': '127.0.0.1', 'net_bytes_sent': 0, 'net_bytes_recv': 8");
    close(to);
}

int main(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    set_up(0);
    files();
    connection(address);
    if (has(SEND_ZC)) /* since then a send may have an address */
        datagram(address);
    return 0;
}
