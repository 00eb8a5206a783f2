/*
 * Drives ext/gate/rounds.c.
 *
 *   rounds order THREADS CALLS   threads take and give back numbers as open and close do, and publish
 *                                that; prints records, rounds and how often two were exchanged
 *   rounds lies SEED RUNS        rings whose bytes are altered, before and while they are read; prints
 *                                how many records were taken and how many rings were given up
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <x86intrin.h>

#include "gate/rounds.h"
#include "record/record.h"

enum { RING = 1 << 17, THREADS_MAX = 64, NUMBERS = 1024, OPENED = 0, CLOSED = 1, ROWS = 2 };

static uint64_t ticks(void)
{
    unsigned cpu;

    return __rdtscp(&cpu);
}

struct writer {
    _Atomic uint64_t head, tail;
    _Alignas(8) uint8_t ring[RING];
};

static uint64_t room_until_end(uint64_t head)
{
    return RING - (head & (RING - 1));
}

/* Write a record of `size` bytes as the code in the program would. */
static void publish(struct writer *writer, const struct gate_record *record, const uint8_t *payload)
{
    uint64_t head = atomic_load(&writer->head), gap = room_until_end(head);

    gap = gap < record->size ? gap : 0;
    while (head + gap + record->size - atomic_load(&writer->tail) > RING)
        sched_yield();
    if (gap)
        memcpy(writer->ring + (head & (RING - 1)),
               &(struct gate_record){ .size = (uint32_t)gap, .kind = GATE_PAD }, 8);
    head += gap;
    uint8_t *at = writer->ring + (head & (RING - 1));
    memcpy(at, record, sizeof *record);
    memcpy(at + sizeof *record, payload, record->copied);
    atomic_store_explicit(&writer->head, head + record->size, memory_order_release);
}

static struct gate_reader reader_of(struct writer *writer)
{
    return (struct gate_reader){
        .ring = writer->ring, .size = RING, .head = &writer->head, .tail = &writer->tail
    };
}

static struct gate_round round_of(struct gate_reader *readers, size_t count)
{
    struct gate_round round = { .count = count, .rows = ROWS, .now = ticks };

    round.readers = calloc(count, sizeof *round.readers);
    round.heap = calloc(count, sizeof *round.heap);
    round.payload = malloc(GATE_RECORD_MAX);
    for (size_t i = 0; i < count; i++)
        round.readers[i] = readers + i;
    return round;
}

static void free_round(struct gate_round *round)
{
    free(round->readers);
    free(round->heap);
    free(round->payload);
}

/* Lets the threads run while heads are read: a round without `until` would see what follows from a call, and not the call. */
static int pauses;
static uint64_t ticks_and_pause(void)
{
    uint64_t now = ticks();

    if (pauses && pauses--)
        usleep(1);
    return now;
}

/* -- order ------------------------------------------------------------------------------------ */

static struct writer writers[THREADS_MAX];
static struct gate_reader readers[THREADS_MAX];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t unused[NUMBERS], unused_count;
static long calls;
static _Atomic int running;

static void *open_and_close(void *argument)
{
    struct writer *writer = argument;
    struct gate_record record = { .size = sizeof record, .kind = GATE_CALL };

    for (long i = 0; i < calls; i++) {
        pthread_mutex_lock(&lock);
        record.fd = unused[--unused_count];
        pthread_mutex_unlock(&lock);
        record.row = OPENED;
        record.flags = 0;
        record.left = ticks();
        publish(writer, &record, NULL);

        record.row = CLOSED;
        record.flags = GATE_BEFORE_CALL;
        record.entered = ticks();
        publish(writer, &record, NULL);
        pthread_mutex_lock(&lock);
        unused[unused_count++] = record.fd;
        pthread_mutex_unlock(&lock);
        sched_yield(); /* so that another thread is given this number next */
    }
    running--;
    return NULL;
}

struct order {
    const struct gate_reader *owners[NUMBERS];
    long exchanged;
};

static void check_order(void *context, struct gate_reader *reader, const struct gate_record *record,
                        const uint8_t *payload)
{
    struct order *order = context;
    bool opened = record->row == OPENED;

    (void)payload;
    order->exchanged += order->owners[record->fd] != (opened ? NULL : reader);
    order->owners[record->fd] = opened ? reader : NULL;
}

