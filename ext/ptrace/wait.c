/*
 * Waiting for the next stop or end of a tracee, and resuming one from its stop.
 *
 * What can happen when the tracer asks waitid, and what is done:
 *
 *  1. One tracee has stopped: its stop is the event. It is left in place (WNOWAIT), since resuming the
 *     tracee ends it, and a second call for each stop would cost time.
 *  2. Several have stopped: the kernel shows the one that was attached last. Every few stops the
 *     tracer asks for one tracee in turn, so that none starves (poll_round_robin).
 *  3. A thread has stopped at a call, and another thread of its process may have stopped for a fatal
 *     signal: all stops that there are are consumed and queued, and signals are handled before calls
 *     (queue_call_stops).
 *  4. A queued tracee was killed before its stop was handled: the event is its next stop or its end
 *     (take_queued).
 *  5. No tracee has stopped: the tracer polls for some microseconds, then sleeps (wait_for_event).
 *  6. The same, and a write is held back behind another one (write_order.c): the tracer sleeps for
 *     short times only, and looks whether the other one has become slow.
 *  7. A signal wakes the tracer (EINTR): another thread requests something, or the timer has expired.
 *  8. There are no tracees any more (ECHILD): the recording is over.
 *  9. There are many tracees, and one of them makes all calls: the kernel would look through all of them for
 *     each stop. So for short times only that one is waited for (is_solo).
 */
#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ptrace/gated.h"
#include "ptrace/state.h"

enum {
    POLLS_MIN = 8,          /* where the first poll used to find a stop */
    POLLS_MAX = 100,        /* some 50 µs */
    POLLING_NS = 50 * 1000, /* polling for longer costs more than sleeping does */
    READY_IN_ROW_MAX = 4,   /* stops that the kernel chose, before one is asked for in turn */
    SETTLED_STOPS = 64,     /* since the last fork, exec or exit: no programs are being started */
    SHORT_SLEEP_NS = 100 * 1000, /* after a sleep so short polling would have been better */
    HELD_WRITE_SLEEP_NS = 50 * 1000,
    MANY_TASKS = 64,         /* fewer are looked through in no time */
    SOLO_STOPS = 16,         /* in a row of one thread: it makes all calls */
    STOPS_PER_SCAN = 32,     /* before all are looked at again */
    SOLO_SLEEP_NS = 2000000, /* the same if there is no stop */
};

/* ESRCH means that the tracee was killed meanwhile: its end will be reported. */
void resume(struct engine *engine, struct task *task, int signal)
{
    if (task->write_state == WRITE_HELD)
        return; /* release_write resumes it */
    if (task->gone) {
        task->gone = false;
        return;
    }
    gated_before_resume(engine, task);
    bool to_next_call = task->in_call || task->suspended_count || task->patched_at ||
                        task->storm.deferring || awaits_whole_call(task) ||
                        (task->every_call && !engine->recording_ended);

    ptrace(to_next_call ? PTRACE_SYSCALL : PTRACE_CONT, task->caller.tid, 0, signal);
}

void consume_stop(pid_t tid, siginfo_t *stop_out)
{
    if (stop_out)
        stop_out->si_pid = 0;
    waitid(P_PID, (id_t)tid, stop_out, WSTOPPED | WNOHANG | __WALL);
}

static long wait_once(idtype_t who, pid_t tid, siginfo_t *event, int extra)
{
    event->si_pid = 0;
    return syscall(SYS_waitid, who, tid, event,
                   WEXITED | WSTOPPED | WNOWAIT | __WALL | __WNOTHREAD | extra, NULL);
}

/* Whether the thread that stopped last need be waited for only: others were looked for just before. */
static bool is_solo(const struct engine *engine)
{
    return engine->tasks.count > MANY_TASKS && engine->stops_of_last > SOLO_STOPS &&
           engine->stops_since_scan < STOPS_PER_SCAN;
}

/* Wait for any tracee. The kernel goes through all of them until it finds one that has stopped. */
static long wait_for_any(struct engine *engine, siginfo_t *event, int extra)
{
    engine->stops_since_scan = 0;
    return wait_once(P_ALL, 0, event, extra);
}

