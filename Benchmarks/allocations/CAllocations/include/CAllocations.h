// Counts what a program asks of the allocator.
#ifndef CALLOCATIONS_H
#define CALLOCATIONS_H

#include <stdint.h>

// Calls of malloc, calloc, realloc and the aligned forms since the program started, of all threads.
uint64_t ca_allocations(void);

#endif
