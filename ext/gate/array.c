#include "gate/array.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

size_t array_room(size_t count)
{
    size_t room = 1;

    while (room < count)
        room *= 2;
    return room;
}

bool array_make_room(void *array, size_t count, size_t bytes)
{
    void *old;

    if (count && array_room(count) > count)
        return true;
    memcpy(&old, array, sizeof old);
    void *grown = realloc(old, array_room(count + 1) * bytes);
    if (grown)
        memcpy(array, &grown, sizeof grown);
    return grown;
}

bool array_append(void *array, size_t *count, const void *item, size_t bytes)
{
    uint8_t *items;

    if (!array_make_room(array, *count, bytes))
        return false;
    memcpy(&items, array, sizeof items);
    memcpy(items + (*count)++ * bytes, item, bytes);
    return true;
}

void *array_copy(const void *array, size_t count, size_t bytes)
{
    void *copy = malloc(array_room(count) * bytes);

    if (copy && count)
        memcpy(copy, array, count * bytes);
    return copy;
}
