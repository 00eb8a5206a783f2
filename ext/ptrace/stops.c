/* The end of a stop: the tracee goes on. */
#include <sys/wait.h>

#include "ptrace/state.h"

/* ESRCH means it was killed meanwhile: its death will be reported. */
void resume(struct engine *engine, struct task *task, int signal)
{
    if (task->turn == TURN_WAITS)
        return; /* it goes on when its turn comes */
    bool to_next_call = task->in_call || task->suspended_count || task->patched_at ||
                        task->storm.breathes || (task->every_call && !engine->passive);

    ptrace(to_next_call ? PTRACE_SYSCALL : PTRACE_CONT, task->tid, 0, signal);
}

void consume_stop(const struct task *task)
{
    siginfo_t ignored;

    waitid(P_PID, (id_t)task->tid, &ignored, WSTOPPED | WNOHANG | __WALL);
}
