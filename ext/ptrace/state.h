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
#include "call/sockets.h"
#include "ptrace/tracee.h"
#include "record/record.h"

/* Of every tracee; from the first exec on with PTRACE_O_EXITKILL. */
enum {
    TRACE_OPTIONS = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEEXEC |
                    PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                    PTRACE_O_TRACEEXIT,
};

enum { MUTES = 4096, ABI_MAX = 4, PATH_LIMIT = 4096, QUEUED_MAX = 256, WRITERS_MAX = 64 };
enum { WAKE_SIGNAL = SIGUSR2 };
enum { SYSCALL_STOP = SIGTRAP | 0x80 }; /* the status of an entry or exit: PTRACE_O_TRACESYSGOOD */

struct engine {
    struct engine_options options;
    struct ring ring;
    struct tasks tasks;
    struct stream_pool pool;
    struct raw_counts counts;
    pid_t main_pid;
    uint32_t tellings;            /* how often tallies of open fds were told */
    int polls_wanted;             /* how often to poll for a stop before sleeping (wait.c) */
    unsigned stops_since_change;  /* since the last fork, exec or exit of a task */
    int ready_in_row;             /* stops in a row that the tracer did not have to wait for */
    pid_t last_polled;            /* the thread that was asked for last, in a round */
    siginfo_t queued[QUEUED_MAX]; /* stops that were consumed and are not handled yet */
    int queued_count, queued_taken;
    struct task
        *writers[WRITERS_MAX]; /* whose writes are under way or held, in the order they came */
    int writer_count, writers_held;
    timer_t timer; /* wakes the thread that waits; valid if has_timer */
    bool has_timer;
    uint64_t wake_ns;       /* when the timer expires, or 0 */
    uint64_t launch_us;     /* CPU time of the main process before its first exec: ours, not its */
    bool recording_ended;   /* nothing is recorded any more; calls of the program are let through */
    bool flows;             /* what goes through sockets is wanted */
    bool serves_files;      /* a task has a file system in its hands: fuse(4) */
    uint64_t pid_namespace; /* inode of ours, once it was asked for */
    bool names_given;       /* linkat(2) may have named what was opened without a name */
    uint64_t renames;       /* how often a task renamed something */
    bool strange_roots; /* a task changed its root or mounts: chroot(2), CLONE_NEWNS of clone(2) */
    bool started; /* the first exec has succeeded: from here on there is something to record */
    int16_t rows[ABI_MAX][ABI_NUMBERS]; /* number → its first row, or -1 */
    int16_t next_row[ROW_COUNT];        /* row → the next of the same call, or -1 */
    struct parts scratch;               /* of records that no pending call belongs to */

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

enum { RANGE_UNSHARE = 2, RANGE_CLOEXEC = 4 }; /* close_range(2) */

/* wait.c */
/* The next stop or end of a tracee, as waitid reports it; a stop may be consumed already. Returns -1
 * and sets errno: EINTR, a signal came; ECHILD, there are no tracees. */
long next_wait_event(struct engine *engine, siginfo_t *event_out);
/* End a stop: the tracee runs on, and is delivered `signal` if that is not 0. */
void resume(struct engine *engine, struct task *task, int signal);
/*
 * Wait for a stop that was only looked at (WNOWAIT), so that waitid does not show it again. A SIGKILL may
 * have ended it meanwhile: `*stop_out`, which may be NULL, then has a si_pid of 0, or is another stop.
 */
void consume_stop(pid_t tid, siginfo_t *stop_out);

/* records.c */
/* Write a record: `header` names everything but size, pid, tid and copied; `parts` may be NULL. */
void write_record(struct engine *engine, const struct task *task, struct raw_record *header,
                  const struct parts *parts);
void write_note(struct engine *engine, const struct task *task, enum raw_note note, uint64_t value);
/* `moved`: how many bytes the call moved, by its result or by one of its messages. */
void write_call(struct engine *engine, const struct task *task, const struct pending *call,
                int64_t result, uint64_t elapsed_ns, uint64_t moved);

/* calls.c */
void on_call_stop(struct engine *engine, struct task *task, bool by_filter);
/* At a call after the end of the recording: refuse those that must not be made. */
void on_call_after_recording(const struct engine *engine, const struct task *task);
/* Have the call that a thread is about to make return an error instead of being made. */
void refuse_call(const struct task *task, int error);
/* Whether a ptrace call is about a thread of the recorder itself. */
bool is_ptrace_of_recorder(const struct task *task, const uint64_t args[6]);

/* call_entry.c */
/* A thread is about to make a watched call, of this row. */
void begin_call(struct engine *engine, struct task *task, const call_info *info,
                const struct abi *abi, int row);
/* An fd is closed: its record, with its tally. */
void close_fd(struct engine *engine, struct task *task, struct pending *call);

/* call_exit.c */
/* What follows from the result of a call: the engine's own picture, and its record. */
void finish_call(struct engine *engine, struct task *task, struct pending *call, int64_t result);
/* The call that has begun is not made: its thread makes it again later (postpone_call). */
void cancel_call(struct engine *engine, struct task *task);
/* A call that sends has ended: its bytes are in the stream, or never will be. */
void end_sending(struct engine *engine, struct pending *call);
static inline bool is_connect(int64_t row)
{
    return row == ROW_connect || row == ROW_io_uring_enter__connect;
}
/* Every call of a task that ends now without returning: write what is known. */
void abandon_calls(struct engine *engine, struct task *task);

/* interrupted_calls.c */
/* Whether a result is one of those by which the kernel says that a signal interrupted the call. */
bool is_restart_result(int64_t result);
/* The call under way was interrupted: set it aside until it is clear how it ends. */
void suspend_call(struct engine *engine, struct task *task);
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

/* program_filters.c */
enum call_outcome {
    CALL_MADE,
    CALL_REFUSED, /* by a seccomp filter of the program */
    CALL_TRAPPED, /* the same by SECCOMP_RET_TRAP or a KILL: a SIGSYS follows */
};
/* What became of the call of `task` that returned `result`. */
enum call_outcome outcome_of(const struct task *task, int64_t result);
/*
 * Whether a call of one stop (STOPS_ENTRY), which may stop twice in a task with filters of its own, is to
 * be recorded at the other one. It is recorded once it is certain to be made: at the stop by our filter,
 * or at its entry if there is a supervisor, which may let it go on without that stop.
 */
bool belongs_to_other_stop(const struct task *task, int row, bool by_filter, bool entry_seen);

/* write_order.c */
/* A write to `stream` is entered: its thread may be held in this stop. */
void begin_ordered_write(struct engine *engine, struct task *task, const struct stream *stream);
/* A write has returned, or is never made: make the next one to the same file. */
void end_ordered_write(struct engine *engine, struct task *task);
/* Make the writes that are held only behind slow ones; UINT64_MAX: all that are held. */
void release_held_writes(struct engine *engine, uint64_t now_ns);

/* effects.c */
/*
 * Whether an fd is worth its place in a table. One that is high may have been made up, by a supervisor
 * (seccomp_unotify(2)) or in memory that the program can write to (the pair of pipe(2), control
 * messages, results of io_uring), and a table would grow for nothing.
 */
bool may_be_open(const struct task *task, int fd);
void apply_call(struct engine *engine, struct task *task, const struct pending *call,
                int64_t result);

/* moves.c */
/* The end of a call that moves bytes: count them, and write the records that are wanted. */
void finish_move(struct engine *engine, struct task *task, struct pending *call, int64_t result,
                 uint64_t elapsed_ns);

/* messages.c */
/* Whether a message has a buffer that can hold a byte, or cannot be asked. */
bool message_has_room(const struct task *task, const struct pending *call, uint64_t address);
enum message_parts { MESSAGE_NAME = 1, MESSAGE_DATA = 2, MESSAGE_CONTROL = 4 };
/* Copy what is wanted of the struct msghdr at `address`; of its buffers at most `most` bytes. */
void add_message(struct engine *engine, const struct task *task, struct pending *call,
                 uint64_t address, unsigned wanted, uint64_t most);
/* Write the fds that the control messages of a record's parts brought. */
void write_received_fds(struct engine *engine, struct task *task, const struct pending *call);
/* From the arguments of socketcall(2) to the call that it is; false if it is none we watch. */
bool expand_socketcall(struct engine *engine, const struct task *task, struct pending *call);

/* tally.c */
/* A stream's tally as a record, then its end. */
void flush_stream(struct engine *engine, const struct task *task, int fd);
void flush_files(struct engine *engine, const struct task *task);
/* How often a task made each call that makes no record. */
void tell_calls(struct engine *engine, struct task *task);
/* A stream's tally as a record; it goes on from nothing. */
void tell_stream(struct engine *engine, const struct task *task, struct stream *stream);
/* Every tally and count as a record; they go on from nothing. */
void tell_tallies(struct engine *engine);
/* An fd found rather than made: a RAW_FD record, and a new stream (NULL without memory). */
struct stream *write_seen(struct engine *engine, struct task *task, int fd, enum raw_seen seen);
/* What kind of stream an fd is; it is asked for once. */
enum stream_kind stream_kind(const struct task *task, struct stream *stream);
enum stream_kind kind_of_type(int type);
/* The stream of an fd that is about to be used; NULL if it is not open. */
struct stream *use_stream(struct engine *engine, struct task *task, int fd);
/* `row`: of the call that moved the bytes. */
void count_reads(struct stream *stream, uint16_t row, uint64_t bytes, uint64_t elapsed_ns);
void count_writes(struct stream *stream, uint16_t row, uint64_t bytes, uint64_t elapsed_ns);
/* A stream's tally as parts of a record. */
void add_tally(struct parts *parts, const struct stream *stream);

/* fd_names.c */
/* The hash of what the LINK part says; without one, of the name of the stream that was copied. */
uint64_t name_in(const struct parts *parts, const struct stream *copied);
/* A new stream is called so at this moment. */
void begin_name(const struct engine *engine, struct stream *stream, uint64_t name);
/* Before an fd is used or let go: show Python what its file is called now, if that is event_out. */
void follow_name(struct engine *engine, const struct task *task, struct stream *stream,
                 uint64_t now_ns);

/* last_words.c */
/* The last word on a socket whose fd is about to go or to be shut down; nothing if all is well. */
void add_last_word(const struct engine *engine, struct parts *parts, const struct task *task,
                   const struct stream *stream);
/* The last words on the sockets at fds `first` to `last`, as records. */
void tell_last_words(struct engine *engine, const struct task *task, unsigned first, unsigned last);
/* The same of those fds that a call which begins may let go or shut down. */
void tell_before_end(struct engine *engine, const struct task *task, const struct pending *call);

/* copies.c */
void copy_at_entry(struct engine *engine, struct task *task, struct pending *call, bool with_data);
/* The name of the path in the ADDRESS part, if that is of a unix socket. */
void add_address_name(const struct engine *engine, const struct task *task, struct parts *parts,
                      bool follow);
void copy_at_exit(struct engine *engine, struct task *task, struct pending *call, int64_t result);
/* The fds of a pair that was made, as its PAIR part has them; false if that could not be read. */
bool read_pair(const struct pending *call, int32_t pair_out[2]);

/* payload.c */
/* A copy out of a tracee failed. A bad address (-EFAULT) is none for the kernel either: no loss. */
void count_unreadable(struct engine *engine, int status);
/* Copy `size` bytes at `address` as one part. A copy that comes short is flagged. */
void add_memory(struct engine *engine, const struct task *task, struct parts *parts,
                enum raw_part_kind kind, uint64_t address, size_t size, unsigned flags);
/* The buffers of an iovec, joined; at most `most` bytes, and what the call may copy. */
void add_vector(struct engine *engine, const struct task *task, struct pending *call,
                uint64_t address, uint64_t count, uint64_t most);
/* A struct sockaddr of `size` bytes; none if the program gave or wanted none. */
void add_address(struct engine *engine, const struct task *task, struct pending *call,
                 uint64_t address, uint64_t size);
/* Whether any of the buffers of an iovec can hold a byte, or they cannot be asked. */
bool vector_has_room(const struct task *task, const struct pending *call, uint64_t address,
                     uint64_t count);
/* How many buffers a readv or writev names: the kernel takes the low half (import_iovec). */
uint64_t buffer_count(const struct pending *call);
/* Whether the address of a call is the kernel's answer. */
static inline bool is_given_address(const struct call *row)
{
    return row->moves == MOVES_IN || row->makes_fd;
}
/* How much of such an answer there is room for: the kernel says how long all of it would be. */
void note_address_room(const struct task *task, struct pending *call);
/* The address that the kernel answered with, as much of it as there was room for. */
void add_given_address(struct engine *engine, const struct task *task, struct pending *call);
/* The DATA part of a call: at most `most` bytes of what its buffer or vector has. */
void add_data(struct engine *engine, const struct task *task, struct pending *call, uint64_t most);
/* What a socket is and what it is called at both ends; false if that cannot be learnt. */
bool add_ends(struct parts *parts, const struct task *task, int fd);
/* A connection was begun, and how it ends will show later: connect(2). */
static inline bool is_under_way(int64_t result)
{
    return result == -EINPROGRESS || result == -EINTR;
}
uint64_t argument(const struct pending *call, uint8_t position);
void add_link(struct parts *parts, enum raw_part_kind kind, const char *path);
void add_stat(struct parts *parts, const char *path);
/* LINK and STAT of an fd. */
void add_fd(struct parts *parts, pid_t tid, int fd);
/* Take note if the LINK part is of the device of those who serve a file system. */
void note_server(struct engine *engine, const struct parts *parts);
void add_status(struct parts *parts, pid_t tid);
void add_file(struct parts *parts, enum raw_part_kind kind, const char *path, size_t limit);
/* The strings of a file that each end with a NUL: those that are whole within the first `limit`
 * bytes. Returns how many more there are. */
uint64_t add_strings(struct parts *parts, enum raw_part_kind kind, const char *path, size_t limit);

/* timer.c */
void wake_timer_init(struct engine *engine);
void wake_timer_deinit(struct engine *engine);
/* Have on_timer called at that time at the latest; false if there is no timer. */
bool wake_at(struct engine *engine, uint64_t at_ns);
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
/* If the time of a deferral is over: interrupt the thread. Returns when it will be over, or 0. */
uint64_t end_due_deferral(const struct task *task);
/* A thread with a deferred signal has stopped. */
void end_deferral(struct task *task, int event, int signal);

/* fatal_signals.c */
/* A signal is about to be delivered: if it ends the process, its other threads make no more calls. */
void mark_killed_process(struct engine *engine, struct task *task, int signal);
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
void on_fork(struct engine *engine, struct task *task);
/* A tid that no event of a parent has named: that comes later, or never. */
struct task *add_newborn(struct engine *engine, pid_t tid);
/* Resume a child from its first stop; its memory is opened while it is stopped. */
void start_child(struct engine *engine, struct task *task);
/* The same for all newborns, whether or not an event has named them. */
void start_newborns(struct engine *engine);
/* After an exit: resume newborns whose parent has exited, since no event will name them. */
void start_orphans(struct engine *engine, struct task *dead);
/* A child made with CLONE_UNTRACED would not be traced: clear the flag before the call … */
void patch_clone(struct task *task, const struct pending *call);
/* … and restore it in the program's memory after it. */
void unpatch_clone(struct task *task);
/* The flags of a clone or clone3 that is entered, as its record and its restart have them. */
void fill_birth_flags(const struct task *task, struct pending *call);

/* exec.c */
void on_exec(struct engine *engine, struct task *task);
/* The exec by which the launcher becomes the program is entered: put its path in place. */
void complete_first_exec(struct task *task, call_info *info);

/* exit.c */
void on_exit_stop(struct engine *engine, struct task *task);
void on_exited(struct engine *engine, pid_t tid, const siginfo_t *end);
/* Give up a task's share in its fd table. */
void drop_files(struct engine *engine, struct task *task);
void drop_task(struct engine *engine, struct task *task);
/* CPU time a process has used so far, in microseconds; 0 if that cannot be asked. */
uint64_t cpu_time_us(pid_t pid);

#endif
