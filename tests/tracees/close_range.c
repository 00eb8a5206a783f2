/* close_range(2) of one fd, of several, and of none that is open; each close has its counts. */
#include "expect.h"

static int made(const char *name, int bytes)
{
    int fd = expect_open("openat", name, open(name, O_CREAT | O_WRONLY, 0644));

    MUST(fd >= 0 && write(fd, "12345678", bytes) == bytes);
    return fd;
}

static void close_all(unsigned first, unsigned last)
{
    MUST(syscall(SYS_close_range, first, last, 0) == 0);
}

int main(void)
{
    int one = made("one", 1);
    close_all(one, one);
    expect_close("close_range", "one", 0, 0, 1, 1);

    int first = made("first", 2), last = made("last", 3);
    MUST(last == first + 1);
    close_all(last + 1, ~0u);
    close_all(first, last);
    expect_close("close_range", "first", 0, 0, 2, 1);
    expect_close("close_range", "last", 0, 0, 3, 1);
    return 0;
}
