// Quantisation, and products of bytes by VNNI: vpdpbusd adds four products at once to a sum of 32 bits.
#if defined(__x86_64__)
#include "avx512.h"

#include <math.h>

#define VNNI __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")))
#define VNNI_INLINE VNNI static inline __attribute__((always_inline))

#define ROWS 12
#define GROUP 3
#define PANELS 4
#define ROWS_PER_BLOCK 96  // Rows of bytes that stay in the first-level cache while panels pass by.

AVX512_INLINE void bounds(const float *x, size_t k, float *low, float *high) {
    __m512 least[4], most[4];
    const __m512 first = _mm512_set1_ps(x[0]);
    for (int u = 0; u < 4; u++) least[u] = most[u] = first;
    size_t p = 0;
    for (; p + 64 <= k; p += 64) {
#pragma clang loop unroll(full)
        for (int u = 0; u < 4; u++) {
            __m512 v = _mm512_loadu_ps(x + p + 16 * u);
            least[u] = _mm512_min_ps(v, least[u]);
            most[u] = _mm512_max_ps(v, most[u]);
        }
    }
    for (; p < k; p += 16) {
        __m512 v = _mm512_mask_loadu_ps(first, ck_first(k - p), x + p);
        least[0] = _mm512_min_ps(v, least[0]);
        most[0] = _mm512_max_ps(v, most[0]);
    }
    __m512 l = _mm512_min_ps(_mm512_min_ps(least[0], least[1]), _mm512_min_ps(least[2], least[3]));
    __m512 m = _mm512_max_ps(_mm512_max_ps(most[0], most[1]), _mm512_max_ps(most[2], most[3]));
    *low = _mm512_reduce_min_ps(l);
    *high = _mm512_reduce_max_ps(m);
}

// Sixteen values as whole numbers in 0...127.
AVX512_INLINE __m512i steps(__m512 x, __m512 low, __m512 inverse) {
    return _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_sub_ps(x, low), inverse));
}

AVX512 void ck_avx512_quantize(
    const float *x, size_t x_row, size_t n, size_t k, uint8_t *q, size_t q_row, float *scale, float *offset) {
    const size_t depth = ck_int8_depth(k);
    // Packing works within quarters of a register: puts their words back in order.
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    for (size_t i = 0; i < n; i++, x += x_row, q += q_row) {
        float low = 0, high = 0;
        if (k > 0) bounds(x, k, &low, &high);
        const __m512 start = _mm512_set1_ps(low);
        const __m512 inverse = _mm512_set1_ps(high - low > CK_RANGE_MIN ? 127.0f / (high - low) : 0);
        size_t p = 0;
        for (; p + 64 <= k; p += 64) {
            __m512i a = steps(_mm512_loadu_ps(x + p), start, inverse);
            __m512i b = steps(_mm512_loadu_ps(x + p + 16), start, inverse);
            __m512i c = steps(_mm512_loadu_ps(x + p + 32), start, inverse);
            __m512i d = steps(_mm512_loadu_ps(x + p + 48), start, inverse);
            __m512i bytes = _mm512_packus_epi16(_mm512_packs_epi32(a, b), _mm512_packs_epi32(c, d));
            _mm512_storeu_si512(q + p, _mm512_permutexvar_epi32(order, bytes));
        }
        for (; p < depth; p += 16) {
            // Lanes beyond k hold the least value, which is 0.
            __m512 v = _mm512_mask_loadu_ps(start, ck_first(p < k ? k - p : 0), x + p);
            _mm512_mask_cvtepi32_storeu_epi8(q + p, ck_first(depth - p), steps(v, start, inverse));
        }
        scale[i] = (high - low) / 127.0f;
        offset[i] = low;
    }
}

struct tile {
    const uint8_t *a;
    size_t a_row;
    const float *row_scale, *row_offset;
    const int8_t *panel;
    size_t depth;
    const float *scale, *sum, *bias;
    int activation, accumulate;
    float *c;
    size_t c_row, width;
};

VNNI_INLINE __m512i four_bytes(const uint8_t *a) {
    int32_t value;
    __builtin_memcpy(&value, a, sizeof value);
    return _mm512_set1_epi32(value);
}

VNNI_INLINE void finish(const struct tile *t, const int rows, const int panels, __m512i sums[ROWS][PANELS]) {
    const __m512 floor = _mm512_set1_ps(t->activation == CK_RELU ? 0 : -INFINITY);
#pragma clang loop unroll(full)
    for (int q = 0; q < panels; q++) {
        const size_t first = CK_PANEL * (size_t)q;
        const __mmask16 lanes = q == panels - 1 ? ck_first(t->width - first) : 0xffff;
        __m512 scale = _mm512_maskz_loadu_ps(lanes, t->scale + first);
        __m512 sum = _mm512_maskz_loadu_ps(lanes, t->sum + first);
        __m512 bias = t->bias ? _mm512_maskz_loadu_ps(lanes, t->bias + first) : _mm512_setzero_ps();
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            float *target = t->c + r * t->c_row + first;
            __m512 start = t->accumulate ? _mm512_maskz_loadu_ps(lanes, target) : bias;
            start = _mm512_fmadd_ps(_mm512_set1_ps(t->row_offset[r]), sum, start);
            __m512 value = _mm512_mul_ps(_mm512_cvtepi32_ps(sums[r][q]), scale);
            value = _mm512_fmadd_ps(value, _mm512_set1_ps(t->row_scale[r]), start);
            _mm512_mask_storeu_ps(target, lanes, _mm512_max_ps(value, floor));
        }
    }
    if (t->activation > CK_RELU) ck_avx512_activate_tile(t->activation, t->c, t->c_row, rows, t->width);
}

