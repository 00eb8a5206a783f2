/* A child is ended by a signal with and without a core dump: core_dumped is what its parent sees. */
#include "expect.h"
#include <sys/resource.h>

static void die(rlim_t most)
{
    struct rlimit limit = { most, most };

    setrlimit(RLIMIT_CORE, &limit);
    signal(SIGQUIT, SIG_DFL);
    raise(SIGQUIT);
    _exit(1);
}

static void end(rlim_t most)
{
    int status;
    pid_t child = fork();

    if (child == 0)
        die(most);
    MUST(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    print_line("core %d", WCOREDUMP(status) != 0);
    expect("'source': 'proc.exit', 'pid': %d, 'signal': 'SIGQUIT', 'core_dumped': %s", child,
           WCOREDUMP(status) ? "true" : "false");
}

int main(void)
{
    struct rlimit most;

    MUST(getrlimit(RLIMIT_CORE, &most) == 0);
    end(most.rlim_max);
    end(0);
    return 0;
}
