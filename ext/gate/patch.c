#include "gate/patch.h"

#include <string.h>

enum { JMP = 0xe9, GATE_AT = 8 };

static const uint8_t TRAMPOLINE[] = {
    0x4c, 0x8d, 0x1d, 0xf9, 0xff, 0xff, 0xff, /* lea -7(%rip), %r11 */
    0xb9, 0,    0,    0,    0,                /* mov $gate, %ecx */
    0xff, 0xe1,                               /* jmp *%rcx */
    0x0f, 0x05,                               /* syscall */
    0x90,                                     /* nop */
    0x48, 0x8d, 0x0d, 0,    0,    0,    0,    /* lea back(%rip), %rcx */
    0xff, 0xe1,                               /* jmp *%rcx */
};

/* Put the distance between two places into code; false: they are too far apart. */
static bool put_distance(uint8_t *code, uint64_t from, uint64_t to)
{
    int64_t distance = (int64_t)(to - from);
    int32_t near = (int32_t)distance;

    memcpy(code, &near, sizeof near);
    return near == distance;
}

static bool encode_trampoline(const struct patch *patch, uint8_t *code)
{
    uint32_t gate = (uint32_t)gate_address(gate_entry);

    memset(code, INT3, TRAMPOLINE_BYTES);
    memcpy(code, TRAMPOLINE, sizeof TRAMPOLINE);
    memcpy(code + GATE_AT, &gate, sizeof gate);
    return put_distance(code + TRAMPOLINE_BACK, patch->trampoline + TRAMPOLINE_BACK_END,
                        patch->site + CALL_BYTES);
}

bool patch_encode(const struct patch *patch, const uint8_t *moved, struct patch_bytes *bytes_out)
{
    uint64_t start = patch->trampoline - patch->moved_bytes;

    *bytes_out = (struct patch_bytes){
        .jump = { JMP },
        .hop = { JUMP_SHORT, (uint8_t)(patch->pad - patch->site - CALL_BYTES) },
    };
    memset(bytes_out->trampoline, INT3, MOVED_ROOM);
    memcpy(bytes_out->trampoline + MOVED_ROOM - patch->moved_bytes, moved, patch->moved_bytes);
    return put_distance(bytes_out->jump + 1, patch_jump_at(patch) + JUMP_BYTES, start) &&
           encode_trampoline(patch, bytes_out->trampoline + MOVED_ROOM);
}
