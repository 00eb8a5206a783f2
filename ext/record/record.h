/*
 * The one contract between C and Python: a raw record says what happened, never how it was caught.
 *
 * A record is a `struct raw_record` and then its payload: parts, one after another, each a
 * `struct raw_part` and its bytes, padded with zeros to a multiple of 8. Everything is in the byte
 * order of the machine. scopetrace/model/raw.py reads this layout; tests/test_layout.py compares the two.
 *
 * The order of records:
 *
 *   1. Records of one thread are in the order in which it made its calls.
 *   2. A close is recorded when it is entered, a call that opens when it has returned. So a number that
 *      one thread closes and another is given at once is never taken for the same file.
 *   3. RAW_FORK of a child precedes every record of that child.
 *   4. The last RAW_TALLY of an fd precedes the record that ends the fd: of a dup2 over it, of
 *      close_range, of an exec, or of the exit of the last thread with that fd table.
 *   5. A call that signals interrupted and that was restarted is one record, of its last return.
 */
#ifndef SCOPE_RECORD_RECORD_H
#define SCOPE_RECORD_RECORD_H

#include <stdint.h>

/*
 * What a record is about. Fields of the header that are not named here are 0; `tid` and `pid` are
 * always those of the thread that it is about, `entered_ns` is when it happened.
 */
enum raw_kind {
    /*
     * A call of a row of ext/table/syscalls.def: it has returned or, of a row with stop ENTRY, is made.
     *   syscall      the row
     *   result       what the call returned, a negative errno, or one of RAW_RESULT_… below
     *   args         the six arguments of the row (of socketcall(2) those of the call that it is)
     *   fd_serial    of the fd that it transfers bytes through or closes
     *   transferred  bytes that it transferred; 0 if it failed or only looked ahead (MSG_PEEK)
     * Which parts it has is in the table below.
     */
    RAW_SYSCALL = 1,

    /*
     * A program was started; a failed exec is a RAW_SYSCALL.
     *   syscall  ROW_execve or ROW_execveat
     *   args     the thread's id before the exec (its id is the process's now); how many arguments,
     *            and how many variables, ARGV and ENVIRON have no room for; 1 if no fd was closed
     *   parts    PATH (as it was passed), EXE, STAT and CAPS (of the program file), ARGV, IDS, CWD, ROOT,
     *            ENVIRON, FDS unless no fd was closed; STATUS if there are no IDS, or if the program
     *            file gives its user rights
     */
    RAW_EXEC = 2,

    /*
     * A thread or process was made; the record is its maker's.
     *   result  the id of the new thread
     *   args    flags of clone(2); the new thread's process; of a process in another PID namespace than
     *           the recorder's, the inode of that namespace, and then there is a STATUS part
     */
    RAW_FORK = 3,

    /*
     * A thread has ended and, if tid == pid, its process.
     *   result  the status word of wait(2)
     *   args    user us, system us, max RSS KiB, minor faults, major faults, all with the children that
     *           it waited for; us of its own
     */
    RAW_EXIT = 4,

    /*
     * A signal was delivered.
     *   args  signal, si_code, sender's pid, sender's uid, how many such signals this record stands for;
     *         of a fault the two halves of its address, the lower one first, in place of the sender
     */
    RAW_SIGNAL = 5,

    /*
     * What was counted of one fd since its last tally (or since its first use).
     *   fd_serial  of the fd
     *   args       the fd; 1 if it stays open, 0 if this is its last tally
     *   parts      TALLY, CALLS. Or, of a socket whose fd may be closed or shut down by the call that
     *              begins, its final state: SOCKET, LOCAL and PEER (none: it is not connected) of one
     *              whose connect had not ended; of any other stream socket HANGUP, if the peer has hung up
     */
    RAW_TALLY = 6,

    /*
     * An fd that was found open, or whose file was renamed.
     *   args   the fd; enum raw_seen
     *   parts  LINK and STAT; of a socket, if flows are watched, SOCKET, LOCAL, PEER
     */
    RAW_FD = 7,

    /* args: enum raw_note, and what the note says */
    RAW_NOTE = 8,

    /* The main process has ended, and is held until the records before this one are committed. */
    RAW_SYNC = 9,

    /*
     * No record follows.
     *   args    struct raw_counts, in its order
     */
    RAW_END = 10,