VNNI_INLINE void multiply_tile(const struct tile *t, const int rows, const int panels) {
    __m512i sums[ROWS][PANELS], b[PANELS];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int q = 0; q < panels; q++) sums[r][q] = _mm512_setzero_si512();
    }
    const uint8_t *a[ROWS / GROUP];
    const int8_t *panel = t->panel;
    const size_t a_row = t->a_row, panel_size = CK_PANEL * t->depth;
#pragma clang loop unroll(full)
    for (int g = 0; g * GROUP < rows; g++) a[g] = t->a + g * GROUP * a_row;
    for (size_t p = 0; p < t->depth; p += 4, panel += 4 * CK_PANEL) {
#pragma clang loop unroll(full)
        for (int q = 0; q < panels; q++) b[q] = _mm512_loadu_si512(panel + q * panel_size);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            __m512i x = four_bytes(a[r / GROUP] + r % GROUP * a_row);
#pragma clang loop unroll(full)
            for (int q = 0; q < panels; q++) sums[r][q] = _mm512_dpbusd_epi32(sums[r][q], x, b[q]);
        }
#pragma clang loop unroll(full)
        for (int g = 0; g * GROUP < rows; g++) a[g] += 4;
    }
    finish(t, rows, panels, sums);
}

#define CASE(rows, panels) case rows: multiply_tile(t, rows, panels); break;
#define CASES_TO_6(panels) CASE(1, panels) CASE(2, panels) CASE(3, panels) CASE(4, panels) CASE(5, panels) CASE(6, panels)
#define CASES_TO_12(panels) \
    CASES_TO_6(panels) CASE(7, panels) CASE(8, panels) CASE(9, panels) CASE(10, panels) CASE(11, panels) CASE(12, panels)

VNNI static void multiply_one(const struct tile *t, size_t rows) {
    switch (rows) { CASES_TO_12(1) }
}

VNNI static void multiply_two(const struct tile *t, size_t rows) {
    switch (rows) { CASES_TO_12(2) }
}

VNNI static void multiply_four(const struct tile *t, size_t rows) {
    switch (rows) { CASES_TO_6(4) }
}

// Rows first ..< first + rows of all columns.
VNNI static void multiply_block(
    struct tile t, const struct ck_int8_rows *a, const struct ck_int8_matrix *b, const float *bias, float *c,
    size_t first, size_t rows) {
    // Tiles of equal height: a short last one would wait for its own sums.
    const size_t tiles = (rows + ROWS - 1) / ROWS, height = (rows + tiles - 1) / tiles, end = first + rows;
    const size_t wide = height <= ROWS / 2 ? 4 : 2;
    for (size_t j = 0; j < b->m;) {
        size_t left = (b->m - j + CK_PANEL - 1) / CK_PANEL, panels = left >= wide ? wide : left >= 2 ? 2 : 1;
        t.panel = b->panels + j * t.depth;
        t.scale = b->scale + j;
        t.sum = b->sum + j;
        t.bias = bias ? bias + j : NULL;
        t.width = b->m - j < panels * CK_PANEL ? b->m - j : panels * CK_PANEL;
        for (size_t i = first; i < end; i += height) {
            t.a = a->values + i * a->row;
            t.row_scale = a->scale + i;
            t.row_offset = a->offset + i;
            t.c = c + i * t.c_row + j;
            size_t count = end - i < height ? end - i : height;
            if (panels == 4) multiply_four(&t, count);
            else if (panels == 2) multiply_two(&t, count);
            else multiply_one(&t, count);
        }
        j += panels * CK_PANEL;
    }
}

VNNI void ck_avx512_vnni_gemm_int8(
    const struct ck_int8_rows *a, const struct ck_int8_matrix *b, const float *bias, int activation, int accumulate,
    float *c, size_t c_row) {
    struct tile t = {
        .a_row = a->row, .activation = activation, .accumulate = accumulate, .c_row = c_row,
        .depth = ck_int8_depth(b->k),
    };
    for (size_t first = 0; first < a->n; first += ROWS_PER_BLOCK)
        multiply_block(t, a, b, bias, c, first, a->n - first < ROWS_PER_BLOCK ? a->n - first : ROWS_PER_BLOCK);
}
#endif
