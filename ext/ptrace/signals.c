/* Signals that a task stopped for: recorded, the same one in a storm as a count, and delivered. */
#include <stdlib.h>
#include <string.h>

#include "ptrace/state.h"

enum {
    WINDOW_NS = 100 * 1000 * 1000, /* so long from the first one of its kind … */
    SINGLE_MAX = 10,               /* … after so many, the rest is one record with a count */
};

static void write_signals(struct engine *engine, const struct task *task, const struct fold *fold,
                          uint64_t at_ns, uint64_t count)
{
    struct raw_record header = { .kind = RAW_SIGNAL, .entered_ns = at_ns };

    memcpy(header.args, fold->kind, sizeof fold->kind);
    header.args[FOLD_KIND] = count;
    write_record(engine, task, &header, NULL);
}

static void tell_fold(struct engine *engine, const struct task *task, struct fold *fold)
{
    if (fold->count)
        write_signals(engine, task, fold, fold->first_ns, fold->count);
    fold->count = 0;
}

void tell_signals(struct engine *engine, struct task *task)
{
    for (int i = 0; task->folds && i < FOLDS; i++)
        tell_fold(engine, task, &task->folds[i]);
}

uint64_t look_at_folds(struct engine *engine, struct task *task)
{
    uint64_t now_ns = monotonic_ns(), next_ns = 0;

    for (int i = 0; task->folds && i < FOLDS; i++) {
        struct fold *fold = &task->folds[i];
        uint64_t end_ns = fold->window_ns + WINDOW_NS;
        if (fold->count && end_ns <= now_ns)
            tell_fold(engine, task, fold);
        if (fold->count && (!next_ns || end_ns < next_ns))
            next_ns = end_ns;
    }
    return next_ns;
}

/* The fold of this kind of signal; of others, the one that began first makes room. */
static struct fold *find_fold(struct engine *engine, struct task *task, const uint64_t *kind)
{
    struct fold *found = task->folds;

    for (int i = 0; i < FOLDS; i++) {
        struct fold *fold = &task->folds[i];
        if (!memcmp(fold->kind, kind, sizeof fold->kind))
            return fold;
        if (fold->window_ns < found->window_ns)
            found = fold;
    }
    tell_fold(engine, task, found);
    memcpy(found->kind, kind, sizeof found->kind);
    found->window_ns = 0;
    return found;
}

static void record_signal(struct engine *engine, struct task *task, const siginfo_t *info)
{
    const uint64_t kind[FOLD_KIND] = { (uint64_t)info->si_signo, (uint64_t)(int64_t)info->si_code,
                                       (uint64_t)info->si_pid, info->si_uid };
    uint64_t now_ns = monotonic_ns();

    if (!task->folds && !(task->folds = calloc(FOLDS, sizeof *task->folds))) {
        engine->counts.lost++;
        return;
    }
    struct fold *fold = find_fold(engine, task, kind);
    if (now_ns - fold->window_ns >= WINDOW_NS) {
        tell_fold(engine, task, fold);
        fold->window_ns = now_ns;
        fold->singles = 0;
    }
    if (fold->singles < SINGLE_MAX || !alarm_at(engine, fold->window_ns + WINDOW_NS)) {
        fold->singles++;
        write_signals(engine, task, fold, now_ns, 1);
    } else if (!fold->count++) {
        fold->first_ns = now_ns;
    }
}

static void deliver(struct engine *engine, struct task *task, int signal)
{
    if (go_on_ending(task, signal) || end_init(task, signal))
        return;
    foresee_end(engine, task, signal);
    resume(engine, task, signal);
}

void on_signal(struct engine *engine, struct task *task, int signal)
{
    siginfo_t info;

    if (!is_ending(task, signal) && ptrace(PTRACE_GETSIGINFO, task->tid, 0, &info) == 0) {
        if (takes_breath(engine, task, &info))
            return;
        if (!engine->passive)
            record_signal(engine, task, &info);
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
        consume_stop(task->tid, NULL); /* or it is reported again */
    if (!task->adopted)
        return;
    if (is_stop_signal(signal)) {
        ptrace(PTRACE_LISTEN, task->tid, 0, 0);
        return;
    }
    release(engine, task);
}
