/*
 * Files and rings that are named by an index, and connections that are accepted and read by one operation each, into
 * buffers that the kernel chooses.
 */
#include "expect.h"

#include "ring.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { FILES = 4, GROUP = 5, ROOM = 64, BUFFERS = 4, FIRST_ID = 7 };

struct result {
    int res;
    unsigned flags;
};

static int by_index; /* whether the ring is entered by its index */

/* Submit what was asked for, wait for `wanted` results and return the last one's. */
static struct result wait_for(unsigned wanted)
{
    struct result last = { 0 };
    unsigned flags = IORING_ENTER_GETEVENTS | (by_index ? 1 << 4 : 0);

    MUST(syscall(SYS_io_uring_enter, by_index ? 0 : ring, asked, wanted, flags, NULL, 0L) == asked);
    for (asked = 0; wanted; wanted--) {
        unsigned head = *place(made.cq_off.head);
        struct io_uring_cqe *found = (struct io_uring_cqe *)(rings + made.cq_off.cqes);
        MUST(head != *place(made.cq_off.tail));
        found += head & (made.cq_entries - 1);
        last = (struct result){ found->res, found->flags };
        *place(made.cq_off.head) = head + 1;
    }
    return last;
}

static long reg(unsigned operation, const void *argument, unsigned count)
{
    return syscall(SYS_io_uring_register, ring, operation, argument, count);
}

static int opened(const char *name)
{
    return expect_open("openat", name, openat(AT_FDCWD, name, O_CREAT | O_WRONLY, 0644));
}

static void write_to(int index, const char *text)
{
    ask(IORING_OP_WRITE, index, text, strlen(text))->flags = IOSQE_FIXED_FILE;
    MUST(wait_for(1).res == (int)strlen(text));
}

static void files(void)
{
    int one = opened("one.log"), two = opened("two.log"), three = opened("three.log");
    int fds[FILES] = { -1, two, -1, one };
    struct io_uring_rsrc_update update = { .offset = 1, .data = (uintptr_t)&three };

    MUST(reg(IORING_REGISTER_FILES, fds, FILES) == 0);
    write_to(3, "a line\n");
    write_to(1, "another one\n");
    MUST(reg(IORING_REGISTER_FILES_UPDATE, &update, 1) == 1);
    write_to(1, "the third\n");
    ask(IORING_OP_FILES_UPDATE, -1, &two, 1);
    MUST(wait_for(1).res == 1);
    write_to(0, "again\n");
    MUST(reg(IORING_UNREGISTER_FILES, NULL, 0) == 0);
    close(one);
    expect_close("close", "one.log", 0, 0, 7, 1);
    close(two);
    expect_close("close", "two.log", 0, 0, 18, 2);
    close(three);
    expect_close("close", "three.log", 0, 0, 10, 1);
}

/* From now on the ring is entered by an index. */
static void name_ring(void)
{
    struct io_uring_rsrc_update name = { .offset = -1U, .data = ring };

    MUST(reg(IORING_REGISTER_RING_FDS, &name, 1) == 1 && name.offset == 0);
    by_index = 1;
}

static int client_of(const struct sockaddr_in *address)
{
    int client = socket(AF_INET, SOCK_STREAM, 0);

    MUST(connect(client, (const struct sockaddr *)address, sizeof *address) == 0);
    expect("'source': 'net.open', 'role': 'client', 'op': 'connect', 'fd': %d", client);
    return client;
}

static int accepted(void)
{
    int server = wait_for(1).res;

    MUST(server >= 0);
    expect("'source': 'net.open', 'role': 'server', 'op': 'io_uring_enter', 'fd': %d,"
           " 'net_host_ip': '127.0.0.1'",
           server);
    return server;
}

static void receive(int client, const char *request, int id)
{
    int length = (int)strlen(request);

    MUST(write(client, request, length) == length);
    struct result result = wait_for(1);
    MUST(result.res == length && result.flags & IORING_CQE_F_BUFFER);
    MUST((int)(result.flags >> IORING_CQE_BUFFER_SHIFT) == id);
}

/* One operation after the other, with buffers that were given by an operation. */
static void provided(int client, int server)
{
    static char buffers[BUFFERS][ROOM];
    struct io_uring_sqe *give = ask(IORING_OP_PROVIDE_BUFFERS, BUFFERS, buffers, ROOM);

    give->off = FIRST_ID;
    give->buf_group = GROUP;
    MUST(wait_for(1).res >= 0);
    for (int i = 0; i < 2; i++) {
        struct io_uring_sqe *entry = ask(IORING_OP_RECV, server, NULL, ROOM);
        entry->flags = IOSQE_BUFFER_SELECT;
        entry->buf_group = GROUP;
        receive(client, i ? "GET /second HTTP/1.1\r\n\r\n" : "GET /first HTTP/1.1\r\n\r\n",
                FIRST_ID + i);
    }
    expect("'source': 'http.req', 'http_target': '/first'");
    expect("'source': 'http.req', 'http_target': '/second'");
}

/* One operation for all, with buffers of a ring, in an order of their ids that is not that of the ring. */
static void ringed(int client, int server)
{
    static struct io_uring_buf_ring *shared;
    static char buffers[BUFFERS][ROOM];
    struct io_uring_buf_reg said = { .ring_entries = BUFFERS, .bgid = GROUP + 1 };

    shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_PRIVATE, -1, 0);
    said.ring_addr = (uintptr_t)shared;
    for (int i = 0; i < BUFFERS; i++) {
        shared->bufs[i].addr = (uintptr_t)buffers[i];
        shared->bufs[i].len = ROOM;
        shared->bufs[i].bid = 20 - i;
    }
    shared->tail = BUFFERS;
    MUST(reg(IORING_REGISTER_PBUF_RING, &said, 1) == 0);
    struct io_uring_sqe *entry = ask(IORING_OP_RECV, server, NULL, 0);
    entry->ioprio = IORING_RECV_MULTISHOT;
    entry->flags = IOSQE_BUFFER_SELECT;
    entry->buf_group = GROUP + 1;
    wait_for(0);
    receive(client, "GET /third HTTP/1.1\r\n\r\n", 20);
    receive(client, "GET /fourth HTTP/1.1\r\n\r\n", 19);
    expect("'source': 'http.req', 'http_target': '/third'");
    expect("'source': 'http.req', 'http_target': '/fourth'");
}

static void connections(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    MUST(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 2) == 0);
    MUST(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    ask(IORING_OP_ACCEPT, listener, NULL, 0)->ioprio = IORING_ACCEPT_MULTISHOT;
    wait_for(0);
    int one = client_of(&address), its = accepted();
    int two = client_of(&address), others = accepted();
    provided(one, its);
    ringed(two, others);
    close(one);
    close(two);
}

int main(void)
{
    set_up(0);
    files();
    name_ring();
    connections();
    return 0;
}
