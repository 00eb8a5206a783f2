/*
 * Drives ext/gate/tallies.c as a thread and the tracer do in turn: each call is taken once, and before its fd is closed.
 * The sanitizer finds what is not freed. Prints what is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gate/tallies.h"

#define CHECK(what) ((what) ? (void)0 : fail(#what, __LINE__))

static void fail(const char *what, int line)
{
    printf("line %d: not %s\n", line, what);
    exit(1);
}

enum { FDS = 8, EARLIER = 3, LATER = 4 };

static bool known[FDS];
static uint64_t calls_taken[FDS];

static bool is_known(const struct gate_thread *thread, uint64_t fd)
{
    (void)thread;
    return fd >= FDS || known[fd];
}

static void take(const void *context, const struct gate_thread *thread,
                 const struct gate_tally *more)
{
    (void)context, (void)thread;
    CHECK(more->sums.bytes == 10 * more->sums.calls);
    if (more->fd < FDS && known[more->fd])
        calls_taken[more->fd] += more->sums.calls;
}

static struct tallies tallies = { .is_known = is_known, .take = take };

/* The thread has made calls. */
static void tally(struct gate_thread *thread, uint64_t calls)
{
    struct gate_sums *sums = &thread->page->slot.tallies[0].sums;

    sums->calls += calls;
    sums->bytes += 10 * calls;
    thread->page->slot.made += calls;
}

/* It writes a record of its tally. */
static void publish(struct gate_thread *thread)
{
    struct gate_slot *slot = &thread->page->slot;
    const struct gate_tally *tally = &slot->tallies[0];
    const struct gate_record record = {
        .size = sizeof record,
        .kind = GATE_TALLY,
        .fd = (uint32_t)tally->fd,
        .args = { tally->sums.calls, tally->sums.bytes, 0, 0, tally->version },
    };

    memcpy(thread->arena->memory + (slot->ring - thread->arena->address) + slot->head, &record,
           sizeof record);
    slot->head += sizeof record;
}

static void give_away(struct gate_thread *thread, uint64_t fd)
{
    struct gate_tally *tally = &thread->page->slot.tallies[0];

    *tally = (struct gate_tally){ .fd = fd, .version = tally->version + 2 };
}

/* The turn of the thread's next record comes. */
static void take_turn(struct gate_thread *thread)
{
    tallies_take_turn(&tallies, thread);
    thread->reader.read += sizeof(struct gate_record);
}

static struct gate_thread *begin(struct gate_thread **all)
{
    struct arena *list = NULL, *arena = arena_new(0, getuid(), &list);
    struct gate_thread *thread = gate_thread_new(arena, NULL, all);

    arena_drop(arena);
    memset(calls_taken, 0, sizeof calls_taken);
    known[EARLIER] = known[LATER] = true;
    give_away(thread, EARLIER);
    return thread;
}

/* Of a place that is given away all is taken once, though it is there twice: in the place, and in a record. */
static void check_once(bool torn)
{
    struct gate_thread *all = NULL, *thread = begin(&all);
    struct gate_tally *place = &thread->page->slot.tallies[0];

    tally(thread, 5);
    CHECK(tallies_collect(&tallies, thread) && calls_taken[EARLIER] == 5);
    tally(thread, 2);
    publish(thread);
    give_away(thread, LATER);
    if (torn) {
        place->version--;
        CHECK(!tallies_collect(&tallies, thread));
        gate_thread_complete(thread);
        place->fd = LATER;
    }
    tally(thread, 1);
    CHECK(tallies_collect(&tallies, thread));
    CHECK(calls_taken[EARLIER] == 7 && calls_taken[LATER] == 1);
    tally(thread, 1);
    publish(thread);
    CHECK(tallies_collect(&tallies, thread) && calls_taken[LATER] == 2);
    give_away(thread, EARLIER);
    tally(thread, 1);
    CHECK(tallies_collect(&tallies, thread));
    take_turn(thread);
    take_turn(thread);
    CHECK(calls_taken[EARLIER] == 8 && calls_taken[LATER] == 2);
    gate_thread_free(thread);
    CHECK(!all);
}

/* What a record says of an fd is there when that is closed, though its turn comes later, and its open was not known. */
static void check_before_close(bool is_closed)
{
    struct gate_thread *all = NULL, *thread = begin(&all);

    known[EARLIER] = false;
    tally(thread, 5);
    CHECK(!tallies_collect(&tallies, thread));
    publish(thread);
    give_away(thread, LATER);
    tally(thread, 2);
    CHECK(tallies_collect(&tallies, thread));
    CHECK(calls_taken[EARLIER] == 0 && calls_taken[LATER] == 2);
    tallies_take_kept(&tallies, EARLIER);
    known[EARLIER] = true;
    CHECK(calls_taken[EARLIER] == 0);
    if (is_closed) {
        tallies_take_kept(&tallies, EARLIER + TALLIES_CHAINS);
        CHECK(calls_taken[EARLIER] == 0);
        tallies_take_kept(&tallies, EARLIER);
        CHECK(calls_taken[EARLIER] == 5);
    }
    take_turn(thread);
    CHECK(calls_taken[EARLIER] == 5);
    gate_thread_free(thread);
}

/* Several are kept, of two threads, one of which ends: what is kept of the other stays. */
static void check_ends(void)
{
    struct gate_thread *all = NULL, *thread = begin(&all), *other = begin(&all);

    known[EARLIER] = false;
    for (int i = 0; i < 3; i++)
        for (struct gate_thread *each = all; each; each = each->next) {
            tally(each, 1);
            publish(each);
            give_away(each, EARLIER);
            tallies_collect(&tallies, each);
        }
    take_turn(other);
    gate_thread_free(other);
    known[EARLIER] = true;
    tallies_take_kept(&tallies, EARLIER);
    CHECK(calls_taken[EARLIER] == 3);
    for (int i = 0; i < 3; i++)
        take_turn(thread);
    CHECK(calls_taken[EARLIER] == 3 && !tallies.chains[EARLIER]);
    gate_thread_free(thread);
}

int main(void)
{
    check_once(false);
    check_once(true);
    check_before_close(false);
    check_before_close(true);
    check_ends();
    return 0;
}
