/*
 * One producer (the engine's thread), one consumer (the pipeline's). Only whole records are ever
 * visible. When the ring is full the producer waits, and with it the tracee: no record is dropped.
 *
 * A ring is large, so that it takes bursts, and mostly empty. So it begins anew whenever it is empty,
 * and gives memory beyond its first RING_KEPT bytes back to the kernel as soon as that was read.
 */
#ifndef SCOPE_RECORD_RING_H
#define SCOPE_RECORD_RING_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RING_KEPT = 1 << 22 };

struct ring {
    uint8_t *bytes;
    size_t size;    /* a power of two */
    uint64_t start; /* the byte that lies at offset 0; the producer sets it when all is read */
    _Atomic uint64_t head;   /* bytes ever written */
    _Atomic uint64_t tail;   /* bytes ever read */
    _Atomic uint64_t wanted; /* the consumer sleeps until head gets here; 0: it is awake */
    _Atomic bool urgent;     /* the consumer should read now, whatever it waits for */
    _Atomic bool closed;     /* no more records will come: both sides stop waiting */
    _Atomic bool starved;    /* the producer sleeps until there is room */
    pthread_mutex_t lock;    /* for sleeping only */
    pthread_cond_t filled, drained;
    uint64_t waits, waited_ns; /* how often the producer has slept, and for how long */
};

/* Return 0, or -ENOMEM. `size` is a power of two, larger by a page than any record. */
int ring_init(struct ring *ring, size_t size);
void ring_deinit(struct ring *ring);

/* Append one record that lies in two pieces, waiting for room. Nothing is written once closed. */
void ring_write(struct ring *ring, const void *first, size_t first_size, const void *rest,
                size_t rest_size);

/* Ask the consumer to take what is there now. */
void ring_hurry(struct ring *ring);

/* No more records: wakes both sides. */
void ring_close(struct ring *ring);

/* Whether records are there that were not read. */
bool ring_has_more(struct ring *ring);

/* Whether all that will ever come was read. */
bool ring_ended(struct ring *ring);

/*
 * Wait until `enough` bytes are there, or fewer but urgent, closed or `timeout_ms` old. Returns how
 * many bytes ring_read may take: those of whole records, not more than `most`, or of the first one.
 */
size_t ring_wait(struct ring *ring, size_t enough, size_t most, int timeout_ms);

/* Take `size` bytes, as ring_wait returned. */
void ring_read(struct ring *ring, void *buffer, size_t size);

/* CLOCK_MONOTONIC, ns. */
uint64_t monotonic_ns(void);

#endif
