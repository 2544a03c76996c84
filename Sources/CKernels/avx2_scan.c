// Dot products of a query with many rows, and the collection of the scores above a threshold.
#if defined(__x86_64__)
#include "avx2.h"

AVX2 float ck_avx2_dot(const float *x, const float *y, size_t n) {
    __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
    size_t i = 0;
    for (; i + 32 <= n; i += 32) {
        s0 = _mm256_fmadd_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i), s0);
        s1 = _mm256_fmadd_ps(_mm256_loadu_ps(x + i + 8), _mm256_loadu_ps(y + i + 8), s1);
        s2 = _mm256_fmadd_ps(_mm256_loadu_ps(x + i + 16), _mm256_loadu_ps(y + i + 16), s2);
        s3 = _mm256_fmadd_ps(_mm256_loadu_ps(x + i + 24), _mm256_loadu_ps(y + i + 24), s3);
    }
    for (; i + 8 <= n; i += 8) s0 = _mm256_fmadd_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i), s0);
    if (i < n) {
        __m256i lanes = ck_lanes(n - i);
        s1 = _mm256_fmadd_ps(_mm256_maskload_ps(x + i, lanes), _mm256_maskload_ps(y + i, lanes), s1);
    }
    return ck_sum(_mm256_add_ps(_mm256_add_ps(s0, s1), _mm256_add_ps(s2, s3)));
}

// Four rows at once; `d` is a constant for the common widths, so that the inner loop unrolls.
AVX2_INLINE void scan_body(
    const float *query, const float *rows, size_t stride, size_t n, size_t d, float *scores) {
    const size_t whole = d / 8 * 8;
    const __m256i lanes = ck_lanes(d - whole);
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const float *r = rows + i * stride;
        __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
        for (size_t p = 0; p < whole; p += 8) {
            __m256 q = _mm256_loadu_ps(query + p);
            s0 = _mm256_fmadd_ps(q, _mm256_loadu_ps(r + p), s0);
            s1 = _mm256_fmadd_ps(q, _mm256_loadu_ps(r + stride + p), s1);
            s2 = _mm256_fmadd_ps(q, _mm256_loadu_ps(r + 2 * stride + p), s2);
            s3 = _mm256_fmadd_ps(q, _mm256_loadu_ps(r + 3 * stride + p), s3);
        }
        if (whole < d) {
            __m256 q = _mm256_maskload_ps(query + whole, lanes);
            s0 = _mm256_fmadd_ps(q, _mm256_maskload_ps(r + whole, lanes), s0);
            s1 = _mm256_fmadd_ps(q, _mm256_maskload_ps(r + stride + whole, lanes), s1);
            s2 = _mm256_fmadd_ps(q, _mm256_maskload_ps(r + 2 * stride + whole, lanes), s2);
            s3 = _mm256_fmadd_ps(q, _mm256_maskload_ps(r + 3 * stride + whole, lanes), s3);
        }
        _mm_storeu_ps(scores + i, ck_sums(s0, s1, s2, s3));
    }
    for (; i < n; i++) {
        // The same order of additions as above: a row's score must not depend on its place in the scan.
        __m256 s = _mm256_setzero_ps(), zero = s;
        for (size_t p = 0; p < whole; p += 8)
            s = _mm256_fmadd_ps(_mm256_loadu_ps(query + p), _mm256_loadu_ps(rows + i * stride + p), s);
        if (whole < d)
            s = _mm256_fmadd_ps(
                _mm256_maskload_ps(query + whole, lanes), _mm256_maskload_ps(rows + i * stride + whole, lanes), s);
        scores[i] = _mm_cvtss_f32(ck_sums(s, zero, zero, zero));
    }
}

AVX2 void ck_avx2_scan(
    const float *query, const float *rows, size_t stride, size_t n, size_t d, float *scores) {
    if (d == 64 && stride == 64) scan_body(query, rows, 64, n, 64, scores);
    else if (d == 32 && stride == 32) scan_body(query, rows, 32, n, 32, scores);
    else if (d == 128 && stride == 128) scan_body(query, rows, 128, n, 128, scores);
    else scan_body(query, rows, stride, n, d, scores);
}

