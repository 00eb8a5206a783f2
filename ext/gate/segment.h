/* System V shared memory, which programs can map without an fd. */
#ifndef SCOPE_GATE_SEGMENT_H
#define SCOPE_GATE_SEGMENT_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Map a new segment, which programs of an effective user id may map by its number. It lasts as long as anyone has
 * it mapped. NULL: the kernel gives no such memory.
 */
void *segment_map(size_t size, uid_t owner, int *id_out);

/* Have programs of another user map it from now on. */
void segment_give(int id, uid_t owner);

#endif
