/*
 * From the stops of one thread to its calls.
 *
 * A call begins at the filter's stop (or, for a task with filters of its own, at the entry stop that
 * comes before any filter) and ends at the exit stop. One that a signal interrupts may be entered
 * again: it stays suspended until it is clear which, and is one record in the end.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arch/abi.h"
#include SCOPE_ARCH_H
#include "call/async.h"
#include "call/proc.h"
#include "ptrace/seccomp.h"
#include "ptrace/state.h"

/* What a call that a signal interrupted returns inside the kernel (include/linux/errno.h). */
enum { RESTARTSYS = -512, RESTARTNOINTR = -513, RESTARTNOHAND = -514, RESTARTBLOCK = -516 };

static const struct abi *abi_of(uint32_t audit_arch, uint64_t number)
{
    const struct abi *found = NULL;

    for (const struct abi *abi = ABIS; abi->name; abi++)
        if (abi->audit_arch == audit_arch && (number & abi->mark) == abi->mark)
            found = abi; /* the one with a mark comes later and wins */
    return found;
}

static int row_of(const struct engine *engine, const struct abi *abi, uint64_t number)
{
    uint64_t plain = number & ~(uint64_t)abi->mark;

    return plain < ABI_NUMBERS ? engine->rows[abi - ABIS][plain] : -1;
}

/* -- the end of a call ----------------------------------------------------------------------- */

/* To be asked to come back later is no failure of a call on a socket. */
static bool is_no_news(const struct call *row, int64_t result)
{
    if (is_connect(row - CALLS))
        return result == -EALREADY; /* no port or no room left is a failure, however it is called */
    if (row->group == GROUP_NET && (result == -EAGAIN || result == -EINTR))
        return true;
    return row->answer && result == -row->answer;
}

/* The bytes of a call that sends are on their way, or never will be. */
static void end_sending(struct engine *engine, struct pending *call)
{
    struct stream *stream = call->sends ? pool_find(&engine->pool, call->sends) : NULL;

    if (stream)
        stream->sending--;
    call->sends = 0;
}

/* A call that asked for what goes on without it, or that says where results will be. */
static bool finish_order(struct engine *engine, struct task *task, const struct pending *call,
                         int64_t result)
{
    bool maps = call->row == ROW_mmap__ring || call->row == ROW_mmap2__ring;

    if (!maps && call->row != ROW_io_submit && call->row != ROW_io_uring_enter)
        return false;
    if (!task->space || !task->space->async)
        return true;
    if (maps && result >= 0)
        uring_mapped(task, call, (uint64_t)result);
    if (!maps)
        async_taken(engine, task, result);
    async_look(engine, task); /* most of it is done already */
    return true;
}

void finish_call(struct engine *engine, struct task *task, struct pending *call, int64_t result)
{
    uint64_t elapsed_ns = monotonic_ns() - call->entered_ns;
    const struct call *row = &CALLS[call->row];
    bool wanted =
        !is_no_news(row, result) && (result < 0 || engine->options.modes[call->row] == MODE_ALL);

    if (row->group == GROUP_STAT || row->group == GROUP_SEEK)
        task->calls[call->row - COUNTED_FIRST]++;
    if (finish_order(engine, task, call, result))
        return;
    if (row->moves != MOVES_NOTHING) {
        end_sending(engine, call);
        finish_move(engine, task, call, result, elapsed_ns);
        return;
    }
    if (wanted)
        copy_at_exit(engine, task, call, result);
    apply_call(engine, task, call, result);
    if (row->group == GROUP_GUARD && call->row != ROW_io_uring_setup && result >= 0)
        return; /* it is told by a note */
    if (wanted)
        write_call(engine, task, call, result, elapsed_ns, 0);
}

/*
 * The call that a thread was in when it was ended without an exit stop. SECCOMP_RET_KILL_THREAD ends
 * it before the call runs, and leaves its mark (SECCOMP_MODE_DEAD in proc(5), since Linux 5.16); so
 * may any fatal signal. A write that has run may have put its bytes out or not.
 */
static void abandon_call(struct engine *engine, struct task *task)
{
    enum { MODE_DEAD = 3 };
    struct pending *call = &task->call;
    struct arch_regs regs;
    bool made = arch_get_regs(task->tid, &regs) < 0 || arch_was_made(&regs);

    task->in_call = false;
    if (!made && task->every_call && proc_status_number(task->tid, "\nSeccomp:\t") == MODE_DEAD)
        finish_call(engine, task, call, RAW_RESULT_REFUSED);
    else if (made && CALLS[call->row].moves == MOVES_OUT && call->parts.used)
        write_call(engine, task, call, RAW_RESULT_UNKNOWN, 0, 0);
    end_sending(engine, call);
}