/* Wait for the thread that stopped last. Returns -1 with errno ECHILD if it has ended. */
static long wait_for_last(struct engine *engine, siginfo_t *event, int extra)
{
    long status = wait_once(P_PID, engine->last_stopped, event, extra);

    if (status < 0 && errno == ECHILD)
        engine->stops_of_last = 0;
    return status;
}

/* Look for a stop, of one thread if that makes all calls. */
static long poll_once(struct engine *engine, siginfo_t *event)
{
    if (is_solo(engine) && wait_for_last(engine, event, WNOHANG) == 0)
        return 0;
    return wait_for_any(engine, event, WNOHANG);
}

/* Sleep until there is a stop; if one thread makes all calls, until it stops or the timer expires. */
static long sleep_for_event(struct engine *engine, siginfo_t *event)
{
    if (is_solo(engine) && sleep_until(engine, monotonic_ns() + SOLO_SLEEP_NS)) {
        long status = wait_for_last(engine, event, 0);
        if (status < 0 && errno == EINTR)
            engine->stops_since_scan = STOPS_PER_SCAN;
        if (status == 0 || errno != ECHILD)
            return status;
    }
    return wait_for_any(engine, event, 0);
}

static void note_event(struct engine *engine, const siginfo_t *event)
{
    bool same = event->si_pid == engine->last_stopped;

    engine->stops_since_scan++;
    engine->stops_of_last = same ? engine->stops_of_last + 1 : 0;
    engine->last_stopped = event->si_pid;
}

/*
 * Of several stopped tracees the kernel shows the one that was attached last. Under load a new one
 * is always stopped, and the older ones would starve: so after some stops in a row for which the
 * tracer did not have to wait, or may not have had to, it asks for one tracee, the next in a round.
 * Returns whether that one has stopped.
 */
static bool poll_round_robin(struct engine *engine, siginfo_t *event)
{
    if (++engine->ready_in_row < READY_IN_ROW_MAX || engine->tasks.count < 3)
        return false;
    engine->ready_in_row = 0;
    engine->last_polled = tasks_after(&engine->tasks, engine->last_polled);
    return wait_once(P_PID, engine->last_polled, event, WNOHANG) == 0 && event->si_pid;
}

/*
 * Sleep for short times while writes are held: the write before them may block, and without a stop the
 * tracer would not learn that. Returns, with a si_pid of 0, once no write is held any more.
 */
static long wait_with_writes_held(struct engine *engine, siginfo_t *event)
{
    const struct timespec nap = { .tv_nsec = HELD_WRITE_SLEEP_NS };
    long status = 0;

    event->si_pid = 0;
    while (status == 0 && !event->si_pid && engine->writers_held) {
        nanosleep(&nap, NULL);
        release_held_writes(engine, monotonic_ns());
        status = wait_once(P_ALL, 0, event, WNOHANG);
    }
    return status;
}

/* So many polls were enough: allow twice as many, averaged over the last few waits. */
static void adapt_polls(struct engine *engine, int polls)
{
    int wanted = 2 * polls + POLLS_MIN;

    engine->polls_wanted = (3 * engine->polls_wanted + wanted + 3) / 4;
    if (engine->polls_wanted > POLLS_MAX)
        engine->polls_wanted = POLLS_MAX;
}

/*
 * Poll a few times before sleeping. Where tracer and tracee run on two CPUs, waking an idle one costs
 * more than the whole stop (on a virtual machine 50 µs and more, each way), and the next stop is
 * often a few microseconds away. The number of polls is learnt from how many it took before: beside a
 * program that computes or sleeps the tracer soon polls hardly at all. While programs are being
 * started there are pauses all the time, in which the programs need the CPU more than the tracer does:
 * then it does not poll. sched_yield gives the CPU to a tracee that needs it.
 *
 * Where every call stops, the tracer does not poll: the tracee is on its way to the next stop all the
 * time, and a tracer that sleeps meanwhile leaves it the CPU and is woken on it.
 */
