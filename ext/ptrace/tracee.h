/* Live threads, and for each the call that awaits its end. */
#ifndef SCOPE_PTRACE_TRACEE_H
#define SCOPE_PTRACE_TRACEE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "arch/abi.h"
#include "call/memory.h"
#include "record/parts.h"
#include "call/fd_table.h"
#include "table/syscalls.h"

/* A call that has begun. */
struct pending {
    uint16_t row;
    const struct abi *abi;
    uint64_t args[6];
    uint64_t number, made_with[6]; /* as it was made: of socketcall(2) not the same */
    uint64_t ip, sp;
    uint64_t entered_ns;
    uint32_t address_room; /* bytes that the program has for an address that it is to be given */
    bool passed;     /* our filter's stop was seen: no filter that outranks it refused the call */
    bool trapped;    /* refused by a filter of the program's own, whose SIGSYS is on its way */
    uint64_t serial; /* of the stream it uses, or 0 */
    uint64_t first_serial; /* the same, whatever the file is called by now */
    uint32_t most;         /* bytes copied of what it moves, at most */
    uint64_t sends;        /* serial of the stream that it puts bytes into, or 0 */
    struct parts parts;
};

/* Calls within calls: one was interrupted, and the handler's own calls come before it goes on. */
enum { SUSPENDED_MAX = 4 };

/* A write among those to the same file (write_order.c). */
enum turn {
    TURN_NONE,
    TURN_WAITS, /* it has not been made: the thread is stopped at its entry */
    TURN_TAKEN,
    TURN_LATE, /* it takes long: nobody waits for it any more */
};

/* The rows that are counted without a record, group stat and group seek. */
enum { COUNTED_FIRST = ROW_stat, COUNTED = ROW__llseek - ROW_stat + 1 };

/* Where a thread that signals keep from getting on stands, and when it was given a breath. */
struct place {
    uint64_t ip, sp;
};
struct storm {
    struct place anchor, last;
    uint64_t since_ns;               /* when it stood at the anchor first */
    uint64_t breath_ns, breathed_ns; /* when the last breath began, and how long it was */
    uint64_t mask;                   /* the program's own, to be restored */
    uint32_t elsewhere;              /* how often it stopped in another place since it was there */
    bool breathes;
    bool owed; /* the signal that waited for the end of a breath is to be delivered */
};

/* Signals of one kind that came within a short time. */
enum { FOLDS = 4, FOLD_KIND = 4 };
struct fold {
    uint64_t kind[FOLD_KIND]; /* as RAW_SIGNAL has it: signal, code, sender's pid and uid */
    uint64_t window_ns;       /* when the first one came */
    uint64_t first_ns, count; /* of those that are not told yet */
    uint32_t singles;         /* told one by one */
};

struct task {
    pid_t tid, tgid;
    struct space *space;
    struct files *files;
    bool adopted;    /* its parent's event was seen; until then it is held */
    bool held;       /* stopped at birth, awaiting that event */
    bool every_call; /* stops at every call: a filter of its own could hide some from ours */
    bool supervised; /* a supervisor may answer its calls: seccomp_unotify(2) */
    bool entry_seen; /* an entry stop was handled, and the filter's may follow */
    bool in_call;    /* `call` has begun and its end is awaited */
    struct pending call;
    struct pending suspended[SUSPENDED_MAX];
    int suspended_count;
    uint32_t calls[COUNTED]; /* made since that was told, by row */
    int64_t last_number;     /* of the last call entered, while every call is seen; -1: none */
    int64_t clone3_flags;    /* of the clone3 under way; -1: none */
    uint64_t patched_at;     /* where clone3's flags were changed, or 0 */
    uint64_t patched_from;   /* and what they were */
    bool doomed;             /* a signal that ends its process was delivered to another thread */
    bool threatened;         /* such a signal was pending when it stopped */
    uint64_t put_off_ns;     /* since when its next call is put off, or 0 */
    uint64_t spared_ns;      /* until when pending signals are known not to be fatal */
    bool no_init;            /* its process is not number 1 of its PID namespace */
    uint8_t turn;            /* enum turn: of the write under way */
    struct storm storm;
    struct fold *folds;    /* FOLDS of them, or NULL */
    struct ending *ending; /* of a process 1 that a fault ends (init_faults.c), or NULL */
    struct task *next;     /* in its bucket */
};

enum { TASK_BUCKETS = 4096 };

struct tasks {
    struct task *buckets[TASK_BUCKETS];
    size_t count, held;
};

/* Whether others run in its address space: threads, or who waits for a vfork. */
static inline bool shares_space(const struct task *task)
{
    return task->space && task->space->uses > 1;
}

struct task *tasks_find(const struct tasks *tasks, pid_t tid);

/* A new task, or NULL without memory. */
struct task *tasks_add(struct tasks *tasks, pid_t tid, pid_t tgid);

/* Unlink and free. Its space and files are to be dropped before. */
void tasks_remove(struct tasks *tasks, struct task *task);

/* The thread whose turn is after that of `tid`, which may be gone; 0 if there is none. */
pid_t tasks_after(const struct tasks *tasks, pid_t tid);

/* The next task after `task` (NULL: the first) in no order; the walk survives removing `task`'s
 * predecessors, not `task` itself. */
struct task *tasks_next(const struct tasks *tasks, const struct task *task);

#endif
