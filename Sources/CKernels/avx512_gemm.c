// Packed matrix product: 12 rows x 2 panels, or 6 rows x 4 panels, in 24 of the 32 registers.
#if defined(__x86_64__)
#include "avx512.h"
#include "avx2.h"

#include <math.h>

#define ROWS 12
#define GROUP 3             // Rows reached from one pointer by the address modes of the processor.
#define PANELS 4
#define COLUMN_ROWS 16      // Rows of a product with a single column that are summed together.
#define ROWS_PER_BLOCK 96   // Rows of `a` that stay in the second-level cache while panels pass by.

struct tile {
    const float *a;
    size_t a_row, a_column;
    const float *panel;
    size_t panel_size;
    const float *bias;
    int activation, accumulate;
    float *c;
    size_t c_row, k, width;
};

// Apart from the tiles: the longer activations would be copied into every one of them.
AVX512 void ck_avx512_activate_tile(int activation, float *c, size_t c_row, int rows, size_t width) {
    for (int r = 0; r < rows; r++, c += c_row) {
        for (size_t j = 0; j < width; j += 16) {
            const __mmask16 lanes = ck_first(width - j);
            __m512 x = _mm512_maskz_loadu_ps(lanes, c + j);
            _mm512_mask_storeu_ps(c + j, lanes, ck_apply_512(activation, x));
        }
    }
}

// One tile; `rows` and `panels` are constants at every call, so that the sums live in registers.
AVX512_INLINE void multiply_tile(const struct tile *t, const int rows, const int panels) {
    __m512 sums[ROWS][PANELS], b[PANELS];
    __mmask16 lanes[PANELS];
#pragma clang loop unroll(full)
    for (int q = 0; q < panels; q++) {
        lanes[q] = q == panels - 1 ? ck_first(t->width - CK_PANEL * (size_t)q) : 0xffff;
        b[q] = t->bias ? _mm512_maskz_loadu_ps(lanes[q], t->bias + CK_PANEL * q) : _mm512_setzero_ps();
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++)
            sums[r][q] = t->accumulate ? _mm512_maskz_loadu_ps(lanes[q], t->c + r * t->c_row + CK_PANEL * q) : b[q];
    }
    const float *a[ROWS / GROUP], *panel = t->panel;
    const size_t a_row = t->a_row, a_column = t->a_column, panel_size = t->panel_size;
#pragma clang loop unroll(full)
    for (int g = 0; g * GROUP < rows; g++) a[g] = t->a + g * GROUP * a_row;
    for (size_t p = t->k; p > 0; p--, panel += CK_PANEL) {
#pragma clang loop unroll(full)
        for (int q = 0; q < panels; q++) b[q] = _mm512_loadu_ps(panel + q * panel_size);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            __m512 x = _mm512_set1_ps(a[r / GROUP][r % GROUP * a_row]);
#pragma clang loop unroll(full)
            for (int q = 0; q < panels; q++) sums[r][q] = _mm512_fmadd_ps(x, b[q], sums[r][q]);
        }
#pragma clang loop unroll(full)
        for (int g = 0; g * GROUP < rows; g++) a[g] += a_column;
    }
    const __m512 floor = _mm512_set1_ps(t->activation == CK_RELU ? 0 : -INFINITY);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int q = 0; q < panels; q++)
            _mm512_mask_storeu_ps(t->c + r * t->c_row + CK_PANEL * q, lanes[q], _mm512_max_ps(sums[r][q], floor));
    }
    if (t->activation > CK_RELU) ck_avx512_activate_tile(t->activation, t->c, t->c_row, rows, t->width);
}

#define CASE(rows, panels) case rows: multiply_tile(t, rows, panels); break;
#define CASES_TO_6(panels) CASE(1, panels) CASE(2, panels) CASE(3, panels) CASE(4, panels) CASE(5, panels) CASE(6, panels)
#define CASES_TO_12(panels) \
    CASES_TO_6(panels) CASE(7, panels) CASE(8, panels) CASE(9, panels) CASE(10, panels) CASE(11, panels) CASE(12, panels)

AVX512 static void multiply_one(const struct tile *t, size_t rows) {
    switch (rows) { CASES_TO_12(1) }
}

AVX512 static void multiply_two(const struct tile *t, size_t rows) {
    switch (rows) { CASES_TO_12(2) }
}

AVX512 static void multiply_four(const struct tile *t, size_t rows) {
    switch (rows) { CASES_TO_6(4) }
}

// `rows` rows beside all panels that lie within the tile's width.
AVX512 static void multiply_panels(const struct tile *t, size_t rows, size_t panels) {
    if (panels == 4) multiply_four(t, rows);
    else if (panels == 2) multiply_two(t, rows);
    else multiply_one(t, rows);
}

