// Shared by the AVX2 files: the function attribute, horizontal sums, tail masks and exp.
#ifndef CK_AVX2_H
#define CK_AVX2_H

#include "CKernels.h"

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma")))
#define AVX2_INLINE AVX2 static inline __attribute__((always_inline))

void ck_avx2_gemm_packed(
    const float *a, size_t a_row, size_t a_column, const float *panels, size_t depth, const float *bias,
    int activation, int accumulate, float *c, size_t c_row, size_t n, size_t k, size_t m);
void ck_avx2_quantize(
    const float *x, size_t x_row, size_t n, size_t k, uint8_t *q, size_t q_row, float *scale, float *offset);
void ck_avx2_gemm_int8(
    const struct ck_int8_rows *a, const struct ck_int8_matrix *b, const float *bias, int activation, int accumulate,
    float *c, size_t c_row);
float ck_avx2_dot(const float *x, const float *y, size_t n);
void ck_avx2_scan(const float *query, const float *rows, size_t stride, size_t n, size_t d, float *scores);
void ck_avx2_scan_many(const float *queries, size_t count, const float *rows, size_t n, size_t d, float *scores);
void ck_avx2_scan_int8(const int8_t *query, const int8_t *rows, size_t n, size_t d, int32_t *scores);
size_t ck_avx2_collect(const float *scores, size_t n, float threshold, uint32_t *positions);

// Lanes 0..<count set, count in 0...8.
AVX2_INLINE __m256i ck_lanes(size_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

// Lane r of the result is the sum of the lanes of the r-th argument.
AVX2_INLINE __m128 ck_sums(__m256 a, __m256 b, __m256 c, __m256 d) {
    __m256 t = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    return _mm_add_ps(_mm256_castps256_ps128(t), _mm256_extractf128_ps(t, 1));
}

AVX2_INLINE float ck_sum(__m256 a) {
    __m128 t = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    t = _mm_hadd_ps(t, t);
    return _mm_cvtss_f32(_mm_hadd_ps(t, t));
}

// exp(x) with relative error below 2e-7: 2^n * e^r, r in -ln2/2...ln2/2, e^r by a polynomial of degree 6 (Taylor, last
// term 1/720). Clamped to the finite range.
AVX2_INLINE __m256 ck_exp(__m256 x) {
    x = _mm256_min_ps(_mm256_max_ps(x, _mm256_set1_ps(-87.3f)), _mm256_set1_ps(88.3f));
    __m256 n = _mm256_round_ps(
        _mm256_mul_ps(x, _mm256_set1_ps(1.44269504f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    // ln 2 in two parts, so that the reduction loses nothing.
    __m256 r = _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693359375f), x);
    r = _mm256_fnmadd_ps(n, _mm256_set1_ps(-2.12194440e-4f), r);
    __m256 p = _mm256_set1_ps(1.0f / 720);
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 120));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 24));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1.0f / 6));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(0.5f));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1));
    p = _mm256_fmadd_ps(p, r, _mm256_set1_ps(1));
    __m256i power = _mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23);
    return _mm256_mul_ps(p, _mm256_castsi256_ps(power));
}

AVX2_INLINE __m256 ck_sigmoid(__m256 x) {
    __m256 one = _mm256_set1_ps(1);
    return _mm256_div_ps(one, _mm256_add_ps(one, ck_exp(_mm256_sub_ps(_mm256_setzero_ps(), x))));
}

AVX2_INLINE __m256 ck_apply(int activation, __m256 x) {
    switch (activation) {
        case CK_RELU: return _mm256_max_ps(x, _mm256_setzero_ps());
        case CK_LEAKY_RELU: return _mm256_max_ps(x, _mm256_mul_ps(x, _mm256_set1_ps(0.01f)));
        case CK_SIGMOID: return ck_sigmoid(x);
        case CK_TWICE_SIGMOID: return _mm256_mul_ps(_mm256_set1_ps(2), ck_sigmoid(x));
        case CK_TANH:  // 2 sigmoid(2x) - 1
            return _mm256_fmsub_ps(
                _mm256_set1_ps(2), ck_sigmoid(_mm256_add_ps(x, x)), _mm256_set1_ps(1));
        default: return x;
    }
}

#endif
