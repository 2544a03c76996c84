// The table of processors with AVX-512: AVX2's, with 512-bit registers where they pay.
#include "CKernels.h"

#if defined(__x86_64__)
#include "avx512.h"
#include "features.h"
#include "mixture.h"

#include <threads.h>

AVX512 static void mix(
    const float *values, const float *gates, size_t n, size_t tasks, size_t experts, size_t width, float *mixed) {
    ck_mix_body(values, gates, n, tasks, experts, width, mixed);
}

AVX512 static void scale_panels(
    const float *x, const float *product, const float *start, size_t d, size_t depth, size_t panels, float *mixed) {
    for (size_t q = 0; q < panels; q++, product += depth * CK_PANEL, start += depth * CK_PANEL, mixed += depth * CK_PANEL) {
        for (size_t p = 0; p < d; p++) {
            const size_t at = p * CK_PANEL;
            __m512 value = _mm512_fmadd_ps(
                _mm512_set1_ps(x[p]), _mm512_loadu_ps(product + at), _mm512_loadu_ps(start + at));
            _mm512_storeu_ps(mixed + at, value);
        }
    }
}

AVX512 static void multiply_add(const float *x, const float *y, float *z, size_t n) {
    size_t i = 0;
    for (; i + 16 <= n; i += 16)
        _mm512_storeu_ps(
            z + i, _mm512_fmadd_ps(_mm512_loadu_ps(x + i), _mm512_loadu_ps(y + i), _mm512_loadu_ps(z + i)));
    const __mmask16 lanes = ck_first(n - i);
    __m512 sum = _mm512_fmadd_ps(
        _mm512_maskz_loadu_ps(lanes, x + i), _mm512_maskz_loadu_ps(lanes, y + i), _mm512_maskz_loadu_ps(lanes, z + i));
    _mm512_mask_storeu_ps(z + i, lanes, sum);
}

CK_FEATURE_FUNCTIONS(AVX512)

static struct ck_table avx512;
static once_flag filled = ONCE_FLAG_INIT;

static void fill(void) {
    const struct ck_table *avx2 = ck_avx2();
    if (avx2 == NULL) return;
    avx512 = *avx2;
    avx512.name = "avx512";
    avx512.gemm_packed = ck_avx512_gemm_packed;
    avx512.quantize = ck_avx512_quantize;
    avx512.mix = mix;
    avx512.scale_panels = scale_panels;
    avx512.multiply_add = multiply_add;
    avx512.log_plus_one = log_plus_one;
    avx512.log_odds = log_odds;
    avx512.windowed_counts = windowed_counts;
    avx512.standardise = standardise;
    if (__builtin_cpu_supports("avx512vnni")) avx512.gemm_int8 = ck_avx512_vnni_gemm_int8;
}

const struct ck_table *ck_avx512(void) {
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw")) return NULL;
    if (!__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl")) return NULL;
    call_once(&filled, fill);
    return avx512.name ? &avx512 : NULL;
}
#else
const struct ck_table *ck_avx512(void) { return NULL; }
#endif
