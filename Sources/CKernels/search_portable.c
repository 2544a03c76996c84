// The plain form of the search kernels: what runs on other processors, and what the fast forms are tested against.
#include "search.h"

#include <math.h>

static void score_blocks(
    const struct ck_byte_query *query, const uint8_t *blocks, const float *scales, size_t n, struct ck_rows rows,
    float *scores) {
    for (size_t r = 0; r < n; r++) {
        if ((ck_counting(rows, r) & 1) == 0) {
            scores[r] = -INFINITY;
            continue;
        }
        const uint8_t *block = blocks + r / CK_BYTE_ROWS * query->groups * CK_BYTE_ROWS * 4;
        int32_t sum = -query->offset;
        for (size_t g = 0; g < query->groups; g++)
            for (size_t t = 0; t < 4; t++)
                sum += query->bytes[4 * g + t] * block[(g * CK_BYTE_ROWS + r % CK_BYTE_ROWS) * 4 + t];
        scores[r] = (float)sum * (scales[r] * query->scale);
    }
}

static void score_byte_rows(
    const struct ck_byte_query *query, const int8_t *matrix, const float *scales, size_t d, const uint32_t *positions,
    size_t n, float *scores) {
    for (size_t i = 0; i < n; i++) {
        const int8_t *row = matrix + positions[i] * d;
        int32_t sum = 0;
        for (size_t k = 0; k < d; k++) sum += query->bytes[k] * row[k];
        scores[i] = (float)sum * (scales[positions[i]] * query->scale);
    }
}

static void score_rows(
    const float *query, const float *matrix, size_t d, const uint32_t *positions, size_t n, float *scores) {
    for (size_t i = 0; i < n; i++) ck_portable()->scan(query, matrix + positions[i] * d, d, 1, d, scores + i);
}

static size_t scan_codes(
    const uint8_t *blocks, const uint8_t *tables, size_t m, size_t n, struct ck_rows rows, int32_t bias, int32_t bar,
    uint32_t position, uint16_t *sums, uint32_t *positions) {
    static const size_t places[4] = {0, 4, 2, 6};
    size_t found = 0;
    for (size_t r = 0; r < n; r++) {
        if ((ck_counting(rows, r) & 1) == 0) continue;
        const uint8_t *block = blocks + r / CK_CODE_ROWS * (m / 2) * CK_CODE_ROWS;
        int32_t sum = bias;
        for (size_t j = 0; j < m; j++) {
            uint8_t pair = block[j / 2 * CK_CODE_ROWS + r % CK_CODE_ROWS];
            sum += tables[(j / 4 * 8 + places[j % 4]) * CK_CODES + (j % 2 ? pair >> 4 : pair & 15)];
        }
        if (sum < bar) continue;
        sums[found] = (uint16_t)sum;
        positions[found++] = position + (uint32_t)r;
    }
    return found;
}

static const struct ck_search_table portable = {
    .name = "portable",
    .score_blocks = score_blocks,
    .score_byte_rows = score_byte_rows,
    .score_rows = score_rows,
    .scan_codes = scan_codes,
};

const struct ck_search_table *ck_search_portable(void) { return &portable; }
