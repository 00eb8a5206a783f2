#include "ptrace/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call/records.h"
#include "call/resolve.h"
#include "call/tally.h"
#include "ptrace/seccomp.h"
#include "ptrace/state.h"

enum {
    RING_MIN = 1 << 20,
    EXEC_REST = 1 << 20, /* most bytes of RAW_EXEC beside its arguments and environment */
};

/* -- creation and destruction ---------------------------------------------------------------- */

static void fill_rows(struct engine *engine)
{
    memset(engine->rows, -1, sizeof engine->rows);
    memset(engine->next_row, -1, sizeof engine->next_row);
    for (const struct abi *abi = ABIS; abi->name; abi++)
        for (int row = 0; row < ROW_COUNT; row++) {
            if (abi->numbers[row] < 0 || !filter_stops(engine->options.calls.modes, row))
                continue;
            int16_t *link = &engine->rows[abi - ABIS][abi->numbers[row]];
            while (*link >= 0 && *link != row)
                link = &engine->next_row[*link]; /* the rows of a call are the same in each ABI */
            *link = (int16_t)row;
        }
}

int engine_create(const struct engine_options *options, struct engine **engine_out)
{
    size_t size = options->ring_size;

    size_t exec = (size_t)options->args_limit + options->env_limit + EXEC_REST;

    if (size & (size - 1) || size < RING_MIN || size < 4 * (size_t)options->calls.snaplen ||
        size < 4 * (size_t)options->calls.flow_snaplen || size < exec)
        return -EINVAL;
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return -ENOMEM;
    if (ring_init(&engine->context.ring, size) < 0) {
        free(engine);
        return -ENOMEM;
    }
    engine->options = *options;
    engine->context.options = &engine->options.calls;
    engine->context.flows = options->calls.modes[ROW_connect] == MODE_ALL;
    pthread_mutex_init(&engine->lock, NULL);
    pthread_cond_init(&engine->acknowledgement, NULL);
    fill_rows(engine);
    *engine_out = engine;
    return 0;
}

void engine_destroy(struct engine *engine)
{
    if (!engine)
        return;
    for (struct task *task; (task = tasks_next(&engine->tasks, NULL));)
        drop_task(engine, task);
    fd_pool_deinit(&engine->context.fd_pool);
    parts_deinit(&engine->context.scratch);
    ring_deinit(&engine->context.ring);
    pthread_mutex_destroy(&engine->lock);
    pthread_cond_destroy(&engine->acknowledgement);
    free(engine);
}

struct ring *engine_ring(struct engine *engine)
{
    return &engine->context.ring;
}

/* -- requests of the other thread ------------------------------------------------------------ */

void engine_mute(struct engine *engine, uint64_t serial)
{
    uint32_t head = atomic_load(&engine->mutes_head);

    if (head - atomic_load(&engine->mutes_tail) == MUTES)
        return; /* too many at once: the bytes are copied, which only costs time */
    atomic_store(&engine->mutes[head % MUTES], serial);
    atomic_store(&engine->mutes_head, head + 1);
}

static void take_mutes(struct engine *engine)
{
    uint32_t tail = atomic_load(&engine->mutes_tail);

    while (tail != atomic_load(&engine->mutes_head)) {
        struct fd_entry *entry =
            fd_pool_find(&engine->context.fd_pool, atomic_load(&engine->mutes[tail++ % MUTES]));
        if (entry)
            entry->muted = true;
    }
    atomic_store(&engine->mutes_tail, tail);
}

void engine_acknowledge(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    atomic_store(&engine->acknowledged, true);
    pthread_cond_signal(&engine->acknowledgement);
    pthread_mutex_unlock(&engine->lock);
}

/* A signal that comes just before the tracer waits is lost: the next stop serves, or the caller repeats. */
static void wake(struct engine *engine)
{
    if (atomic_load(&engine->running))
        pthread_kill(engine->thread, WAKE_SIGNAL);
}

void engine_flush_tallies(struct engine *engine)
{
    atomic_store(&engine->flush_asked, true);
    wake(engine);
}

