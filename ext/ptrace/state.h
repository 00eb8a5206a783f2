/* The state of the tracer, and what the files of ext/ptrace declare for each other. */
#ifndef SCOPE_PTRACE_STATE_H
#define SCOPE_PTRACE_STATE_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ptrace.h>
#include <time.h>

#include "ptrace/engine.h"
#include "call/context.h"
#include "call/copy_memory.h"
#include "ptrace/tracee.h"

/* Of every tracee; from the first exec on with PTRACE_O_EXITKILL. */
enum {
    TRACE_OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEEXEC |
                    PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                    PTRACE_O_TRACEEXIT,
};

enum { MUTES = 4096, ABI_MAX = 4, QUEUED_MAX = 256, WRITERS_MAX = 64 };
enum { WAKE_SIGNAL = SIGUSR2 };
enum { SYSCALL_STOP = SIGTRAP | 0x80 }; /* the status of an entry or exit: PTRACE_O_TRACESYSGOOD */

struct gate;

struct engine {
    struct engine_options options;
    struct context context;
    struct tasks tasks;
    struct gate *gate; /* gated.c; NULL: all calls are traced */
    pid_t main_pid;
    int polls_wanted;             /* how often to poll for a stop before sleeping (wait.c) */
    unsigned stops_since_change;  /* since the last fork, exec or exit of a task */
    int ready_in_row;             /* stops in a row that the tracer did not have to wait for */
    pid_t last_polled;            /* the thread that was asked for last, in a round */
    pid_t last_stopped;           /* the one whose stop came last, */
    unsigned stops_of_last;       /* and how many in a row were its */
    unsigned stops_since_scan;    /* of all tracees */
    siginfo_t queued[QUEUED_MAX]; /* stops that were consumed and are not handled yet */
    int queued_count, queued_taken;
    struct task
        *writers[WRITERS_MAX]; /* whose writes are under way or held, in the order they came */
    int writer_count, writers_held;
    timer_t timer; /* wakes the thread that waits; valid if has_timer */
    bool has_timer;
    uint64_t wake_ns;       /* when the timer expires, or 0 */
    uint64_t due_ns;        /* when something is to be done for a task (on_timer), or 0 */
    uint64_t launch_us;     /* CPU time of the main process before its first exec: ours, not its */
    struct copy_plan *plan; /* which calls are recorded whole; NULL: none */
    bool recording_ended;   /* nothing is recorded any more; calls of the program are let through */
    uint64_t pid_namespace; /* inode of ours, once it was asked for */
    char root[256];         /* of the first program; */
    size_t root_size;       /* 0: not known */
    int16_t rows[ABI_MAX][ABI_NUMBERS]; /* number → its first row, or -1 */
    int16_t next_row[ROW_COUNT];        /* row → the next of the same call, or -1 */

    /* what the other thread asks for */
    pthread_t thread;
    _Atomic bool running;
    _Atomic int stop; /* enum engine_stop, or 0 */
    _Atomic uint64_t mutes[MUTES];
    _Atomic uint32_t mutes_head, mutes_tail;
    _Atomic bool acknowledged;
    _Atomic bool flush_asked; /* all tallies are to be written now */
    pthread_mutex_t lock;
    pthread_cond_t acknowledgement;
};

typedef struct __ptrace_syscall_info call_info;

/* loop.c */
/* Trace until there are no tracees any more, or STOP_TRACING; returns 0 or a negative errno. */
int run_loop(struct engine *engine);
/* Write the last records: tallies of what is still open, and RAW_END. The program may go on. */
void end_recording(struct engine *engine);

/* wait.c */
/* The next stop or end of a tracee, as waitid reports it; a stop may be consumed already. Returns -1
 * and sets errno: EINTR, a signal came; ECHILD, there are no tracees. */
long next_wait_event(struct engine *engine, siginfo_t *event_out);
/* End a stop: the tracee runs on, and is delivered `signal` if that is not 0. */
void resume(struct engine *engine, struct task *task, int signal);
/*
 * Wait for a stop that was only looked at (WNOWAIT), so that waitid does not show it again. A
 * SIGKILL may have ended it meanwhile: `*stop_out`, which may be NULL, then has a si_pid of 0, or
 * is another stop.
 */
void consume_stop(pid_t tid, siginfo_t *stop_out);

/* calls.c */
void on_call_stop(struct engine *engine, struct task *task, bool by_filter);
/* At a call after the end of the recording: refuse those that must not be made. */
void on_call_after_recording(const struct engine *engine, const struct task *task);
/* The ABI of a call, by its audit number and its own number; NULL: none that is known. */
const struct abi *abi_of(uint32_t audit_arch, uint64_t number);
/* Have the call that a thread is about to make return an error instead of being made. */
void refuse_call(const struct task *task, int error);
/* Whether a ptrace call is about a thread of the recorder itself. */
bool is_ptrace_of_recorder(const struct task *task, const uint64_t args[6]);

