#include "call/records.h"

#include <string.h>

void write_record(struct context *context, const struct caller *caller, struct raw_record *header,
                  const struct parts *parts)
{
    size_t payload = parts ? parts->used : 0;

    if (!context->started)
        return;
    if (sizeof *header + payload > context->ring.size) { /* it will never fit */
        context->counts.lost++;
        return;
    }
    if (!header->entered_ns)
        header->entered_ns = monotonic_ns();
    header->size = (uint32_t)(sizeof *header + payload);
    header->copied = (uint32_t)payload;
    header->pid = (uint32_t)caller->tgid;
    header->tid = (uint32_t)caller->tid;
    context->counts.recorded++;
    ring_write(&context->ring, header, sizeof *header, payload ? parts->bytes : NULL, payload);
}

void write_note(struct context *context, const struct caller *caller, enum raw_note note,
                uint64_t value)
{
    struct raw_record header = { .kind = RAW_NOTE, .args = { note, value } };

    write_record(context, caller, &header, NULL);
}

void write_call(struct context *context, const struct caller *caller, const struct pending *call,
                int64_t result, uint64_t elapsed_ns, uint64_t transferred)
{
    struct raw_record header = {
        .kind = RAW_SYSCALL,
        .syscall = call->row,
        .entered_ns = call->entered_ns,
        .elapsed_ns = elapsed_ns,
        .result = result,
        .fd_serial = call->fd_serial,
        .transferred = transferred > UINT32_MAX ? UINT32_MAX : (uint32_t)transferred,
    };

    memcpy(header.args, call->args, sizeof header.args);
    write_record(context, caller, &header, &call->parts);
}
