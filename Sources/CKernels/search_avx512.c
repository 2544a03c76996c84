// Search kernels for AVX-512 with VNNI.
#include "search.h"

#if defined(__x86_64__)
#include "search_avx.h"

#include <immintrin.h>
#include <math.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,fma")))
#define AVX512_INLINE AVX512 static inline __attribute__((always_inline))

AVX512_INLINE void score_blocks_body(
    const struct ck_byte_query *query, size_t groups, const uint8_t *blocks, const float *scales, size_t n,
    struct ck_rows rows, float *scores) {
    const __m512i start = _mm512_set1_epi32(-query->offset);
    const __m512 scale = _mm512_set1_ps(query->scale), never = _mm512_set1_ps(-INFINITY);
    for (size_t r = 0; r < n; r += CK_BYTE_ROWS, blocks += groups * 64) {
        __mmask16 counting = (__mmask16)ck_counting(rows, r);
        if (counting == 0) {
            _mm512_storeu_ps(scores + r, never);
            continue;
        }
        __m512i sum = start;
        for (size_t g = 0; g < groups; g++) {
            int32_t four;
            memcpy(&four, query->bytes + 4 * g, 4);
            sum = _mm512_dpbusd_epi32(sum, _mm512_loadu_si512(blocks + g * 64), _mm512_set1_epi32(four));
        }
        __mmask16 present = (__mmask16)ck_low_bits(n - r);
        __m512 factors = _mm512_mul_ps(_mm512_maskz_loadu_ps(present, scales + r), scale);
        _mm512_storeu_ps(scores + r, _mm512_mask_mul_ps(never, counting, _mm512_cvtepi32_ps(sum), factors));
    }
}

AVX512 static void score_blocks(
    const struct ck_byte_query *query, const uint8_t *blocks, const float *scales, size_t n, struct ck_rows rows,
    float *scores) {
    if (query->groups == 16) score_blocks_body(query, 16, blocks, scales, n, rows, scores);
    else score_blocks_body(query, query->groups, blocks, scales, n, rows, scores);
}

// vpdpbusd takes one factor unsigned: the row's, plus 128, which the query's offset takes away again.
AVX512_INLINE __m512i byte_step(__m512i sum, __m512i query, __m512i row) {
    return _mm512_dpbusd_epi32(sum, _mm512_xor_si512(row, _mm512_set1_epi8(-128)), query);
}

AVX512_INLINE __m256i byte_sums(const struct ck_byte_query *query, const int8_t *row, size_t d) {
    const size_t whole = d / 64 * 64;
    __m512i sum = _mm512_setzero_si512();
    for (size_t k = 0; k < whole; k += 64)
        sum = byte_step(sum, _mm512_loadu_si512(query->bytes + k), _mm512_loadu_si512(row + k));
    if (whole < d) {
        const __mmask64 tail = ~(__mmask64)0 >> (64 - (d - whole));
        sum = byte_step(
            sum, _mm512_maskz_loadu_epi8(tail, query->bytes + whole), _mm512_maskz_loadu_epi8(tail, row + whole));
    }
    return _mm256_add_epi32(_mm512_castsi512_si256(sum), _mm512_extracti64x4_epi64(sum, 1));
}

AVX512_INLINE void score_byte_rows_body(
    const struct ck_byte_query *query, const int8_t *matrix, const float *scales, size_t d, const uint32_t *positions,
    size_t n, float *scores) {
    const __m128i offset = _mm_set1_epi32(query->offset);
    for (size_t i = 0; i < n; i += 4) {
        size_t left = n - i < 4 ? n - i : 4;
        uint32_t four[4];
        // The last row stands for those that are missing.
        for (size_t t = 0; t < 4; t++) four[t] = positions[i + (t < left ? t : left - 1)];
        for (size_t t = i + CK_AHEAD; t < i + CK_AHEAD + 4 && t < n; t++) {
            ck_ask(matrix + positions[t] * d, d);
            __builtin_prefetch(scales + positions[t]);
        }
        __m256i a = byte_sums(query, matrix + four[0] * d, d), b = byte_sums(query, matrix + four[1] * d, d);
        __m256i c = byte_sums(query, matrix + four[2] * d, d), e = byte_sums(query, matrix + four[3] * d, d);
        __m256i t = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, e));
        __m128i sums = _mm_add_epi32(_mm256_castsi256_si128(t), _mm256_extracti128_si256(t, 1));
        __m128 factors = _mm_setr_ps(scales[four[0]], scales[four[1]], scales[four[2]], scales[four[3]]);
        __m128 values = _mm_mul_ps(
            _mm_cvtepi32_ps(_mm_sub_epi32(sums, offset)), _mm_mul_ps(factors, _mm_set1_ps(query->scale)));
        _mm_mask_storeu_ps(scores + i, (__mmask8)ck_low_bits(left), values);
    }
}

