// Products of bytes: packing, and the plain form of the kernels.
#include "portable.h"

#include <math.h>
#include <string.h>

#define WEIGHT_MAX 63.0f
#define VALUE_MAX 127.0f

static size_t least(size_t x, size_t y) { return x < y ? x : y; }

size_t ck_int8_depth(size_t k) { return (k + 7) / 8 * 8; }

size_t ck_packed_int8_size(size_t k, size_t m) {
    return (m + CK_PANEL - 1) / CK_PANEL * CK_PANEL * ck_int8_depth(k);
}

static void pack_column(
    const float *b, size_t b_row, size_t k, int8_t *column, float *scale, float *sum) {
    float greatest = 0;
    for (size_t p = 0; p < k; p++) greatest = fmaxf(greatest, fabsf(b[p * b_row]));
    float inverse = greatest > CK_RANGE_MIN ? WEIGHT_MAX / greatest : 0;
    long total = 0;
    for (size_t p = 0; p < k; p++) {
        long value = lrintf(b[p * b_row] * inverse);
        column[p / 4 * (4 * CK_PANEL) + p % 4] = (int8_t)value;
        total += value;
    }
    *scale = greatest / WEIGHT_MAX;
    *sum = *scale * (float)total;
}

void ck_pack_int8(
    const float *b, size_t b_row, size_t b_column, size_t k, size_t m, int8_t *panels, float *scale, float *sum) {
    memset(panels, 0, ck_packed_int8_size(k, m));
    for (size_t j = 0; j < m; j++) {
        int8_t *panel = panels + j / CK_PANEL * CK_PANEL * ck_int8_depth(k);
        pack_column(b + j * b_column, b_row, k, panel + j % CK_PANEL * 4, scale + j, sum + j);
    }
}

void ck_portable_quantize(
    const float *x, size_t x_row, size_t n, size_t k, uint8_t *q, size_t q_row, float *scale, float *offset) {
    for (size_t i = 0; i < n; i++, x += x_row, q += q_row) {
        float low = k > 0 ? x[0] : 0, high = low;
        for (size_t p = 1; p < k; p++) {
            low = x[p] < low ? x[p] : low;
            high = x[p] > high ? x[p] : high;
        }
        float inverse = high - low > CK_RANGE_MIN ? VALUE_MAX / (high - low) : 0;
        for (size_t p = 0; p < k; p++) q[p] = (uint8_t)lrintf((x[p] - low) * inverse);
        for (size_t p = k; p < ck_int8_depth(k); p++) q[p] = 0;
        scale[i] = (high - low) / VALUE_MAX;
        offset[i] = low;
    }
}

void ck_portable_gemm_int8(
    const struct ck_int8_rows *a, const struct ck_int8_matrix *b, const float *bias, int activation, int accumulate,
    float *c, size_t c_row) {
    size_t depth = ck_int8_depth(b->k);
    for (size_t i = 0; i < a->n; i++) {
        const uint8_t *row = a->values + i * a->row;
        for (size_t j = 0; j < b->m; j += CK_PANEL) {
            int32_t sums[CK_PANEL] = {0};
            const int8_t *panel = b->panels + j * depth;
            for (size_t p = 0; p < depth; p += 4)
                for (size_t t = 0; t < CK_PANEL; t++)
                    for (size_t u = 0; u < 4; u++) sums[t] += row[p + u] * panel[p * CK_PANEL + 4 * t + u];
            for (size_t t = 0; t < least(CK_PANEL, b->m - j); t++) {
                float *target = c + i * c_row + j + t;
                float start = accumulate ? *target : bias ? bias[j + t] : 0;
                start += a->offset[i] * b->sum[j + t];
                *target = ck_activate_one(activation, (float)sums[t] * b->scale[j + t] * a->scale[i] + start);
            }
        }
    }
}
