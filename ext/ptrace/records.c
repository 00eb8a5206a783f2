/* Records on their way into the ring: the header completed, the parts behind it. */
#include <string.h>

#include "ptrace/state.h"

void write_record(struct engine *engine, const struct task *task, struct raw_record *header,
                  const struct parts *parts)
{
    size_t payload = parts ? parts->used : 0;

    if (!engine->started)
        return;
    if (sizeof *header + payload > engine->ring.size) { /* there will never be room for it */
        engine->counts.lost++;
        return;
    }
    if (!header->entered_ns)
        header->entered_ns = monotonic_ns();
    header->size = (uint32_t)(sizeof *header + payload);
    header->copied = (uint32_t)payload;
    header->pid = (uint32_t)task->tgid;
    header->tid = (uint32_t)task->tid;
    engine->counts.recorded++;
    ring_write(&engine->ring, header, sizeof *header, payload ? parts->bytes : NULL, payload);
}

void write_note(struct engine *engine, const struct task *task, enum raw_note note, uint64_t value)
{
    struct raw_record header = { .kind = RAW_NOTE, .args = { note, value } };

    write_record(engine, task, &header, NULL);
}

void write_call(struct engine *engine, const struct task *task, const struct pending *call,
                int64_t result, uint64_t elapsed_ns, uint64_t moved)
{
    struct raw_record header = {
        .kind = RAW_SYSCALL,
        .syscall = call->row,
        .entered_ns = call->entered_ns,
        .elapsed_ns = elapsed_ns,
        .result = result,
        .fd_serial = call->serial,
        .transferred = moved > UINT32_MAX ? UINT32_MAX : (uint32_t)moved,
    };

    memcpy(header.args, call->args, sizeof header.args);
    write_record(engine, task, &header, &call->parts);
}