/* What follows from the result of a call: its record, and what the tracer has to know. */
void finish_call(struct engine *engine, struct task *task, struct pending *call, int64_t result);
/* The call that has begun is not made: its thread makes it again later (postpone_call). */
void cancel_call(struct engine *engine, struct task *task);
/* Every call of a task that ends now without returning: write what is known. */
void abandon_calls(struct engine *engine, struct task *task);

/* interrupted_calls.c */
/* Whether a result is one of those by which the kernel says that a signal interrupted the call. */
bool is_restart_result(int64_t result);
/* The call under way was interrupted: set it aside until it is clear how it ends. */
void suspend_call(struct engine *engine, struct task *task);
bool is_sigreturn(const struct abi *abi, int64_t number);
/* Whether a thread with stack pointer `now_sp` is in a handler on an alternate stack, and the handler
 * has interrupted a call of `abi` that was made at `ip` with the stack pointer `sp`. */
bool is_on_handlers_stack(const struct task *task, const struct abi *abi, uint64_t ip, uint64_t sp,
                          uint64_t now_sp);
/* If the call being entered is the innermost suspended one, restarted: have it under way again. */
bool resume_suspended(struct task *task, const call_info *info, const struct abi *abi);
/* End the suspended calls whose handlers were left by longjmp, as the call being entered shows. */
void end_left_handlers(struct engine *engine, struct task *task, const call_info *info,
                       const struct abi *abi);
/* At an exit stop with a call suspended: if it is that of a sigreturn, end the suspended call. */
void on_sigreturn(struct engine *engine, struct task *task, const call_info *info,
                  const struct abi *abi);
/* Suspended calls of a task that ends now: record those that a filter refused. */
void abandon_suspended(struct engine *engine, struct task *task);

/* whole_calls.c */
/* At an entry stop: if the call is recorded whole, copy what is due at its entry. */
void whole_call_entered(struct engine *engine, struct task *task, const call_info *info,
                        bool by_filter);
/* At a syscall-exit-stop. */
void whole_call_returned(struct engine *engine, struct task *task, const call_info *info);
/* The call under way is not made: its thread makes it again later (postpone_call). */
void cancel_whole_call(struct task *task);
/* Every call of a task that ends now, or whose recording does: write what is known. */
void abandon_whole_calls(struct engine *engine, struct task *task);
/* An exec made by `from` has succeeded, and `to` has become its thread. */
void move_whole_calls(struct engine *engine, struct task *to, struct task *from);
/* Whether the next stop of the task is to be a call or its end: one is under way or interrupted. */
bool awaits_whole_call(const struct task *task);
/* If calls are recorded whole, the signals and ends between them. */
void write_whole_signal(struct engine *engine, const struct task *task, const siginfo_t *info);
void write_whole_end(struct engine *engine, const struct task *task, int status);
void free_whole_calls(struct task *task);

/* program_filters.c */
enum call_outcome {
    CALL_MADE,
    CALL_REFUSED, /* by a seccomp filter of the program */
    CALL_TRAPPED, /* the same by SECCOMP_RET_TRAP or a KILL: a SIGSYS follows */
};
/* What became of the call of `task` that returned `result`. */
/* Whether a SIGSYS of a filter is pending for a thread. */
bool has_trap_pending(const struct task *task);
enum call_outcome outcome_of(const struct task *task, int64_t result);
/*
 * Whether a call of one stop (STOPS_ENTRY), which may stop twice in a task with filters of its own,
 * is to be recorded at the other one. It is recorded once it is certain to be made: at the stop by
 * our filter, or at its entry if there is a supervisor, which may let it go on without that stop.
 */
bool belongs_to_other_stop(const struct task *task, int row, bool by_filter, bool entry_seen);
/* A seccomp(2) or prctl(2) call succeeded: if it loaded a filter, see every call from now on. */
void follow_filter(struct engine *engine, struct task *task, const struct pending *call);

/* write_order.c */
/* A write is entered: its thread may be held in this stop. */
void begin_ordered_write(struct engine *engine, struct task *task);
/* A write has returned, or is never made: make the next one to the same file. */
void end_ordered_write(struct engine *engine, struct task *task);
/* Ask for device and inode of the file at an fd, once. */
bool identify_file(const struct task *task, struct fd_entry *entry);
/* Whether a write takes so long that others are not to wait for it. */
bool is_slow_write(pid_t tid, uint64_t entered_ns, uint64_t now_ns);
/* Make the writes that are held only behind slow ones; UINT64_MAX: all that are held. */
void release_held_writes(struct engine *engine, uint64_t now_ns);

/* timer.c */
void wake_timer_init(struct engine *engine);
void wake_timer_deinit(struct engine *engine);
/* Have on_timer called at that time at the latest; false if there is no timer. */
bool wake_at(struct engine *engine, uint64_t at_ns);
/* Have the wait for a stop end at that time at the latest; false if there is no timer. */
bool sleep_until(struct engine *engine, uint64_t at_ns);
/* If the timer has expired: do what is due, and set it to what is due next. */
void on_timer(struct engine *engine);

