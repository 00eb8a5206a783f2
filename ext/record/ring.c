#include "record/ring.h"

#include "record/record.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { PAGE = 4096 };

uint64_t monotonic_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

int ring_init(struct ring *ring, size_t size)
{
    pthread_condattr_t monotonic;

    memset(ring, 0, sizeof *ring);
    void *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bytes == MAP_FAILED)
        return -ENOMEM;

    ring->bytes = bytes;
    ring->size = size;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&ring->lock, NULL);
    pthread_cond_init(&ring->filled, &monotonic);
    pthread_cond_init(&ring->drained, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return 0;
}

void ring_deinit(struct ring *ring)
{
    if (!ring->bytes)
        return;
    munmap(ring->bytes, ring->size);
    ring->bytes = NULL;
    pthread_mutex_destroy(&ring->lock);
    pthread_cond_destroy(&ring->filled);
    pthread_cond_destroy(&ring->drained);
}

/* A page stays free: that in which the next read begins is given back whole, see give_back. */
static bool has_room(struct ring *ring, uint64_t end)
{
    return end - atomic_load(&ring->tail) <= ring->size - PAGE;
}

static void wait_for_room(struct ring *ring, size_t needed)
{
    uint64_t end = atomic_load(&ring->head) + needed;

    if (has_room(ring, end))
        return;

    uint64_t since_ns = monotonic_ns();
    pthread_mutex_lock(&ring->lock);
    atomic_store(&ring->starved, true);
    while (!has_room(ring, end) && !atomic_load(&ring->closed)) {
        pthread_cond_signal(&ring->filled);
        pthread_cond_wait(&ring->drained, &ring->lock);
    }
    atomic_store(&ring->starved, false);
    pthread_mutex_unlock(&ring->lock);
    ring->waits++;
    ring->waited_ns += monotonic_ns() - since_ns;
}

static size_t offset_of(const struct ring *ring, uint64_t at)
{
    return (at - ring->start) & (ring->size - 1);
}

static void put(struct ring *ring, uint64_t at, const void *bytes, size_t size)
{
    size_t offset = offset_of(ring, at);
    size_t before_end = ring->size - offset < size ? ring->size - offset : size;

    memcpy(ring->bytes + offset, bytes, before_end);
    memcpy(ring->bytes, (const uint8_t *)bytes + before_end, size - before_end);
}

static void wake_consumer(struct ring *ring)
{
    pthread_mutex_lock(&ring->lock);
    pthread_cond_signal(&ring->filled);
    pthread_mutex_unlock(&ring->lock);
}

void ring_write(struct ring *ring, const void *first, size_t first_size, const void *rest,
                size_t rest_size)
{
    wait_for_room(ring, first_size + rest_size);
    if (atomic_load(&ring->closed))
        return;

    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    if (atomic_load(&ring->tail) == head)
        ring->start =
            head; /* the consumer looks at it again only when there is something to read */
    put(ring, head, first, first_size);
    if (rest_size)
        put(ring, head + first_size, rest, rest_size);
    atomic_store(&ring->head, head + first_size + rest_size);

    uint64_t wanted = atomic_load(&ring->wanted);
    if (wanted && head + first_size + rest_size >= wanted)
        wake_consumer(ring);
}

void ring_hurry(struct ring *ring)
{
    atomic_store(&ring->urgent, true);
    wake_consumer(ring);
}

void ring_close(struct ring *ring)
{
    atomic_store(&ring->closed, true);
    pthread_mutex_lock(&ring->lock);
    pthread_cond_broadcast(&ring->filled);
    pthread_cond_broadcast(&ring->drained);
    pthread_mutex_unlock(&ring->lock);
}

bool ring_has_more(struct ring *ring)
{
    return atomic_load(&ring->head) != atomic_load(&ring->tail);
}

bool ring_ended(struct ring *ring)
{
    return atomic_load(&ring->closed) && !ring_has_more(ring);
}

static struct timespec deadline_after(int timeout_ms)
{
    uint64_t at_ns = monotonic_ns() + (uint64_t)timeout_ms * 1000000u;

    return (struct timespec){ .tv_sec = (time_t)(at_ns / 1000000000u),
                              .tv_nsec = (long)(at_ns % 1000000000u) };
}

static bool should_read(struct ring *ring, uint64_t wanted)
{
    return atomic_load(&ring->head) >= wanted || atomic_load(&ring->urgent) ||
           atomic_load(&ring->closed) || atomic_load(&ring->starved);
}

/* Return how many of the `there` bytes whole records have, up to `most`; at least the first one. */
static size_t whole_records(const struct ring *ring, uint64_t tail, size_t there, size_t most)
{
    size_t size = there <= most ? there : 0;

    while (size < there) {
        const void *at = ring->bytes + offset_of(ring, tail + size);
        size_t next = ((const struct raw_record *)at)->size;
        if (size && size + next > most)
            break;
        size += next;
    }
    return size;
}

size_t ring_wait(struct ring *ring, size_t enough, size_t most, int timeout_ms)
{
    uint64_t tail = atomic_load(&ring->tail);
    uint64_t wanted = tail + (enough < ring->size / 2 ? enough : ring->size / 2);

    if (!should_read(ring, wanted)) {
        struct timespec deadline = deadline_after(timeout_ms);
        pthread_mutex_lock(&ring->lock);
        atomic_store(&ring->wanted, wanted);
        while (!should_read(ring, wanted))
            if (pthread_cond_timedwait(&ring->filled, &ring->lock, &deadline) == ETIMEDOUT)
                break;
        atomic_store(&ring->wanted, 0);
        pthread_mutex_unlock(&ring->lock);
    }
    atomic_store(&ring->urgent, false);
    size_t there = (size_t)(atomic_load(&ring->head) - tail);
    size_t size = whole_records(ring, tail, there, most);
    if (size < there)
        atomic_store(&ring->urgent, true); /* the rest has waited long enough */
    return size;
}

/*
 * Give back the pages from `begin` to `end`, both offsets, which were read. The first page is given back whole:
 * what is before `begin` there was read before, and the producer does not write there yet (has_room). The last
 * one is left to the next read.
 */
static void give_back(struct ring *ring, size_t begin, size_t end)
{
    begin = (begin < RING_KEPT ? RING_KEPT : begin) & ~(size_t)(PAGE - 1);
    end &= ~(size_t)(PAGE - 1);
    if (begin < end)
        madvise(ring->bytes + begin, end - begin, MADV_DONTNEED);
}

void ring_read(struct ring *ring, void *buffer, size_t size)
{
    uint64_t tail = atomic_load(&ring->tail);
    size_t offset = offset_of(ring, tail);
    size_t before_end = ring->size - offset < size ? ring->size - offset : size;

    memcpy(buffer, ring->bytes + offset, before_end);
    memcpy((uint8_t *)buffer + before_end, ring->bytes, size - before_end);
    give_back(ring, offset, offset + before_end);
    give_back(ring, 0, size - before_end);
    atomic_store(&ring->tail, tail + size);
    if (atomic_load(&ring->starved)) {
        pthread_mutex_lock(&ring->lock);
        pthread_cond_signal(&ring->drained);
        pthread_mutex_unlock(&ring->lock);
    }
}
