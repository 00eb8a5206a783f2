/* dup, dup2, dup3 and fcntl: a file is opened once, and closed when its last fd is closed. */
#include "expect.h"

static int new_file(const char *name)
{
    int fd = expect_open("openat", name, open(name, O_CREAT | O_RDWR, 0644));
    MUST(fd >= 0);
    return fd;
}

int main(void)
{
    /* The original goes first, the copy keeps the file open and writes. */
    int first = new_file("first"), copy = dup(first);
    MUST(close(first) == 0 && write(copy, "12345", 5) == 5);
    expect_close("close", "first", 0, 0, 5, 1);
    close(copy);

    /* dup2 over the last fd of another file closes that one. */
    int second = new_file("second"), victim = new_file("victim");
    MUST(write(victim, "x", 1) == 1);
    expect_close("dup2", "victim", 0, 0, 1, 1);
    MUST(dup2(second, victim) == victim);
    MUST(write(victim, "ab", 2) == 2 && write(second, "c", 1) == 1);
    MUST(dup2(second, second) == second);
    MUST(close(second) == 0);
    expect_close("close", "second", 0, 0, 3, 2);
    close(victim);

    /* dup3 and F_DUPFD; a dup3 to itself fails and changes nothing. */
    int third = new_file("third");
    MUST(dup3(third, 50, O_CLOEXEC) == 50);
    MUST(dup3(third, third, 0) < 0);
    MUST(fcntl(third, F_DUPFD, 60) == 60 && fcntl(third, F_DUPFD_CLOEXEC, 60) == 61);
    MUST(close(third) == 0 && close(50) == 0 && close(60) == 0);
    MUST(write(61, "1234567", 7) == 7);
    expect_close("close", "third", 0, 0, 7, 1);
    close(61);

    /* close_range takes several at once, and can also only mark them. */
    int fourth = new_file("fourth");
    MUST(dup2(fourth, 70) == 70);
    close(fourth);
    MUST(syscall(SYS_close_range, 65, 80, 4 /* CLOSE_RANGE_CLOEXEC */) == 0);
    MUST(write(70, "y", 1) == 1);
    expect_close("close_range", "fourth", 0, 0, 1, 1);
    MUST(syscall(SYS_close_range, 65, ~0U, 0) == 0);

    /* Closing what is not open changes nothing. */
    MUST(close(70) < 0 && close(-1) < 0);
    return 0;
}
