// Element-wise kernels, reductions and optimiser updates; and the table.
#include "CKernels.h"

#if defined(__x86_64__)
#include "avx2.h"
#include "features.h"
#include "mixture.h"

#include <math.h>

// Runs `body` for whole groups of eight with `load`/`store`, then once masked for the rest.
#define EACH_EIGHT(n, body)                                                       \
    size_t i = 0;                                                                 \
    for (; i + 8 <= (n); i += 8) {                                                \
        body(_mm256_loadu_ps, _mm256_storeu_ps)                                   \
    }                                                                             \
    if (i < (n)) {                                                                \
        const __m256i lanes = ck_lanes((n) - i);                                  \
        body(LOAD_MASKED, STORE_MASKED)                                           \
    }
#define LOAD_MASKED(p) _mm256_maskload_ps(p, lanes)
#define STORE_MASKED(p, v) _mm256_maskstore_ps(p, lanes, v)

AVX2 static float sum(const float *x, size_t n) {
    __m256 s = _mm256_setzero_ps();
#define BODY(load, store) s = _mm256_add_ps(s, load(x + i));
    EACH_EIGHT(n, BODY)
#undef BODY
    return ck_sum(s);
}

AVX2 static float maximum(const float *x, size_t n) {
    __m256 best = _mm256_set1_ps(-INFINITY);
    size_t i = 0;
    for (; i + 8 <= n; i += 8) best = _mm256_max_ps(_mm256_loadu_ps(x + i), best);
    float lanes[8], result = -INFINITY;
    _mm256_storeu_ps(lanes, best);
    for (size_t t = 0; t < 8; t++) result = lanes[t] > result ? lanes[t] : result;
    for (; i < n; i++) result = x[i] > result ? x[i] : result;
    return result;
}

AVX2 static void axpy(float alpha, const float *x, float *y, size_t n) {
    const __m256 factor = _mm256_set1_ps(alpha);
#define BODY(load, store) store(y + i, _mm256_fmadd_ps(factor, load(x + i), load(y + i)));
    EACH_EIGHT(n, BODY)
#undef BODY
}

AVX2 static void scale(float alpha, const float *x, float *y, size_t n) {
    const __m256 factor = _mm256_set1_ps(alpha);
#define BODY(load, store) store(y + i, _mm256_mul_ps(factor, load(x + i)));
    EACH_EIGHT(n, BODY)
#undef BODY
}

AVX2 static void multiply(const float *x, const float *y, float *z, size_t n) {
#define BODY(load, store) store(z + i, _mm256_mul_ps(load(x + i), load(y + i)));
    EACH_EIGHT(n, BODY)
#undef BODY
}

AVX2 static void multiply_add(const float *x, const float *y, float *z, size_t n) {
#define BODY(load, store) store(z + i, _mm256_fmadd_ps(load(x + i), load(y + i), load(z + i)));
    EACH_EIGHT(n, BODY)
#undef BODY
}

AVX2 static void activate(int activation, const float *x, float *y, size_t n) {
#define BODY(load, store) store(y + i, ck_apply(activation, load(x + i)));
    EACH_EIGHT(n, BODY)
#undef BODY
}

AVX2_INLINE __m256 slope(int activation, __m256 y) {
    const __m256 one = _mm256_set1_ps(1), positive = _mm256_cmp_ps(y, _mm256_setzero_ps(), _CMP_GT_OQ);
    switch (activation) {
        case CK_RELU: return _mm256_and_ps(positive, one);
        case CK_LEAKY_RELU: return _mm256_blendv_ps(_mm256_set1_ps(0.01f), one, positive);
        case CK_SIGMOID: return _mm256_mul_ps(y, _mm256_sub_ps(one, y));
        case CK_TANH: return _mm256_fnmadd_ps(y, y, one);
        case CK_TWICE_SIGMOID: return _mm256_mul_ps(y, _mm256_fnmadd_ps(y, _mm256_set1_ps(0.5f), one));
        default: return one;
    }
}

AVX2 static void activate_gradient(int activation, const float *y, const float *dy, float *dx, size_t n) {
#define BODY(load, store) store(dx + i, _mm256_mul_ps(load(dy + i), slope(activation, load(y + i))));
    EACH_EIGHT(n, BODY)
#undef BODY
}

