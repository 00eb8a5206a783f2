#pragma once

#include <stdlib.h>

#include "sqlite_routines.h"

/* Rows of a caller as a table that SQLite reads (https://www.sqlite.org/vtab.html): an INSERT that
 * selects from it takes them all in one statement, and none of their values has to be bound. */

enum row_kind { ROW_NULL, ROW_INTEGER, ROW_REAL, ROW_TEXT, ROW_BLOB };

struct row_value {
    enum row_kind kind;
    int size; /* of a text or blob */
    union {
        int64_t integer;
        double real;
        const char *bytes; /* they stay as they are until the next row */
    };
};

/* Where the rows of one table come from. It outlives all statements that read the table. */
struct row_source {
    const sqlite_routine *routines;
    const char *declaration;        /* CREATE TABLE, for the names of its columns */
    const struct row_value *values; /* of the present row */
    int (*next)(void *caller);      /* have `values` be the next row's; 0: there is none */
    void *caller;
};

/* As sqlite3.h has them, up to the last part that is needed. */
struct sqlite3_index_info;

struct sqlite3_vtab {
    const struct sqlite3_module *module;
    int uses;
    char *error;
};

struct sqlite3_vtab_cursor {
    struct sqlite3_vtab *table;
};

struct sqlite3_module {
    int version;
    int (*create)(struct sqlite3 *, void *source, int, const char *const *, struct sqlite3_vtab **,
                  char **);
    int (*connect)(struct sqlite3 *, void *source, int, const char *const *, struct sqlite3_vtab **,
                   char **);
    int (*best_index)(struct sqlite3_vtab *, struct sqlite3_index_info *);
    int (*disconnect)(struct sqlite3_vtab *);
    int (*destroy)(struct sqlite3_vtab *);
    int (*open)(struct sqlite3_vtab *, struct sqlite3_vtab_cursor **);
    int (*close)(struct sqlite3_vtab_cursor *);
    int (*filter)(struct sqlite3_vtab_cursor *, int, const char *, int, struct sqlite3_value **);
    int (*next)(struct sqlite3_vtab_cursor *);
    int (*eof)(struct sqlite3_vtab_cursor *);
    int (*column)(struct sqlite3_vtab_cursor *, struct sqlite3_context *, int at);
    int (*rowid)(struct sqlite3_vtab_cursor *, int64_t *);
    void *others[12]; /* of tables that can be written to, and of later versions */
};

struct rows_table {
    struct sqlite3_vtab table; /* first, as SQLite wants it */
    const struct row_source *source;
};

struct rows_cursor {
    struct sqlite3_vtab_cursor cursor;
    const struct row_source *source;
    int64_t row;
    int has_row;
};

static int connect_rows(struct sqlite3 *db, void *source, int count, const char *const *arguments,
                        struct sqlite3_vtab **table_out, char **error_out)
{
    typedef int declare(struct sqlite3 *, const char *);
    const struct row_source *rows = source;
    struct rows_table *table = calloc(1, sizeof(*table));

    (void)count;
    (void)arguments;
    (void)error_out;
    if (!table)
        return SQLITE_NOMEM;
    table->source = rows;
    *table_out = &table->table;
    return ((declare *)rows->routines[SQLITE_DECLARE_VTAB])(db, rows->declaration);
}

static int disconnect_rows(struct sqlite3_vtab *table)
{
    free(table);
    return SQLITE_OK;
}

static int plan_rows(struct sqlite3_vtab *table, struct sqlite3_index_info *info)
{
    (void)table;
    (void)info; /* the only plan: one row after another */
    return SQLITE_OK;
}

static int open_rows(struct sqlite3_vtab *table, struct sqlite3_vtab_cursor **cursor_out)
{
    struct rows_cursor *cursor = calloc(1, sizeof(*cursor));

    if (!cursor)
        return SQLITE_NOMEM;
    cursor->source = ((struct rows_table *)table)->source;
    *cursor_out = &cursor->cursor;
    return SQLITE_OK;
}

static int close_rows(struct sqlite3_vtab_cursor *cursor)
{
    free(cursor);
    return SQLITE_OK;
}

static int next_row(struct sqlite3_vtab_cursor *cursor)
{
    struct rows_cursor *rows = (struct rows_cursor *)cursor;

    rows->row++;
    rows->has_row = rows->source->next(rows->source->caller);
    return SQLITE_OK;
}

static int first_row(struct sqlite3_vtab_cursor *cursor, int plan, const char *name, int count,
                     struct sqlite3_value **values)
{
    (void)plan;
    (void)name;
    (void)count;
    (void)values;
    return next_row(cursor);
}

static int after_last_row(struct sqlite3_vtab_cursor *cursor)
{
    return !((struct rows_cursor *)cursor)->has_row;
}

static int number_of_row(struct sqlite3_vtab_cursor *cursor, int64_t *row_out)
{
    *row_out = ((struct rows_cursor *)cursor)->row;
    return SQLITE_OK;
}

static int value_of_row(struct sqlite3_vtab_cursor *cursor, struct sqlite3_context *context, int at)
{
    typedef void put_bytes(struct sqlite3_context *, const char *, int, sqlite_routine);
    typedef void put_integer(struct sqlite3_context *, int64_t);
    typedef void put_real(struct sqlite3_context *, double);
    const struct row_source *source = ((struct rows_cursor *)cursor)->source;
    const struct row_value *value = &source->values[at];
    const sqlite_routine *routines = source->routines;

    if (value->kind == ROW_INTEGER)
        ((put_integer *)routines[SQLITE_RESULT_INT64])(context, value->integer);
    else if (value->kind == ROW_TEXT)
        ((put_bytes *)routines[SQLITE_RESULT_TEXT])(context, value->bytes, value->size, 0);
    else if (value->kind == ROW_BLOB)
        ((put_bytes *)routines[SQLITE_RESULT_BLOB])(context, value->bytes, value->size, 0);
    else if (value->kind == ROW_REAL)
        ((put_real *)routines[SQLITE_RESULT_DOUBLE])(context, value->real);
    return SQLITE_OK; /* what is not set is NULL */
}

/* Let a connection read the rows of a source by this name. */
static int add_rows_table(struct sqlite3 *db, const char *name, struct row_source *source)
{
    typedef int create_module(struct sqlite3 *, const char *, const struct sqlite3_module *,
                              void *);
    static const struct sqlite3_module rows = {
        .connect = connect_rows, /* without `create` it is there by its name, and nowhere else */
        .best_index = plan_rows,
        .disconnect = disconnect_rows,
        .open = open_rows,
        .close = close_rows,
        .filter = first_row,
        .next = next_row,
        .eof = after_last_row,
        .column = value_of_row,
        .rowid = number_of_row,
    };

    return ((create_module *)source->routines[SQLITE_CREATE_MODULE])(db, name, &rows, source);
}
