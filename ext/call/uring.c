/*
 * io_uring(7): a program puts operations into a ring that it shares with the kernel, which puts results into
 * another one. Both are read while the program is stopped at io_uring_enter(2), and results also at each
 * other watched call.
 *
 * The mmap calls on the fd of an instance say where its rings are. A note (NOTE_IO_URING) says, once for each
 * address space, that there is something which cannot be recorded, and which of enum raw_unseen_uring it is.
 */
#include "call/uring.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "call/records.h"

/* Newer than some headers; numbers of the kernel's include/uapi/linux/io_uring.h. */
enum {
    SETUP_SQE128 = 1 << 10,
    SETUP_CQE32 = 1 << 11,
    SETUP_NO_MMAP = 1 << 14,
    SETUP_REGISTERED_FD_ONLY = 1 << 15,
    SETUP_NO_SQARRAY = 1 << 16,
    SETUP_KNOWN = (1 << 18) - 1, /* later flags change the layout of the rings */
    ENTER_REGISTERED_RING = 1 << 4,
    MAX_ENTRIES = 1 << 15, /* IORING_MAX_ENTRIES of the kernel; of results twice as many */
    SKIPS_RESULT = 1 << 6,
    CHOOSES_BUFFER = 1 << 5,
    RESULT_HAS_BUFFER = 1 << 0,
    RESULT_BUFFER_SHIFT = 16,
    RESULT_HAS_MORE = 1 << 1,
    RESULT_IS_NOTIFICATION = 1 << 3,   /* the kernel has no more use for what SEND_ZC has sent */
    ACCEPT_KNOWN = 7,                  /* flags of ioprio: multishot, and how to wait */
    TRANSFER_BUNDLE = 1 << 4 | 1 << 5, /* its bytes are in several buffers */
    RECEIVE_MULTISHOT = 1 << 1,
    SPLICE_FROM_INDEX = 1 << 31, /* SPLICE_F_FD_IN_FIXED */
    OFFSET_BUFFERS = 1 << 31,    /* of mmap: a ring of buffers, with its group in bits 16 to 31 */
    GROUP_SHIFT = 16,
    FILES_WHERE_FREE = -1, /* the kernel chooses the place in the table of files */
    MMAP_PAGE_BITS = 12,   /* mmap2's offset is in such pages */
};

/* Say once for each address space that an operation cannot be recorded. */
static void write_uring_note(struct context *context, struct caller *caller,
                             enum raw_unseen_uring why)
{
    if (!async_of(caller) || caller->space->async->note_written)
        return;
    caller->space->async->note_written = true;
    write_note(context, caller, NOTE_IO_URING, why);
}

struct uring *find_uring(const struct caller *caller, int fd)
{
    struct uring *ring =
        caller->space && caller->space->async ? caller->space->async->urings : NULL;

    while (ring && ring->fd != fd)
        ring = ring->next;
    return ring;
}

bool is_uring(const struct caller *caller, int fd)
{
    return find_uring(caller, fd);
}

static void free_ring(struct uring *ring)
{
    uring_tables_free(ring);
    free(ring);
}

void urings_free(struct async *async)
{
    for (struct uring *ring = async->urings, *next; ring; ring = next) {
        next = ring->next;
        free_ring(ring);
    }
}

void forget_uring(struct context *context, struct caller *caller, int fd)
{
    struct uring *gone = find_uring(caller, fd);

    if (!gone)
        return;
    if (gone->sqes)
        async_abandon(context, caller, gone->sqes);
    struct uring **link = &caller->space->async->urings;
    while (*link != gone)
        link = &(*link)->next;
    *link = gone->next;
    free_ring(gone);
}

static bool is_size(uint32_t entries, uint32_t most)
{
    return entries && entries <= most && !(entries & (entries - 1));
}

/* Whether the rings of an instance can be read, if its parameters, which the program may change, are true. */
static bool is_plain(const struct io_uring_params *params)
{
    return !(params->flags & ~SETUP_KNOWN) &&
           !(params->flags & (IORING_SETUP_SQPOLL | SETUP_REGISTERED_FD_ONLY)) &&
           is_size(params->sq_entries, MAX_ENTRIES) && is_size(params->cq_entries, 2 * MAX_ENTRIES);
}

