/* Signal-delivery-stops, whose signals are recorded and delivered, and group-stops. */
#include <stdlib.h>
#include <string.h>

#include "call/records.h"
#include "ptrace/gated.h"
#include "ptrace/state.h"

enum {
    WINDOW_NS = 100 * 1000 * 1000, /* the signals of one kind in this time are a burst */
    SINGLE_MAX = 10, /* of a burst have a record each; the rest have one with a count */
};

static void write_signals(struct engine *engine, const struct task *task,
                          const struct signal_burst *burst, uint64_t at_ns, uint64_t count)
{
    struct raw_record header = { .kind = RAW_SIGNAL, .entered_ns = at_ns };

    memcpy(header.args, burst->kind, sizeof burst->kind);
    header.args[BURST_KEYS] = count;
    write_record(&engine->context, &task->caller, &header, NULL);
}

static void flush_burst(struct engine *engine, const struct task *task, struct signal_burst *burst)
{
    if (burst->count)
        write_signals(engine, task, burst, burst->first_ns, burst->count);
    burst->count = 0;
}

void flush_signals(struct engine *engine, struct task *task)
{
    for (int i = 0; task->bursts && i < BURSTS; i++)
        flush_burst(engine, task, &task->bursts[i]);
}

uint64_t flush_due_bursts(struct engine *engine, struct task *task)
{
    uint64_t now_ns = monotonic_ns(), next_ns = 0;

    for (int i = 0; task->bursts && i < BURSTS; i++) {
        struct signal_burst *burst = &task->bursts[i];
        uint64_t end_ns = burst->window_ns + WINDOW_NS;
        if (burst->count && end_ns <= now_ns)
            flush_burst(engine, task, burst);
        if (burst->count && (!next_ns || end_ns < next_ns))
            next_ns = end_ns;
    }
    return next_ns;
}

/* The burst of this kind of signals; if there is none, in the place of the one that began first. */
static struct signal_burst *find_burst(struct engine *engine, struct task *task,
                                       const uint64_t *kind)
{
    struct signal_burst *found = task->bursts;

    for (int i = 0; i < BURSTS; i++) {
        struct signal_burst *burst = &task->bursts[i];
        if (!memcmp(burst->kind, kind, sizeof burst->kind))
            return burst;
        if (burst->window_ns < found->window_ns)
            found = burst;
    }
    flush_burst(engine, task, found);
    memcpy(found->kind, kind, sizeof found->kind);
    found->window_ns = 0;
    return found;
}

static void record_signal(struct engine *engine, struct task *task, const siginfo_t *info)
{
    const uint64_t kind[BURST_KEYS] = { (uint64_t)info->si_signo, (uint64_t)(int64_t)info->si_code,
                                        (uint64_t)info->si_pid, info->si_uid };
    uint64_t now_ns = monotonic_ns();

    if (!task->bursts && !(task->bursts = calloc(BURSTS, sizeof *task->bursts))) {
        engine->context.counts.lost++;
        return;
    }
    struct signal_burst *burst = find_burst(engine, task, kind);
    if (now_ns - burst->window_ns >= WINDOW_NS) {
        flush_burst(engine, task, burst);
        burst->window_ns = now_ns;
        burst->singles = 0;
    }
    if (burst->singles < SINGLE_MAX || !wake_at(engine, burst->window_ns + WINDOW_NS)) {
        burst->singles++;
        write_signals(engine, task, burst, now_ns, 1);
    } else if (!burst->count++) {
        burst->first_ns = now_ns;
    }
}

static void deliver(struct engine *engine, struct task *task, int signal)
{
    if (deliver_init_fault(task, signal) || trap_init_fault(task, signal))
        return;
    mark_killed_process(engine, task, signal);
    resume(engine, task, signal);
}

void on_signal(struct engine *engine, struct task *task, int signal)
{
    siginfo_t info;

    if (gated_leave(engine, task, signal)) {
        resume(engine, task, 0);
        return;
    }
    if (!is_init_fault(task, signal) &&
        ptrace(PTRACE_GETSIGINFO, task->caller.tid, 0, &info) == 0) {
        if (defer_signal(engine, task, &info))
            return;
        if (!engine->recording_ended) {
            write_whole_signal(engine, task, &info);
            record_signal(engine, task, &info);
        }
    }
    deliver(engine, task, signal);
}

/* -- group-stops ------------------------------------------------------------------------------- */

static bool is_stop_signal(int signal)
{
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

void on_stop_event(struct engine *engine, struct task *task, int signal)
{
    if (!task->adopted || is_stop_signal(signal))
        consume_stop(task->caller.tid, NULL); /* or waitid shows it again */
    if (!task->adopted)
        return;
    if (is_stop_signal(signal)) {
        ptrace(PTRACE_LISTEN, task->caller.tid, 0, 0);
        return;
    }
    start_child(engine, task);
}
