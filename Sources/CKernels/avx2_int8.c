// Products of bytes without VNNI: vpmaddubsw makes sums of two products in 16 bits, two of them are added there, and one
// vpmaddwd widens the sums of four to 32 bits.
#if defined(__x86_64__)
#include "avx2.h"

#include <math.h>

#define ROWS 4             // 4 x 16 sums fill half of the registers; the products need the rest.
#define ROWS_PER_BLOCK 48  // Rows of bytes that stay in the first-level cache while panels pass by.

AVX2_INLINE void bounds(const float *x, size_t k, float *low, float *high) {
    __m256 least = _mm256_set1_ps(x[0]), most = least;
    size_t p = 0;
    for (; p + 8 <= k; p += 8) {
        __m256 v = _mm256_loadu_ps(x + p);
        least = _mm256_min_ps(v, least);
        most = _mm256_max_ps(v, most);
    }
    __m128 l = _mm_min_ps(_mm256_castps256_ps128(least), _mm256_extractf128_ps(least, 1));
    __m128 m = _mm_max_ps(_mm256_castps256_ps128(most), _mm256_extractf128_ps(most, 1));
    l = _mm_min_ps(l, _mm_movehl_ps(l, l));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    *low = _mm_cvtss_f32(_mm_min_ss(l, _mm_shuffle_ps(l, l, 1)));
    *high = _mm_cvtss_f32(_mm_max_ss(m, _mm_shuffle_ps(m, m, 1)));
    for (; p < k; p++) {
        *low = x[p] < *low ? x[p] : *low;
        *high = x[p] > *high ? x[p] : *high;
    }
}

// Eight values as the low bytes of the result.
AVX2_INLINE __m128i quantize_eight(__m256 x, __m256 low, __m256 inverse) {
    __m256i v = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_sub_ps(x, low), inverse));
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    return _mm_packus_epi16(words, words);
}

