/* pread, pwrite and their variants, and lseek. */
#include "expect.h"

int main(void)
{
    char text[64];
    int fd = expect_open("openat", "data", open("data", O_CREAT | O_RDWR, 0644));

    MUST(pwrite(fd, "0123456789", 10, 90) == 10);
    MUST(pread(fd, text, sizeof text, 95) == 5);
    MUST(pread(fd, text, sizeof text, 1000) == 0);
    MUST(lseek(fd, -4, SEEK_END) == 96 && read(fd, text, sizeof text) == 4);
    MUST(write(fd, "abc", 3) == 3);
    expect_close("close", "data", 9, 3, 13, 2);
    close(fd);

    fd = expect_open("openat", "data", open("data", O_WRONLY));
    MUST(read(fd, text, 1) < 0);
    expect("'source': 'fs.error', 'class': 'read_write', 'op': 'read', 'file': '%s', "
           "'error': 'EBADF'",
           here("data"));
    expect_close("close", "data", 0, 0, 0, 0);
    close(fd);
    return 0;
}