    /*
     * Calls that made no record of their own (groups stat and seek) since the last such record.
     *   syscall  the row
     *   args     how many
     */
    RAW_COUNT = 11,

    /*
     * A process is about to end, and its memory is still there; written if processes are measured.
     *   args   how many fds it has open; how many threads (0: the rest is not known); its virtual
     *          memory and what of it is resident, both in KiB
     */
    RAW_LEAVE = 12,

    /*
     * A call that is recorded whole, whether or not syscalls.def has a row for it; of a call that has
     * one it comes beside its RAW_SYSCALL. Written if calls are recorded whole (table/copy_plan.h).
     *   syscall      the ABI, as its place in ABIS (ext/arch/abi.h), or CALL_SIGNAL or CALL_END
     *   transferred  the number of the call, without the mark of its ABI
     *   result       what the call returned, a negative errno, or RAW_RESULT_UNKNOWN
     *   args         as they were passed
     *   parts        CALL
     * With CALL_SIGNAL a signal that was delivered: `transferred` is its number. With CALL_END the end of
     * a thread: `result` is the status word of wait(2).
     */
    RAW_CALL = 13,

    /*
     * How many calls programs have made in one way so far, if some may make them without a stop
     * (ext/ptrace/gated.c). Written at the end, and before a RAW_SYNC.
     *   args  enum raw_way; how many
     */
    RAW_WAY = 14,
};

/* How a call was made that is recorded: without a stop, or why it stopped. */
enum raw_way {
    WAY_GATED,   /* without a stop */
    WAY_ASKED,   /* it stopped once it had returned: it failed, or there is more to ask about it */
    WAY_EARLY,   /* its program had made too few calls, or its thread none */
    WAY_OTHER,   /* calls of its number always stop */
    WAY_FD,      /* its fd is new, its name old, or others write to its file */
    WAY_SITE,    /* its instruction has not been changed, or cannot be */
    WAY_REFUSED, /* its program cannot make calls without a stop, or no more threads of it can */
    WAY_EACH,    /* each call of its program has to stop: own filters, asynchronous operations */
    WAY_NAME,    /* what its path means has to be found out before the call is made */
    WAYS,
};

/* What a RAW_CALL is that is no call. */
enum raw_call_kind { CALL_SIGNAL = 16, CALL_END = 17 };

