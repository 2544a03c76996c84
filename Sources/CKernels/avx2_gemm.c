// Packed matrix product, 6 rows x 16 columns held in 12 registers.
#if defined(__x86_64__)
#include "avx2.h"

#define ROWS_PER_BLOCK 96  // Rows of `a` that stay in the second-level cache while panels pass by.

struct tile {
    const float *a;
    size_t a_row, a_column;
    const float *panel;
    const float *bias;
    int activation, accumulate;
    float *c;
    size_t c_row, k, width;
};

AVX2_INLINE __m256 load_part(const float *source, size_t width, size_t first) {
    if (width >= first + 8) return _mm256_loadu_ps(source + first);
    if (width <= first) return _mm256_setzero_ps();
    return _mm256_maskload_ps(source + first, ck_lanes(width - first));
}

AVX2_INLINE void store_part(float *target, size_t width, size_t first, __m256 value) {
    if (width >= first + 8) _mm256_storeu_ps(target + first, value);
    else if (width > first) _mm256_maskstore_ps(target + first, ck_lanes(width - first), value);
}

// One tile of `rows` rows; `rows` is a constant at every call, so that the accumulators live in registers.
AVX2_INLINE void multiply_tile(const struct tile *t, const int rows) {
    __m256 left[CK_STRIP], right[CK_STRIP];
    const float *a = t->a, *b = t->panel;
    const size_t a_row = t->a_row, a_column = t->a_column;
    __m256 bias0 = t->bias ? load_part(t->bias, t->width, 0) : _mm256_setzero_ps();
    __m256 bias1 = t->bias ? load_part(t->bias, t->width, 8) : _mm256_setzero_ps();
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
        left[r] = t->accumulate ? load_part(t->c + r * t->c_row, t->width, 0) : bias0;
        right[r] = t->accumulate ? load_part(t->c + r * t->c_row, t->width, 8) : bias1;
    }
    for (size_t p = t->k; p > 0; p--, a += a_column, b += CK_PANEL) {
        __m256 b0 = _mm256_loadu_ps(b), b1 = _mm256_loadu_ps(b + 8);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            __m256 x = _mm256_broadcast_ss(a + r * a_row);
            left[r] = _mm256_fmadd_ps(x, b0, left[r]);
            right[r] = _mm256_fmadd_ps(x, b1, right[r]);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
        store_part(t->c + r * t->c_row, t->width, 0, ck_apply(t->activation, left[r]));
        store_part(t->c + r * t->c_row, t->width, 8, ck_apply(t->activation, right[r]));
    }
}

AVX2 static void multiply_rows(const struct tile *t, size_t rows) {
    switch (rows) {
        case 1: multiply_tile(t, 1); break;
        case 2: multiply_tile(t, 2); break;
        case 3: multiply_tile(t, 3); break;
        case 4: multiply_tile(t, 4); break;
        case 5: multiply_tile(t, 5); break;
        default: multiply_tile(t, 6); break;
    }
}

// A single output column is a dot product per row, not a padded tile.
AVX2 static void multiply_column(struct tile t, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const float *a = t.a + i * t.a_row;
        float s = t.accumulate ? t.c[i * t.c_row] : t.bias ? t.bias[0] : 0;
        if (t.a_column == 1) s += ck_avx2_dot(a, t.panel, t.k);
        else
            for (size_t p = 0; p < t.k; p++) s += a[p * t.a_column] * t.panel[p];
        t.c[i * t.c_row] = _mm256_cvtss_f32(ck_apply(t.activation, _mm256_set1_ps(s)));
    }
}

AVX2 void ck_avx2_gemm_packed(
    const float *a, size_t a_row, size_t a_column, const float *panels, size_t depth, const float *bias,
    int activation, int accumulate, float *c, size_t c_row, size_t n, size_t k, size_t m) {
    struct tile t = {a, a_row, a_column, panels, bias, activation, accumulate, c, c_row, k, 1};
    if (m == 1) {
        multiply_column(t, n);
        return;
    }
    for (size_t first = 0; first < n; first += ROWS_PER_BLOCK) {
        size_t end = n - first < ROWS_PER_BLOCK ? n : first + ROWS_PER_BLOCK;
        for (size_t j = 0; j < m; j += CK_PANEL) {
            t.panel = panels + j * depth;
            t.bias = bias ? bias + j : NULL;
            t.width = m - j < CK_PANEL ? m - j : CK_PANEL;
            for (size_t i = first; i < end; i += CK_STRIP) {
                t.a = a + i * a_row;
                t.c = c + i * c_row + j;
                multiply_rows(&t, end - i < CK_STRIP ? end - i : CK_STRIP);
            }
        }
    }
}
#endif
