/* What the engine's own files share; nothing outside ext/engine includes it. */
#ifndef SCOPE_ENGINE_STATE_H
#define SCOPE_ENGINE_STATE_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ptrace.h>

#include "engine/engine.h"
#include "engine/tracee.h"
#include "raw/record.h"

enum { MUTES = 4096, ABI_MAX = 4 };

struct engine {
    struct engine_options options;
    struct ring ring;
    struct tasks tasks;
    struct stream_pool pool;
    struct raw_counts counts;
    pid_t main_pid;
    int patience;       /* how often to look for news before sleeping */
    uint64_t launch_us; /* CPU time of the main process before its first exec: ours, not its */
    bool started; /* the first exec has succeeded: from here on there is something to record */
    int16_t rows[ABI_MAX][ABI_NUMBERS]; /* number → row, or -1 */
    struct parts scratch;               /* of records that no pending call belongs to */

    /* the other thread's wishes */
    pthread_t thread;
    _Atomic bool running;
    _Atomic int stop; /* enum engine_stop, or 0 */
    _Atomic uint64_t mutes[MUTES];
    _Atomic uint32_t mutes_head, mutes_tail;
    _Atomic bool acknowledged;
    pthread_mutex_t lock;
    pthread_cond_t acknowledgement;
};

typedef struct __ptrace_syscall_info call_info;

/* engine.c */
void resume(struct engine *engine, struct task *task, int signal);
/* Really wait for a stop that was only looked at, unless a SIGKILL ended it meanwhile. */
void consume_stop(const struct task *task);
/* Write a record: `header` names everything but size, pid, tid and copied; `parts` may be NULL. */
void write_record(struct engine *engine, const struct task *task, struct raw_record *header,
                  const struct parts *parts);
void write_note(struct engine *engine, const struct task *task, enum raw_note note, uint64_t value);

/* calls.c */
void on_call_stop(struct engine *engine, struct task *task, bool by_filter);
/* Every call of a task that ends now without returning: write what is known. */
void abandon_calls(struct engine *engine, struct task *task);

/* tally.c */
/* A stream's tally as a record, then its end. */
void flush_stream(struct engine *engine, const struct task *task, int fd);
void flush_files(struct engine *engine, const struct task *task);
/* An fd found rather than made: a RAW_FD record. */
void write_seen(struct engine *engine, const struct task *task, int fd, enum raw_seen seen);
/* The stream of an fd that is about to be used; NULL if it is not open. */
struct stream *use_stream(struct engine *engine, struct task *task, int fd);
void count_reads(struct stream *stream, uint64_t bytes, uint64_t elapsed_ns);
void count_writes(struct stream *stream, uint64_t bytes, uint64_t elapsed_ns);

/* payload.c */
void copy_at_entry(struct engine *engine, struct task *task, struct pending *call, bool with_data);
void copy_at_exit(struct engine *engine, struct task *task, struct pending *call, int64_t result);
void add_link(struct parts *parts, enum raw_part_kind kind, const char *path);
void add_stat(struct parts *parts, const char *path);
void add_file(struct parts *parts, enum raw_part_kind kind, const char *path, size_t limit);

/* lifecycle.c */
void on_fork(struct engine *engine, struct task *task);
void on_exec(struct engine *engine, struct task *task);
void on_exit_stop(struct engine *engine, struct task *task);
void on_signal(struct engine *engine, struct task *task, int signal);
void on_stop_event(struct engine *engine, struct task *task, int signal);
void on_death(struct engine *engine, pid_t tid, const siginfo_t *death);
struct task *on_stranger(struct engine *engine, pid_t tid);
/* Let every held child go, announced or not. */
void release_held(struct engine *engine);
void drop_task(struct engine *engine, struct task *task);

#endif
