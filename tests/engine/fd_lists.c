/* Whether all fds are listed where getdents64(2) ends early, as it does if a signal is pending. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static long make_call(long number, ...)
{
    enum { FEW_BYTES = 100, ARGUMENTS = 6 };
    long arguments[ARGUMENTS];
    va_list list;

    va_start(list, number);
    for (int i = 0; i < ARGUMENTS; i++)
        arguments[i] = va_arg(list, long);
    va_end(list);
    return syscall(number, arguments[0], arguments[1],
                   number == SYS_getdents64 ? FEW_BYTES : arguments[2], arguments[3], arguments[4],
                   arguments[5]);
}

#define syscall(...) make_call(__VA_ARGS__)
#include "call/proc.c"

int main(void)
{
    enum { FDS = 200 };
    ssize_t open_fds = 1; /* that by which they are listed */
    uint32_t *fds;

    for (int fd = 0; fd < FDS; fd++)
        open_fds += fd < FDS / 2 ? dup2(STDOUT_FILENO, fd) == fd : fcntl(fd, F_GETFD) >= 0;
    printf("%d\n", proc_fds(getpid(), &fds) == open_fds);
    free(fds);
    return 0;
}