void call_off(struct engine *engine, struct task *task)
{
    if (!task->in_call)
        return;
    task->in_call = false;
    finish_order(engine, task, &task->call, 0); /* nothing of what it asks for was taken */
    end_sending(engine, &task->call);
    end_turn(engine, task);
}

void abandon_calls(struct engine *engine, struct task *task)
{
    if (task->in_call)
        abandon_call(engine, task);
    end_turn(engine, task);
    while (task->suspended_count) {
        struct pending *call = &task->suspended[--task->suspended_count];
        if (call->trapped)
            finish_call(engine, task, call, RAW_RESULT_REFUSED);
        end_sending(engine, call);
        parts_deinit(&call->parts);
    }
}

/* -- interrupted calls ----------------------------------------------------------------------- */

static bool is_restart(int64_t result)
{
    return result == RESTARTSYS || result == RESTARTNOINTR || result == RESTARTNOHAND ||
           result == RESTARTBLOCK;
}

/* The innermost suspended call is over. */
static void end_suspended(struct engine *engine, struct task *task, int64_t result)
{
    struct pending *call = &task->suspended[--task->suspended_count];

    finish_call(engine, task, call, result);
    parts_deinit(&call->parts);
}

/* The same of one whose handler did not say how: it was interrupted, or it was refused. */
static void finish_suspended(struct engine *engine, struct task *task)
{
    bool trapped = task->suspended[task->suspended_count - 1].trapped;

    end_suspended(engine, task, trapped ? RAW_RESULT_REFUSED : -EINTR);
}

static void suspend_call(struct engine *engine, struct task *task)
{
    if (task->suspended_count == SUSPENDED_MAX) {
        struct pending oldest = task->suspended[0];
        memmove(task->suspended, task->suspended + 1,
                sizeof *task->suspended * (SUSPENDED_MAX - 1));
        task->suspended[SUSPENDED_MAX - 1] = oldest;
        finish_suspended(engine, task);
    }
    task->suspended[task->suspended_count++] = task->call;
    memset(&task->call, 0, sizeof task->call);
    task->in_call = false;
}

/* Whether the call that is being entered is the innermost suspended one, going on. */
static bool goes_on(const struct task *task, const call_info *info, const struct abi *abi)
{
    if (!task->suspended_count)
        return false;
    const struct pending *call = &task->suspended[task->suspended_count - 1];
    uint64_t number = info->entry.nr & ~(uint64_t)abi->mark;
    if (call->trapped || call->abi != abi || call->ip != info->instruction_pointer ||
        call->sp != info->stack_pointer)
        return false;
    return number == (uint64_t)abi->restart_syscall ||
           (number == call->number &&
            !memcmp(call->made_with, info->entry.args, sizeof call->made_with));
}

static bool is_sigreturn(const struct abi *abi, int64_t number)
{
    return number == abi->rt_sigreturn || number == abi->sigreturn;
}

/*
 * Whether a call is made by a handler on an alternate stack (sigaltstack(2)) that interrupted `call`:
 * the frame that the kernel put there for the handler's end lies above the stack pointer, and says
 * where the call was interrupted and what that stack's limits are. A frame that is left of an earlier
 * handler does no harm: a thread that is on its own stack is not between those limits. Frames of
 * other ABIs than the CPU's own are not known.
 */
static bool is_on_handlers_stack(const struct task *task, const struct pending *call, uint64_t sp)
{
    uint64_t words[32768 / sizeof(uint64_t)]; /* the whole of such a stack in Go */
    size_t copied;

    if (call->abi != ABIS ||
        memory_read(task->space, task->tid, sp & ~(uint64_t)7, words, sizeof words, &copied) < 0)
        return false;
    for (size_t at = 0; at + ARCH_FRAME_WORDS <= copied / sizeof *words; at++)
        if (arch_frame_interrupts(words + at, call->ip, call->sp) &&
            arch_frame_is_on_stack_of(words + at, sp))
            return true;
    return false;
}

/*
 * Whether the call that is being entered shows that a handler was left by longjmp: the stack of a
 * handler is below that of the call which it interrupted, or it is an alternate one, wherever that
 * is. A sigreturn shows the contrary.
 */
