/*
 * Bounded copies out of a thread's memory, while it is stopped.
 *
 * A program that makes few calls is read by process_vm_readv(2): to open /proc/PID/mem takes as long as
 * seven reads, and most programs that others start end soon. But what is open can still be read after the
 * program has made itself non-dumpable (prctl(2)). So it is opened before any call by which that can happen,
 * before the memory is written to, and once a program has made some calls (space_hold).
 */
#ifndef SCOPE_CALL_MEMORY_H
#define SCOPE_CALL_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct async;

struct space {
    int fd;              /* /proc/PID/mem, or -1: it is read by process_vm_readv */
    bool held;           /* space_hold was called: if it has no fd, it could not be opened */
    unsigned calls;      /* that its tasks have made until then */
    unsigned uses;       /* tasks that share this address space */
    struct async *async; /* async.h; NULL: it has begun no asynchronous operation */
};

/* The address space of `tid`, used once; NULL without memory. */
struct space *space_new(pid_t tid);
/* Have it readable whatever its program makes of itself from now on. */
void space_hold(struct space *space, pid_t tid);
/* A task makes a call that stops it. */
void space_note_call(struct space *space, pid_t tid);
struct space *space_share(struct space *space);
void space_drop(struct space *space);

/*
 * Copy up to `size` bytes at `address`. A copy cut short by an unmapped page succeeds with the
 * bytes before it. Returns 0, or a negative errno if not one byte came. `*copied_out` is never more
 * than `size`, and 0 after an error. To copy 0 bytes succeeds whatever the address is.
 */
int memory_read(const struct space *space, pid_t tid, uint64_t address, void *buffer, size_t size,
                size_t *copied_out);

/* Copy an object of `size` bytes. Returns 0, or a negative errno (-EFAULT if only a part came). */
int memory_read_whole(const struct space *space, pid_t tid, uint64_t address, void *object,
                      size_t size);

/*
 * Copy a string, without its NUL, of at most `size` bytes. `*copied_out` == `size`: it was cut.
 * A string that reaches an unmapped page before its NUL is an -EFAULT, as it is for the kernel.
 */
int memory_read_string(const struct space *space, pid_t tid, uint64_t address, char *buffer,
                       size_t size, size_t *copied_out);

/* Write a few bytes, also where the program may not. Returns 0 or a negative errno. */
int memory_write(struct space *space, pid_t tid, uint64_t address, const void *bytes, size_t size);

#endif
