// Packing and blocking shared by every implementation.
#include "CKernels.h"

static size_t least(size_t x, size_t y) { return x < y ? x : y; }

size_t ck_packed_size(size_t k, size_t m) {
    return m == 1 ? k : (m + CK_PANEL - 1) / CK_PANEL * CK_PANEL * k;
}

static void pack_panel(const float *b, size_t b_row, size_t b_column, size_t k, size_t width, float *panel) {
    if (b_column == 1 && width == CK_PANEL) {
        for (size_t p = 0; p < k; p++)
            for (size_t t = 0; t < CK_PANEL; t++) panel[p * CK_PANEL + t] = b[p * b_row + t];
        return;
    }
    for (size_t p = 0; p < k; p++) {
        for (size_t t = 0; t < width; t++) panel[p * CK_PANEL + t] = b[p * b_row + t * b_column];
        for (size_t t = width; t < CK_PANEL; t++) panel[p * CK_PANEL + t] = 0;
    }
}

void ck_pack(const float *b, size_t b_row, size_t b_column, size_t k, size_t m, float *panels) {
    if (m == 1) {
        for (size_t p = 0; p < k; p++) panels[p] = b[p * b_row];
        return;
    }
    for (size_t j = 0; j < m; j += CK_PANEL)
        pack_panel(b + j * b_column, b_row, b_column, k, least(CK_PANEL, m - j), panels + j * k);
}

// gemm_packed for an `a` whose neighbours in a row lie apart (a transposed matrix): copies strips of six rows together
// first, or every step of the kernel would touch cache lines of its own.
static void multiply_strips(
    const struct ck_table *table, const float *a, size_t a_row, size_t a_column, const float *panels,
    const float *bias, int activation, int accumulate, float *c, size_t c_row, size_t n, size_t k, size_t m) {
    float strip[CK_STRIP * CK_BLOCK_K];
    for (size_t i = 0; i < n; i += CK_STRIP) {
        size_t rows = least(CK_STRIP, n - i);
        for (size_t p = 0; p < k; p++)
            for (size_t r = 0; r < rows; r++) strip[p * CK_STRIP + r] = a[(i + r) * a_row + p * a_column];
        table->gemm_packed(
            strip, 1, CK_STRIP, panels, k, bias, activation, accumulate, c + i * c_row, c_row, rows, k, m);
    }
}

void ck_exponential_groups(const struct ck_table *table, float *x, size_t groups, size_t size) {
    for (size_t g = 0; g < groups; g++) {
        float *group = x + g * size, greatest = group[0];
        for (size_t i = 1; i < size; i++) greatest = group[i] > greatest ? group[i] : greatest;
        for (size_t i = 0; i < size; i++) group[i] -= greatest;
    }
    table->exponential(x, 0, x, groups * size);
}

void ck_gemm(
    const struct ck_table *table, const float *a, size_t a_row, size_t a_column, const float *b, size_t b_row,
    size_t b_column, const float *bias, int activation, int accumulate, float *c, size_t c_row, size_t n, size_t k,
    size_t m, float *scratch) {
    for (size_t j = 0; j < m; j += CK_BLOCK_M) {
        size_t columns = least(CK_BLOCK_M, m - j), p = 0;
        const float *block_bias = bias ? bias + j : NULL;
        do {
            size_t depth = least(CK_BLOCK_K, k - p);
            ck_pack(b + p * b_row + j * b_column, b_row, b_column, depth, columns, scratch);
            const float *block_start = p == 0 ? block_bias : NULL;
            int block_activation = p + depth == k ? activation : CK_IDENTITY, continued = accumulate || p > 0;
            if (a_column == 1) {
                table->gemm_packed(
                    a + p, a_row, 1, scratch, depth, block_start, block_activation, continued, c + j, c_row, n, depth,
                    columns);
            } else {
                multiply_strips(
                    table, a + p * a_column, a_row, a_column, scratch, block_start, block_activation, continued, c + j,
                    c_row, n, depth, columns);
            }
            p += depth;
        } while (p < k);
    }
}
