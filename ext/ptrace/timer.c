/*
 * A timer that wakes the tracer's thread when no tracee stops.
 *
 * It sends the wake signal, again and again until on_timer was called: a signal that comes just before
 * the thread begins to wait does not interrupt the wait.
 */
#include <time.h>
#include <unistd.h>

#include "ptrace/gated.h"
#include "ptrace/state.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { REPEAT_NS = 1000 * 1000, SECOND_NS = 1000 * 1000 * 1000 };

void wake_timer_init(struct engine *engine)
{
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = WAKE_SIGNAL };

    event.sigev_notify_thread_id = gettid();
    engine->has_timer = timer_create(CLOCK_MONOTONIC, &event, &engine->timer) == 0;
}

void wake_timer_deinit(struct engine *engine)
{
    if (engine->has_timer)
        timer_delete(engine->timer);
}

static void set_timer(struct engine *engine, uint64_t at_ns)
{
    struct itimerspec when = {
        .it_value = { .tv_sec = (time_t)(at_ns / SECOND_NS), .tv_nsec = (long)(at_ns % SECOND_NS) },
        .it_interval = { .tv_nsec = REPEAT_NS },
    };

    timer_settime(engine->timer, TIMER_ABSTIME, &when, NULL);
    engine->wake_ns = at_ns;
}

static uint64_t earlier(uint64_t a_ns, uint64_t b_ns)
{
    return !a_ns || (b_ns && b_ns < a_ns) ? b_ns : a_ns;
}

bool sleep_until(struct engine *engine, uint64_t at_ns)
{
    if (engine->has_timer && (!engine->wake_ns || at_ns < engine->wake_ns))
        set_timer(engine, at_ns);
    return engine->has_timer;
}

bool wake_at(struct engine *engine, uint64_t at_ns)
{
    engine->due_ns = earlier(engine->due_ns, at_ns);
    return sleep_until(engine, at_ns);
}

/* Do what is due of all tasks. Returns when the next will be due, or 0. */
static uint64_t do_due(struct engine *engine, uint64_t now_ns)
{
    uint64_t next_ns = gated_next_round(engine, now_ns);

    for (struct task *task = tasks_next(&engine->tasks, NULL), *older; task; task = older) {
        older = tasks_next(&engine->tasks, task);
        next_ns = earlier(next_ns, end_due_deferral(task));
        next_ns = earlier(next_ns, flush_due_bursts(engine, task));
        next_ns = earlier(next_ns, drop_due(engine, task, now_ns));
    }
    return next_ns;
}

void on_timer(struct engine *engine)
{
    uint64_t now_ns = engine->wake_ns ? monotonic_ns() : 0;

    if (!engine->wake_ns || now_ns < engine->wake_ns)
        return;
    if (engine->due_ns && now_ns >= engine->due_ns)
        engine->due_ns = do_due(engine, now_ns);
    set_timer(engine, engine->due_ns); /* 0: no more */
}
