/*
 * The lengths of x86-64 instructions (Intel SDM volume 2, chapter 2 and appendix A):
 *
 *     prefixes, REX | opcode | ModRM, SIB, displacement | immediate
 *
 * Two tables say for each opcode what follows it; the exceptions have functions of their own.
 */
#include "gate/length.h"

#include <string.h>

enum {
    LONGEST = 15, /* a longer instruction faults */
    OPERAND_16 = 0x66,
    ADDRESS_32 = 0x67,
    LOCK = 0xf0,
    REPNE = 0xf2,
    REP = 0xf3,
    VEX_3 = 0xc4,
    VEX_2 = 0xc5,
    EVEX = 0x62,
    ESCAPE = 0x0f,
    REX_W = 8,
    REX_B = 1,
};

/*
 * What follows an opcode:
 *
 *     .  nothing            M  ModRM               j  rel8
 *     1  imm8               B  ModRM, imm8         J  rel32
 *     2  imm16              Z  ModRM, imm16/32     a  an address
 *     3  imm16, imm8        z  imm16/32            v  imm16/32/64
 *     x  unknown, a prefix, or read elsewhere
 */
static const char ONE_BYTE[] = "MMMM1zxxMMMM1zxx"  /* 00 */
                               "MMMM1zxxMMMM1zxx"  /* 10 */
                               "MMMM1zxxMMMM1zxx"  /* 20 */
                               "MMMM1zxxMMMM1zxx"  /* 30 */
                               "xxxxxxxxxxxxxxxx"  /* 40 */
                               "................"  /* 50 */
                               "xxxMxxxxzZ1B...."  /* 60 */
                               "jjjjjjjjjjjjjjjj"  /* 70 */
                               "BZxBMMMMMMMMMMMM"  /* 80 */
                               "..........x....."  /* 90 */
                               "aaaa....1z......"  /* a0 */
                               "11111111vvvvvvvv"  /* b0 */
                               "BB2.xxBZ3.2..1x."  /* c0 */
                               "MMMMxxx.MMMMMMMM"  /* d0 */
                               "jjjj1111JJxj...."  /* e0 */
                               "x.xx..MM......MM"; /* f0 */

static const char TWO_BYTES[] = "MMMMx.....x.xM.x"  /* 0f 00 */
                                "MMMMMMMMMMMMMMMM"  /* 10 */
                                "MMMMxxxxMMMMMMMM"  /* 20 */
                                "....xxx.xxxxxxxx"  /* 30 */
                                "MMMMMMMMMMMMMMMM"  /* 40 */
                                "MMMMMMMMMMMMMMMM"  /* 50 */
                                "MMMMMMMMMMMMMMMM"  /* 60 */
                                "BBBBMMM.MMxxMMMM"  /* 70 */
                                "JJJJJJJJJJJJJJJJ"  /* 80 */
                                "MMMMMMMMMMMMMMMM"  /* 90 */
                                "...MBMxx...MBMMM"  /* a0 */
                                "MMMMMMMMMxBMMMMM"  /* b0 */
                                "MMBMBBBM........"  /* c0 */
                                "MMMMMMMMMMMMMMMM"  /* d0 */
                                "MMMMMMMMMMMMMMMM"  /* e0 */
                                "MMMMMMMMMMMMMMMx"; /* f0 */

/* What is known of the instruction so far. */
struct reading {
    const uint8_t *start, *at, *end;
    bool operand_16, address_32, locked;
    uint8_t repeat; /* REPNE or REP, the last one; 0: none */
    uint8_t rex;    /* its low half; 0: none, or none of its bits */
    uint8_t opcode; /* its last byte */
    bool escaped;   /* it begins with 0f */
    uint8_t modrm;  /* 0 if it has none */
    struct instruction *out;
};

static uint8_t mod_of(const struct reading *reading)
{
    return reading->modrm >> 6;
}

/* The middle bits of ModRM, which of some opcodes say which instruction it is. */
static uint8_t member_of(const struct reading *reading)
{
    return reading->modrm >> 3 & 7;
}

static bool skip(struct reading *reading, size_t bytes)
{
    if ((size_t)(reading->end - reading->at) < bytes)
        return false;
    reading->at += bytes;
    return true;
}

static bool take(struct reading *reading, uint8_t *byte_out)
{
    if (!skip(reading, 1))
        return false;
    *byte_out = reading->at[-1];
    return true;
}

/* -- prefixes --------------------------------------------------------------------------------- */

static bool is_prefix(struct reading *reading, uint8_t byte)
{
    switch (byte) {
    case OPERAND_16:
        reading->operand_16 = true;
        return true;
    case ADDRESS_32:
        reading->address_32 = true;
        return true;
    case LOCK:
        reading->locked = true;
        return true;
    case REPNE:
    case REP:
        reading->repeat = byte;
        return true;
    default: /* segments: es, cs, ss, ds, fs, gs */
        return (byte & 0xe7) == 0x26 || byte == 0x64 || byte == 0x65;
    }
}

