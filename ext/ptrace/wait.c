/* Waiting for the next stop or end of a tracee, and resuming one from its stop. */
#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ptrace/state.h"

enum {
    PATIENCE_MIN = 8,          /* looks where the first one used to be enough */
    PATIENCE_MAX = 100,        /* looks before sleeping: some 50 µs */
    AT_ONCE_MAX = 4,           /* stops of whoever comes first, before another's turn */
    LOOKING_NS = 50 * 1000,    /* what sleeping costs at most: no longer than that is worth it */
    SETTLED = 64,              /* stops since the last birth, exec or end */
    SHORT_NAP_NS = 100 * 1000, /* looking would have been better */
    MOMENT_NS = 50 * 1000,
};

/* ESRCH means that the tracee was killed meanwhile: its end will be reported. */
void resume(struct engine *engine, struct task *task, int signal)
{
    if (task->turn == TURN_WAITS)
        return; /* it goes on when its turn comes */
    bool to_next_call = task->in_call || task->suspended_count || task->patched_at ||
                        task->storm.breathes || (task->every_call && !engine->passive);

    ptrace(to_next_call ? PTRACE_SYSCALL : PTRACE_CONT, task->tid, 0, signal);
}

void consume_stop(pid_t tid, siginfo_t *stop_out)
{
    if (stop_out)
        stop_out->si_pid = 0;
    waitid(P_PID, (id_t)tid, stop_out, WSTOPPED | WNOHANG | __WALL);
}

static long wait_once(idtype_t who, pid_t tid, siginfo_t *news, int extra)
{
    news->si_pid = 0;
    return syscall(SYS_waitid, who, tid, news,
                   WEXITED | WSTOPPED | WNOWAIT | __WALL | __WNOTHREAD | extra, NULL);
}

/*
 * Of several tracees that are stopped the kernel shows the one that was attached last. Under load a
 * new one is always there, and the older ones would starve: so after some stops that were there at
 * once, each tracee is asked for in turn.
 */
static bool is_turn_of_another(struct engine *engine, siginfo_t *news)
{
    if (++engine->at_once < AT_ONCE_MAX || engine->tasks.count < 3)
        return false;
    engine->at_once = 0;
    engine->turn = tasks_after(&engine->tasks, engine->turn);
    return wait_once(P_PID, engine->turn, news, WNOHANG) == 0 && news->si_pid;
}

/* Sleep for a moment at a time, so that those who wait for their turn do not wait for ever. */
static long wait_for_turns(struct engine *engine, siginfo_t *news)
{
    const struct timespec moment = { .tv_nsec = MOMENT_NS };
    long status = 0;

    news->si_pid = 0;
    while (status == 0 && !news->si_pid && engine->turns_waiting) {
        nanosleep(&moment, NULL);
        end_late_turns(engine, monotonic_ns());
        status = wait_once(P_ALL, 0, news, WNOHANG);
    }
    return status;
}

/* So many looks were enough: allow twice as many, as an average over the last few waits. */
static void learn(struct engine *engine, int looks)
{
    int wanted = 2 * looks + PATIENCE_MIN;

    engine->patience = (3 * engine->patience + wanted + 3) / 4;
    if (engine->patience > PATIENCE_MAX)
        engine->patience = PATIENCE_MAX;
}

/*
 * Look a few times before sleeping. Where tracer and tracee are on two CPUs, waking an idle one costs
 * more than the whole stop (on a virtual machine 50 µs and more, each way), and the next stop is
 * often a few microseconds away. How often to look follows from how many looks it took: a program
 * that computes or waits soon costs next to nothing. While programs are being started there are
 * pauses all the time, in which the CPU is of more use to them than to us, and one look is enough.
 * sched_yield gives the CPU to a tracee that needs it.
 */
static long wait_for_news(struct engine *engine, siginfo_t *news)
{
    if (engine->turns_waiting)
        end_late_turns(engine, monotonic_ns());
    if (is_turn_of_another(engine, news))
        return 0;
    uint64_t since_ns = monotonic_ns();
    int most = engine->settled < SETTLED ? 1 : engine->patience;
    for (int looks = 0; looks < most; looks++) {
        long status = wait_once(P_ALL, 0, news, WNOHANG);
        if (status < 0 || news->si_pid) {
            learn(engine, looks);
            return status;
        }
        engine->at_once = 0;
        if (looks + 1 == most || monotonic_ns() - since_ns > LOOKING_NS)
            break;
        sched_yield();
    }
    since_ns = monotonic_ns();
    engine->at_once = 0;
    long status = wait_for_turns(engine, news);
    if (status < 0 || news->si_pid)
        return status;
    status = wait_once(P_ALL, 0, news, 0);
    if (engine->settled >= SETTLED)
        learn(engine, monotonic_ns() - since_ns < SHORT_NAP_NS ? PATIENCE_MAX : 0);
    return status;
}

static bool is_stop(const siginfo_t *news)
{
    return news->si_code == CLD_TRAPPED || news->si_code == CLD_STOPPED;
}

static bool is_call_stop(const siginfo_t *news)
{
    return is_stop(news) &&
           (news->si_status == SYSCALL_STOP || news->si_status >> 8 == PTRACE_EVENT_SECCOMP);
}

static bool is_signal_stop(const siginfo_t *news)
{
    return is_stop(news) && !(news->si_status >> 8) && news->si_status != SYSCALL_STOP;
}

/* The stop that was gathered first; a tracee that was killed out of it has another by now. */
static bool take_gathered(struct engine *engine, siginfo_t *news)
{
    while (engine->gathered_taken < engine->gathered_count) {
        siginfo_t stop = engine->gathered[engine->gathered_taken++], later;
        if (!tasks_find(&engine->tasks, stop.si_pid))
            continue;
        bool changed = wait_once(P_PID, stop.si_pid, &later, WNOHANG) == 0 && later.si_pid;
        *news = changed ? later : stop;
        return true;
    }
    engine->gathered_taken = engine->gathered_count = 0;
    return false;
}

static bool has_siblings(const struct engine *engine, pid_t tid)
{
    const struct task *task = tasks_find(&engine->tasks, tid);

    return task && shares_space(task);
}

/*
 * A thread stands before or behind a call, and a signal that another thread of its process stands
 * before may end them all. The kernel would show that one last, if it was attached first. So stops
 * are taken out of its sight (consumed) until it shows no more; signals are handled at once, calls
 * after them. What is pending is asked for before what has stopped: a signal is first one, then the
 * other. Returns true if `*news` is to be handled now.
 */
static bool gather(struct engine *engine, siginfo_t *news)
{
    siginfo_t next = *news;

    while (next.si_pid && engine->gathered_count < GATHERED_MAX) {
        struct task *task = tasks_find(&engine->tasks, next.si_pid);
        if (!task || !(is_call_stop(&next) || is_signal_stop(&next)))
            break; /* it stays where it is */
        consume_stop(next.si_pid, &next);
        if (next.si_pid && !is_call_stop(&next)) {
            *news = next;
            return true;
        }
        if (next.si_pid) {
            task->threatened = shares_space(task) && is_fatal_pending(engine, task);
            engine->gathered[engine->gathered_count++] = next;
        }
        if (wait_once(P_ALL, 0, &next, WNOHANG) < 0)
            break;
    }
    return false;
}

long next_news(struct engine *engine, siginfo_t *news)
{
    while (!take_gathered(engine, news)) {
        long status = wait_for_news(engine, news);
        if (status < 0 || !is_call_stop(news) || !has_siblings(engine, news->si_pid))
            return status;
        if (gather(engine, news))
            return 0;
    }
    return 0;
}