void uring_made(struct context *context, struct caller *caller, const struct pending *call, int fd)
{
    struct io_uring_params params = { 0 };
    struct async *async = async_of(caller);
    struct uring *ring = async ? malloc(sizeof *ring) : NULL;

    if (!ring ||
        memory_read_whole(caller->space, caller->tid, call->args[1], &params, sizeof params) < 0 ||
        !is_plain(&params)) {
        bool polled = ring && params.flags & IORING_SETUP_SQPOLL;
        free(ring);
        write_uring_note(context, caller, polled ? URING_POLLED : URING_RING);
        return;
    }
    forget_uring(context, caller, fd);
    *ring = (struct uring){ .next = async->urings, .fd = fd, .params = params };
    if (params.flags & SETUP_NO_MMAP) {
        ring->sqes = params.sq_off.resv2;
        ring->rings = ring->results = params.cq_off.resv2;
    }
    async->urings = ring;
}

void uring_mapped(struct caller *caller, const struct pending *call, uint64_t address)
{
    struct uring *ring = find_uring(caller, (int)call->args[4]);
    uint64_t offset = call->args[5] << (call->row == ROW_mmap2__ring ? MMAP_PAGE_BITS : 0);

    if (!ring)
        return;
    if (offset == IORING_OFF_SQES)
        ring->sqes = address;
    else if (offset == IORING_OFF_CQ_RING)
        ring->results = address;
    else if (offset == IORING_OFF_SQ_RING)
        ring->rings = address;
    else if (offset & (uint32_t)OFFSET_BUFFERS)
        uring_buffers_mapped(ring, (uint16_t)(offset >> GROUP_SHIFT & 0x7fff), address);
    if (ring->params.features & IORING_FEAT_SINGLE_MMAP) {
        ring->rings = ring->rings ? ring->rings : ring->results;
        ring->results = ring->rings;
    }
}

static bool read_number(const struct caller *caller, uint64_t address, uint32_t *number_out)
{
    return memory_read_whole(caller->space, caller->tid, address, number_out, sizeof *number_out) ==
           0;
}

/* -- results ---------------------------------------------------------------------------------- */

static bool read_result(const struct caller *caller, const struct uring *ring, uint32_t nth,
                        struct io_uring_cqe *result)
{
    uint32_t stride = sizeof *result * (ring->params.flags & SETUP_CQE32 ? 2 : 1);
    uint64_t at = ring->results + ring->params.cq_off.cqes +
                  (uint64_t)(nth & (ring->params.cq_entries - 1)) * stride;

    return memory_read_whole(caller->space, caller->tid, at, result, sizeof *result) == 0;
}

/* Whether the kernel has put other bytes into the buffer of a result since: the program gave it back. */
static bool is_refilled(const struct caller *caller, const struct uring *ring, uint32_t tail,
                        const struct operation *operation, uint32_t flags)
{
    struct io_uring_cqe later;

    for (uint32_t nth = ring->results_read + 1; nth != tail; nth++) {
        if (!read_result(caller, ring, nth, &later))
            return true;
        const struct operation *other = async_find(caller, ring->sqes, later.user_data);
        if (later.flags & RESULT_HAS_BUFFER &&
            later.flags >> RESULT_BUFFER_SHIFT == flags >> RESULT_BUFFER_SHIFT &&
            !(other && other->buffer_group != operation->buffer_group))
            return true;
    }
    return false;
}

/* Find the buffer of a read that has a result; its address is 0 if that is not known. */
static void find_buffer(struct context *context, struct caller *caller, struct uring *ring,
                        struct operation *operation, const struct io_uring_cqe *result,
                        uint32_t tail)
{
    uint16_t id = (uint16_t)(result->flags >> RESULT_BUFFER_SHIFT);

    operation->call.args[1] = 0;
    operation->call.args[2] = result->res > 0 ? (uint64_t)result->res : 0;
    if (result->res <= 0 || !(result->flags & RESULT_HAS_BUFFER))
        return;
    if (is_refilled(caller, ring, tail, operation, result->flags)) {
        write_uring_note(context, caller, URING_OVERWRITTEN);
        return;
    }
    operation->call.args[1] = uring_buffer_address(caller, ring, operation->buffer_group, id);
    if (!operation->call.args[1])
        write_uring_note(context, caller, URING_BUFFER);
}