/*
 * The parts of a RAW_SYSCALL, by the group of its row in syscalls.def. A call that failed has those that
 * were copied at its entry, and the names of its paths.
 *
 *   open              PATH, HOW (openat2); success: LINK, STAT; failure: NAME
 *   close             result is RAW_RESULT_UNKNOWN, since it is recorded at its entry. TALLY and CALLS
 *                     if bytes were transferred; of a socket its final state, as in RAW_TALLY
 *   fd, make          dup and its like: none; pipe: PAIR; socketpair: PAIR, then SOCKET, LOCAL, PEER of each
 *                     end; other calls that make an fd: LINK, STAT; pidfd_getfd: SOCKET, LOCAL, PEER as
 *                     well; memfd_create: PATH, which is its name
 *   read, receive     of files only those that fail have a record: bytes are counted (RAW_TALLY). Of
 *   (and recvmsg…)    sockets DATA unless the fd is muted, ADDRESS of who sent it, EARLY; CONTROL. A
 *                     muted stream has records of failures and of its end only; of messages each has one
 *   write, send       DATA unless the fd is muted. Of sockets ADDRESS of whom it is sent to, NAME if that
 *                     is a path; SOCKET, LOCAL, PEER with the first bytes sent, and where sending began
 *                     a connection (EINPROGRESS)
 *   move              none; only those from or to a socket have a record
 *   net               bind, connect: ADDRESS as it was passed, NAME if that is a path; accept: ADDRESS as
 *                     it was returned; socket, accept: LINK, STAT; bind, listen, connect, accept, also with
 *                     EINPROGRESS and EINTR: SOCKET, LOCAL, PEER as far as the kernel knows them;
 *                     getsockopt(SO_ERROR): VALUE
 *   delete, rename,   PATH, PATH2 as they were passed, NAME, NAME2 for what they mean; of a call on an
 *   link, mkdir,      fd (fchmod): none
 *   attr, stat, seek
 *   map               none
 *   cwd               success: CWD, ROOT
 *   cred              success: STATUS
 *   exec              only a failure has a record: PATH, NAME
 *   the groups at     only failures have a record: PATH, PATH2, NAME, NAME2; and what sends SIGKILL,
 *   the end           also with RAW_RESULT_UNKNOWN; pidfd_send_signal: args[4] is the process, or 0
 *
 * A call that failed has evidence as well, by its error (call/evidence.c):
 *
 *   ENOENT            MISSING, unless only the last name of the path is not there; TARGET, if what is not
 *                     there is the target of a symbolic link; of exec HEAD, if its file is there
 *   EACCES, EPERM     STATUS of the thread; a STEP for each folder on the way to the path and for what
 *                     is there; of a call on an fd one for its file; of exec HEAD; of setpgid
 *                     first STATUS of the child
 *   ENOTDIR, ENXIO,   STEP, likewise
 *   ECONNREFUSED
 *   ELOOP             STEP and TARGET of each symbolic link on the way, STEP of a last name that is
 *                     none; MOUNTS; of exec HEAD
 *   E2BIG             EXCESS of exec
 *   ENOEXEC           HEAD
 *   EROFS, ENOSPC,    MOUNTS; of exec and open also with EACCES, since a mount may be noexec or nodev
 *   EDQUOT
 *   EMFILE, EAGAIN,   a LIMIT for each limit that may be why
 *   ENOMEM, EFBIG     of mlock with ENOMEM STATUS as well
 *   EXDEV, EBUSY      MOUNTS; also of mount and umount with EINVAL
 *   ENOSPC            SPACE of the file system as well, if the call names one
 *   EBADF, EINVAL     FDINFO of each fd that the call is about; of mmap also with EACCES; of semctl
 *                     VALUE, 0: there is no such set
 *   EPIPE             LINK of the fd that the call is about
 *   EAGAIN, EACCES,   of a lock: LOCKS
 *   EDEADLK
 *   ETXTBSY,          HOLDER, if one is seen
 *   EBUSY of umount
 *
 * Some rows are not as the call of that name:
 *
 *   sendmmsg,         one record for each message, whose result is the message's bytes
 *   recvmmsg
 *   io_submit__…      an operation of io_submit(2), recorded when its result is found; args: fd, buffer or
 *                     vector, length or count, offset. RAW_RESULT_UNKNOWN if its ring or its program
 *                     ended first
 *   io_uring_enter__… likewise of io_uring(7); args are those of the call that the operation is like
 *   clone3__any       args[0] are the flags, which clone3(2) has in memory
 *   brk               one that did not move the end of the heap failed with ENOMEM; args[1]: that end
 */
enum raw_part_kind {
    PART_PATH = 1,     /* as the program passed it, without the NUL */
    PART_PATH2 = 2,    /* the second path of rename, link, symlink */
    PART_DATA = 3,     /* bytes transferred; of a vector, its buffers joined */
    PART_LINK = 4,     /* what /proc/TID/fd/N says after success */
    PART_STAT = 5,     /* struct raw_stat of that file, or of the program file */
    PART_ARGV = 6,     /* arguments, each whole and ended by a NUL */
    PART_ENVIRON = 7,  /* environment, likewise; only if configured */
    PART_CWD = 8,      /* what /proc/TID/cwd says */
    PART_ROOT = 9,     /* what /proc/TID/root says */
    PART_EXE = 10,     /* what /proc/TID/exe says */
    PART_STATUS = 11,  /* the text of /proc/TID/status */
    PART_FDS = 12,     /* uint32_t[]: the fds open after an exec, unless they are very many */
    PART_TALLY = 13,   /* struct raw_tally */
    PART_CONTROL = 14, /* control messages of recvmsg, as the program gets them: cmsg(3) */
    PART_NAME = 15,    /* the absolute name, as the kernel has it, of PATH or the path in ADDRESS */
    PART_NAME2 = 16,   /* the same of PATH2 */
    PART_PAIR = 17,    /* int32_t[2]: the two fds of pipe or socketpair */
    PART_HOW = 18,     /* struct open_how of openat2 */
    PART_CAPS = 19,    /* the program file's security.capability attribute */
    PART_ADDRESS = 20, /* struct sockaddr, as the program passed it or was given it */
    PART_LOCAL = 21,   /* the local end of a socket, as getsockname(2) gives it */
    PART_PEER = 22,    /* the peer's end, as getpeername(2) gives it */
    PART_SOCKET = 23,  /* struct raw_socket */
    PART_VALUE = 24,   /* int32_t: what getsockopt answered; how many semaphores a set has */
    PART_EARLY = 25,   /* empty: while this was received, another thread's sending was under way */
    PART_HANGUP = 26,  /* uint32_t: the events of poll(2) by which a socket has been hung up */
    PART_CALLS = 27,   /* struct raw_calls[]: what of a tally not read(2) or write(2) transferred */
    PART_MISSING = 28, /* the first folder on the way to NAME or NAME2 that is not there */
    PART_TARGET = 29,  /* where the symbolic link leads that is what MISSING or NAME says */
    PART_STEP = 30,    /* struct raw_step, and its absolute name */
    PART_HEAD = 31,    /* the first bytes of a program file */
    PART_LIMIT = 32,   /* struct raw_limit */
    PART_MOUNTS = 33,  /* the text of /proc/TID/mountinfo */
    PART_CALL = 34,    /* arguments and memory of a RAW_CALL, packed: call/packed.h */
    PART_FDINFO = 35,  /* the text of /proc/TID/fdinfo/N; empty: N is not open */
    PART_SPACE = 36,   /* struct raw_space */
    PART_LOCKS = 37,   /* the text of /proc/locks */
    PART_IDS = 38,     /* struct raw_ids */
    PART_HOLDER = 39,  /* int32_t: a process, and then the text of its /proc/PID/cmdline */
    PART_EXCESS = 40,  /* struct raw_excess, and how the string begins that it is about */
};