static int test_order(int threads)
{
    pthread_t ids[THREADS_MAX];
    static struct order order;
    long taken = 0, rounds = 0;

    for (uint32_t i = 0; i < NUMBERS; i++)
        unused[unused_count++] = i;
    running = threads;
    for (int i = 0; i < threads; i++) {
        readers[i] = reader_of(writers + i);
        pthread_create(ids + i, NULL, open_and_close, writers + i);
    }
    struct gate_round round = round_of(readers, (size_t)threads);
    round.apply = check_order;
    round.now = ticks_and_pause;
    round.context = &order;
    for (bool last = false; !last; rounds++) {
        last = !running;
        pauses = threads;
        taken += (long)gate_round(&round);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        if (readers[i].broken)
            printf("broken: %s\n", readers[i].broken);
    }
    free_round(&round);
    printf("%ld records, %ld rounds, %ld exchanged\n", taken, rounds, order.exchanged);
    return 0;
}

/* -- lies ------------------------------------------------------------------------------------- */

static uint64_t seed;
static long taken_in_all, touched;
static _Atomic bool scribbling;

static uint64_t draw(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    return seed ^= seed << 17;
}

/* Look at all that was given: a byte that is not there is found by the sanitizer. */
static void touch(void *context, struct gate_reader *reader, const struct gate_record *record,
                  const uint8_t *payload)
{
    (void)context, (void)reader;
    taken_in_all++;
    touched += record->fd;
    for (size_t at = 0; at < record->copied;) {
        struct raw_part part;
        memcpy(&part, payload + at, sizeof part);
        at += sizeof part;
        for (uint32_t i = 0; i < part.size; i++)
            touched += payload[at + i];
        at += (part.size + 7) / 8 * 8;
    }
}

static uint32_t draw_payload(uint8_t *payload)
{
    static const struct raw_part PARTS[] = {
        { .kind = PART_DATA },
        { .kind = PART_STAT, .size = sizeof(struct raw_stat) },
        { .kind = PART_SOCKET, .size = sizeof(struct raw_socket) },
        { .kind = PART_PEER, .size = 16 },
        { .kind = PART_HANGUP, .size = sizeof(uint32_t) },
    };
    uint32_t size = 0;

    for (uint64_t parts = draw() % 4; parts--;) {
        struct raw_part part = PARTS[draw() % (sizeof PARTS / sizeof *PARTS)];
        if (part.kind == PART_DATA)
            part.size = (uint32_t)(draw() % 300);
        memcpy(payload + size, &part, sizeof part);
        memset(payload + size + sizeof part, 1, (part.size + 7) / 8 * 8);
        size += (uint32_t)sizeof part + (part.size + 7) / 8 * 8;
    }
    return size;
}

static void publish_some(struct writer *writer)
{
    uint8_t payload[2048];

    for (uint64_t records = draw() % 40; records--;) {
        struct gate_record record = { .kind = draw() % 8 ? GATE_CALL : GATE_TALLY };
        record.copied = draw_payload(payload);
        record.size = (uint32_t)sizeof record + record.copied;
        record.entered = record.left = ticks();
        publish(writer, &record, payload);
    }
}

/* Alter bytes of what is published, or the head. */
static void lie(struct writer *writer)
{
    uint64_t head = atomic_load(&writer->head), tail = atomic_load(&writer->tail);

    for (uint64_t lies = draw() % 4; head != tail && lies--;) {
        uint64_t at = (tail + draw() % (head - tail)) & (RING - 1);
        uint64_t value = draw() % 3 ? draw() % 128 : draw();
        memcpy(writer->ring + at, &value, RING - at < 8 ? RING - at : draw() % 9);
    }
    if (!(draw() % 8))
        atomic_store(&writer->head, head + draw() % 4096 - draw() % 4096);
}

static void *scribble(void *argument)
{
    struct writer *writer = argument;
    uint64_t value = 1;

    while (scribbling) {
        value = value * 6364136223846793005u + 1442695040888963407u;
        memcpy(writer->ring + (value >> 20) % (RING - 8), &value, 4);
    }
    return NULL;
}

static int test_lies(long runs)
{
    static struct writer writer;
    struct gate_reader reader = reader_of(&writer);
    struct gate_round round = round_of(&reader, 1);
    long broken = 0;
    pthread_t id;

    round.apply = touch;
    for (long run = 0; run < runs; run++) {
        if (run == runs / 2) {
            scribbling = true;
            pthread_create(&id, NULL, scribble, &writer);
        }
        publish_some(&writer);
        lie(&writer);
        gate_round(&round);
        if (!reader.broken)
            continue;
        broken++;
        atomic_store(&writer.head, 0);
        atomic_store(&writer.tail, 0);
        reader = reader_of(&writer);
    }
    scribbling = false;
    pthread_join(id, NULL);
    free_round(&round);
    printf("%ld records, %ld rings given up\n", taken_in_all, broken);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return 2;
    calls = atol(argv[3]);
    if (!strcmp(argv[1], "order"))
        return test_order(atoi(argv[2]));
    seed = strtoul(argv[2], NULL, 10) * 2654435769u + 1;
    return test_lies(calls);
}