static void take_result(struct context *context, struct caller *caller, struct uring *ring,
                        const struct io_uring_cqe *result, uint32_t tail)
{
    struct operation *operation = async_find(caller, ring->sqes, result->user_data);

    if (!operation || result->flags & RESULT_IS_NOTIFICATION)
        return;
    if (operation->chooses_buffer)
        find_buffer(context, caller, ring, operation, result, tail);
    /* What follows the result of a SEND_ZC is its notification. */
    bool more =
        result->flags & RESULT_HAS_MORE && CALLS[operation->call.row].transfer != TRANSFER_OUT;
    async_end(context, caller, operation, result->res, more);
}

static void take_results(struct context *context, struct caller *caller, struct uring *ring,
                         uint32_t tail)
{
    uint32_t places = ring->params.cq_entries;

    if (!caller->space->async->first)
        ring->results_read = tail;
    if (tail - ring->results_read >
        places) { /* some results were overwritten before they were read */
        write_uring_note(context, caller, URING_OVERWRITTEN);
        ring->results_read = tail - places;
    }
    for (; ring->results_read != tail; ring->results_read++) {
        struct io_uring_cqe result;
        if (!read_result(caller, ring, ring->results_read, &result))
            return;
        take_result(context, caller, ring, &result, tail);
    }
}

void uring_collect(struct context *context, struct caller *caller)
{
    for (struct uring *ring = caller->space->async->urings; ring; ring = ring->next) {
        uint32_t tail;
        if (ring->results && ring->sqes &&
            read_number(caller, ring->results + ring->params.cq_off.tail, &tail))
            take_results(context, caller, ring, tail);
    }
}

/* -- operations ------------------------------------------------------------------------------- */

enum form {
    NOT_RECORDED,
    NO_TRANSFER,
    BUFFER,
    MESSAGE,
    CONNECT,
    ACCEPT,
    OPEN,
    OPEN_HOW,
    NAMES, /* of one or two folders: unlink, rename, link, mkdir */
    SYMLINK,
    PIPE,
    SPLICE,
    SOCKET,
    FD,
    FD_LENGTH, /* the argument after the fd stands where others have a length */
    FD_OFFSET,
    GIVES_FILES,
    GIVES_BUFFERS,
};

/* Operations that are newer than some headers. */
enum {
    OP_FILES_UPDATE = 20,
    OP_EPOLL_CTL = 29,
    OP_SPLICE = 30,
    OP_PROVIDE_BUFFERS = 31,
    OP_REMOVE_BUFFERS = 32,
    OP_TEE = 33,
    OP_SHUTDOWN = 34,
    OP_RENAMEAT = 35,
    OP_UNLINKAT = 36,
    OP_MKDIRAT = 37,
    OP_SYMLINKAT = 38,
    OP_LINKAT = 39,
    OP_FGETXATTR = 43,
    OP_GETXATTR = 44,
    OP_SOCKET = 45,
    OP_SEND_ZC = 47,
    OP_SENDMSG_ZC = 48,
    OP_READ_MULTISHOT = 49,
    OP_WAITID = 50,
    OP_FUTEX_WAIT = 51,
    OP_FUTEX_WAKE = 52,
    OP_FUTEX_WAITV = 53,
    OP_FTRUNCATE = 55,
    OP_BIND = 56,
    OP_LISTEN = 57,
    OP_EPOLL_WAIT = 59,
    OP_READV_FIXED = 60,
    OP_WRITEV_FIXED = 61,
    OP_PIPE = 62,
};

