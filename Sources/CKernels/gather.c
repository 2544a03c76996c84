#include "CKernels.h"

// Rows that are asked for ahead of their use: memory takes about as long as so many copies.
#define ROWS_AHEAD 12

typedef float floats __attribute__((vector_size(32), aligned(4), may_alias));

// Rows are short: a call of the library's memcpy for each would cost as much as the copy.
__attribute__((no_builtin("memcpy", "memmove"))) size_t ck_gather_rows(
    const float *table, size_t table_rows, size_t width, const uint32_t *rows, size_t n, float *y, size_t y_row) {
    for (size_t i = 0; i < n; i++) {
        if (rows[i] >= table_rows) return i;
        if (i + ROWS_AHEAD < n) ck_prefetch(table + (size_t)rows[i + ROWS_AHEAD] * width, width);
        const float *x = table + (size_t)rows[i] * width;
        float *target = y + i * y_row;
        size_t j = 0;
        for (; j + 8 <= width; j += 8) *(floats *)(target + j) = *(const floats *)(x + j);
        for (; j < width; j++) target[j] = x[j];
    }
    return n;
}
