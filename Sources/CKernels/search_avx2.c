// Search kernels for AVX2.
#include "search.h"

#if defined(__x86_64__)
#include "avx2.h"
#include "search_avx.h"

#include <math.h>

// Bytes are unsigned, so that a pair of them times a pair of the query's fits vpmaddwd exactly: even bytes by a mask, odd
// ones by a shift.
AVX2_INLINE __m256i byte_step(__m256i sum, __m256i row, __m256i even, __m256i odd) {
    __m256i low = _mm256_madd_epi16(_mm256_and_si256(row, _mm256_set1_epi16(255)), even);
    __m256i high = _mm256_madd_epi16(_mm256_srli_epi16(row, 8), odd);
    return _mm256_add_epi32(sum, _mm256_add_epi32(low, high));
}

AVX2_INLINE void store_scores(
    __m256i sums, const float *scales, __m256 scale, size_t rows, uint32_t counting, float *scores) {
    __m256i lanes = ck_lanes(rows < 8 ? rows : 8);
    __m256 factors = _mm256_mul_ps(_mm256_maskload_ps(scales, lanes), scale);
    __m256 values = _mm256_mul_ps(_mm256_cvtepi32_ps(sums), factors);
    const __m256i bits = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    __m256i counts = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int)counting), bits), bits);
    values = _mm256_blendv_ps(_mm256_set1_ps(-INFINITY), values, _mm256_castsi256_ps(counts));
    _mm256_storeu_ps(scores, values);
}

AVX2_INLINE void score_blocks_body(
    const struct ck_byte_query *query, size_t groups, const uint8_t *blocks, const float *scales, size_t n,
    struct ck_rows rows, float *scores) {
    const __m256i offset = _mm256_set1_epi32(query->offset);
    const __m256 scale = _mm256_set1_ps(query->scale);
    for (size_t r = 0; r < n; r += CK_BYTE_ROWS, blocks += groups * 64) {
        uint32_t counting = ck_counting(rows, r) & 0xffff;
        __m256i first = _mm256_setzero_si256(), second = first;
        if (counting != 0) {
            for (size_t g = 0; g < groups; g++) {
                int32_t even, odd;
                memcpy(&even, query->pairs + 4 * g, 4);
                memcpy(&odd, query->pairs + 4 * g + 2, 4);
                __m256i e = _mm256_set1_epi32(even), o = _mm256_set1_epi32(odd);
                first = byte_step(first, _mm256_loadu_si256((const __m256i *)(blocks + g * 64)), e, o);
                second = byte_step(second, _mm256_loadu_si256((const __m256i *)(blocks + g * 64 + 32)), e, o);
            }
        }
        size_t left = n - r;
        store_scores(_mm256_sub_epi32(first, offset), scales + r, scale, left, counting, scores + r);
        store_scores(
            _mm256_sub_epi32(second, offset), scales + r + 8, scale, left > 8 ? left - 8 : 0, counting >> 8,
            scores + r + 8);
    }
}

AVX2 static void score_blocks(
    const struct ck_byte_query *query, const uint8_t *blocks, const float *scales, size_t n, struct ck_rows rows,
    float *scores) {
    if (query->groups == 16) score_blocks_body(query, 16, blocks, scales, n, rows, scores);
    else score_blocks_body(query, query->groups, blocks, scales, n, rows, scores);
}

AVX2_INLINE __m256i wide(const int8_t *bytes) {
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)bytes));
}

AVX2_INLINE int32_t byte_dot(const int8_t *query, const int8_t *row, size_t d) {
    __m256i sum = _mm256_setzero_si256();
    size_t k = 0;
    for (; k + 16 <= d; k += 16) sum = _mm256_add_epi32(sum, _mm256_madd_epi16(wide(query + k), wide(row + k)));
    __m128i t = _mm_add_epi32(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
    t = _mm_hadd_epi32(t, t);
    int32_t total = _mm_cvtsi128_si32(_mm_hadd_epi32(t, t));
    for (; k < d; k++) total += query[k] * row[k];
    return total;
}

AVX2_INLINE void score_byte_rows_body(
    const struct ck_byte_query *query, const int8_t *matrix, const float *scales, size_t d, const uint32_t *positions,
    size_t n, float *scores) {
    for (size_t i = 0; i < n; i++) {
        if (i + CK_AHEAD < n) ck_ask(matrix + positions[i + CK_AHEAD] * d, d);
        int32_t sum = byte_dot(query->bytes, matrix + positions[i] * d, d);
        scores[i] = (float)sum * (scales[positions[i]] * query->scale);
    }
}

AVX2 static void score_byte_rows(
    const struct ck_byte_query *query, const int8_t *matrix, const float *scales, size_t d, const uint32_t *positions,
    size_t n, float *scores) {
    if (d == 64) score_byte_rows_body(query, matrix, scales, 64, positions, n, scores);
    else score_byte_rows_body(query, matrix, scales, d, positions, n, scores);
}

// Additions in the order of ck_avx2_scan: one accumulator of eight lanes a row.
AVX2_INLINE void score_rows_body(
    const float *query, const float *matrix, size_t d, const uint32_t *positions, size_t n, float *scores) {
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        for (size_t t = 0; t < 4; t++)
            if (i + t + CK_AHEAD < n) ck_ask(matrix + positions[i + t + CK_AHEAD] * d, d * sizeof(float));
        const float *a = matrix + positions[i] * d, *b = matrix + positions[i + 1] * d;
        const float *c = matrix + positions[i + 2] * d, *e = matrix + positions[i + 3] * d;
        __m256 s0 = _mm256_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
        for (size_t p = 0; p < d; p += 8) {
            __m256 q = _mm256_loadu_ps(query + p);
            s0 = _mm256_fmadd_ps(q, _mm256_loadu_ps(a + p), s0);
            s1 = _mm256_fmadd_ps(q, _mm256_loadu_ps(b + p), s1);
            s2 = _mm256_fmadd_ps(q, _mm256_loadu_ps(c + p), s2);
            s3 = _mm256_fmadd_ps(q, _mm256_loadu_ps(e + p), s3);
        }
        _mm_storeu_ps(scores + i, ck_sums(s0, s1, s2, s3));
    }
    for (; i < n; i++) ck_avx2_scan(query, matrix + positions[i] * d, d, 1, d, scores + i);
}