/* The row of each operation, and which form its arguments have. */
static const struct known {
    uint16_t row;
    uint8_t form;
} OPERATIONS[] = {
    [IORING_OP_NOP] = { 0, NO_TRANSFER },
    [IORING_OP_READV] = { ROW_io_uring_enter__readv, BUFFER },
    [IORING_OP_WRITEV] = { ROW_io_uring_enter__writev, BUFFER },
    [IORING_OP_FSYNC] = { ROW_io_uring_enter__sync, FD },
    [IORING_OP_READ_FIXED] = { ROW_io_uring_enter__read, BUFFER },
    [IORING_OP_WRITE_FIXED] = { ROW_io_uring_enter__write, BUFFER },
    [IORING_OP_POLL_ADD] = { 0, NO_TRANSFER },
    [IORING_OP_POLL_REMOVE] = { 0, NO_TRANSFER },
    [IORING_OP_SYNC_FILE_RANGE] = { ROW_io_uring_enter__sync, FD },
    [IORING_OP_SENDMSG] = { ROW_io_uring_enter__sendmsg, MESSAGE },
    [IORING_OP_RECVMSG] = { ROW_io_uring_enter__recvmsg, MESSAGE },
    [IORING_OP_TIMEOUT] = { 0, NO_TRANSFER },
    [IORING_OP_TIMEOUT_REMOVE] = { 0, NO_TRANSFER },
    [IORING_OP_ACCEPT] = { ROW_io_uring_enter__accept, ACCEPT },
    [IORING_OP_ASYNC_CANCEL] = { 0, NO_TRANSFER },
    [IORING_OP_LINK_TIMEOUT] = { 0, NO_TRANSFER },
    [IORING_OP_CONNECT] = { ROW_io_uring_enter__connect, CONNECT },
    [IORING_OP_FALLOCATE] = { ROW_io_uring_enter__sync, FD },
    [IORING_OP_OPENAT] = { ROW_io_uring_enter__openat, OPEN },
    [IORING_OP_CLOSE] = { ROW_io_uring_enter__close, FD },
    [IORING_OP_STATX] = { ROW_io_uring_enter__statx, OPEN },
    [IORING_OP_READ] = { ROW_io_uring_enter__read, BUFFER },
    [IORING_OP_WRITE] = { ROW_io_uring_enter__write, BUFFER },
    [IORING_OP_FADVISE] = { 0, NO_TRANSFER },
    [IORING_OP_MADVISE] = { 0, NO_TRANSFER },
    [IORING_OP_SEND] = { ROW_io_uring_enter__send, BUFFER },
    [IORING_OP_RECV] = { ROW_io_uring_enter__recv, BUFFER },
    [IORING_OP_OPENAT2] = { ROW_io_uring_enter__openat2, OPEN_HOW },
    [OP_FILES_UPDATE] = { 0, GIVES_FILES },
    [OP_EPOLL_CTL] = { 0, NO_TRANSFER },
    [OP_SPLICE] = { ROW_io_uring_enter__splice, SPLICE },
    [OP_PROVIDE_BUFFERS] = { 0, GIVES_BUFFERS },
    [OP_REMOVE_BUFFERS] = { 0, NO_TRANSFER },
    [OP_TEE] = { 0, NO_TRANSFER }, /* tee(2) is not watched: it copies from pipe to pipe */
    [OP_SHUTDOWN] = { ROW_io_uring_enter__shutdown, FD_LENGTH },
    [OP_RENAMEAT] = { ROW_io_uring_enter__renameat2, NAMES },
    [OP_UNLINKAT] = { ROW_io_uring_enter__unlinkat, NAMES },
    [OP_MKDIRAT] = { ROW_io_uring_enter__mkdirat, NAMES },
    [OP_SYMLINKAT] = { ROW_io_uring_enter__symlinkat, SYMLINK },
    [OP_LINKAT] = { ROW_io_uring_enter__linkat, NAMES },
    [OP_FGETXATTR] = { 0, NO_TRANSFER },
    [OP_GETXATTR] = { 0, NO_TRANSFER },
    [OP_SOCKET] = { ROW_io_uring_enter__socket, SOCKET },
    [OP_SEND_ZC] = { ROW_io_uring_enter__send, BUFFER },
    [OP_SENDMSG_ZC] = { ROW_io_uring_enter__sendmsg, MESSAGE },
    [OP_READ_MULTISHOT] = { ROW_io_uring_enter__read, BUFFER },
    [OP_WAITID] = { 0, NO_TRANSFER },
    [OP_FUTEX_WAIT] = { 0, NO_TRANSFER },
    [OP_FUTEX_WAKE] = { 0, NO_TRANSFER },
    [OP_FUTEX_WAITV] = { 0, NO_TRANSFER },
    [OP_FTRUNCATE] = { ROW_io_uring_enter__ftruncate, FD_OFFSET },
    [OP_BIND] = { ROW_io_uring_enter__bind, CONNECT },
    [OP_LISTEN] = { ROW_io_uring_enter__listen, FD_LENGTH },
    [OP_EPOLL_WAIT] = { 0, NO_TRANSFER },
    [OP_READV_FIXED] = { ROW_io_uring_enter__readv, BUFFER },
    [OP_WRITEV_FIXED] = { ROW_io_uring_enter__writev, BUFFER },
    [OP_PIPE] = { ROW_io_uring_enter__pipe2, PIPE },
};

