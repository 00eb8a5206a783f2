#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "eight_bytes.h"

/* JSON read in place, as far as it is plain: without blanks, as all of ours is. */

enum { MOST_INTEGER_DIGITS = 18 /* that an int64_t holds whatever they are */ };

/* The first quote, backslash or control character from `at` on, or `end`. */
static inline const char *plain_end(const char *at, const char *end)
{
    uint64_t eight;

    for (; end - at >= 8; at += 8) {
        memcpy(&eight, at, 8);
        if (has_escape(eight))
            break;
    }
    while (at < end && *at != '"' && *at != '\\' && (uint8_t)*at >= ' ')
        at++;
    return at;
}

/* The closing quote of a string, of which `at` is the first byte inside; NULL: there is none. */
static inline const char *string_close(const char *at, const char *end)
{
    for (;; at += 2) {
        at = plain_end(at, end);
        if (at >= end || *at != '\\')
            return at < end && *at == '"' ? at : NULL;
    }
}

/* Where a number or word ends. */
static inline const char *word_end(const char *at, const char *end)
{
    while (at < end && *at != ',' && *at != '}')
        at++;
    return at;
}

/* Read a whole number, true (1) or false (0). Returns its end; NULL: it is something else, or has more
 * than MOST_INTEGER_DIGITS. */
static inline const char *integer_close(const char *at, const char *end, int64_t *value_out)
{
    const char *close = word_end(at, end);
    size_t size = (size_t)(close - at);
    bool negative = size && *at == '-';
    int64_t value = 0;

    if ((size == 4 && !memcmp(at, "true", 4)) || (size == 5 && !memcmp(at, "false", 5))) {
        *value_out = *at == 't';
        return close;
    }
    at += negative;
    if (at == close || close - at > MOST_INTEGER_DIGITS)
        return NULL;
    for (; at < close; at++) {
        if (*at < '0' || *at > '9')
            return NULL;
        value = 10 * value + (*at - '0');
    }
    *value_out = negative ? -value : value;
    return close;
}

/* Where a value ends that begins at `at`; NULL: it does not. */
static inline const char *value_close(const char *at, const char *end)
{
    int depth = 0;

    do {
        if (at >= end)
            return NULL;
        if (*at == '"') {
            at = string_close(at + 1, end);
            if (!at)
                return NULL;
        } else if (*at == '{' || *at == '[') {
            depth++;
        } else if (*at == '}' || *at == ']') {
            depth--;
        } else if (!depth) {
            return word_end(at, end);
        }
        at++;
    } while (depth);
    return at;
}

/* Where the value of a field begins: `end` if an object has not got it, NULL if it is not plain. */
static inline const char *find_field(const char *at, const char *end, const char *name, size_t size)
{
    const char *start;

    if (at >= end || *at != '{')
        return NULL;
    if (end - at == 2 && at[1] == '}')
        return end;
    do {
        if (++at >= end || *at != '"')
            return NULL;
        start = ++at;
        at = plain_end(at, end);
        if (end - at < 3 || at[0] != '"' || at[1] != ':')
            return NULL;
        if ((size_t)(at - start) == size && !memcmp(start, name, size))
            return at + 2;
        at = value_close(at + 2, end);
    } while (at && at < end && *at == ',');
    return at && end - at == 1 && *at == '}' ? end : NULL;
}