AVX2 void ck_avx2_score_rows(
    const float *query, const float *matrix, size_t d, const uint32_t *positions, size_t n, float *scores) {
    if (d == 64) {
        score_rows_body(query, matrix, 64, positions, n, scores);
    } else if (d % 8 == 0) {
        score_rows_body(query, matrix, d, positions, n, scores);
    } else {
        for (size_t i = 0; i < n; i++) {
            if (i + CK_AHEAD < n) ck_ask(matrix + positions[i + CK_AHEAD] * d, d * sizeof(float));
            ck_avx2_scan(query, matrix + positions[i] * d, d, 1, d, scores + i);
        }
    }
}

// 32 rows' sums of the entries of four codes, at most 4 * CK_TABLE_MAX.
AVX2_INLINE __m256i four_codes(const uint8_t *pairs, const uint8_t *tables) {
    const __m256i low = _mm256_set1_epi8(15);
    const __m256i *t = (const __m256i *)tables;
    __m256i x = _mm256_loadu_si256((const __m256i *)pairs), y = _mm256_loadu_si256((const __m256i *)(pairs + 32));
    __m256i a = _mm256_shuffle_epi8(_mm256_loadu_si256(t), _mm256_and_si256(x, low));
    __m256i b = _mm256_shuffle_epi8(
        _mm256_loadu_si256(t + 2), _mm256_and_si256(_mm256_srli_epi16(x, 4), low));
    __m256i c = _mm256_shuffle_epi8(_mm256_loadu_si256(t + 1), _mm256_and_si256(y, low));
    __m256i e = _mm256_shuffle_epi8(
        _mm256_loadu_si256(t + 3), _mm256_and_si256(_mm256_srli_epi16(y, 4), low));
    return _mm256_add_epi8(_mm256_add_epi8(a, b), _mm256_add_epi8(c, e));
}

AVX2_INLINE size_t scan_codes_body(
    const uint8_t *blocks, const uint8_t *tables, size_t m, size_t n, struct ck_rows rows, int32_t bias, int32_t bar,
    uint32_t position, uint16_t *sums, uint32_t *positions) {
    const __m256i below = _mm256_set1_epi16(ck_code_bar(bias, bar));
    size_t found = 0;
    for (size_t r = 0; r < n; r += CK_CODE_ROWS, blocks += m / 2 * CK_CODE_ROWS) {
        uint32_t counting = ck_counting(rows, r) & ck_low_bits(n - r);
        if (counting == 0) continue;
        __m256i even = _mm256_setzero_si256(), odd = even;
        for (size_t j = 0; j < m; j += 4) {
            __m256i s = four_codes(blocks + j / 2 * CK_CODE_ROWS, tables + j / 4 * 8 * CK_CODES);
            even = _mm256_add_epi16(even, s);
            odd = _mm256_add_epi16(odd, _mm256_srli_epi16(s, 8));
        }
        // `even` took the odd bytes along, 256-fold.
        even = _mm256_sub_epi16(even, _mm256_slli_epi16(odd, 8));
        __m256i high = _mm256_cmpgt_epi16(even, below), low = _mm256_cmpgt_epi16(odd, below);
        __m256i passed = _mm256_blendv_epi8(low, high, _mm256_set1_epi16(255));
        uint32_t mask = (uint32_t)_mm256_movemask_epi8(passed) & counting;
        if (mask == 0) continue;
        uint16_t halves[2][16];
        _mm256_storeu_si256((__m256i *)halves[0], even);
        _mm256_storeu_si256((__m256i *)halves[1], odd);
        for (; mask != 0; mask &= mask - 1) {
            uint32_t row = (uint32_t)__builtin_ctz(mask);
            sums[found] = (uint16_t)(halves[row & 1][row >> 1] + bias);
            positions[found++] = position + (uint32_t)r + row;
        }
    }
    return found;
}

AVX2 static size_t scan_codes(
    const uint8_t *blocks, const uint8_t *tables, size_t m, size_t n, struct ck_rows rows, int32_t bias, int32_t bar,
    uint32_t position, uint16_t *sums, uint32_t *positions) {
    if (m == 32) return scan_codes_body(blocks, tables, 32, n, rows, bias, bar, position, sums, positions);
    return scan_codes_body(blocks, tables, m, n, rows, bias, bar, position, sums, positions);
}

static const struct ck_search_table avx2 = {
    .name = "avx2",
    .score_blocks = score_blocks,
    .score_byte_rows = score_byte_rows,
    .score_rows = ck_avx2_score_rows,
    .scan_codes = scan_codes,
};

const struct ck_search_table *ck_search_avx2(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &avx2 : NULL;
}
#else
const struct ck_search_table *ck_search_avx2(void) { return NULL; }
#endif
