/* Calls that any program makes; also compiled for 32 bits, with musl, and statically. */
#include "expect.h"

int main(int argc, char **argv)
{
    char text[64];

    (void)argc, (void)argv;
    FILE *file = fopen("notes.txt", "w");
    MUST(file && fputs("three\nshort\nlines\n", file) >= 0 && fclose(file) == 0);
    expect("'source': 'fs.open', 'file': '%s'", here("notes.txt"));
    expect("'source': 'fs.close', 'file': '%s', 'file_write_bytes': 18", here("notes.txt"));

    int fd = open("notes.txt", O_RDONLY);
    MUST(fd >= 0 && read(fd, text, sizeof text) == 18 && close(fd) == 0);
    expect("'source': 'fs.open', 'file': '%s', 'fd': %d", here("notes.txt"), fd);
    expect("'source': 'fs.close', 'file': '%s', 'file_read_bytes': 18", here("notes.txt"));

    MUST(open("absent", O_RDONLY) < 0);
    expect("'source': 'fs.error', 'file': '%s', 'error': 'ENOENT'", here("absent"));

    pid_t child = fork();
    if (child == 0)
        _exit(unlink("notes.txt") == 0 ? 0 : 1);
    int status;
    MUST(waitpid(child, &status, 0) == child && status == 0);
    expect("'source': 'fs.delete', 'file': '%s', 'pid': %d", here("notes.txt"), child);
    return 6;
}