AVX2 static void exponential(const float *x, float offset, float *y, size_t n) {
    const __m256 shift = _mm256_set1_ps(offset);
#define BODY(load, store) store(y + i, ck_exp(_mm256_add_ps(load(x + i), shift)));
    EACH_EIGHT(n, BODY)
#undef BODY
}

AVX2 static void mix(
    const float *values, const float *gates, size_t n, size_t tasks, size_t experts, size_t width, float *mixed) {
    ck_mix_body(values, gates, n, tasks, experts, width, mixed);
}

AVX2 static void scale_panels(
    const float *x, const float *product, const float *start, size_t d, size_t depth, size_t panels, float *mixed) {
    for (size_t q = 0; q < panels; q++, product += depth * CK_PANEL, start += depth * CK_PANEL, mixed += depth * CK_PANEL) {
        for (size_t p = 0; p < d; p++) {
            const __m256 factor = _mm256_set1_ps(x[p]);
            for (size_t at = p * CK_PANEL; at < (p + 1) * CK_PANEL; at += 8)
                _mm256_storeu_ps(
                    mixed + at,
                    _mm256_fmadd_ps(factor, _mm256_loadu_ps(product + at), _mm256_loadu_ps(start + at)));
        }
    }
}

AVX2 static void adam(const struct ck_adam *rule, const float *g, float *w, float *m, float *v, size_t n) {
    const __m256 beta1 = _mm256_set1_ps(rule->beta1), rest1 = _mm256_set1_ps(1 - rule->beta1);
    const __m256 beta2 = _mm256_set1_ps(rule->beta2), rest2 = _mm256_set1_ps(1 - rule->beta2);
    const __m256 rate = _mm256_set1_ps(rule->learning_rate), epsilon = _mm256_set1_ps(rule->epsilon);
#define BODY(load, store)                                                                                   \
    __m256 x = load(g + i);                                                                                 \
    __m256 first = _mm256_fmadd_ps(beta1, load(m + i), _mm256_mul_ps(rest1, x));                            \
    __m256 second = _mm256_fmadd_ps(beta2, load(v + i), _mm256_mul_ps(rest2, _mm256_mul_ps(x, x)));         \
    __m256 move = _mm256_div_ps(_mm256_mul_ps(rate, first), _mm256_add_ps(_mm256_sqrt_ps(second), epsilon)); \
    store(m + i, first);                                                                                    \
    store(v + i, second);                                                                                   \
    store(w + i, _mm256_sub_ps(load(w + i), move));
    EACH_EIGHT(n, BODY)
#undef BODY
}

AVX2 static void adagrad(
    float learning_rate, float epsilon, const float *g, float *w, float *accumulator, size_t n) {
    const __m256 rate = _mm256_set1_ps(learning_rate), small = _mm256_set1_ps(epsilon);
#define BODY(load, store)                                                                                \
    __m256 x = load(g + i), total = _mm256_fmadd_ps(x, x, load(accumulator + i));                        \
    __m256 move = _mm256_div_ps(_mm256_mul_ps(rate, x), _mm256_add_ps(_mm256_sqrt_ps(total), small));    \
    store(accumulator + i, total);                                                                       \
    store(w + i, _mm256_sub_ps(load(w + i), move));
    EACH_EIGHT(n, BODY)
#undef BODY
}

CK_FEATURE_FUNCTIONS(AVX2)

static const struct ck_table avx2 = {
    .name = "avx2",
    .gemm_packed = ck_avx2_gemm_packed,
    .quantize = ck_avx2_quantize,
    .gemm_int8 = ck_avx2_gemm_int8,
    .mix = mix,
    .scale_panels = scale_panels,
    .dot = ck_avx2_dot,
    .sum = sum,
    .maximum = maximum,
    .scan = ck_avx2_scan,
    .scan_many = ck_avx2_scan_many,
    .scan_int8 = ck_avx2_scan_int8,
    .axpy = axpy,
    .scale = scale,
    .multiply = multiply,
    .multiply_add = multiply_add,
    .activate = activate,
    .activate_gradient = activate_gradient,
    .exponential = exponential,
    .log_plus_one = log_plus_one,
    .log_odds = log_odds,
    .windowed_counts = windowed_counts,
    .standardise = standardise,
    .collect = ck_avx2_collect,
    .adam = adam,
    .adagrad = adagrad,
};

const struct ck_table *ck_avx2(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &avx2 : NULL;
}
#else
const struct ck_table *ck_avx2(void) { return NULL; }
#endif