static bool has_left_handler(const struct task *task, const call_info *info, const struct abi *abi)
{
    if (!task->suspended_count || is_sigreturn(abi, task->last_number))
        return false;
    const struct pending *call = &task->suspended[task->suspended_count - 1];
    return call->sp <= info->stack_pointer &&
           !is_on_handlers_stack(task, call, info->stack_pointer);
}

/*
 * At the end of a sigreturn: the registers tell how the suspended call ended. The handler of a SIGSYS
 * may have put an error there for the program to find, as sandboxes do. What else it puts there was
 * not the kernel's doing: no file was opened, no byte written.
 */
static void after_handler(struct engine *engine, struct task *task, const call_info *info)
{
    enum { MAX_ERRNO = 4095 };
    const struct pending *call = &task->suspended[task->suspended_count - 1];
    int64_t result = info->exit.rval;

    if (info->instruction_pointer != call->ip)
        return;
    if (call->abi->arguments == UINT32_MAX)
        result = (int32_t)result;
    if (call->trapped && result < 0 && result >= -MAX_ERRNO)
        end_suspended(engine, task, result);
    else if (call->trapped || result == -EINTR)
        finish_suspended(engine, task);
}

/* -- the beginning of a call ----------------------------------------------------------------- */

static void refuse(const struct task *task, int error)
{
    struct arch_regs regs;

    if (arch_get_regs(task->tid, &regs) < 0)
        return;
    arch_refuse(&regs, error);
    arch_set_regs(task->tid, &regs);
}

/* A SECCOMP_RET_TRACE of the program's own: without a tracer that is an ENOSYS, so it is one. */
static bool is_by_another_filter(const call_info *info)
{
    return info->op == PTRACE_SYSCALL_INFO_SECCOMP && info->seccomp.ret_data != FILTER_DATA;
}

/*
 * Whether a ptrace call is about a thread of this very process. Two that trace each other wait for
 * each other for ever, and not even a SIGKILL ends that. Pids are those of the caller's namespace: if
 * that is not ours, it lies below ours, and we have no pid there.
 */
static bool is_about_us(const struct task *task, const uint64_t args[6])
{
    struct raw_stat ours, theirs;
    char path[PROC_PATH];

    if (args[0] == PTRACE_TRACEME || syscall(SYS_tgkill, getpid(), (pid_t)args[1], 0) < 0)
        return false;
    proc_path(path, task->tid, "ns/pid");
    if (proc_stat(path, &theirs) < 0 || proc_stat("/proc/self/ns/pid", &ours) < 0)
        return true;
    return ours.ino == theirs.ino;
}

/* clone with CLONE_UNTRACED would let the child escape: clear it, and put it back later. */
static void patch_clone(struct task *task, const struct pending *call)
{
    struct arch_regs regs;
    uint64_t flags;

    if (call->row == ROW_clone) {
        if (arch_get_regs(task->tid, &regs) == 0) {
            arch_set_first_arg(&regs, call->abi->audit_arch != ABIS[0].audit_arch,
                               call->args[0] & ~(uint64_t)CLONE_UNTRACED);
            arch_set_regs(task->tid, &regs);
        }
        return;
    }
    task->clone3_flags = -1;
    if (memory_read_whole(task->space, task->tid, call->args[0], &flags, sizeof flags) < 0)
        return;
    task->clone3_flags = (int64_t)flags;
    if (!(flags & CLONE_UNTRACED))
        return;
    uint64_t traced = flags & ~(uint64_t)CLONE_UNTRACED;
    if (memory_write(task->space, task->tid, call->args[0], &traced, sizeof traced) == 0) {
        task->patched_at = call->args[0];
        task->patched_from = flags;
    }
}

static void unpatch_clone(struct task *task)
{
    if (task->patched_at)
        memory_write(task->space, task->tid, task->patched_at, &task->patched_from,
                     sizeof task->patched_from);
    task->patched_at = 0;
}

void close_fd(struct engine *engine, struct task *task, struct pending *call)
{
    int fd = (int)call->args[0];
    struct stream *stream = files_find(task->files, fd);

    if (stream) {
        follow_name(engine, task, stream, call->entered_ns);
        call->serial = stream->serial;
        if (stream_moved(stream))
            add_tally(&call->parts, stream);
        add_last_word(engine, &call->parts, task, stream);
        files_remove(task->files, &engine->pool, fd);
    }
    write_call(engine, task, call, RAW_RESULT_UNKNOWN, 0, 0);
}

