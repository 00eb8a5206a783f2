/*
 * What the code in the program and the tracer both know: where things are, and what a slot contains.
 *
 * The code is copied to GATE_BASE of the program, with a page behind it that says of each number
 * whether the gate may make that call. A slot belongs to one thread: its gs base points there.
 *
 * Assembler needs offsets as numbers: gate.c compares them with the struct.
 */
#ifndef SCOPE_GATE_LAYOUT_H
#define SCOPE_GATE_LAYOUT_H

#include <stdint.h>

#define GATE_BASE 0x70000000   /* below 4 GB, so that an instruction of five bytes can name it */
#define GATE_CODE_BYTES 0x7000 /* room for the code; the table follows */
#define GATE_NUMBERS 512       /* the table has a byte for each number below; others are traced */
#define GATE_BYTES 0x8000      /* of both; trampolines for which a program has no room follow */
#define GATE_ROOM_BYTES 0x2000
#define GATE_MAPPING_BYTES (GATE_BYTES + GATE_ROOM_BYTES)

/*
 * What all programs of a recording share: a lock for each file whose bytes are wanted, 0 or who writes to it. Two
 * files may have the same one. Of the last word two bytes are 1 if a record may wait of a path: the first if it has led to
 * nothing and its folder may be missing, the second if a record of any path may.
 */
#define GATE_LOCKS_BASE 0x70100000
#define GATE_LOCKS 2047
#define GATE_LOCKS_BYTES 0x4000
#define GATE_LOCK_OF(dev, ino) (((dev)*31 + (ino)) % GATE_LOCKS)
#define GATE_LOCK_ADDRESS(index) (GATE_LOCKS_BASE + 8 * (uint64_t)(index))
#define GATE_LOOKED_IN_VAIN GATE_LOCK_ADDRESS(GATE_LOCKS)
#define GATE_PATH_WAITS (GATE_LOOKED_IN_VAIN + 1)

/* Of what the program and the tracer share (arena.h): the first, the bytes of each, and how many at most. */
#define GATE_ARENA_BASE 0x71000000
#define GATE_ARENA_BYTES 0xa00000
#define GATE_ARENA_STRIDE 0x1000000
#define GATE_ARENAS 64

#define GATE_MAPPINGS_END (GATE_ARENA_BASE + (uint64_t)GATE_ARENAS * GATE_ARENA_STRIDE)

#define GATE_LARGE_BYTES 0x100000 /* of mappings that are watched for their size (WHEN_LARGE_2) */

#define GATE_MAGIC 0x5a17c0de

enum gate_mode {
    GATE_TRACED, /* no call is made here */
    GATE_PASS,   /* calls are made, and nothing is known of them but their number */
    GATE_RECORD, /* calls are made and tallied */
    GATE_VERIFY, /* the same, and of some the tracer compares the record with its own */
};

enum { GATE_SAMPLE = 16 }; /* of so many calls one is verified */

