/* A program that traces, as a debugger does: it is refused, and the session says why. */
#include "expect.h"
#include <sys/ptrace.h>

int main(void)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0 ? 0 : 1);
    MUST(waitpid(child, &status, 0) == child);
    print_line("tracing %s", status == 0 ? "works" : "is refused");
    return 0;
}
