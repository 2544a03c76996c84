// The table of 64-bit ARM: products by NEON, the rest in plain C, which the compiler vectorises.
#include "CKernels.h"

#if defined(__aarch64__)
#include "portable.h"

#include <arm_neon.h>
#include <threads.h>

#define ROWS 4

// Four rows x one panel of 16: 16 of the 32 registers hold sums.
static inline __attribute__((always_inline)) void multiply_tile(
    const float *a, size_t a_row, size_t a_column, const float *panel, size_t k, float sums[ROWS][CK_PANEL],
    const int rows) {
    float32x4_t s[ROWS][4];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int q = 0; q < 4; q++) s[r][q] = vld1q_f32(sums[r] + 4 * q);
    }
    for (size_t p = 0; p < k; p++, a += a_column, panel += CK_PANEL) {
        float32x4_t b0 = vld1q_f32(panel), b1 = vld1q_f32(panel + 4), b2 = vld1q_f32(panel + 8);
        float32x4_t b3 = vld1q_f32(panel + 12);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            float32x4_t x = vdupq_n_f32(a[r * a_row]);
            s[r][0] = vfmaq_f32(s[r][0], x, b0);
            s[r][1] = vfmaq_f32(s[r][1], x, b1);
            s[r][2] = vfmaq_f32(s[r][2], x, b2);
            s[r][3] = vfmaq_f32(s[r][3], x, b3);
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
#pragma clang loop unroll(full)
        for (int q = 0; q < 4; q++) vst1q_f32(sums[r] + 4 * q, s[r][q]);
    }
}

static void gemm_packed(
    const float *a, size_t a_row, size_t a_column, const float *panels, size_t depth, const float *bias,
    int activation, int accumulate, float *c, size_t c_row, size_t n, size_t k, size_t m) {
    if (m == 1) {
        ck_portable()->gemm_packed(a, a_row, a_column, panels, depth, bias, activation, accumulate, c, c_row, n, k, m);
        return;
    }
    for (size_t j = 0; j < m; j += CK_PANEL) {
        size_t width = m - j < CK_PANEL ? m - j : CK_PANEL;
        for (size_t i = 0; i < n; i += ROWS) {
            size_t rows = n - i < ROWS ? n - i : ROWS;
            float sums[ROWS][CK_PANEL] = {{0}};
            float *target = c + i * c_row + j;
            for (size_t r = 0; r < rows; r++)
                for (size_t t = 0; t < width; t++)
                    sums[r][t] = accumulate ? target[r * c_row + t] : bias ? bias[j + t] : 0;
            const float *first = a + i * a_row, *panel = panels + j * depth;
            if (rows == ROWS) multiply_tile(first, a_row, a_column, panel, k, sums, ROWS);
            else
                for (size_t r = 0; r < rows; r++)
                    multiply_tile(first + r * a_row, a_row, a_column, panel, k, sums + r, 1);
            for (size_t r = 0; r < rows; r++)
                for (size_t t = 0; t < width; t++) target[r * c_row + t] = ck_activate_one(activation, sums[r][t]);
        }
    }
}

// One row x one panel. A pair of products fits 16 bits: 127 * 63 * 2 < 2^15; vpadal widens pairs to 32 bits.
static void multiply_bytes(const int8_t *row, const int8_t *panel, size_t depth, int32_t sums[CK_PANEL]) {
    int32x4_t pairs[8];
    for (int q = 0; q < 8; q++) pairs[q] = vdupq_n_s32(0);
    for (size_t p = 0; p < depth; p += 4, panel += 4 * CK_PANEL) {
        int32_t four;
        __builtin_memcpy(&four, row + p, sizeof four);
        int8x8_t x = vreinterpret_s8_s32(vdup_n_s32(four));
#pragma clang loop unroll(full)
        for (int q = 0; q < 8; q++) pairs[q] = vpadalq_s16(pairs[q], vmull_s8(x, vld1_s8(panel + 8 * q)));
    }
    // Two neighbouring sums to a column.
    for (int q = 0; q < 4; q++) vst1q_s32(sums + 4 * q, vpaddq_s32(pairs[2 * q], pairs[2 * q + 1]));
}

static void gemm_int8(
    const struct ck_int8_rows *a, const struct ck_int8_matrix *b, const float *bias, int activation, int accumulate,
    float *c, size_t c_row) {
    size_t depth = ck_int8_depth(b->k);
    for (size_t j = 0; j < b->m; j += CK_PANEL) {
        size_t width = b->m - j < CK_PANEL ? b->m - j : CK_PANEL;
        for (size_t i = 0; i < a->n; i++) {
            int32_t sums[CK_PANEL];
            multiply_bytes((const int8_t *)a->values + i * a->row, b->panels + j * depth, depth, sums);
            float *target = c + i * c_row + j;
            for (size_t t = 0; t < width; t++) {
                float start = accumulate ? target[t] : bias ? bias[j + t] : 0;
                start += a->offset[i] * b->sum[j + t];
                target[t] = ck_activate_one(activation, (float)sums[t] * b->scale[j + t] * a->scale[i] + start);
            }
        }
    }
}

static struct ck_table neon;
static once_flag filled = ONCE_FLAG_INIT;

static void fill(void) {
    neon = *ck_portable();
    neon.name = "neon";
    neon.gemm_packed = gemm_packed;
    neon.gemm_int8 = gemm_int8;
}

// Every 64-bit ARM has NEON.
const struct ck_table *ck_neon(void) {
    call_once(&filled, fill);
    return &neon;
}
#else
const struct ck_table *ck_neon(void) { return NULL; }
#endif
