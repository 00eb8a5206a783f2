/* Who has a program file open for writing, or runs it: ETXTBSY. */
#ifndef SCOPE_CALL_HOLDER_H
#define SCOPE_CALL_HOLDER_H

#include <sys/types.h>

#include "record/record.h"

/* Returns the first such process that may be seen, other than ourselves; 0: none. Takes milliseconds. */
pid_t find_holder(const struct raw_stat *file);

#endif