void engine_stop(struct engine *engine, enum engine_stop stop)
{
    atomic_store(&engine->stop, stop);
    engine_acknowledge(engine);
    wake(engine);
}

void engine_abandon(struct engine *engine)
{
    ring_close(&engine->context.ring);
    engine_stop(engine, STOP_RECORDING);
}

static void on_wake(int signal)
{
    (void)signal;
}

/* -- records --------------------------------------------------------------------------------- */

void flush_tallies(struct engine *engine)
{
    engine->context.flush_count++;
    for (struct task *task = tasks_next(&engine->tasks, NULL); task;
         task = tasks_next(&engine->tasks, task)) {
        if (!task->adopted || !task->caller.fds)
            continue;
        flush_caller(&engine->context, &task->caller);
        flush_signals(engine, task);
    }
}

/* Write the last records: tallies of what is still open, and RAW_END. The program may go on. */
static void end_recording(struct engine *engine)
{
    const struct caller caller = { .tid = engine->main_pid, .tgid = engine->main_pid };
    struct raw_record header = { .kind = RAW_END };

    flush_tallies(engine);
    engine->context.counts.waits = engine->context.ring.waits;
    engine->context.counts.waited_ns = engine->context.ring.waited_ns;
    memcpy(header.args, &engine->context.counts, sizeof header.args);
    engine->context.started = true;
    write_record(&engine->context, &caller, &header, NULL);
    ring_close(&engine->context.ring);
    engine->recording_ended = true;
    release_held_writes(engine, UINT64_MAX);
}

/* -- the loop -------------------------------------------------------------------------------- */

/* Recording has ended and the program runs: without a tracer its watched calls would fail (ENOSYS). */
static void on_stop_after_recording(struct engine *engine, struct task *task, int event, int signal)
{
    start_newborns(engine);
    task->in_call = false;
    task->suspended_count = 0;
    task->adopted = true;
    if (event == PTRACE_EVENT_EXEC)
        consume_stop(task->caller.tid, NULL);
    if (event == PTRACE_EVENT_SECCOMP && !postpone_call(task))
        on_call_after_recording(engine, task);
    if (event == PTRACE_EVENT_STOP && signal != SIGTRAP) {
        consume_stop(task->caller.tid, NULL);
        ptrace(PTRACE_LISTEN, task->caller.tid, 0, 0);
        return;
    }
    if (event || signal == SYSCALL_STOP)
        resume(engine, task, 0);
    else
        on_signal(engine, task, signal);
}

static void on_event(struct engine *engine, struct task *task, int event, int signal)
{
    switch (event) {
    case PTRACE_EVENT_SECCOMP:
        if (postpone_call(task))
            cancel_call(engine, task);
        else
            on_call_stop(engine, task, true);
        break;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
    case PTRACE_EVENT_CLONE:
        on_fork(engine, task);
        break;
    case PTRACE_EVENT_EXEC:
        on_exec(engine, task);
        break;
    case PTRACE_EVENT_EXIT:
        on_exit_stop(engine, task);
        return;
    case PTRACE_EVENT_STOP:
        on_stop_event(engine, task, signal);
        return;
    default:
        break;
    }
    resume(engine, task, 0);
}

static void on_stop(struct engine *engine, pid_t tid, int status)
{
    struct task *task = tasks_find(&engine->tasks, tid);
    int event = status >> 8, signal = status & 0xff;

    engine->context.counts.stops++;
    if (event && event != PTRACE_EVENT_SECCOMP)
        engine->stops_since_change = 0;
    else
        engine->stops_since_change++;
    if (task && task->write_state == WRITE_HELD)
        abandon_calls(engine, task); /* killed in the stop at its write: this is another one */
    if (!task)
        task = add_newborn(engine, tid);
    if (!task) {
        ptrace(PTRACE_CONT, tid, 0, 0);
        return;
    }
    if (task->storm.deferring)
        end_deferral(task, event, signal);
    if (engine->recording_ended)
        on_stop_after_recording(engine, task, event, signal);
    else if (event)
        on_event(engine, task, event, signal);
    else if (signal == SYSCALL_STOP) {
        on_call_stop(engine, task, false);
        resume(engine, task, 0);
    } else
        on_signal(engine, task, signal);
}

