#pragma once

#include <stdint.h>
#include <string.h>

#include "eight_bytes.h"

/* Texts and numbers of JSON (RFC 8259), escaped as msgspec does: what has to be, and no more. The
 * caller has made room for MOST_ESCAPED bytes for each byte of a text and two quotes more, or for
 * MOST_DIGITS. Each function returns where what it wrote ends. */

enum {
    MOST_ESCAPED = 6, /* bytes that one becomes: \u001f */
    MOST_DIGITS = 20, /* of an int64_t, its sign included */
};

static __attribute__((noinline)) char *put_escaped(char *to, uint8_t byte)
{
    static const char digits[] = "0123456789abcdef";
    static const char special[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *found = byte ? strchr(special, byte) : NULL;

    if (byte >= ' ' && !found) {
        *to++ = (char)byte;
        return to;
    }
    *to++ = '\\';
    if (found) {
        *to++ = letters[found - special];
        return to;
    }
    memcpy(to, "u00", 3);
    to[3] = digits[byte >> 4];
    to[4] = digits[byte & 15];
    return to + 5;
}

static char *put_text(char *to, const char *text, size_t size)
{
    const char *end = text + size;
    uint64_t eight;

    *to++ = '"';
    for (; end - text >= 8; text += 8) {
        memcpy(&eight, text, 8);
        memcpy(to, &eight, 8);
        to += 8;
        if (__builtin_expect(has_escape(eight) != 0, 0)) {
            to -= 8;
            for (int at = 0; at < 8; at++)
                to = put_escaped(to, (uint8_t)text[at]);
        }
    }
    for (; text < end; text++) {
        uint8_t byte = (uint8_t)*text;
        if (byte < ' ' || byte == '"' || byte == '\\')
            to = put_escaped(to, byte);
        else
            *to++ = (char)byte;
    }
    *to++ = '"';
    return to;
}

static char *put_number(char *to, int64_t value)
{
    char digits[MOST_DIGITS];
    int at = MOST_DIGITS;
    uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

    do
        digits[--at] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0)
        digits[--at] = '-';
    memcpy(to, digits + at, (size_t)(MOST_DIGITS - at));
    return to + (MOST_DIGITS - at);
}