enum raw_part_flags {
    PART_CUT = 1,        /* there was more than the limit */
    PART_UNREADABLE = 2, /* memory or /proc refused; what is here is what could be had */
    PART_REMOVED = 4,    /* of MISSING: it is the folder where a path starts, and was removed */
};

enum raw_seen {
    SEEN_INHERITED = 1, /* open when the first program started */
    SEEN_IN_USE = 2,    /* a watched call used it, and no record says how it was opened */
    SEEN_RENAMED = 3,   /* its file has another name than when its name was last asked for: LINK */
};

enum raw_note {
    NOTE_IO_URING = 1,   /* an operation of io_uring cannot be recorded: enum raw_unseen_uring */
    NOTE_OWN_FILTER = 2, /* the process loaded a seccomp filter; every call now stops */
    NOTE_PTRACE = 3,     /* the program tried to trace and was refused */
    NOTE_STRICT = 5,     /* seccomp strict mode was refused because of our filter */
    NOTE_UNGATED = 6,    /* every recorded call of the process stops it; enum raw_ungated */
    NOTE_DIFFERS = 8, /* a verified record is not that of a traced call: enum raw_differs; number */
    NOTE_SPOILED = 7, /* it wrote into what it shares with the tracer: calls may be missing */
};

/* Why an operation of io_uring cannot be recorded. */
enum raw_unseen_uring {
    URING_POLLED = 1,  /* the kernel takes operations without a call (IORING_SETUP_SQPOLL) */
    URING_RING,        /* where the ring is, or how it is laid out, is not known */
    URING_FILE,        /* its file has no fd of the program: it is in the ring's table alone */
    URING_BUFFER,      /* it is not known in which buffer its bytes are */
    URING_OPERATION,   /* its kind is not known */
    URING_NO_RESULT,   /* it leaves no result when it succeeds (IOSQE_CQE_SKIP_SUCCESS) */
    URING_OVERWRITTEN, /* results, or a buffer, were overwritten before they were read */
};

/* What of a verified record differs. */
enum raw_differs {
    DIFFERS_NAME = 1, /* the name of the file */
    DIFFERS_FILE,     /* its device, inode, type or owner */
    DIFFERS_FD,       /* which file or socket its fd is, or whether its bytes are wanted */
    DIFFERS_CLOSED,   /* the fd is open still */
};

/* Why a program cannot make calls without a stop. */
enum raw_ungated {
    UNGATED_ROOM = 1,  /* there is no room in its memory, or there is no shared memory for it */
    UNGATED_GS = 2,    /* it uses the base of gs */
    UNGATED_FAULT = 3, /* an instruction of the gate faulted: it has taken away what that needs */
    UNGATED_DISPATCH = 4, /* it handles calls by where they are made (Syscall User Dispatch) */
    UNGATED_HIDDEN = 5,   /* its files in /proc cannot be read: it is not dumpable */
};

/* A result that is not known: of a row with stop ENTRY, or of a call that ended with its thread. */
#define RAW_RESULT_UNKNOWN INT64_MIN