static long wait_for_event(struct engine *engine, siginfo_t *event)
{
    if (engine->writers_held)
        release_held_writes(engine, monotonic_ns());
    if (poll_round_robin(engine, event))
        return 0;
    uint64_t since_ns = monotonic_ns();
    bool polls_pay = engine->stops_since_change >= SETTLED_STOPS && !engine->plan;
    int most = polls_pay ? engine->polls_wanted : 0;
    for (int polls = 0; polls < most; polls++) {
        long status = poll_once(engine, event);
        if (status < 0 || event->si_pid) {
            adapt_polls(engine, polls);
            return status;
        }
        engine->ready_in_row = 0;
        if (polls + 1 == most || monotonic_ns() - since_ns > POLLING_NS)
            break;
        sched_yield();
    }
    since_ns = monotonic_ns();
    long status = wait_with_writes_held(engine, event);
    if (status < 0 || event->si_pid)
        return status;
    status = sleep_for_event(engine, event);
    if (engine->stops_since_change >= SETTLED_STOPS)
        adapt_polls(engine, monotonic_ns() - since_ns < SHORT_SLEEP_NS ? POLLS_MAX : 0);
    return status;
}

static bool is_stop(const siginfo_t *event)
{
    return event->si_code == CLD_TRAPPED || event->si_code == CLD_STOPPED;
}

static bool is_call_stop(const siginfo_t *event)
{
    return is_stop(event) &&
           (event->si_status == SYSCALL_STOP || event->si_status >> 8 == PTRACE_EVENT_SECCOMP);
}

static bool is_signal_stop(const siginfo_t *event)
{
    return is_stop(event) && !(event->si_status >> 8) && event->si_status != SYSCALL_STOP;
}

/* The stop that was queued first; if its tracee was killed in it, the next stop or end of that. */
static bool take_queued(struct engine *engine, siginfo_t *event)
{
    while (engine->queued_taken < engine->queued_count) {
        siginfo_t stop = engine->queued[engine->queued_taken++], later;
        if (!tasks_find(&engine->tasks, stop.si_pid))
            continue;
        bool changed = wait_once(P_PID, stop.si_pid, &later, WNOHANG) == 0 && later.si_pid;
        *event = changed ? later : stop;
        return true;
    }
    engine->queued_taken = engine->queued_count = 0;
    return false;
}

static bool has_siblings(const struct engine *engine, pid_t tid)
{
    const struct task *task = tasks_find(&engine->tasks, tid);

    return task && shares_space(task);
}

/*
 * A thread has stopped at a call, and another thread of its process may have stopped for a signal that
 * ends them both. The kernel would show that stop last, if its thread was attached first. So stops are
 * consumed until the kernel shows no more: a signal-delivery-stop is handled at once, calls are queued
 * behind it. Whether a fatal signal is pending is asked before the next stop is looked for, since a
 * signal is first pending and then a stop: in the other order it could be missed. Returns whether
 * `*event` is to be handled now.
 */
static bool queue_call_stops(struct engine *engine, siginfo_t *event)
{
    siginfo_t next = *event;

    while (next.si_pid && engine->queued_count < QUEUED_MAX) {
        struct task *task = tasks_find(&engine->tasks, next.si_pid);
        if (!task || !(is_call_stop(&next) || is_signal_stop(&next)))
            break; /* not consumed: the kernel shows it again */
        consume_stop(next.si_pid, &next);
        if (next.si_pid && !is_call_stop(&next)) {
            *event = next;
            return true;
        }
        if (next.si_pid) {
            task->fatal_pending = shares_space(task) && is_fatal_signal_pending(engine, task);
            engine->queued[engine->queued_count++] = next;
        }
        if (is_solo(engine) || wait_for_any(engine, &next, WNOHANG) < 0)
            break;
    }
    return false;
}

long next_wait_event(struct engine *engine, siginfo_t *event)
{
    while (!take_queued(engine, event)) {
        long status = wait_for_event(engine, event);
        if (status == 0)
            note_event(engine, event);
        if (status < 0 || !is_call_stop(event) || !has_siblings(engine, event->si_pid))
            return status;
        if (queue_call_stops(engine, event))
            return 0;
    }
    return 0;
}