// Rows first ..< end of all m columns. Panels are outside, so that those in use stay in the first-level cache.
AVX512 static void multiply_block(struct tile t, size_t rows, size_t m, size_t depth) {
    const struct tile whole = t;
    // Tiles of equal height: a short last one would wait for its own sums.
    const size_t tiles = (rows + ROWS - 1) / ROWS, height = (rows + tiles - 1) / tiles;
    const size_t wide = height <= ROWS / 2 ? 4 : 2;
    for (size_t j = 0; j < m;) {
        size_t left = (m - j + CK_PANEL - 1) / CK_PANEL, panels = left >= wide ? wide : left >= 2 ? 2 : 1;
        t.panel = whole.panel + j * depth;
        t.bias = whole.bias ? whole.bias + j : NULL;
        t.width = m - j < panels * CK_PANEL ? m - j : panels * CK_PANEL;
        for (size_t i = 0; i < rows; i += height) {
            t.a = whole.a + i * t.a_row;
            t.c = whole.c + i * t.c_row + j;
            multiply_panels(&t, rows - i < height ? rows - i : height, panels);
        }
        j += panels * CK_PANEL;
    }
}

// Lane r of the result is the sum of the lanes of x[r].
AVX512_INLINE __m512 sums_of_sixteen(const __m512 x[16]) {
    __m512 pairs[8], fours[4];
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++)
        pairs[i] = _mm512_add_ps(
            _mm512_unpacklo_ps(x[2 * i], x[2 * i + 1]), _mm512_unpackhi_ps(x[2 * i], x[2 * i + 1]));
    // Each quarter of fours[i] now holds sums within that quarter of rows 4 i ... 4 i + 3.
#pragma clang loop unroll(full)
    for (int i = 0; i < 4; i++) {
        __m512d low = _mm512_castps_pd(pairs[2 * i]), high = _mm512_castps_pd(pairs[2 * i + 1]);
        fours[i] = _mm512_add_ps(
            _mm512_castpd_ps(_mm512_unpacklo_pd(low, high)), _mm512_castpd_ps(_mm512_unpackhi_pd(low, high)));
    }
    __m512 left = _mm512_add_ps(
        _mm512_shuffle_f32x4(fours[0], fours[1], 0x88), _mm512_shuffle_f32x4(fours[0], fours[1], 0xdd));
    __m512 right = _mm512_add_ps(
        _mm512_shuffle_f32x4(fours[2], fours[3], 0x88), _mm512_shuffle_f32x4(fours[2], fours[3], 0xdd));
    return _mm512_add_ps(_mm512_shuffle_f32x4(left, right, 0x88), _mm512_shuffle_f32x4(left, right, 0xdd));
}

// A single output column: dot products of sixteen rows at a time, their lanes added up together.
AVX512 static void multiply_column(
    const float *a, size_t a_row, const float *column, const float *bias, int activation, int accumulate, float *c,
    size_t c_row, size_t n, size_t k) {
    const __m512 start = _mm512_set1_ps(bias ? bias[0] : 0);
    const __m512i places = _mm512_mullo_epi32(
        _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), _mm512_set1_epi32((int)c_row));
    for (size_t i = 0; i < n; i += COLUMN_ROWS, a += COLUMN_ROWS * a_row, c += COLUMN_ROWS * c_row) {
        const size_t rows = n - i < COLUMN_ROWS ? n - i : COLUMN_ROWS;
        __m512 sums[COLUMN_ROWS];
#pragma clang loop unroll(full)
        for (int r = 0; r < COLUMN_ROWS; r++) sums[r] = _mm512_setzero_ps();
        for (size_t p = 0; p < k; p += 16) {
            const __mmask16 lanes = ck_first(k - p);
            const __m512 b = _mm512_maskz_loadu_ps(lanes, column + p);
            // Rows that are not there read the first one's place.
#pragma clang loop unroll(full)
            for (size_t r = 0; r < COLUMN_ROWS; r++)
                sums[r] = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(lanes, a + (r < rows ? r : 0) * a_row + p), b, sums[r]);
        }
        const __mmask16 present = ck_first(rows);
        __m512 old = accumulate ? _mm512_mask_i32gather_ps(start, present, places, c, 4) : start;
        __m512 y = ck_apply_512(activation, _mm512_add_ps(sums_of_sixteen(sums), old));
        _mm512_mask_i32scatter_ps(c, present, places, y, 4);
    }
}

AVX512 void ck_avx512_gemm_packed(
    const float *a, size_t a_row, size_t a_column, const float *panels, size_t depth, const float *bias,
    int activation, int accumulate, float *c, size_t c_row, size_t n, size_t k, size_t m) {
    if (m == 1 && a_column == 1 && n >= COLUMN_ROWS) {
        multiply_column(a, a_row, panels, bias, activation, accumulate, c, c_row, n, k);
        return;
    }
    if (m == 1) {
        ck_avx2_gemm_packed(a, a_row, a_column, panels, depth, bias, activation, accumulate, c, c_row, n, k, m);
        return;
    }
    struct tile t = {
        .a_row = a_row, .a_column = a_column, .panel = panels, .panel_size = depth * CK_PANEL, .bias = bias,
        .activation = activation, .accumulate = accumulate, .c_row = c_row, .k = k,
    };
    for (size_t first = 0; first < n; first += ROWS_PER_BLOCK) {
        t.a = a + first * a_row;
        t.c = c + first * c_row;
        multiply_block(t, n - first < ROWS_PER_BLOCK ? n - first : ROWS_PER_BLOCK, m, depth);
    }
}
#endif
