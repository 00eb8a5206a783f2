#include "ptrace/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call/resolve.h"
#include "ptrace/gated.h"
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
            if (abi->numbers[row] < 0 ||
                !filter_stops(engine->options.calls.modes, row, engine->options.gate_at))
                continue;
            int16_t *link = &engine->rows[abi - ABIS][abi->numbers[row]];
            while (*link >= 0 && *link != row)
                link = &engine->next_row[*link]; /* the rows of a call are the same in each ABI */
            *link = (int16_t)row;
        }
}

static size_t larger(size_t one, size_t other)
{
    return one > other ? one : other;
}

/* Return the size that a ring has at least. */
static size_t least_ring(const struct engine_options *options)
{
    size_t exec = (size_t)options->args_limit + options->env_limit + EXEC_REST;
    size_t copied = larger(options->calls.snaplen, options->calls.flow_snaplen);

    return larger(RING_MIN, larger(exec, 4 * copied));
}

/* A limit on address space (RLIMIT_AS) may leave room for a smaller ring only. */
static int init_ring(struct ring *ring, size_t size, size_t least)
{
    int status;

    while ((status = ring_init(ring, size)) < 0 && size / 2 >= least)
        size /= 2;
    return status;
}

int engine_create(const struct engine_options *options, struct engine **engine_out)
{
    size_t size = options->ring_size, least = least_ring(options);

    if (size & (size - 1) || size < least)
        return -EINVAL;
    struct engine *engine = calloc(1, sizeof *engine);
    if (!engine)
        return -ENOMEM;
    if (init_ring(&engine->context.ring, size, least) < 0) {
        free(engine);
        return -ENOMEM;
    }
    engine->options = *options;
    engine->plan = options->plan;
    engine->context.options = &engine->options.calls;
    engine->context.flows = options->calls.modes[ROW_connect] == MODE_ALL;
    pthread_mutex_init(&engine->lock, NULL);
    pthread_cond_init(&engine->acknowledgement, NULL);
    fill_rows(engine);
    gated_init(engine);
    *engine_out = engine;
    return 0;
}

void engine_destroy(struct engine *engine)
{
    if (!engine)
        return;
    for (struct task *task; (task = tasks_next(&engine->tasks, NULL));)
        drop_task(engine, task);
    gated_deinit(engine);
    fd_pool_deinit(&engine->context.fd_pool);
    parts_deinit(&engine->context.scratch);
    free(engine->plan);
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

void engine_acknowledge(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    atomic_store(&engine->acknowledged, true);
    pthread_cond_signal(&engine->acknowledgement);
    pthread_mutex_unlock(&engine->lock);
}

/* A signal that comes just before the tracer waits is lost: the caller repeats its request. */
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

/* -- the tracer's thread --------------------------------------------------------------------- */

/* Seize a thread of the process; after its exec that thread has the process's pid. */
static int seize(struct engine *engine, pid_t pid, pid_t tid)
{
    if (ptrace(PTRACE_SEIZE, tid, 0, TRACE_OPTIONS) < 0)
        return -errno;
    struct task *task = tasks_add(&engine->tasks, pid, pid);
    if (!task || !(task->caller.fds = fd_table_new()))
        return -ENOMEM;
    task->adopted = true;
    task->caller.space = space_new(pid);
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

static void on_wake(int signal)
{
    (void)signal;
}

/*
 * The tracer's thread blocks all signals but the wake signal, SIGCHLD and faults of its own.
 * SIGCHLD must not be sent for stops at all: if the thread that waits blocked it, the kernel would
 * not count it as ignored, queue it, and wake the other thread at every stop (sig_ignored in
 * kernel/signal.c).
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
        status = run_loop(engine);
    if (!engine->recording_ended)
        end_recording(engine);
    atomic_store(&engine->running, false);
    wake_timer_deinit(engine);
    return status;
}