// Four queries against one row: each row is read once for them. The additions run in the order of ck_avx2_scan.
AVX2 static void scan_four(const float *queries, const float *rows, size_t n, size_t d, float *scores) {
    const size_t whole = d / 8 * 8;
    const __m256i lanes = ck_lanes(d - whole);
    for (size_t i = 0; i < n; i++) {
        const float *r = rows + i * d;
        __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
        for (size_t p = 0; p < whole; p += 8) {
            __m256 x = _mm256_loadu_ps(r + p);
            s0 = _mm256_fmadd_ps(x, _mm256_loadu_ps(queries + p), s0);
            s1 = _mm256_fmadd_ps(x, _mm256_loadu_ps(queries + d + p), s1);
            s2 = _mm256_fmadd_ps(x, _mm256_loadu_ps(queries + 2 * d + p), s2);
            s3 = _mm256_fmadd_ps(x, _mm256_loadu_ps(queries + 3 * d + p), s3);
        }
        if (whole < d) {
            __m256 x = _mm256_maskload_ps(r + whole, lanes);
            s0 = _mm256_fmadd_ps(x, _mm256_maskload_ps(queries + whole, lanes), s0);
            s1 = _mm256_fmadd_ps(x, _mm256_maskload_ps(queries + d + whole, lanes), s1);
            s2 = _mm256_fmadd_ps(x, _mm256_maskload_ps(queries + 2 * d + whole, lanes), s2);
            s3 = _mm256_fmadd_ps(x, _mm256_maskload_ps(queries + 3 * d + whole, lanes), s3);
        }
        float four[4];
        _mm_storeu_ps(four, ck_sums(s0, s1, s2, s3));
        for (size_t q = 0; q < 4; q++) scores[q * n + i] = four[q];
    }
}

AVX2 void ck_avx2_scan_many(
    const float *queries, size_t count, const float *rows, size_t n, size_t d, float *scores) {
    size_t q = 0;
    for (; q + 4 <= count; q += 4) scan_four(queries + q * d, rows, n, d, scores + q * n);
    for (; q < count; q++) ck_avx2_scan(queries + q * d, rows, d, n, d, scores + q * n);
}

// |q| * sign(x, q) keeps the first factor unsigned; 2 * 127 * 127 < 32768, so pairs never saturate.
AVX2_INLINE __m256i int8_step(__m256i sum, __m256i size, __m256i query, __m256i row) {
    __m256i pairs = _mm256_maddubs_epi16(size, _mm256_sign_epi8(row, query));
    return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

AVX2_INLINE int32_t int8_sum(__m256i s) {
    __m128i t = _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
    t = _mm_hadd_epi32(t, t);
    return _mm_cvtsi128_si32(_mm_hadd_epi32(t, t));
}

AVX2_INLINE void int8_body(const int8_t *query, const int8_t *rows, size_t n, size_t d, int32_t *scores) {
    const size_t whole = d / 32 * 32;
    for (size_t i = 0; i < n; i++) {
        const int8_t *r = rows + i * d;
        __m256i s = _mm256_setzero_si256();
        for (size_t p = 0; p < whole; p += 32) {
            __m256i q = _mm256_loadu_si256((const __m256i *)(query + p));
            s = int8_step(s, _mm256_abs_epi8(q), q, _mm256_loadu_si256((const __m256i *)(r + p)));
        }
        int32_t total = int8_sum(s);
        for (size_t p = whole; p < d; p++) total += query[p] * r[p];
        scores[i] = total;
    }
}

AVX2 void ck_avx2_scan_int8(const int8_t *query, const int8_t *rows, size_t n, size_t d, int32_t *scores) {
    if (d == 64) int8_body(query, rows, n, 64, scores);
    else if (d == 32) int8_body(query, rows, n, 32, scores);
    else if (d == 128) int8_body(query, rows, n, 128, scores);
    else int8_body(query, rows, n, d, scores);
}

AVX2 size_t ck_avx2_collect(const float *scores, size_t n, float threshold, uint32_t *positions) {
    const __m256 bar = _mm256_set1_ps(threshold);
    size_t found = 0, i = 0;
    for (; i + 8 <= n; i += 8) {
        int mask = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(scores + i), bar, _CMP_GE_OQ));
        for (; mask != 0; mask &= mask - 1) positions[found++] = (uint32_t)i + (uint32_t)__builtin_ctz((unsigned)mask);
    }
    for (; i < n; i++)
        if (scores[i] >= threshold) positions[found++] = (uint32_t)i;
    return found;
}
#endif