/* What the code does with the calls of a number: a byte in the table, together with enum gate_path. */
enum gate_action {
    GATE_REFUSE,    /* they are traced */
    GATE_IN,        /* bytes come in through the fd that is the first argument, */
    GATE_IN_VECTOR, /* into the buffers of an iovec; */
    GATE_RECEIVE,   /* with flags as the fourth argument, and perhaps an address as the fifth */
    GATE_RECEIVE_MESSAGE, /* into those of the struct msghdr that is the second one, with flags as the third */
    GATE_OUT,             /* bytes go out through it; likewise */
    GATE_OUT_VECTOR,
    GATE_SEND,
    GATE_SEND_MESSAGE,
    GATE_COPY,     /* the kernel copies bytes from the first argument to the third one, */
    GATE_SENDFILE, /* or from the second to the first */
    GATE_CLOSE,    /* it is closed */
    GATE_CHANGE,   /* an attribute of its file is changed */
    GATE_MAP,      /* the file of the fifth argument is mapped, or much memory */
    GATE_PIPE,     /* a pipe is made, whose fds stand where the first argument points then */
    GATE_DUP,      /* it is copied to a number that is free */
    GATE_UNLINK, /* the name is removed that is the first argument, or the second one; of a folder, too */
    GATE_LINK,          /* the file of the first argument is given a name, the second one */
    GATE_MKDIR,         /* a folder is made */
    GATE_ALTER,         /* an attribute of the file with a path is changed */
    GATE_EXEC,          /* a program is started that is not there */
    GATE_ACCEPT,        /* a connection is taken from the first argument, */
    GATE_SOCKET,        /* a socket is made, */
    GATE_CONNECT,       /* connected, */
    GATE_SHUTDOWN,      /* shut down, */
    GATE_SOCKET_ERROR,  /* or asked for its error; of other options the trampoline makes the call */
    GATE_OPEN,          /* the file is opened whose path is the first argument */
    GATE_OPENAT,        /* the second argument */
    GATE_COUNT,         /* only those that fail have a record */
    GATE_COUNT_NAMED_4, /* the same; it is not counted if the fourth argument has AT_EMPTY_PATH */
    GATE_COUNT_NAMED_3, /* or the third one */
    GATE_COUNT_LINK,    /* the same; EINVAL is counted, too: there is no symbolic link */
    GATE_WATCH,         /* only those that fail have a record, and nothing is counted */
    GATE_FCNTL, /* likewise of commands that lock; others that copy an fd are as GATE_DUP, or not made here */
    GATE_CLONE, /* likewise; the child begins at gate_return */
    GATE_IDS,   /* user or group ids are set to what they are */
};

/* Which argument of a call is its only path. */
enum gate_path {
    GATE_PATH_1 = 64,
    GATE_PATH_2 = 128, /* the one before it is the fd of the folder where a relative path starts */
    GATE_PATHS = GATE_PATH_1 | GATE_PATH_2,
};

/* Of which paths the thread may record that nothing is there (ENOENT). */
enum gate_missing {
    GATE_MISSING_NONE,
    GATE_MISSING_ABSOLUTE,
    GATE_MISSING_ALL, /* also from the working directory, which no other thread can change */
};

/* How far a call is: what a tracer that finds the thread in the gate has to do depends on it. */
enum gate_phase {
    GATE_IDLE,
    GATE_BEFORE,    /* registers are saved */
    GATE_CALLING,   /* it is about to be made, or under way */
    GATE_RETURNED,  /* its result is saved */
    GATE_COMMITTED, /* all that is to be known of it is published */
};

/* The registers of a call, but rcx and r11, which it destroys, and rsp. */
struct gate_registers {
    uint64_t rax, rbx, rdx, rsi, rdi, rbp, r8, r9, r10, r12, r13, r14, r15;
};

/*
 * What the code may know of an fd: a word for each number, which the tracer writes. The upper half is
 * the generation, how often the number was given away; another fd of the same number has another one.
 */
enum gate_fd {
    GATE_FD_KNOWN = 1,   /* it is no socket, and its transfers are tallied */
    GATE_FD_MUTED = 2,   /* bytes are not wanted: those that go out; of a socket, all */
    GATE_FD_FRESH = 4,   /* the name of its file was asked for at the time that the word contains */
    GATE_FD_STREAM = 8,  /* a connected stream socket, */
    GATE_FD_ENDS = 16,   /* of which a record has both ends */
    GATE_FD_FOLDER = 16, /* of what is no socket: a record has a path that starts from it */
    GATE_FD_NAMELESS = 32, /* no name in a file system: it stays what it is */
    GATE_FD_HANGUP =
        64, /* a stream socket, of which poll(2) says before its end who has ended it */
    GATE_FD_CONNECTING = 128, /* a connection was begun, and no call has shown how that ended */
    GATE_FD_MESSAGES = 256,   /* a socket of datagrams whose bytes are wanted: it has no time */
    GATE_FD_TIME_SHIFT = 8,
    GATE_FD_TIME_BITS = 24,
    GATE_FD_GENERATION_SHIFT = 32,
    GATE_TICKS_SHIFT = 25, /* a unit of that time is 2^25 ticks, some 10 ms */
};

