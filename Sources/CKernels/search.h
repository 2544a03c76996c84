// Shared by the search kernels of all processors.
#ifndef CK_SEARCH_INTERNAL_H
#define CK_SEARCH_INTERNAL_H

#include "CKernels.h"

#include <string.h>

// Bits first ..< first + 32 of the rows that count.
static inline uint32_t ck_counting(struct ck_rows rows, size_t row) {
    if (rows.bits == NULL) return UINT32_MAX;
    size_t bit = rows.first + row;
    uint64_t word;
    memcpy(&word, (const uint8_t *)rows.bits + bit / 8, sizeof word);
    return (uint32_t)(word >> (bit % 8));
}

// The lowest `count` bits set, count in 1...32.
static inline uint32_t ck_low_bits(size_t count) { return UINT32_MAX >> (32 - (count < 32 ? count : 32)); }

// Rows ahead of their use that are asked for when they lie in random places.
#define CK_AHEAD 12

static inline void ck_ask(const void *row, size_t bytes) {
    for (size_t i = 0; i < bytes; i += 64) __builtin_prefetch((const char *)row + i);
}

#endif
