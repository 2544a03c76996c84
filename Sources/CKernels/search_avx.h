// Shared by the search kernels of AVX2 and AVX-512.
#ifndef CK_SEARCH_AVX_H
#define CK_SEARCH_AVX_H

#include "search.h"

void ck_avx2_score_rows(
    const float *query, const float *matrix, size_t d, const uint32_t *positions, size_t n, float *scores);

// What a sum of table entries must exceed, within what 16 signed bits compare.
static inline int16_t ck_code_bar(int32_t bias, int32_t bar) {
    int32_t below = bar - bias - 1;
    return (int16_t)(below < -1 ? -1 : below > INT16_MAX ? INT16_MAX : below);
}

#endif