/* Calls of one stop end where they begin. */
static void enter_once(struct engine *engine, struct task *task, struct pending *call)
{
    const struct call *row = &CALLS[call->row];

    if (row->group == GROUP_TASK)
        patch_clone(task, call);
    else if (call->row == ROW_io_destroy)
        aio_destroy(engine, task, call);
    else if (row->group == GROUP_CLOSE)
        close_fd(engine, task, call);
    else if (use_stream(engine, task, (int)call->args[row->fd - 1]))
        write_call(engine, task, call, RAW_RESULT_UNKNOWN, 0, 0);
}

static void enter_streams(struct engine *engine, struct task *task, struct pending *call)
{
    const struct call *row = &CALLS[call->row];
    struct stream *stream = use_stream(engine, task, (int)call->args[row->fd - 1]);

    struct stream *to = row->fd2 ? use_stream(engine, task, (int)call->args[row->fd2 - 1]) : stream;
    if (to && row->moves != MOVES_IN)
        follow_name(engine, task, to, call->entered_ns);
    call->serial = stream ? stream->serial : 0;
    call->first_serial = stream ? stream->first_serial : 0;
    if (stream && engine->flows && stream_kind(task, stream) != STREAM_PLAIN)
        call->most = engine->options.flow_snaplen;
    if (to && row->moves != MOVES_IN) {
        to->sending++;
        call->sends = to->serial;
    }
    note_address_room(task, call);
    if (row->moves != MOVES_OUT)
        return;
    copy_at_entry(engine, task, call, !(stream && stream->counts_only));
    begin_turn(engine, task, stream);
}

/* A birth is known by its flags; those of clone3 lie in memory, those of clone were patched. */
static void begin_birth(const struct task *task, struct pending *call)
{
    if (call->row == ROW_clone3__any)
        call->args[0] = task->clone3_flags < 0 ? 0 : (uint64_t)task->clone3_flags;
    else if (call->row == ROW_clone__any)
        call->made_with[0] &= ~(uint64_t)CLONE_UNTRACED;
}

/* How a call was made: all that follows from the registers. */
static void note_entry(struct pending *call, const call_info *info, const struct abi *abi)
{
    call->abi = abi;
    call->number = info->entry.nr & ~(uint64_t)abi->mark;
    for (int i = 0; i < 6; i++)
        call->args[i] = info->entry.args[i] & abi->arguments;
    memcpy(call->made_with, info->entry.args, sizeof call->made_with);
    call->ip = info->instruction_pointer;
    call->sp = info->stack_pointer;
    call->entered_ns = monotonic_ns();
}

static void begin_call(struct engine *engine, struct task *task, const call_info *info,
                       const struct abi *abi, int row)
{
    struct pending *call = &task->call;

    note_entry(call, info, abi);
    call->row = (uint16_t)row;
    call->passed = !task->entry_seen;
    call->trapped = false;
    call->serial = call->first_serial = call->sends = 0;
    call->most = engine->options.snaplen;
    parts_reset(&call->parts);
    if (row == ROW_socketcall &&
        (!expand_socketcall(engine, task, call) || !when_holds(CALLS[call->row].when, call->args)))
        return;
    if (CALLS[row].stops == STOPS_ENTRY) {
        enter_once(engine, task, call);
        return;
    }
    task->in_call = true;
    if (CALLS[row].group == GROUP_BIRTH)
        begin_birth(task, call);
    if (row == ROW_ptrace && is_about_us(task, call->args))
        refuse(task, EPERM); /* as ptrace(2) says of a process that may not be traced */
    tell_before_end(engine, task, call);
    if (row == ROW_io_submit)
        aio_submit(engine, task, call);
    else if (row == ROW_io_uring_enter)
        uring_enter(engine, task, call);
    else if (CALLS[call->row].moves != MOVES_NOTHING)
        enter_streams(engine, task, call);
    else
        copy_at_entry(engine, task, call, false);
}

/*
 * The exec that makes our launcher the program. Now the program must die with us, since without us its
 * calls would fail: before this, our end is no more than a recording that does not begin. The
 * launcher left the path's place empty for us to fill only after that (exec_watched in launch.c).
 */
static void let_start(struct task *task, call_info *info)
{
    struct arch_regs regs;

    if (ptrace(PTRACE_SETOPTIONS, task->tid, 0, TRACE_OPTIONS | PTRACE_O_EXITKILL) < 0)
        return;
    if (info->entry.args[0] || arch_get_regs(task->tid, &regs) < 0)
        return;
    arch_set_first_arg(&regs, false, info->entry.args[3]);
    if (arch_set_regs(task->tid, &regs) == 0)
        info->entry.args[0] = info->entry.args[3];
}

