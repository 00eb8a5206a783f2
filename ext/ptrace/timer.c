/*
 * Being woken when no tracee stops: a timer that sends the tracer's thread its wake signal.
 *
 * The timer goes on until it was seen: a signal that comes just before the thread waits is lost.
 */
#include <time.h>
#include <unistd.h>

#include "ptrace/state.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

enum { REPEAT_NS = 1000 * 1000, SECOND_NS = 1000 * 1000 * 1000 };

void alarms_init(struct engine *engine)
{
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = WAKE_SIGNAL };

    event.sigev_notify_thread_id = gettid();
    engine->has_timer = timer_create(CLOCK_MONOTONIC, &event, &engine->timer) == 0;
}

void alarms_deinit(struct engine *engine)
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
    engine->alarm_ns = at_ns;
}

bool alarm_at(struct engine *engine, uint64_t at_ns)
{
    if (engine->has_timer && (!engine->alarm_ns || at_ns < engine->alarm_ns))
        set_timer(engine, at_ns);
    return engine->has_timer;
}

static uint64_t sooner(uint64_t a_ns, uint64_t b_ns)
{
    return !a_ns || (b_ns && b_ns < a_ns) ? b_ns : a_ns;
}

void look_at_alarm(struct engine *engine)
{
    uint64_t next_ns = 0;

    if (!engine->alarm_ns || monotonic_ns() < engine->alarm_ns)
        return;
    for (struct task *task = tasks_next(&engine->tasks, NULL); task;
         task = tasks_next(&engine->tasks, task)) {
        next_ns = sooner(next_ns, look_at_breath(task));
        next_ns = sooner(next_ns, look_at_folds(engine, task));
    }
    set_timer(engine, next_ns); /* 0: no more */
}
