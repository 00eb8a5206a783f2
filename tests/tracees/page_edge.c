/* Strings and buffers that end exactly where memory ends, and ones that run over the edge. */
#include "expect.h"

static char *edge;

/* Place bytes so that the last one is the last of the page. */
static char *at_edge(const void *bytes, size_t size)
{
    return memcpy(edge - size, bytes, size);
}

int main(void)
{
    char *pages = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    MUST(pages != MAP_FAILED && munmap(pages + 2 * 4096, 4096) == 0);
    edge = pages + 2 * 4096;

    int fd =
        expect_open("openat", "edge.log", open(at_edge("edge.log", 9), O_CREAT | O_WRONLY, 0644));
    expect_open("openat", "absent", open(at_edge("absent", 7), O_RDONLY));

    MUST(write(fd, at_edge("to the edge\n", 12), 12) == 12);
    expect("'sourcetype': 'file', 'source': '%s', 'message': 'to the edge\\n'", here("edge.log"));

    /* The kernel writes what it can reach. */
    memset(edge - 6, '\n', 6);
    ssize_t size = write(fd, at_edge("cut\n", 4), 100);
    print_line("over the edge: %zd", size);
    if (size > 0)
        expect("'sourcetype': 'file', 'source': '%s', 'message': 'cut\\n'", here("edge.log"));
    expect_close("close", "edge.log", 0, 0, 12 + (size > 0 ? size : 0), size > 0 ? 2 : 1);
    close(fd);

    /* A name without a NUL before the end of the memory: EFAULT. */
    memset(edge - 5000, 'x', 5000);
    MUST(open(edge - 100, O_RDONLY) < 0 && errno == EFAULT);
    MUST(open((char *)8, O_RDONLY) < 0 && errno == EFAULT);
    print_line("names without end: EFAULT");
    return 0;
}
