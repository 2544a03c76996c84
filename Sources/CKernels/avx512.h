// Shared by the AVX-512 files: the function attribute, tail masks and activations. The arithmetic of an element is that of
// the AVX2 files, step by step.
#ifndef CK_AVX512_H
#define CK_AVX512_H

#include "CKernels.h"

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))
#define AVX512_INLINE AVX512 static inline __attribute__((always_inline))

void ck_avx512_gemm_packed(
    const float *a, size_t a_row, size_t a_column, const float *panels, size_t depth, const float *bias,
    int activation, int accumulate, float *c, size_t c_row, size_t n, size_t k, size_t m);
void ck_avx512_quantize(
    const float *x, size_t x_row, size_t n, size_t k, uint8_t *q, size_t q_row, float *scale, float *offset);
void ck_avx512_vnni_gemm_int8(
    const struct ck_int8_rows *a, const struct ck_int8_matrix *b, const float *bias, int activation, int accumulate,
    float *c, size_t c_row);

// c = f(c) for a tile of rows c_row floats apart.
void ck_avx512_activate_tile(int activation, float *c, size_t c_row, int rows, size_t width);

// The first `count` lanes.
AVX512_INLINE __mmask16 ck_first(size_t count) { return count >= 16 ? 0xffff : (__mmask16)((1u << count) - 1); }

AVX512_INLINE __m512 ck_exp_512(__m512 x) {
    x = _mm512_min_ps(_mm512_max_ps(x, _mm512_set1_ps(-87.3f)), _mm512_set1_ps(88.3f));
    __m512 n = _mm512_roundscale_ps(
        _mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
    r = _mm512_fnmadd_ps(n, _mm512_set1_ps(-2.12194440e-4f), r);
    __m512 p = _mm512_set1_ps(1.0f / 720);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 120));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 24));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.0f / 6));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(0.5f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1));
    __m512i power = _mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127)), 23);
    return _mm512_mul_ps(p, _mm512_castsi512_ps(power));
}

AVX512_INLINE __m512 ck_sigmoid_512(__m512 x) {
    __m512 one = _mm512_set1_ps(1);
    return _mm512_div_ps(one, _mm512_add_ps(one, ck_exp_512(_mm512_sub_ps(_mm512_setzero_ps(), x))));
}

AVX512_INLINE __m512 ck_apply_512(int activation, __m512 x) {
    switch (activation) {
        case CK_RELU: return _mm512_max_ps(x, _mm512_setzero_ps());
        case CK_LEAKY_RELU: return _mm512_max_ps(x, _mm512_mul_ps(x, _mm512_set1_ps(0.01f)));
        case CK_SIGMOID: return ck_sigmoid_512(x);
        case CK_TWICE_SIGMOID: return _mm512_mul_ps(_mm512_set1_ps(2), ck_sigmoid_512(x));
        case CK_TANH:  // 2 sigmoid(2x) - 1
            return _mm512_fmsub_ps(
                _mm512_set1_ps(2), ck_sigmoid_512(_mm512_add_ps(x, x)), _mm512_set1_ps(1));
        default: return x;
    }
}

#endif
