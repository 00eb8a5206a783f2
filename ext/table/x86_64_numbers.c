#if defined(__x86_64__)
#include <asm/unistd_64.h>
#define NUMBERS x86_64_numbers
#include "table/numbers.inc"
#endif
