/* Writes of more bytes than are copied of one call. */
#include "expect.h"

#define BIG (3 << 20)

int main(void)
{
    char *lines = malloc(BIG);
    for (int i = 0; i < BIG; i++)
        lines[i] = i % 64 == 63 ? '\n' : 'a' + i / 64 % 26;

    int fd = expect_open("openat", "big.log", open("big.log", O_CREAT | O_WRONLY, 0644));
    MUST(write(fd, lines, BIG) == BIG && write(fd, "the end\n", 8) == 8);
    expect_close("close", "big.log", 0, 0, BIG + 8, 2);
    close(fd);
    return 0;
}