/* REX counts only directly before the opcode. */
static bool read_prefixes(struct reading *reading, bool *has_rex_out)
{
    uint8_t byte;

    do {
        if (!take(reading, &byte))
            return false;
    } while (is_prefix(reading, byte));
    *has_rex_out = (byte & 0xf0) == 0x40;
    if (*has_rex_out) {
        reading->rex = byte & 15;
        if (!take(reading, &byte))
            return false;
    }
    reading->opcode = byte;
    return true;
}

/* -- operands --------------------------------------------------------------------------------- */

static void set_target(struct reading *reading, int32_t target)
{
    reading->out->names_target = true;
    reading->out->target = target;
}

/* Of mode 0 the register 5 means a displacement alone, as the base in a SIB byte likewise. */
static bool read_modrm(struct reading *reading)
{
    enum { HAS_SIB = 4, NO_BASE = 5 };
    static const uint8_t BYTES[] = { 0, 1, 4, 0 };
    uint8_t sib = 0;

    if (!take(reading, &reading->modrm))
        return false;
    uint8_t mod = mod_of(reading), base = reading->modrm & 7;
    if (mod == 3)
        return true;
    if (base == HAS_SIB && !take(reading, &sib))
        return false;
    if (mod == 0 && base == NO_BASE) {
        int32_t displacement;
        if (!skip(reading, sizeof displacement))
            return false;
        memcpy(&displacement, reading->at - sizeof displacement, sizeof displacement);
        set_target(reading, displacement);
        return true;
    }
    if (mod == 0 && base == HAS_SIB && (sib & 7) == NO_BASE)
        return skip(reading, 4);
    return skip(reading, BYTES[mod]);
}

static size_t operand_bytes(const struct reading *reading)
{
    return reading->operand_16 && !(reading->rex & REX_W) ? 2 : 4;
}

/* A branch with a 16-bit operand: Intel ignores the prefix, AMD does not. */
static bool read_relative(struct reading *reading, size_t bytes)
{
    int32_t target;

    if (operand_bytes(reading) == 2 || !skip(reading, bytes))
        return false;
    if (bytes == 1)
        target = (int8_t)reading->at[-1];
    else
        memcpy(&target, reading->at - sizeof target, sizeof target);
    set_target(reading, target);
    return true;
}

static bool read_operands(struct reading *reading, char form)
{
    switch (form) {
    case '.':
        return true;
    case '1':
    case '3':
        return skip(reading, (size_t)(form - '0'));
    case '2': /* a return, whose prefix 66 only AMD obeys */
        return !reading->operand_16 && skip(reading, 2);
    case 'j':
        return read_relative(reading, 1);
    case 'J':
        return read_relative(reading, 4);
    case 'z':
        return skip(reading, operand_bytes(reading));
    case 'v':
        return skip(reading, reading->rex & REX_W ? 8 : operand_bytes(reading));
    case 'a':
        return skip(reading, reading->address_32 ? 4 : 8);
    case 'M':
        return read_modrm(reading);
    case 'B':
        return read_modrm(reading) && skip(reading, 1);
    case 'Z':
        return read_modrm(reading) && skip(reading, operand_bytes(reading));
    default:
        return false;
    }
}

/* -- opcodes of one byte ---------------------------------------------------------------------- */

/* f6 and f7: only test, the first two members, has an immediate. */
static bool read_unary(struct reading *reading)
{
    if (!read_modrm(reading))
        return false;
    if (member_of(reading) > 1)
        return true;
    return skip(reading, reading->opcode == 0xf6 ? 1 : operand_bytes(reading));
}

/* c6 and c7: mov, and of the last member xabort and xbegin, which is a branch to where an abort leads. */
static bool read_move(struct reading *reading)
{
    static const uint8_t TRANSACTION = 0xf8;

    if (!read_modrm(reading))
        return false;
    if (member_of(reading) && reading->modrm != TRANSACTION)
        return false;
    if (reading->opcode == 0xc6)
        return skip(reading, 1);
    return member_of(reading) ? read_relative(reading, 4) : skip(reading, operand_bytes(reading));
}

static bool read_one_byte(struct reading *reading)
{
    switch (reading->opcode) {
    case 0x8f: /* pop; else XOP */
        return read_modrm(reading) && !member_of(reading);
    case 0xc6:
    case 0xc7:
        return read_move(reading);
    case 0xf6:
    case 0xf7:
        return read_unary(reading);
    case 0xfe: /* inc, dec */
        return read_modrm(reading) && member_of(reading) < 2;
    case 0xff: /* inc, dec, call, far call, jmp, far jmp, push */
        return read_modrm(reading) && member_of(reading) < 7;
    default:
        return read_operands(reading, ONE_BYTE[reading->opcode]);
    }
}

/* -- opcodes of two bytes and more ------------------------------------------------------------ */

