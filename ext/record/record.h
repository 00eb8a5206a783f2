/*
 * The one contract between C and Python: a raw record says what happened, never how it was caught.
 *
 * A record is `struct raw_record`, then its payload: parts, one after another, each a
 * `struct raw_part` and its bytes, padded with zeros to a multiple of 8. Everything is in the byte
 * order of the machine. scopetrace/model/raw.py reads this layout; a test compares the two.
 */
#ifndef SCOPE_RECORD_RECORD_H
#define SCOPE_RECORD_RECORD_H

#include <stdint.h>

enum raw_kind {
    RAW_SYSCALL = 1, /* a watched call: returned, or (rows of one stop) was made */
    RAW_EXEC = 2,    /* a new program; args[0]: the thread's id before the exec; args[1], args[2]:
                        arguments and variables beyond what ARGV and ENVIRON have room for */
    RAW_FORK = 3,    /* result: new tid; args[0]: clone flags; args[1]: its pid (thread group);
                        args[2]: of a new process in another PID namespace than ours, its inode; then
                        a STATUS part */
    RAW_EXIT = 4,    /* tid == pid: the process ended, else a thread; result: wait status;
                        args: user us, system us, max RSS KiB, minor faults, major faults, all
                        with the children it waited for; us of its own */
    RAW_SIGNAL = 5,  /* delivered; args: signal, si_code, sender's pid, sender's uid, how often */
    RAW_TALLY = 6,   /* what one fd did; args[0]: fd; args[1]: 1 if it goes on; a TALLY part */
    RAW_FD = 7,      /* an fd nobody saw being made, or renamed; args: fd, enum raw_seen; LINK, STAT
                        parts */
    RAW_NOTE = 8,    /* args[0]: enum raw_note, then what the note says */
    RAW_SYNC = 9,    /* the engine holds the main process until everything before is committed */
    RAW_COUNT =
        11, /* calls that made no record of their own; syscall: the row; args[0]: how many */
    RAW_LEAVE = 12, /* the leader is about to end; args[0]: fds it has; a STATUS part */
    RAW_END = 10,   /* no more will be recorded; args: see struct raw_counts, in that order */
};

enum raw_part_kind {
    PART_PATH = 1,     /* as the program passed it, without the NUL */
    PART_PATH2 = 2,    /* the second path of rename, link, symlink */
    PART_DATA = 3,     /* bytes written; for a vector, its buffers joined */
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
    PART_CONTROL = 14, /* control messages of recvmsg, as the program sees them */
    PART_NAME = 15, /* what PATH, or the path in ADDRESS, means: absolute, as the kernel names it */
    PART_NAME2 = 16,   /* the same of PATH2 */
    PART_PAIR = 17,    /* int32_t[2]: the two fds of pipe or socketpair */
    PART_HOW = 18,     /* struct open_how of openat2 */
    PART_CAPS = 19,    /* the program file's security.capability attribute */
    PART_ADDRESS = 20, /* struct sockaddr, as the program passed it or was given it */
    PART_LOCAL = 21,   /* the near end of a socket, as getsockname(2) tells it */
    PART_PEER = 22,    /* the far end, as getpeername(2) tells it */
    PART_SOCKET = 23,  /* struct raw_socket */
    PART_EARLY = 25,   /* empty: while this was received, another thread's sending was under way */
    PART_VALUE = 24,   /* int32_t: what getsockopt answered */
    PART_CALLS = 27,   /* struct raw_calls[]: which part of a tally was moved by other calls */
    PART_HANGUP = 26,  /* uint32_t: what poll(2) says of a socket that is about to be let go */
};

enum raw_part_flags {
    PART_CUT = 1,        /* there was more than the limit */
    PART_UNREADABLE = 2, /* memory or /proc refused; what is here is what could be had */
};

enum raw_seen {
    SEEN_INHERITED = 1, /* open when the first program started */
    SEEN_IN_USE = 2,    /* found when a watched call used it */
    SEEN_RENAMED = 3,   /* the file is called otherwise than when it was seen last */
};

enum raw_note {
    NOTE_IO_URING = 1,   /* io_uring_setup succeeded: its operations are not seen */
    NOTE_OWN_FILTER = 2, /* the process loaded a seccomp filter; every call now stops */
    NOTE_PTRACE = 3,     /* the program tried to trace and was refused */
    NOTE_STRICT = 5,     /* seccomp strict mode was refused because of our filter */
};

/* A result that is not known: a call of one stop, or one that ended with its thread. */
#define RAW_RESULT_UNKNOWN INT64_MIN

/* A call that a seccomp filter of the program's own refused: it was not made (seccomp(2)). */
#define RAW_RESULT_REFUSED (INT64_MIN + 1)

struct raw_record {
    uint32_t size;    /* of this record, payload included; a multiple of 8 */
    uint16_t kind;    /* enum raw_kind */
    uint16_t syscall; /* row of syscalls.def, when kind is RAW_SYSCALL */
    uint32_t pid;     /* thread group */
    uint32_t tid;
    uint64_t entered_ns; /* CLOCK_MONOTONIC */
    uint64_t elapsed_ns; /* 0 for a call of one stop */
    int64_t result;      /* what the call returned, or a negative errno */
    uint64_t args[6];    /* of a read whose fd another thread let go meanwhile: -1 for that fd */
    uint64_t fd_serial;  /* serial of the engine's entry for the fd in use, or 0; see engine_mute */
    uint32_t copied;     /* bytes in payload[] */
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
};

struct raw_socket {
    int32_t domain, type, protocol; /* as socket(2) takes them, flags of the type removed */
    uint32_t listening;             /* SO_ACCEPTCONN */
    uint64_t inode, peer_inode;     /* peer_inode: of unix sockets, if it could be learnt */
};

struct raw_tally {
    uint64_t reads, read_bytes, read_ns;
    uint64_t writes, write_bytes, write_ns;
};

/* What of a tally was not moved by read(2) or write(2), but by one other call. */
struct raw_calls {
    uint32_t syscall, outgoing; /* row of syscalls.def; 1: bytes went out */
    uint64_t calls, bytes, ns;
};

struct raw_counts {
    uint64_t stops;      /* ptrace stops handled */
    uint64_t waits;      /* times a tracee waited because the ring was full */
    uint64_t waited_ns;  /* and for how long in all */
    uint64_t unreadable; /* copies out of a tracee that failed */
    uint64_t lost;       /* records that could not be made at all */
    uint64_t recorded;   /* records written */
};

#define RAW_ALIGN(n) (((n) + 7u) & ~7u)

_Static_assert(sizeof(struct raw_record) == 104, "the header is 104 bytes");
_Static_assert(sizeof(struct raw_part) == 8, "a part's header is 8 bytes");

#endif