/* signals.c */
/* A signal-delivery-stop. */
void on_signal(struct engine *engine, struct task *task, int signal);
/* PTRACE_EVENT_STOP: a group-stop, its end, or the first stop of a child. */
void on_stop_event(struct engine *engine, struct task *task, int signal);
/* Write the signals of which only counts are kept. */
void flush_signals(struct engine *engine, struct task *task);
/* The same for counts that are due. Returns when the next will be due, or 0. */
uint64_t flush_due_bursts(struct engine *engine, struct task *task);

/* signal_storms.c */
/* If signals keep the thread from making progress: deliver this one later, resume it, return true. */
bool defer_signal(struct engine *engine, struct task *task, const siginfo_t *info);
/* The thread has done what it could not do if it were stuck. */
void note_progress(struct task *task);
/* If the time of a deferral is over: interrupt the thread. Returns when it will be over, or 0. */
uint64_t end_due_deferral(const struct task *task);
/* A thread with a deferred signal has stopped. */
void end_deferral(struct task *task, int event, int signal);

/* fatal_signals.c */
/* A signal is about to be delivered: if it ends the process, its other threads make no more calls. */
void mark_killed_process(struct engine *engine, struct task *task, int signal);
/* A call of that row is about to be made: if it sends such a signal, calls in the gate stop again. */
void hold_receivers(struct engine *engine, const struct task *task, int row,
                    const uint64_t args[6]);
/* A thread has sent a signal to the thread of its process with that number in their PID namespace. */
void mark_signalled_process(struct engine *engine, struct task *sender, pid_t own_tid, int signal);
/* Whether a signal that ends the process is pending for it, and a thread will take it. */
bool is_fatal_signal_pending(const struct engine *engine, struct task *task);
/* At the stop by our filter: if a fatal signal comes first, have the call made again later. */
bool postpone_call(struct task *task);

/* init_faults.c */
/* If this is a fault that ends process 1 of a namespace untraced: begin to end it, return true. */
bool trap_init_fault(struct task *task, int signal);
/* Whether this signal is the fault that was held back by that. */
bool is_init_fault(const struct task *task, int signal);
/* If so: deliver it, return true. */
bool deliver_init_fault(struct task *task, int signal);

/* fork.c */
/* NULL: there is none, or it has ended and was kept; another thread may have its tid. */
struct task *find_living(struct engine *engine, pid_t tid);
void on_fork(struct engine *engine, struct task *task);
/* The child that the event of a thread names; NULL: there is none, or no memory. */
struct task *find_child(struct engine *engine, struct task *task);
/* A tid that no event of a parent has named: that comes later, or never. */
struct task *add_newborn(struct engine *engine, pid_t tid);
/* Resume a child from its first stop; its memory is opened while it is stopped. */
void start_child(struct engine *engine, struct task *task);
/* The same for all newborns, whether or not an event has named them. */
void start_newborns(struct engine *engine);
/* Whether a thread is in a call that makes a child, whose event is still to come. */
bool is_making_child(const struct task *task);
/*
 * At the end of a thread: resume the newborn that it has made, since no event will name it. True: the thread was in a call
 * that makes a child, and the child has not had its first stop.
 */
bool start_orphans(struct engine *engine, struct task *dead);
/* Instead of drop_task: the thread has ended, and a child that it made, or the event by which it was made, may come. */
void keep_ended(struct engine *engine, struct task *dead);
/* Drop a task that was kept for long enough. Returns when it is to be dropped, or 0. */
uint64_t drop_due(struct engine *engine, struct task *task, uint64_t now_ns);
/* A child made with CLONE_UNTRACED would not be traced: clear the flag before the call … */
void patch_clone(struct task *task, const struct pending *call);
/* … and restore it in the program's memory after it. */
void unpatch_clone(struct task *task);
/* Find out the flags of a clone3, which lie in memory. */
void read_clone3_flags(struct task *task, uint64_t address);
/* The flags of a clone or clone3 that is entered, as its record and its restart have them. */
void fill_birth_flags(struct task *task, struct pending *call);

/* exec.c */
void on_exec(struct engine *engine, struct task *task);
/* An exec is entered: how many fds are open, if it can be known that none was closed afterwards. */
void count_fds_before_exec(struct task *task);
/* The exec by which the launcher becomes the program is entered: put its path in place. */
void complete_first_exec(struct task *task, call_info *info);

/* exit.c */
void on_exit_stop(struct engine *engine, struct task *task);
void on_exited(struct engine *engine, pid_t tid, const siginfo_t *end);
/* Give up a task's share in its fd table. */
void drop_fd_table(struct engine *engine, struct task *task);
void drop_task(struct engine *engine, struct task *task);
/* CPU time a process has used so far, in microseconds; 0 if that cannot be asked. */
uint64_t cpu_time_us(pid_t pid);

#endif