#define GATE_FD_GENERATION(word) ((word) >> GATE_FD_GENERATION_SHIFT)

/* What no other fd of a table is, nor was. */
static inline uint64_t gate_fd_key(uint64_t generation, int fd)
{
    return generation << GATE_FD_GENERATION_SHIFT | (uint32_t)fd;
}

/* The time that a word of an fd contains, of ticks; and how long before another one it was. */
#define GATE_FD_TIME(ticks) ((ticks) >> GATE_TICKS_SHIFT & ((1u << GATE_FD_TIME_BITS) - 1))
#define GATE_FD_AGE(word, ticks)                                                                   \
    ((((ticks) >> GATE_TICKS_SHIFT) - ((word) >> GATE_FD_TIME_SHIFT)) &                            \
     ((1u << GATE_FD_TIME_BITS) - 1))

/* How many calls, how many bytes they transferred, and how long they took. */
struct gate_sums {
    uint64_t calls, bytes, ticks;
};

/*
 * What calls of one number have transferred through one fd. The thread adds to it. It gives the place to
 * another fd only if the tracer has taken all there is. While it does so `version` is odd.
 */
struct gate_tally {
    uint64_t fd; /* generation in the upper half */
    uint32_t number;
    uint32_t version;
    struct gate_sums sums;
    uint64_t taken; /* the tracer writes it: GATE_TAKEN of what it has taken */
};

#define GATE_TAKEN(version, calls) ((uint64_t)(version) << 32 | (uint32_t)(calls))

_Static_assert((GATE_LOCKS + 1) * 8 == GATE_LOCKS_BYTES, "");

enum { GATE_TALLIES = 32, GATE_OWNED = 8 };

/* An fd to which the thread has written though its bytes are wanted (ptrace/gated_files.c). */
struct gate_owned {
    uint64_t fd;   /* 1 + what a tally has; 0: none */
    uint64_t lock; /* address of the lock of its file */
};

/*
 * An open that is made as openat2(2) first, which fails if its path leads through a symbolic link. If it
 * succeeds the name of the file follows from the path, and need not be asked for.
 */
struct gate_try {
    uint64_t is_made;                           /* the call under way is this one */
    uint64_t dirfd, path, flags, mode, resolve; /* the last three are its struct open_how */
};

struct gate_slot {
    uint64_t magic;
    uint64_t self; /* its own address */
    uint64_t user_sp;
    uint64_t stack_top;
    uint64_t trampoline; /* that the thread came by */
    uint32_t mode;       /* enum gate_mode: the tracer writes it */
    uint32_t phase;      /* enum gate_phase */
    uint64_t result;
    struct gate_registers registers; /* as the call found them */
    uint64_t flags;
    struct gate_try try;
    uint64_t made; /* calls */

    /* Of a call under way: */
    uint64_t entered; /* ticks */
    uint64_t fd_word; /* of its fd, when it was entered; of two fds that from which bytes come, */
    uint64_t to_word; /* and the one to which they go */
    uint64_t tally;   /* 1 + the index of its tally, from when `next` is complete; 0: not yet */
    struct gate_sums next; /* the sums of that tally with this call */
    uint64_t lock;         /* that it has taken, or is about to take; 0: none */
    uint64_t hangup;       /* what poll(2) has said before a shutdown, */
    uint64_t room;         /* how many bytes there were for the address of a sender */

    uint64_t record_end;    /* what `head` is once its record is published; 0: it has none yet */
    uint64_t makes_folders; /* the thread has called mkdir(2) */