/* A seccomp filter of the program refused the call: it was not made (seccomp(2)). */
#define RAW_RESULT_REFUSED (INT64_MIN + 1)

struct raw_record {
    uint32_t size;    /* of this record, payload included; a multiple of 8 */
    uint16_t kind;    /* enum raw_kind */
    uint16_t syscall; /* row of syscalls.def */
    uint32_t pid;     /* thread group */
    uint32_t tid;
    uint64_t entered_ns; /* CLOCK_MONOTONIC; of an asynchronous read, when its result was found */
    uint64_t
        elapsed_ns; /* from entry to return; 0 for a row with stop ENTRY and for asynchronous transfers */
    int64_t result; /* what the call returned, or a negative errno */
    uint64_t
        args[6]; /* the fd in it is -1 if another thread closed it while the call was under way */
    uint64_t fd_serial;   /* of the fd_entry in use (ext/call/fd_table.h), or 0; see engine_mute */
    uint32_t copied;      /* bytes in payload[] */
    uint32_t transferred; /* bytes that the call transferred; a smaller DATA part was cut */
    uint8_t payload[];
};

struct raw_part {
    uint32_t size;  /* of the bytes that follow, padding not included */
    uint16_t kind;  /* enum raw_part_kind */
    uint16_t flags; /* enum raw_part_flags */
    uint8_t bytes[];
};

struct raw_stat {
    uint64_t dev, ino, size;
    uint64_t rdev; /* of a device; of /dev/tty that of the terminal which it stood for (tty(4)) */
    uint32_t mode, uid, gid, links;
    uint64_t born_ns; /* when it was created, Unix time; 0: not known */
};

struct raw_socket {
    int32_t domain, type, protocol; /* as socket(2) takes them, flags of the type removed */
    uint32_t listening;             /* SO_ACCEPTCONN */
    uint64_t inode, peer_inode;     /* peer_inode: of unix sockets, if the kernel says so */
};

struct raw_tally {
    uint64_t reads, read_bytes, read_ns;
    uint64_t writes, write_bytes, write_ns;
};

/* What of a tally one other call than read(2) or write(2) transferred. */
struct raw_calls {
    uint32_t syscall, outgoing; /* row of syscalls.def; 1: bytes were written or sent */
    uint64_t calls, bytes, ns;
};

/* In raw_step.attributes: an access control list says more than the mode (acl(5)). */
#define STEP_HAS_ACL (UINT64_C(1) << 63)

/* A folder on the way to a path, or what the path means. */
struct raw_step {
    uint32_t mode, uid, gid;
    uint32_t path;       /* 1: of PATH, of the path in ADDRESS, or the file of an fd; 2: of PATH2 */
    uint64_t attributes; /* STATX_ATTR_… of statx(2); STEP_HAS_ACL */
};

struct raw_limit {
    uint64_t resource; /* RLIMIT_… of getrlimit(2) */
    uint64_t soft, hard;
};

/* Of a process: its parent, process group, effective user and group, as the recorder sees them. */
struct raw_ids {
    uint32_t ppid, pgid, uid, gid;
};

/* How many files a file system may have (0: any number), and how many of them are left: statfs(2). */
struct raw_space {
    uint64_t files, free_files;
};

enum raw_excess_place { EXCESS_ALL, EXCESS_ARGUMENT, EXCESS_VARIABLE };

/* What the strings of an exec are more than they may: execve(2). */
struct raw_excess {
    uint64_t place;       /* enum raw_excess_place */
    uint64_t number;      /* which one, from 0; of all: how many there are, 0: not known */
    uint64_t size, limit; /* bytes without the NUL; of all: with it, and with a pointer to each */
};

struct raw_counts {
    uint64_t stops;      /* ptrace stops handled */
    uint64_t waits;      /* times a tracee waited because the ring was full */
    uint64_t waited_ns;  /* and for how long in all */
    uint64_t unreadable; /* copies out of a tracee that failed */
    uint64_t lost;       /* records that could not be made: no memory, or larger than the ring */
    uint64_t recorded;   /* records written */
};

#define RAW_ALIGN(n) (((n) + 7u) & ~7u)

_Static_assert(sizeof(struct raw_record) == 104, "the header is 104 bytes");
_Static_assert(sizeof(struct raw_part) == 8, "a part's header is 8 bytes");

#endif