/* What stands for the second folder is the permissions of mkdirat, and unused by unlinkat. */
static void fill_names(uint64_t args[6], const struct io_uring_sqe *entry)
{
    args[2] = entry->opcode == OP_UNLINKAT ? entry->rw_flags : (uint64_t)(int)entry->len;
    args[3] = entry->off;
    args[4] = entry->rw_flags;
}

/* Of an operation that sends: the address, and its length, behind which the kernel wants zeroes. */
static void fill_send(uint64_t args[6], const struct io_uring_sqe *entry)
{
    args[4] = entry->off;
    args[5] = (uint16_t)entry->file_index;
}

/* Of a splice, fd is where the bytes go to. */
static void fill_splice(uint64_t args[6], const struct io_uring_sqe *entry)
{
    args[0] = (uint64_t)(int64_t)entry->splice_fd_in;
    args[2] = (uint64_t)(int64_t)entry->fd;
    args[3] = entry->off;
    args[4] = entry->len;
    args[5] = entry->rw_flags;
}

static void fill_fd_argument(uint64_t args[6], const struct io_uring_sqe *entry, enum form form)
{
    if (form == FD_LENGTH)
        args[1] = entry->len;
    if (form == FD_OFFSET || form == SOCKET)
        args[1] = entry->off;
    if (form == SOCKET)
        args[2] = entry->len;
    if (form == PIPE) {
        args[0] = entry->addr;
        args[1] = entry->rw_flags;
    }
}

/* The arguments of a row, from a submission queue entry. */
static void fill_arguments(uint64_t args[6], const struct io_uring_sqe *entry, enum form form)
{
    memset(args, 0, 6 * sizeof *args);
    args[0] = (uint64_t)(int64_t)entry->fd;
    args[1] = entry->addr;
    args[2] = form == BUFFER ? entry->len : entry->rw_flags;
    if (form == CONNECT || form == ACCEPT || form == OPEN_HOW)
        args[2] = entry->off; /* addr2: a length, where one is, or a struct open_how */
    if (form == ACCEPT || form == BUFFER)
        args[3] = entry->rw_flags;
    if (form == OPEN)
        args[3] = entry->len;
    if (form == NAMES)
        fill_names(args, entry);
    if (form == SPLICE)
        fill_splice(args, entry);
    if (entry->opcode == IORING_OP_SEND || entry->opcode == OP_SEND_ZC)
        fill_send(args, entry);
    fill_fd_argument(args, entry, form);
    if (form == SYMLINK) {
        args[0] = entry->addr;
        args[1] = (uint64_t)(int64_t)entry->fd;
        args[2] = entry->off;
    }
}

static bool chooses_many_buffers(const struct io_uring_sqe *entry)
{
    bool one = entry->opcode == IORING_OP_READ || entry->opcode == IORING_OP_RECV ||
               entry->opcode == OP_READ_MULTISHOT;
    bool stream = entry->opcode == IORING_OP_RECV || entry->opcode == IORING_OP_SEND;
    bool message = entry->opcode == IORING_OP_RECVMSG;

    return (entry->flags & CHOOSES_BUFFER && !one) || (stream && entry->ioprio & TRANSFER_BUNDLE) ||
           (message && entry->ioprio & RECEIVE_MULTISHOT);
}

/* Whether an operation makes or closes a file of the ring's table, which has no fd. */
static bool is_of_table(const struct io_uring_sqe *entry)
{
    bool opens = entry->opcode == IORING_OP_ACCEPT || entry->opcode == IORING_OP_OPENAT ||
                 entry->opcode == IORING_OP_OPENAT2 || entry->opcode == IORING_OP_CLOSE ||
                 entry->opcode == OP_SOCKET || entry->opcode == OP_PIPE;

    return (opens && entry->file_index) ||
           (entry->opcode == OP_FILES_UPDATE && (int)entry->off == FILES_WHERE_FREE);
}