/*
 * One waitid for each stop, which leaves the stop in place (WNOWAIT): resuming the tracee ends it, so it
 * needs to be consumed only for tracees that stay stopped. The end of a tracee is seen before it is
 * reaped, and so recorded before its parent can learn of it.
 */
static int loop(struct engine *engine)
{
    for (;;) {
        siginfo_t event;
        int error = next_wait_event(engine, &event) < 0 ? errno : 0;
        int stop = atomic_load_explicit(&engine->stop, memory_order_relaxed);
        if (stop && !engine->recording_ended)
            end_recording(engine);
        if (stop == STOP_TRACING)
            return 0;
        if (atomic_load_explicit(&engine->flush_asked, memory_order_relaxed) &&
            atomic_exchange(&engine->flush_asked, false) && !engine->recording_ended)
            flush_tallies(engine);
        on_timer(engine);
        if (error == EINTR)
            continue;
        if (error)
            return error == ECHILD ? 0 : -error;
        take_mutes(engine);
        if (event.si_code == CLD_TRAPPED || event.si_code == CLD_STOPPED)
            on_stop(engine, event.si_pid, event.si_status);
        else {
            engine->stops_since_change = 0;
            on_exited(engine, event.si_pid, &event);
        }
    }
}

/* Seize a thread of the process; after its exec that thread has the process's pid. */
static int seize(struct engine *engine, pid_t pid, pid_t tid)
{
    if (ptrace(PTRACE_SEIZE, tid, 0, TRACE_OPTIONS) < 0)
        return -errno;
    struct task *task = tasks_add(&engine->tasks, pid, pid);
    if (!task || !(task->caller.fds = fd_table_new()))
        return -ENOMEM;
    task->adopted = true;
    task->caller.space = space_open(pid);
    engine->main_pid = pid;
    if (tid == pid)
        return 0;
    struct task *thread = tasks_add(&engine->tasks, tid, pid);
    if (!thread)
        return -ENOMEM;
    thread->adopted = true;
    thread->caller.fds = task->caller.fds;
    thread->caller.fds->uses++;
    thread->caller.space = space_share(task->caller.space);
    return 0;
}

/*
 * The tracer's thread blocks all signals but the wake signal, SIGCHLD and faults of its own. SIGCHLD must
 * not be sent for stops at all: if the thread that waits blocked it, the kernel would not count it
 * as ignored, queue it, and wake the other thread at every stop (sig_ignored in kernel/signal.c).
 */
static void set_signals(void)
{
    static const int UNBLOCKED[] = {
        WAKE_SIGNAL, SIGCHLD, SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGABRT
    };
    struct sigaction wake = { .sa_handler = on_wake };
    struct sigaction no_stops = { .sa_handler = SIG_DFL, .sa_flags = SA_NOCLDSTOP };
    sigset_t blocked;

    sigaction(WAKE_SIGNAL, &wake, NULL);
    sigaction(SIGCHLD, &no_stops, NULL);
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof UNBLOCKED / sizeof *UNBLOCKED; i++)
        sigdelset(&blocked, UNBLOCKED[i]);
    pthread_sigmask(SIG_SETMASK, &blocked, NULL);
}

int engine_run(struct engine *engine, pid_t pid, pid_t tid, int go_fd)
{
    int status = seize(engine, pid, tid);

    if (status < 0)
        return status;
    engine->thread = pthread_self();
    set_signals();
    wake_timer_init(engine);
    resolve_init();
    atomic_store(&engine->running, true);
    if (write(go_fd, "g", 1) != 1)
        status = -errno;
    close(go_fd);
    if (status == 0)
        status = loop(engine);
    if (!engine->recording_ended)
        end_recording(engine);
    atomic_store(&engine->running, false);
    wake_timer_deinit(engine);
    return status;
}
