/* Unix sockets that are bound, connected to and sent to by other paths than that of their file. */
#include "expect.h"
#include <sys/socket.h>
#include <sys/un.h>

static socklen_t address_of(struct sockaddr_un *address, const char *path)
{
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    MUST(strlen(path) < sizeof address->sun_path);
    strcpy(address->sun_path, path);
    return sizeof *address;
}

static int bound(int kind, const char *path)
{
    struct sockaddr_un address;
    int fd = socket(AF_UNIX, kind, 0);
    socklen_t size = address_of(&address, path);

    MUST(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0);
    return fd;
}

/* What a server listens at, and a client reaches by another path. */
static void streams(void)
{
    struct sockaddr_un address;
    socklen_t size = address_of(&address, "link");
    int server = bound(SOCK_STREAM, "folder/server");

    MUST(listen(server, 5) == 0 && symlink("folder/server", "link") == 0);
    expect("'source': 'net.listen', 'op': 'listen', 'unix_local_path': '%s', "
           "'unix_local_bind_path': 'folder/server'",
           here("folder/server"));
    int client = bound(SOCK_STREAM, "folder/client");
    MUST(connect(client, (struct sockaddr *)&address, size) == 0);
    expect("'source': 'net.open', 'op': 'connect', 'unix_peer_path': '%s', "
           "'unix_peer_bind_path': 'folder/server', 'unix_local_path': '%s', "
           "'unix_local_bind_path': 'folder/client'",
           here("folder/server"), here("folder/client"));
    int taken = accept(server, NULL, NULL);
    MUST(taken >= 0);
    expect("'source': 'net.open', 'op': 'accept', 'unix_local_path': '%s', 'unix_peer_path': '%s', "
           "'unix_peer_bind_path': 'folder/client'",
           here("folder/server"), here("folder/client"));
    MUST(write(client, "abc", 3) == 3);
    expect("'source': 'net.close', 'unix_peer_path': '%s', 'net_bytes_sent': 3",
           here("folder/server"));
    expect("'source': 'net.close', 'unix_peer_path': '%s', 'net_bytes_sent': 0",
           here("folder/client"));
    close(client);
    close(taken);
    close(server);
}

/* Both are known to the kernel by what they were bound by; an answer belongs to what was sent. */
static void datagrams(void)
{
    struct sockaddr_un address;
    char bytes[8];
    int server = bound(SOCK_DGRAM, "folder/there"), client = bound(SOCK_DGRAM, "folder/here");

    socklen_t size = address_of(&address, "./folder/../folder/there");
    MUST(sendto(client, "12345", 5, 0, (struct sockaddr *)&address, size) == 5);
    size = sizeof address;
    MUST(recvfrom(server, bytes, sizeof bytes, 0, (struct sockaddr *)&address, &size) == 5);
    MUST(sendto(server, "123", 3, 0, (struct sockaddr *)&address, size) == 3);
    size = sizeof address;
    MUST(recvfrom(client, bytes, sizeof bytes, 0, (struct sockaddr *)&address, &size) == 3);
    expect("'source': 'net.close', 'net_transport': 'Unix.UDP', 'unix_peer_path': '%s', "
           "'net_bytes_sent': 5, 'net_bytes_recv': 3",
           here("folder/there"));
    expect("'source': 'net.close', 'net_transport': 'Unix.UDP', 'unix_peer_path': '%s', "
           "'net_bytes_sent': 3, 'net_bytes_recv': 5",
           here("folder/here"));
    close(client);
    close(server);
}

static void failures(void)
{
    struct sockaddr_un address;
    socklen_t size = address_of(&address, "folder/absent");
    int client = socket(AF_UNIX, SOCK_STREAM, 0);

    MUST(connect(client, (struct sockaddr *)&address, size) < 0);
    expect("'source': 'net.error', 'op': 'connect', 'unix_peer_path': '%s'", here("folder/absent"));
    size = address_of(&address, "folder");
    MUST(bind(client, (struct sockaddr *)&address, size) < 0);
    expect("'source': 'net.error', 'op': 'bind', 'unix_local_path': '%s'", here("folder"));
    close(client);
    int sender = socket(AF_UNIX, SOCK_DGRAM, 0);
    size = address_of(&address, "folder/absent");
    MUST(sendto(sender, "x", 1, 0, (struct sockaddr *)&address, size) < 0);
    expect("'source': 'net.error', 'op': 'sendto', 'unix_peer_path': '%s'", here("folder/absent"));
    close(sender);
}

int main(void)
{
    MUST(mkdir("folder", 0755) == 0);
    streams();
    datagrams();
    failures();
    return 0;
}
