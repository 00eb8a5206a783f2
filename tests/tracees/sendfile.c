/* Bytes that the kernel copies from file to file: sendfile, splice, copy_file_range. */
#include "expect.h"
#include <sys/sendfile.h>

static int make(const char *name)
{
    int fd = expect_open("openat", name, open(name, O_CREAT | O_RDWR, 0644));
    MUST(fd >= 0);
    return fd;
}

int main(void)
{
    static char bytes[10000];
    int from = make("from"), to = make("to"), pipes[2];
    loff_t at = 0;

    MUST(write(from, bytes, sizeof bytes) == sizeof bytes && pipe(pipes) == 0);
    MUST(sendfile(to, from, &at, 4000) == 4000);
    at = 0;
    MUST(copy_file_range(from, &at, to, NULL, 3000, 0) == 3000);
    at = 0;
    MUST(splice(from, &at, pipes[1], NULL, 2000, 0) == 2000);
    MUST(splice(pipes[0], NULL, to, NULL, 2000, 0) == 2000);

    expect_close("close", "to", 0, 0, 9000, 3);
    close(to);
    expect_close("close", "from", 9000, 3, 10000, 1);
    close(from);
    return 0;
}
