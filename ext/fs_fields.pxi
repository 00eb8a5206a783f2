# The fields of an fs event that say what was done to which file, read in its JSON.
#
# The JSON is read in place, and only as far as it is plain: a text with an escaped character or a
# number with a fraction is left to json.loads.

import json

from libc.string cimport memcmp

cdef extern from "json_field.h" nogil:
    const char *plain_end(const char *at, const char *end)
    const char *value_close(const char *at, const char *end)
    const char *integer_close(const char *at, const char *end, int64_t *value_out)

cdef enum:
    FILE, FILE_NEW, FILE_TARGET, FILE_PASSED, OP, FLAGS, ERROR, TEXTS
cdef enum:
    READ_BYTES, READ_OPS, WRITE_BYTES, WRITE_OPS, IO_DURATION, MAPPED, CREATED, EXCHANGED, NUMBERS
cdef enum:
    FIELDS = TEXTS + NUMBERS
    LONGEST_NAME = 16

NAMES = (
    b"file", b"file_new", b"file_target", b"file_passed", b"op", b"flags", b"error",
    b"file_read_bytes", b"file_read_ops", b"file_write_bytes", b"file_write_ops", b"io_duration",
    b"file_mapped", b"file_created", b"file_exchanged",
)

cdef struct fields:
    text texts[TEXTS]  # one that is not there is NULL
    int64_t numbers[NUMBERS]

cdef text names[FIELDS]
cdef int of_size[LONGEST_NAME + 1][FIELDS + 1]
"""The fields whose names have a size; FIELDS ends them."""

def _note_names():
    for at in range(FIELDS):
        names[at] = text(PyBytes_AsString(NAMES[at]), len(NAMES[at]))
    for size in range(LONGEST_NAME + 1):
        found = [at for at in range(FIELDS) if len(NAMES[at]) == size]
        for at, field in enumerate((*found, FIELDS)):
            of_size[size][at] = field

_note_names()


cdef list decode(bytes data, fields *found):
    """Find the fields in any JSON; return what must be kept as long as they are used."""
    values = json.loads(data)
    kept = []
    for at in range(TEXTS):
        found.texts[at] = text(NULL, 0)
        value = values.get(NAMES[at].decode())
        if value is not None:
            kept.append(str(value).encode("utf-8", "surrogatepass"))
            found.texts[at] = text(PyBytes_AsString(kept[-1]), len(kept[-1]))
    for at in range(NUMBERS):
        found.numbers[at] = int(values.get(NAMES[TEXTS + at].decode()) or 0)
    return kept


cdef bint scan(const char *at, const char *end, fields *found) noexcept nogil:
    """Find the fields in a JSON object; False: it is not plain."""
    cdef text name
    cdef int which
    for which in range(TEXTS):
        found.texts[which] = text(NULL, 0)
    for which in range(NUMBERS):
        found.numbers[which] = 0
    if at == end or at[0] != c"{":
        return False
    while at != NULL and (at[0] == c"{" or at[0] == c","):
        at = take_text(at + 1, end, &name)
        if at == NULL or at[0] != c":":
            return False
        at = take(name, at + 1, end, found)
    return at != NULL and at[0] == c"}" and at + 1 == end


cdef const char *take(text name, const char *at, const char *end, fields *found) noexcept nogil:
    """Take the value of a name; return its end, NULL: it is not plain."""
    cdef int which = index_of(name)
    if which == FIELDS:
        return value_close(at, end)
    if which < TEXTS:
        return take_text(at, end, &found.texts[which])
    return integer_close(at, end, &found.numbers[which - TEXTS])


cdef int index_of(text name) noexcept nogil:
    """Return which field has a name; FIELDS: none."""
    cdef const int *at
    if name.size > LONGEST_NAME:
        return FIELDS
    at = of_size[name.size]
    while at[0] != FIELDS and memcmp(names[at[0]].start, name.start, name.size):
        at += 1
    return at[0]


cdef const char *take_text(const char *at, const char *end, text *found) noexcept nogil:
    """Take a string; return its end, NULL: it is none, or has escaped characters."""
    if at[0] != c'"':
        return NULL
    found.start = at + 1
    at = plain_end(at + 1, end)
    if at == end or at[0] != c'"':
        return NULL
    found.size = at - found.start
    return at + 1