/* Whether a row is about a call with these arguments; of rings the filter cannot know the fds. */
static bool is_about(const struct task *task, int row, const uint64_t args[6])
{
    if (row == ROW_mmap__ring || row == ROW_mmap2__ring)
        return is_uring(task, (int)args[4]);
    return when_holds(CALLS[row].when, args);
}

/* The rows of a call that are about one with these arguments; `seen`: at its entry stop already. */
static void begin_rows(struct engine *engine, struct task *task, call_info *info,
                       const struct abi *abi, bool by_filter, bool seen)
{
    for (int row = row_of(engine, abi, info->entry.nr); row >= 0 && !task->in_call;
         row = engine->also[row]) {
        if (is_for_other_stop(task, row, by_filter, seen))
            continue;
        if (row == ROW_execve && !engine->started)
            let_start(task, info);
        if (engine->options.modes[row] == MODE_OFF || !is_about(task, row, info->entry.args))
            continue;
        if (task->space && task->space->async)
            async_look(engine, task);
        begin_call(engine, task, info, abi, row);
    }
}

static void enter(struct engine *engine, struct task *task, call_info *info, bool by_filter)
{
    const struct abi *abi = abi_of(info->arch, info->entry.nr);
    bool seen = by_filter && task->entry_seen;

    task->entry_seen = !by_filter;
    task->call.passed |= by_filter;
    if (!abi || task->in_call)
        return; /* the filter's stop of a call that has begun */
    if (!by_filter && (task->doomed || task->threatened)) {
        task->entry_seen = false; /* it may be put off at the filter's stop */
        return;
    }
    task->last_number = (int64_t)(info->entry.nr & ~(uint64_t)abi->mark);
    if (goes_on(task, info, abi)) {
        parts_deinit(&task->call.parts);
        task->call = task->suspended[--task->suspended_count];
        task->in_call = true;
        return;
    }
    while (has_left_handler(task, info, abi))
        finish_suspended(engine, task);
    if (!by_filter && !task->every_call)
        return;
    begin_rows(engine, task, info, abi, by_filter, seen);
}

/* brk(2) never answers with an error, but with the end that it left as it was. */
static int64_t result_of(struct pending *call, int64_t answer)
{
    if (call->row != ROW_brk || (uint64_t)answer >= call->args[0])
        return answer;
    call->args[1] = (uint64_t)answer;
    return -ENOMEM;
}

static void end_call(struct engine *engine, struct task *task, int64_t result)
{
    enum verdict verdict = is_restart(result) ? MADE : verdict_on(task, result);

    if (is_restart(result) || verdict == TRAPPED) {
        task->call.trapped = verdict == TRAPPED;
        suspend_call(engine, task);
        return;
    }
    task->in_call = false;
    finish_call(engine, task, &task->call,
                verdict == REFUSED ? RAW_RESULT_REFUSED : result_of(&task->call, result));
}

static void leave(struct engine *engine, struct task *task, const call_info *info)
{
    task->entry_seen = false;
    if (task->patched_at)
        unpatch_clone(task);
    if (task->in_call) {
        end_call(engine, task, info->exit.rval);
        end_turn(engine, task);
        return;
    }
    const struct abi *abi = abi_of(info->arch, 0);
    if (task->suspended_count && abi && is_sigreturn(abi, task->last_number))
        after_handler(engine, task, info);
}

void on_call_stop(struct engine *engine, struct task *task, bool by_filter)
{
    call_info info;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, task->tid, sizeof info, &info) < 0)
        return; /* it was killed: its death will tell */
    if (by_filter && is_by_another_filter(&info)) {
        refuse(task, ENOSYS);
        return;
    }
    if (info.op == PTRACE_SYSCALL_INFO_EXIT)
        leave(engine, task, &info);
    else if (info.op != PTRACE_SYSCALL_INFO_NONE)
        enter(engine, task, &info, by_filter);
}

void on_passive_call(const struct engine *engine, const struct task *task)
{
    call_info info;

    if (ptrace(PTRACE_GET_SYSCALL_INFO, task->tid, sizeof info, &info) < 0)
        return;
    if (is_by_another_filter(&info)) {
        refuse(task, ENOSYS);
        return;
    }
    const struct abi *abi = abi_of(info.arch, info.entry.nr);
    if (abi && row_of(engine, abi, info.entry.nr) == ROW_ptrace &&
        is_about_us(task, info.entry.args))
        refuse(task, EPERM);
}
