"""Texts, each kept once, with what is known of it beside it (text_table.h)."""

from libc.stdint cimport uint32_t

cdef extern from "text_table.h" nogil:
    struct text:
        const char *start
        size_t size
    struct text_table:
        uint32_t count
    bint same_text(text one, text other)
    void *text_known(const text_table *, uint32_t number)
    text text_at(const text_table *, uint32_t number)
    uint32_t text_table_next(const text_table *, uint32_t number)
    int text_table_init(text_table *, size_t known_size)
    void text_table_deinit(text_table *)
    uint32_t text_hash(const text_table *, text)
    void text_table_fetch_slot(const text_table *, uint32_t hash)
    bint text_table_fetch(const text_table *, uint32_t hash, uint32_t *number_out)
    int text_table_find(text_table *, text, uint32_t *number_out)
