/*
 * Arrays that grow by one item at a time. Their room is the next power of two of their count, so it is not
 * stored.
 */
#ifndef SCOPE_GATE_ARRAY_H
#define SCOPE_GATE_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

/* How many items an array of so many has room for. */
size_t array_room(size_t count);

/* Have room for one more item of so many bytes. `array`: points to the pointer to the first of `count` items. */
bool array_make_room(void *array, size_t count, size_t bytes);

/* Add an item. False: there is no memory. */
bool array_append(void *array, size_t *count, const void *item, size_t bytes);

/* Copy an array to one that may grow; NULL without memory. */
void *array_copy(const void *array, size_t count, size_t bytes);

#endif