static bool read_escaped(struct reading *reading)
{
    if (!take(reading, &reading->opcode))
        return false;
    switch (reading->opcode) {
    case 0x38:
        return skip(reading, 1) && read_modrm(reading);
    case 0x3a:
        return skip(reading, 1) && read_modrm(reading) && skip(reading, 1);
    case 0x20: /* control and debug registers: mode 3, whatever ModRM says */
    case 0x21:
    case 0x22:
    case 0x23:
        return read_modrm(reading) && mod_of(reading) == 3;
    case 0x78: /* vmread; with a prefix SSE4a's */
        return !reading->operand_16 && !reading->repeat && read_modrm(reading);
    case 0xb8: /* popcnt */
        return reading->repeat == REP && read_modrm(reading);
    default:
        return read_operands(reading, TWO_BYTES[reading->opcode]);
    }
}

/* Whether an instruction of AVX or AVX-512 has an immediate, as its like of SSE has. */
static bool has_immediate(uint8_t map, uint8_t opcode)
{
    return map == 3 || (map == 1 && TWO_BYTES[opcode] == 'B');
}

static bool is_opcode_map(uint8_t map, bool extended)
{
    return (map >= 1 && map <= 3) || (extended && (map == 5 || map == 6));
}

/*
 * VEX and EVEX: payload bytes, the first of which has the opcode map (in VEX_2 it is 1), then an
 * opcode of one byte. They stand for all prefixes but those of segment and address.
 */
static bool read_vector(struct reading *reading)
{
    static const uint8_t VZEROUPPER = 0x77;
    uint8_t kind = reading->opcode, first, second = 0, map = 1;

    if (!take(reading, &first))
        return false;
    if (kind != VEX_2 && !take(reading, &second))
        return false;
    if (kind == VEX_3)
        map = first & 31;
    if (kind == EVEX) {
        map = first & 7;
        if (first & 8 || !(second & 4) || !skip(reading, 1)) /* else APX */
            return false;
    }
    if (!is_opcode_map(map, kind == EVEX) || !take(reading, &reading->opcode))
        return false;
    if (map == 1 && reading->opcode == VZEROUPPER && kind != EVEX)
        return true;
    return read_modrm(reading) && skip(reading, has_immediate(map, reading->opcode));
}

static bool begins_vector(const struct reading *reading)
{
    return reading->opcode == VEX_2 || reading->opcode == VEX_3 || reading->opcode == EVEX;
}

/* -- where it leads --------------------------------------------------------------------------- */

static enum flow flow_of_ff(const struct reading *reading)
{
    switch (member_of(reading)) {
    case 2:
    case 3:
        return FLOW_CALL;
    case 4:
    case 5:
        return FLOW_INDIRECT;
    default:
        return FLOW_NEXT;
    }
}

static enum flow flow_of_one_byte(const struct reading *reading)
{
    switch (reading->opcode) {
    case 0x90: /* not pause, not an exchange of two registers */
        return reading->repeat == REP || reading->rex & REX_B ? FLOW_NEXT : FLOW_NOP;
    case 0xcc:
        return FLOW_TRAP;
    case 0xc2: /* returns, hlt */
    case 0xc3:
    case 0xca:
    case 0xcb:
    case 0xcf:
    case 0xf4:
        return FLOW_END;
    case 0xe8:
        return FLOW_CALL;
    case 0xe9:
    case 0xeb:
        return FLOW_JUMP;
    case 0xff:
        return flow_of_ff(reading);
    case 0xc7: /* xbegin */
        return member_of(reading) ? FLOW_BRANCH : FLOW_NEXT;
    default:
        return ONE_BYTE[reading->opcode] == 'j' ? FLOW_BRANCH : FLOW_NEXT;
    }
}

static enum flow flow_of_escaped(const struct reading *reading)
{
    switch (reading->opcode) {
    case 0x05:
        return FLOW_SYSCALL;
    case 0x07: /* sysret */
    case 0x0b: /* ud2 */
        return FLOW_END;
    case 0x1f:
        return FLOW_NOP;
    default:
        return TWO_BYTES[reading->opcode] == 'J' ? FLOW_BRANCH : FLOW_NEXT;
    }
}

/* Read all behind the prefixes. */
static bool read_rest(struct reading *reading, bool has_rex)
{
    if (begins_vector(reading)) {
        bool bare = !has_rex && !reading->operand_16 && !reading->repeat && !reading->locked;
        reading->out->flow = FLOW_NEXT;
        return bare && read_vector(reading);
    }
    reading->escaped = reading->opcode == ESCAPE;
    if (!(reading->escaped ? read_escaped(reading) : read_one_byte(reading)))
        return false;
    reading->out->flow =
        (uint8_t)(reading->escaped ? flow_of_escaped(reading) : flow_of_one_byte(reading));
    return true;
}

bool read_instruction(const uint8_t *code, size_t size, struct instruction *instruction_out)
{
    struct reading reading = {
        .start = code,
        .at = code,
        .end = code + (size < LONGEST ? size : LONGEST),
        .out = instruction_out,
    };
    bool has_rex;

    memset(instruction_out, 0, sizeof *instruction_out);
    if (!read_prefixes(&reading, &has_rex) || !read_rest(&reading, has_rex))
        return false;
    instruction_out->length = (uint8_t)(reading.at - reading.start);
    return true;
}
