/* Writes to the console through its fds and copies of them, and to other files at fds 1 and 2. */
#include "expect.h"

int main(void)
{
    MUST(write(1, "one\n", 4) == 4);
    int copy = dup(1);
    MUST(write(copy, "two\n", 4) == 4);
    MUST(write(2, "to stderr\n", 10) == 10);

    int file = open("not-the-console", O_CREAT | O_WRONLY, 0644);
    MUST(dup2(file, 1) == 1 && write(1, "into the file\n", 14) == 14);
    MUST(dup2(copy, 1) == 1 && write(1, "three\n", 6) == 6);

    MUST(dup2(2, 9) == 9 && write(9, "also stderr\n", 12) == 12);
    MUST(write(1, "bi\0na\xff\xfery\n", 10) == 10);
    return 0;
}
