/* A connection whose two ends use io_uring only. */
#include "expect.h"

#include "ring.h"

#include <arpa/inet.h>
#include <sys/socket.h>

static void close_both(int one, int other)
{
    ask(IORING_OP_CLOSE, one, NULL, 0);
    ask(IORING_OP_CLOSE, other, NULL, 0);
    MUST(results() == 0);
}

int main(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    char request[64], answer[64];

    set_up(0);
    MUST(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 1) == 0);
    MUST(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    ask(IORING_OP_CONNECT, client, &address, 0)->off = size;
    ask(IORING_OP_ACCEPT, listener, NULL, 0);
    int server = results();
    expect("'source': 'net.open', 'role': 'client', 'op': 'io_uring_enter', 'fd': %d,"
           " 'net_peer_ip': '127.0.0.1'",
           client);
    expect("'source': 'net.open', 'role': 'server', 'op': 'io_uring_enter', 'fd': %d,"
           " 'net_host_ip': '127.0.0.1'",
           server);
    ask(IORING_OP_SEND, client, "GET /ring HTTP/1.1\r\n\r\n", 22);
    MUST(results() == 22);
    /* The length has a bit of MSG_PEEK: of the two calls only the flags say which one peeks. */
    ask(IORING_OP_RECV, server, request, 22)->msg_flags = MSG_PEEK;
    MUST(results() == 22);
    ask(IORING_OP_RECV, server, request, 22);
    MUST(results() == 22);
    struct iovec text = { "HTTP/1.1 204 No Content\r\n\r\n", 27 };
    struct msghdr message = { .msg_iov = &text, .msg_iovlen = 1 };
    ask(IORING_OP_SENDMSG, server, &message, 1);
    MUST(results() == 27);
    ask(IORING_OP_READ, client, answer, sizeof answer);
    MUST(results() == 27);
    expect("'source': 'http.req', 'http_method': 'GET', 'http_target': '/ring'");
    expect("'source': 'http.resp', 'http_status_code': 204, 'http_target': '/ring'");
    close_both(client, server);
    expect("'source': 'net.close', 'op': 'io_uring_enter', 'net_bytes_sent': 22,"
           " 'net_bytes_recv': 27, 'net_protocol': 'HTTP'");
    expect("'source': 'net.close', 'op': 'io_uring_enter', 'net_bytes_sent': 27,"
           " 'net_bytes_recv': 22, 'net_protocol': 'HTTP'");

    ask(IORING_OP_CONNECT, socket(AF_INET, SOCK_STREAM, 0), &address, 0)->off = size;
    close(listener);
    MUST(results() == -ECONNREFUSED);
    expect("'source': 'net.error', 'op': 'io_uring_enter', 'class': 'connection',"
           " 'error': 'ECONNREFUSED'");
    return 0;
}