AVX2 void ck_avx2_quantize(
    const float *x, size_t x_row, size_t n, size_t k, uint8_t *q, size_t q_row, float *scale, float *offset) {
    for (size_t i = 0; i < n; i++, x += x_row, q += q_row) {
        float low = 0, high = 0;
        if (k > 0) bounds(x, k, &low, &high);
        const __m256 start = _mm256_set1_ps(low);
        const __m256 inverse = _mm256_set1_ps(high - low > CK_RANGE_MIN ? 127.0f / (high - low) : 0);
        size_t p = 0;
        for (; p + 8 <= k; p += 8)
            _mm_storel_epi64((__m128i *)(q + p), quantize_eight(_mm256_loadu_ps(x + p), start, inverse));
        if (p < k) {
            const __m256i lanes = ck_lanes(k - p);
            // Lanes beyond k hold the least value, which is 0.
            __m256 rest = _mm256_blendv_ps(start, _mm256_maskload_ps(x + p, lanes), _mm256_castsi256_ps(lanes));
            _mm_storel_epi64((__m128i *)(q + p), quantize_eight(rest, start, inverse));
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
    const float *scale, *sum, *bias;
    int activation, accumulate;
    float *c;
    size_t c_row, depth, width;
};

AVX2_INLINE __m256 load_half(const float *source, size_t width, size_t first) {
    if (width >= first + 8) return _mm256_loadu_ps(source + first);
    if (width <= first) return _mm256_setzero_ps();
    return _mm256_maskload_ps(source + first, ck_lanes(width - first));
}

AVX2_INLINE void store_half(float *target, size_t width, size_t first, __m256 value) {
    if (width >= first + 8) _mm256_storeu_ps(target + first, value);
    else if (width > first) _mm256_maskstore_ps(target + first, ck_lanes(width - first), value);
}

AVX2_INLINE __m256i four_bytes(const uint8_t *a) {
    int32_t value;
    __builtin_memcpy(&value, a, sizeof value);
    return _mm256_set1_epi32(value);
}

AVX2_INLINE void finish(const struct tile *t, const int rows, __m256i sums[ROWS][2]) {
#pragma clang loop unroll(full)
    for (int half = 0; half < 2; half++) {
        const size_t first = 8 * (size_t)half;
        __m256 scale = load_half(t->scale, t->width, first), sum = load_half(t->sum, t->width, first);
        __m256 bias = t->bias ? load_half(t->bias, t->width, first) : _mm256_setzero_ps();
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            float *target = t->c + r * t->c_row;
            __m256 start = t->accumulate ? load_half(target, t->width, first) : bias;
            start = _mm256_fmadd_ps(_mm256_set1_ps(t->row_offset[r]), sum, start);
            __m256 value = _mm256_mul_ps(_mm256_cvtepi32_ps(sums[r][half]), scale);
            value = _mm256_fmadd_ps(value, _mm256_set1_ps(t->row_scale[r]), start);
            store_half(target, t->width, first, ck_apply(t->activation, value));
        }
    }
}

AVX2_INLINE void multiply_tile(const struct tile *t, const int rows) {
    __m256i sums[ROWS][2];
    const __m256i ones = _mm256_set1_epi16(1);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) sums[r][0] = sums[r][1] = _mm256_setzero_si256();
    const uint8_t *a = t->a;
    const __m256i *b = (const __m256i *)t->panel;
    for (size_t p = 0; p < t->depth; p += 8, a += 8, b += 4) {
        __m256i b0 = _mm256_loadu_si256(b), b1 = _mm256_loadu_si256(b + 1);
        __m256i b2 = _mm256_loadu_si256(b + 2), b3 = _mm256_loadu_si256(b + 3);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            __m256i x = four_bytes(a + r * t->a_row), y = four_bytes(a + r * t->a_row + 4);
            __m256i left = _mm256_add_epi16(_mm256_maddubs_epi16(x, b0), _mm256_maddubs_epi16(y, b2));
            __m256i right = _mm256_add_epi16(_mm256_maddubs_epi16(x, b1), _mm256_maddubs_epi16(y, b3));
            sums[r][0] = _mm256_add_epi32(sums[r][0], _mm256_madd_epi16(left, ones));
            sums[r][1] = _mm256_add_epi32(sums[r][1], _mm256_madd_epi16(right, ones));
        }
    }
    finish(t, rows, sums);
}

AVX2 static void multiply_rows(const struct tile *t, size_t rows) {
    switch (rows) {
        case 1: multiply_tile(t, 1); break;
        case 2: multiply_tile(t, 2); break;
        case 3: multiply_tile(t, 3); break;
        default: multiply_tile(t, 4); break;
    }
}

AVX2 void ck_avx2_gemm_int8(
    const struct ck_int8_rows *a, const struct ck_int8_matrix *b, const float *bias, int activation, int accumulate,
    float *c, size_t c_row) {
    struct tile t = {
        .a_row = a->row, .activation = activation, .accumulate = accumulate, .c_row = c_row,
        .depth = ck_int8_depth(b->k),
    };
    for (size_t first = 0; first < a->n; first += ROWS_PER_BLOCK) {
        size_t end = a->n - first < ROWS_PER_BLOCK ? a->n : first + ROWS_PER_BLOCK;
        for (size_t j = 0; j < b->m; j += CK_PANEL) {
            t.panel = b->panels + j * t.depth;
            t.scale = b->scale + j;
            t.sum = b->sum + j;
            t.bias = bias ? bias + j : NULL;
            t.width = b->m - j < CK_PANEL ? b->m - j : CK_PANEL;
            for (size_t i = first; i < end; i += ROWS) {
                t.a = a->values + i * a->row;
                t.row_scale = a->scale + i;
                t.row_offset = a->offset + i;
                t.c = c + i * c_row + j;
                multiply_rows(&t, end - i < ROWS ? end - i : ROWS);
            }
        }
    }
}
#endif
