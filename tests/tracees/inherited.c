/* Workers write to a log that they inherited: each has an fs.close with its own bytes. */
#include "expect.h"

int main(void)
{
    int status;
    int fd = expect_open("openat", "shared.log",
                         open("shared.log", O_CREAT | O_WRONLY | O_APPEND, 0644));

    for (int i = 1; i <= 3; i++) {
        pid_t child = fork();
        if (child == 0) {
            for (int j = 0; j < i; j++)
                MUST(write(fd, "worker\n", 7) == 7);
            _exit(0);
        }
        MUST(waitpid(child, &status, 0) == child && status == 0);
        expect("'source': 'fs.close', 'file': '%s', 'pid': %d, 'file_write_bytes': %d, "
               "'file_write_ops': %d",
               here("shared.log"), child, 7 * i, i);
    }
    MUST(write(fd, "main\n", 5) == 5);
    expect("'source': 'fs.close', 'file': '%s', 'pid': %d, 'file_write_bytes': 5",
           here("shared.log"), getpid());
    return 0; /* still open at the end */
}