/* Why an operation cannot be recorded, or 0. */
static int why_unseen(const struct io_uring_sqe *entry)
{
    if (entry->opcode >= sizeof OPERATIONS / sizeof *OPERATIONS ||
        OPERATIONS[entry->opcode].form == NOT_RECORDED ||
        (entry->opcode == IORING_OP_ACCEPT && entry->ioprio & ~ACCEPT_KNOWN))
        return URING_OPERATION;
    if (entry->flags & SKIPS_RESULT)
        return URING_NO_RESULT;
    if (chooses_many_buffers(entry))
        return URING_BUFFER;
    return is_of_table(entry) ? URING_FILE : 0;
}

/* Begin an operation that has a row. */
static void begin_call(struct context *context, struct caller *caller, const struct pending *enter,
                       const struct uring *ring, const struct io_uring_sqe *entry, uint32_t nth)
{
    const struct known *known = &OPERATIONS[entry->opcode];
    struct pending call = *enter;

    call.row = known->row;
    fill_arguments(call.args, entry, known->form);
    struct operation *begun =
        async_begin(context, caller, &call, ring->sqes, entry->user_data, nth);
    if (begun && entry->flags & CHOOSES_BUFFER) {
        begun->chooses_buffer = true;
        begun->buffer_group = entry->buf_group;
    }
}

/* Put fds where an entry has indexes of the ring's table. False: a file has no fd. */
static bool find_files(const struct caller *caller, const struct uring *ring,
                       struct io_uring_sqe *entry, enum form form)
{
    if (entry->flags & IOSQE_FIXED_FILE)
        entry->fd = uring_fd_of_file(caller, ring, (uint32_t)entry->fd);
    bool found = !(entry->flags & IOSQE_FIXED_FILE) || entry->fd >= 0;
    if (form != SPLICE || !(entry->rw_flags & SPLICE_FROM_INDEX))
        return found;
    entry->splice_fd_in = uring_fd_of_file(caller, ring, (uint32_t)entry->splice_fd_in);
    return found && entry->splice_fd_in >= 0;
}

static void begin_entry(struct context *context, struct caller *caller, const struct pending *enter,
                        struct uring *ring, uint64_t at, uint32_t nth)
{
    struct io_uring_sqe entry;

    if (memory_read_whole(caller->space, caller->tid, at, &entry, sizeof entry) < 0)
        return;
    int why = why_unseen(&entry);
    enum form form = why ? NOT_RECORDED : OPERATIONS[entry.opcode].form;
    bool has_row = form > NO_TRANSFER && form < GIVES_FILES;
    if (has_row && !find_files(caller, ring, &entry, form))
        why = URING_FILE;
    if (why)
        write_uring_note(context, caller, (enum raw_unseen_uring)why);
    else if (has_row)
        begin_call(context, caller, enter, ring, &entry, nth);
    else if (form == GIVES_FILES)
        uring_update_files(context, caller, ring, entry.addr, (uint32_t)entry.off, entry.len);
    else if (form == GIVES_BUFFERS)
        uring_provide_buffers(ring, &entry);
}

void uring_enter(struct context *context, struct caller *caller, const struct pending *call)
{
    int fd = call->args[3] & ENTER_REGISTERED_RING ? uring_fd_of_index(caller, call->args[0])
                                                   : (int)call->args[0];
    struct uring *ring = find_uring(caller, fd);
    uint32_t head, tail, count = (uint32_t)call->args[1];

    if (!count)
        return;
    if (!ring || !ring->rings || !ring->sqes ||
        !read_number(caller, ring->rings + ring->params.sq_off.head, &head) ||
        !read_number(caller, ring->rings + ring->params.sq_off.tail, &tail)) {
        write_uring_note(context, caller, URING_RING);
        return;
    }
    /* Results that are there end before operations that begin now. */
    uring_collect(context, caller);
    uint32_t places = ring->params.sq_entries;
    uint64_t size = sizeof(struct io_uring_sqe) * (ring->params.flags & SETUP_SQE128 ? 2 : 1);
    for (uint32_t nth = 0; nth < count && nth < tail - head && nth < places; nth++) {
        uint32_t index = (head + nth) & (places - 1);
        uint64_t slot = ring->rings + ring->params.sq_off.array + 4 * (uint64_t)index;
        if (!(ring->params.flags & SETUP_NO_SQARRAY) && !read_number(caller, slot, &index))
            return;
        if (index < places)
            begin_entry(context, caller, call, ring, ring->sqes + index * size, nth);
    }
}
