/* Live threads, and for each the call that awaits its end. */
#ifndef SCOPE_PTRACE_TRACEE_H
#define SCOPE_PTRACE_TRACEE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "call/context.h"

/* How a call was entered: by this one knows that it is the same when it is restarted. */
struct entry_stop {
    uint64_t number, args[6]; /* as they were passed: of socketcall(2) not those of `call` */
    uint64_t ip, sp;
    bool filter_passed; /* the stop by our filter was seen: no other filter refused the call */
    bool trapped;       /* refused by a filter of the program's own, whose SIGSYS is on its way */
};

/* Calls within calls: one was interrupted, and the handler's own calls come before it goes on. */
enum { SUSPENDED_MAX = 4 };
struct suspended {
    struct pending call;
    struct entry_stop entry;
};

/* The write that a thread makes, among those to the same file (write_order.c). */
enum write_state {
    WRITE_NONE,
    WRITE_HELD, /* its thread is held in the stop at its entry */
    WRITE_UNDER_WAY,
    WRITE_SLOW, /* under way for so long that no other write is held back behind it any more */
};

/* Whether signals keep a thread from making progress, and the one deferred (signal_storms.c). */
struct location {
    uint64_t ip, sp;
};
struct storm {
    struct location anchor, last;
    uint64_t since_ns;                              /* when it stopped at the anchor first */
    uint64_t deferral_began_ns, deferral_lasted_ns; /* of the last deferral */
    uint64_t mask;                                  /* the program's own, to be restored */
    uint32_t other_stops; /* how often it stopped elsewhere since it stopped at the anchor */
    bool deferring;       /* a signal is queued and blocked while the thread runs */
    bool undelivered;     /* the signal that was deferred is not delivered yet */
};

/* Signals of one kind that came within a short time (signals.c). */
enum { BURSTS = 4, BURST_KEYS = 4 };
struct signal_burst {
    uint64_t kind[BURST_KEYS]; /* as in RAW_SIGNAL: signal, code, sender's pid and uid */
    uint64_t window_ns;        /* when the first one came */
    uint64_t first_ns, count;  /* of those that were not recorded yet */
    uint32_t singles;          /* how many have a record of their own */
};

struct gated_file;
struct image;
struct gate_thread;

/* Where a thread goes on that begins in the gate, as the one that has made it: behind the site. ip 0: it does not. */
struct birthplace {
    uint64_t ip, sp, flags;
};

/* The file that a process executed last. */
struct program_file {
    uint64_t dev, ino;
};

struct task {
    struct caller caller; /* its ids, memory and fds */
    struct program_file program;
    bool adopted;            /* its parent's PTRACE_EVENT_FORK, VFORK or CLONE was seen */
    bool newborn;            /* in its first stop, until that event is seen */
    bool ended_making;       /* it was stopped for a call that makes a child when its end began */
    struct raw_record *exit; /* its RAW_EXIT, if it has ended before that event was seen; or NULL */
    uint64_t kept_until_ns;  /* it has ended, and is kept (keep_ended); or 0 */
    bool every_call; /* stops at every call: a filter of its own could hide some from ours */
    bool supervised; /* a supervisor may answer its calls: seccomp_unotify(2) */
    bool entry_seen; /* an entry stop was handled, and the filter's may follow */
    bool in_call;    /* `call` has begun and its end is awaited */
    struct pending call;
    struct entry_stop entry; /* of `call` */
    struct suspended suspended[SUSPENDED_MAX];
    int suspended_count;
    int64_t last_number;    /* of the last call entered, while every call is seen; -1: none */
    size_t fds_before_exec; /* how many were open when the exec under way began; 0: not known */
    int64_t clone3_flags;   /* of the clone3 under way; -1: none */
    uint64_t patched_at;    /* where clone3's flags were changed, or 0 */
    uint64_t patched_from;  /* and what they were */
    bool being_killed;      /* a signal that ends its process was sent or delivered to a thread */
    bool fatal_pending;     /* such a signal was pending when the thread stopped */
    uint64_t held_until_ns; /* until then its calls stop, as a fatal signal is on its way; or 0 */
    uint64_t postponed_ns;  /* since when its next call is postponed, or 0 */
    uint64_t not_fatal_until_ns; /* until then pending signals need not be looked at */
    bool not_init;               /* its process is not number 1 of its PID namespace */
    uint8_t write_state;         /* enum write_state */
    struct storm storm;
    struct signal_burst *bursts; /* BURSTS of them, or NULL */
    struct whole_calls *whole;   /* those recorded whole (whole_calls.c), or NULL */
    struct init_fault *
        init_fault; /* the fault that is ending process 1 of a namespace (init_faults.c), or NULL */
    struct image *image;        /* what its program has of the gate (gated_slots.c), or NULL */
    struct gate_thread *gated;  /* its slot, or NULL */
    unsigned locked;            /* 1 + the lock of a file that a write of the task has; 0: none */
    bool vforked;               /* its parent waits until it has executed a program, or ended */
    bool has_parents_gs;        /* its first base of gs may be that of its parent's slot */
    struct birthplace born;     /* of a thread in its first stop that was made in the gate */
    int64_t closed;             /* the fd of a close that is recorded and not made yet; -1: none */
    bool other_users;           /* its user namespace is another one than the recorder's */
    bool gone;                  /* it is in another stop than the one that is handled */
    struct task *next;          /* in its bucket */
    struct task *older, *newer; /* among all tasks */
};

enum { TASK_BUCKETS = 4096 };

struct tasks {
    struct task *buckets[TASK_BUCKETS];
    struct task *newest;
    size_t count, newborns, kept;
};

/* Whether other threads, or the parent of a vfork, have the same address space. */
static inline bool shares_space(const struct task *task)
{
    return task->caller.space && task->caller.space->uses > 1;
}

/* Whether no other thread runs there: the parent of a vfork waits. */
static inline bool is_alone(const struct task *task)
{
    enum { PARENT_AND_CHILD = 2 };

    return !shares_space(task) || (task->vforked && task->caller.space->uses == PARENT_AND_CHILD);
}

struct task *tasks_find(const struct tasks *tasks, pid_t tid);

/* A new task, or NULL without memory. */
struct task *tasks_add(struct tasks *tasks, pid_t tid, pid_t tgid);

/* Unlink and free. The caller has dropped its space and its files. */
void tasks_remove(struct tasks *tasks, struct task *task);

/* The thread after `tid`, which may have ended, in a round of all threads; 0 if there is none. */
pid_t tasks_after(const struct tasks *tasks, pid_t tid);

/* The task that was added before `task` (NULL: the newest); the walk survives removing `task`'s
 * predecessors, not `task` itself. */
struct task *tasks_next(const struct tasks *tasks, const struct task *task);

#endif
