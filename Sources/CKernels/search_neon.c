// Search kernels for 64-bit ARM with dot products (ARMv8.2).
#include "search.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#include <math.h>
#if defined(__linux__)
#include <sys/auxv.h>
#endif

#define NEON __attribute__((target("dotprod")))
#define NEON_INLINE NEON static inline __attribute__((always_inline))

NEON_INLINE int8x16_t signed_bytes(const uint8_t *bytes) {
    return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(bytes), vdupq_n_u8(128)));
}

NEON static void score_blocks(
    const struct ck_byte_query *query, const uint8_t *blocks, const float *scales, size_t n, struct ck_rows rows,
    float *scores) {
    for (size_t r = 0; r < n; r += CK_BYTE_ROWS, blocks += query->groups * 64) {
        uint32_t counting = ck_counting(rows, r);
        int32x4_t sums[4] = {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)};
        for (size_t g = 0; g < query->groups && (counting & 0xffff) != 0; g++) {
            int32_t four;
            memcpy(&four, query->bytes + 4 * g, 4);
            int8x16_t q = vreinterpretq_s8_s32(vdupq_n_s32(four));
            for (size_t t = 0; t < 4; t++) sums[t] = vdotq_s32(sums[t], signed_bytes(blocks + g * 64 + t * 16), q);
        }
        int32_t all[CK_BYTE_ROWS];
        for (size_t t = 0; t < 4; t++) vst1q_s32(all + 4 * t, sums[t]);
        for (size_t t = 0; t < CK_BYTE_ROWS && r + t < n; t++)
            scores[r + t] = (counting >> t & 1) != 0 ? (float)all[t] * (scales[r + t] * query->scale) : -INFINITY;
    }
}

NEON static void score_byte_rows(
    const struct ck_byte_query *query, const int8_t *matrix, const float *scales, size_t d, const uint32_t *positions,
    size_t n, float *scores) {
    for (size_t i = 0; i < n; i++) {
        if (i + CK_AHEAD < n) ck_ask(matrix + positions[i + CK_AHEAD] * d, d);
        const int8_t *row = matrix + positions[i] * d;
        int32x4_t sum = vdupq_n_s32(0);
        size_t k = 0;
        for (; k + 16 <= d; k += 16) sum = vdotq_s32(sum, vld1q_s8(query->bytes + k), vld1q_s8(row + k));
        int32_t total = vaddvq_s32(sum);
        for (; k < d; k++) total += query->bytes[k] * row[k];
        scores[i] = (float)total * (scales[positions[i]] * query->scale);
    }
}

static void score_rows(
    const float *query, const float *matrix, size_t d, const uint32_t *positions, size_t n, float *scores) {
    for (size_t i = 0; i < n; i++) {
        if (i + CK_AHEAD < n) ck_ask(matrix + positions[i + CK_AHEAD] * d, d * sizeof(float));
        ck_portable()->scan(query, matrix + positions[i] * d, d, 1, d, scores + i);
    }
}

// 16 rows' sums of the entries of two codes.
NEON_INLINE uint8x16_t two_codes(const uint8_t *pairs, const uint8_t *first, const uint8_t *second) {
    uint8x16_t x = vld1q_u8(pairs);
    return vaddq_u8(
        vqtbl1q_u8(vld1q_u8(first), vandq_u8(x, vdupq_n_u8(15))), vqtbl1q_u8(vld1q_u8(second), vshrq_n_u8(x, 4)));
}

// Sums of rows half * 16 ..< half * 16 + 16 of a block.
NEON_INLINE void half_sums(const uint8_t *block, const uint8_t *tables, size_t m, size_t half, uint16_t *sums) {
    uint16x8_t low = vdupq_n_u16(0), high = low;
    for (size_t j = 0; j < m; j += 4) {
        const uint8_t *pairs = block + j / 2 * CK_CODE_ROWS + half * 16, *t = tables + j / 4 * 8 * CK_CODES;
        uint8x16_t s = vaddq_u8(two_codes(pairs, t, t + 64), two_codes(pairs + CK_CODE_ROWS, t + 32, t + 96));
        low = vaddw_u8(low, vget_low_u8(s));
        high = vaddw_high_u8(high, s);
    }
    vst1q_u16(sums, low);
    vst1q_u16(sums + 8, high);
}

NEON static size_t scan_codes(
    const uint8_t *blocks, const uint8_t *tables, size_t m, size_t n, struct ck_rows rows, int32_t bias, int32_t bar,
    uint32_t position, uint16_t *sums, uint32_t *positions) {
    size_t found = 0;
    for (size_t r = 0; r < n; r += CK_CODE_ROWS, blocks += m / 2 * CK_CODE_ROWS) {
        uint32_t counting = ck_counting(rows, r) & ck_low_bits(n - r);
        if (counting == 0) continue;
        uint16_t all[CK_CODE_ROWS];
        half_sums(blocks, tables, m, 0, all);
        half_sums(blocks, tables, m, 1, all + 16);
        for (; counting != 0; counting &= counting - 1) {
            uint32_t row = (uint32_t)__builtin_ctz(counting);
            if (all[row] + bias < bar) continue;
            sums[found] = (uint16_t)(all[row] + bias);
            positions[found++] = position + (uint32_t)r + row;
        }
    }
    return found;
}

static const struct ck_search_table neon = {
    .name = "neon",
    .score_blocks = score_blocks,
    .score_byte_rows = score_byte_rows,
    .score_rows = score_rows,
    .scan_codes = scan_codes,
};

const struct ck_search_table *ck_search_neon(void) {
#if defined(__linux__)
    const unsigned long dot_products = 1ul << 20;  // HWCAP_ASIMDDP
    return (getauxval(AT_HWCAP) & dot_products) != 0 ? &neon : NULL;
#else
    return &neon;  // Every 64-bit ARM of other systems has them.
#endif
}
#else
const struct ck_search_table *ck_search_neon(void) { return NULL; }
#endif
