/* writev, readv and their variants. */
#include "expect.h"
#include <sys/uio.h>

int main(void)
{
    static struct iovec parts[1024];
    static char text[1024][4];

    int fd = expect_open("openat", "many.log", open("many.log", O_CREAT | O_RDWR, 0644));
    for (int i = 0; i < 1024; i++) {
        parts[i] = (struct iovec){ text[i], 4 };
        snprintf(text[i], 4, "%03d", i % 1000);
        text[i][3] = i % 64 == 63 ? '\n' : ' ';
    }
    MUST(writev(fd, parts, 1024) == 4096);
    MUST(pwritev(fd, parts, 64, 4096) == 256);
    MUST(syscall(SYS_pwritev2, fd, parts, 3, -1L, -1L, 0) == 12);
    MUST(preadv(fd, parts, 1024, 0) == 4096);
    MUST(lseek(fd, 0, SEEK_SET) == 0 && readv(fd, parts, 2) == 8);
    MUST(writev(fd, NULL, 0) == 0 && writev(fd, parts, 5000) < 0 && errno == EINVAL);
    expect_error("read_write", "writev", "many.log");

    /* A part of no length at a bad address is no error. */
    struct iovec odd[] = { { (void *)8, 0 }, { "ok\n", 3 } };
    MUST(writev(fd, odd, 2) == 3);
    expect("'source': 'fs.close', 'op': 'close', 'file': '%s', 'file_write_bytes': %d, "
           "'file_read_bytes': %d, 'file_read_ops': 2",
           here("many.log"), 4096 + 256 + 12 + 3, 4104);
    close(fd);
    return 0;
}