AVX512 static void score_byte_rows(
    const struct ck_byte_query *query, const int8_t *matrix, const float *scales, size_t d, const uint32_t *positions,
    size_t n, float *scores) {
    if (d == 64) score_byte_rows_body(query, matrix, scales, 64, positions, n, scores);
    else score_byte_rows_body(query, matrix, scales, d, positions, n, scores);
}

// 32 rows' sums of two codes in each half, at most 2 * CK_TABLE_MAX.
AVX512_INLINE __m512i two_codes(const uint8_t *pairs, const uint8_t *tables) {
    const __m512i low = _mm512_set1_epi8(15);
    __m512i x = _mm512_loadu_si512(pairs);
    __m512i a = _mm512_shuffle_epi8(_mm512_loadu_si512(tables), _mm512_and_si512(x, low));
    __m512i b = _mm512_shuffle_epi8(
        _mm512_loadu_si512(tables + 64), _mm512_and_si512(_mm512_srli_epi16(x, 4), low));
    return _mm512_add_epi8(a, b);
}

AVX512_INLINE __m256i folded(__m512i x) {
    return _mm256_add_epi16(_mm512_castsi512_si256(x), _mm512_extracti64x4_epi64(x, 1));
}

// 32 rows' sums of all codes, in row order.
AVX512_INLINE __m512i block_sums(const uint8_t *block, const uint8_t *tables, size_t m) {
    __m512i even = _mm512_setzero_si512(), odd = even;
    size_t j = 0;
    for (; j + 8 <= m; j += 8) {
        const uint8_t *pairs = block + j / 2 * CK_CODE_ROWS, *t = tables + j / 4 * 8 * CK_CODES;
        __m512i s = _mm512_add_epi8(two_codes(pairs, t), two_codes(pairs + 64, t + 128));
        even = _mm512_add_epi16(even, s);
        odd = _mm512_add_epi16(odd, _mm512_srli_epi16(s, 8));
    }
    if (j < m) {
        __m512i s = two_codes(block + j / 2 * CK_CODE_ROWS, tables + j / 4 * 8 * CK_CODES);
        even = _mm512_add_epi16(even, s);
        odd = _mm512_add_epi16(odd, _mm512_srli_epi16(s, 8));
    }
    // `even` took the odd bytes along, 256-fold.
    even = _mm512_sub_epi16(even, _mm512_slli_epi16(odd, 8));
    __m256i e = folded(even), o = folded(odd);
    __m256i low = _mm256_unpacklo_epi16(e, o), high = _mm256_unpackhi_epi16(e, o);
    return _mm512_inserti64x4(
        _mm512_castsi256_si512(_mm256_permute2x128_si256(low, high, 0x20)),
        _mm256_permute2x128_si256(low, high, 0x31), 1);
}

AVX512_INLINE size_t scan_codes_body(
    const uint8_t *blocks, const uint8_t *tables, size_t m, size_t n, struct ck_rows rows, int32_t bias, int32_t bar,
    uint32_t position, uint16_t *sums, uint32_t *positions) {
    const __m512i below = _mm512_set1_epi16(ck_code_bar(bias, bar));
    size_t found = 0;
    for (size_t r = 0; r < n; r += CK_CODE_ROWS, blocks += m / 2 * CK_CODE_ROWS) {
        uint32_t counting = ck_counting(rows, r) & ck_low_bits(n - r);
        if (counting == 0) continue;
        __m512i block = block_sums(blocks, tables, m);
        uint32_t mask = _mm512_mask_cmpgt_epi16_mask(counting, block, below);
        if (mask == 0) continue;
        uint16_t all[CK_CODE_ROWS];
        _mm512_storeu_si512(all, block);
        for (; mask != 0; mask &= mask - 1) {
            uint32_t row = (uint32_t)__builtin_ctz(mask);
            sums[found] = (uint16_t)(all[row] + bias);
            positions[found++] = position + (uint32_t)r + row;
        }
    }
    return found;
}

AVX512 static size_t scan_codes(
    const uint8_t *blocks, const uint8_t *tables, size_t m, size_t n, struct ck_rows rows, int32_t bias, int32_t bar,
    uint32_t position, uint16_t *sums, uint32_t *positions) {
    if (m == 32) return scan_codes_body(blocks, tables, 32, n, rows, bias, bar, position, sums, positions);
    return scan_codes_body(blocks, tables, m, n, rows, bias, bar, position, sums, positions);
}

static const struct ck_search_table avx512 = {
    .name = "avx512",
    .score_blocks = score_blocks,
    .score_byte_rows = score_byte_rows,
    .score_rows = ck_avx2_score_rows,
    .scan_codes = scan_codes,
};

const struct ck_search_table *ck_search_avx512(void) {
    __builtin_cpu_init();
    return ck_search_avx2() != NULL && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")
            && __builtin_cpu_supports("avx512vnni")
        ? &avx512 : NULL;
}
#else
const struct ck_search_table *ck_search_avx512(void) { return NULL; }
#endif