    /* The tracer writes these: */
    uint64_t fds;          /* address of the words of fds */
    uint64_t fds_size;     /* how many there are */
    uint64_t ring;         /* address */
    uint64_t ring_size;    /* a power of two */
    uint32_t copy_limit;   /* most bytes that are copied of one write to a file, */
    uint32_t stream_limit; /* and of one transfer through a socket */
    uint64_t holder;       /* what the thread writes to locks: no other thread has it */
    struct gate_owned owned[GATE_OWNED];
    uint64_t next_owned; /* how often one was added: the oldest makes room; the thread adds, too */
    uint64_t may_try;    /* struct gate_try */
    uint64_t missing;    /* enum gate_missing */
    uint64_t flows;      /* bytes that go through sockets are wanted */
    uint64_t dirty;      /* address of the word of the arena that has its bit, */
    uint64_t dirty_bit;  /* and that bit: it is set when there is something to take */

    uint64_t is_dirty; /* the thread has set its bit, and the tracer has not cleared it since */

    uint64_t head; /* bytes ever published in the ring */
    struct gate_tally tallies[GATE_TALLIES];
    _Alignas(64) uint64_t tail; /* bytes ever read; the tracer writes it */
};

enum {
    GATE_STACK_LEAST = 1848,
    GATE_SLOT_BYTES = 4096
}; /* with its stack, which begins at the end */

_Static_assert(sizeof(struct gate_slot) + GATE_STACK_LEAST <= GATE_SLOT_BYTES, "");

#define SLOT_MAGIC 0
#define SLOT_SELF 8
#define SLOT_USER_SP 16
#define SLOT_STACK_TOP 24
#define SLOT_TRAMPOLINE 32
#define SLOT_MODE 40
#define SLOT_PHASE 44
#define SLOT_RESULT 48
#define SLOT_REGISTERS 56
#define SLOT_FLAGS 160
#define SLOT_TRY 168
#define SLOT_TALLY 248
#define SLOT_RECORD_END 304

#define TRAMPOLINE_BYTES 32
#define TRAMPOLINE_CALL 14     /* where it makes the call itself */
#define TRAMPOLINE_BACK 20     /* how far the place behind the site is, a multiple of 4 */
#define TRAMPOLINE_BACK_END 24 /* from here */

/* Places in the code, as they are in this image. The functions of C may be before and behind them. */
#define GATE_PLACE extern const uint8_t __attribute__((visibility("hidden")))
GATE_PLACE __start_gate_code[];
GATE_PLACE __stop_gate_code[];
GATE_PLACE gate_entry[];        /* where trampolines lead */
GATE_PLACE gate_load[];         /* of the magic: it faults if gs leads nowhere */
GATE_PLACE gate_switched[];     /* rsp is that of the slot */
GATE_PLACE gate_pushed[];       /* the flags are on that stack */
GATE_PLACE gate_saved[];        /* all registers are in the slot */
GATE_PLACE gate_tried[];        /* of the open that was tried first */
GATE_PLACE gate_retry[];        /* it led through a symbolic link, and the call itself is made */
GATE_PLACE gate_return[];       /* of the call */
GATE_PLACE gate_stored[];       /* its result is in the slot */
GATE_PLACE gate_asked[];        /* the tracer was asked to record the call */
GATE_PLACE gate_undo[];         /* the trampoline is to make the call */
GATE_PLACE gate_undone_r11[];   /* r11 is the trampoline again */
GATE_PLACE gate_undone_flags[]; /* the flags are the program's again */
GATE_PLACE gate_undone[];       /* rsp is */
GATE_PLACE gate_loader[];       /* maps an arena: inject.c */
GATE_PLACE gate_loaded[];       /* it has done so, or failed */
GATE_PLACE gate_end[];          /* of what has a place in the table of relocate.h */
GATE_PLACE gate_copy_end[];     /* of what may fault: gate_copy_text, gate_copy_bytes */
GATE_PLACE gate_copy_fault[];   /* where it goes on then */
GATE_PLACE gate_own_return[];   /* of calls that the gate makes for itself */

/* Where a place is in the program. */
static inline uint64_t gate_address(const uint8_t *place)
{
    return GATE_BASE + (uint64_t)(place - __start_gate_code);
}

#endif
