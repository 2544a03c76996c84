// Numeric kernels behind one explicit dispatch table. All matrices are dense, row-major float32 unless said otherwise.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "ck_search.h"

#define CK_PANEL 16         // Columns of a packed panel: two AVX2 registers.
#define CK_STRIP 6          // Rows of a tile.
#define CK_BLOCK_K 256      // Depth of a packed block: one panel (16 KiB) stays in the first-level cache.
#define CK_BLOCK_M 256      // Columns of a packed block: the block (256 KiB) stays in the second-level cache.
#define CK_RANGE_MIN 1e-30f // Values that differ by less are one value to quantisation; its inverse would overflow.
#define CK_GEMM_SCRATCH (CK_BLOCK_K * CK_BLOCK_M)

#pragma clang assume_nonnull begin

enum ck_activation {
    CK_IDENTITY = 0,
    CK_RELU = 1,
    CK_LEAKY_RELU = 2,      // slope 0.01 below zero
    CK_SIGMOID = 3,
    CK_TANH = 4,
    CK_TWICE_SIGMOID = 5,
};

// A [k, m] matrix of weights in -63...63, column j standing for scale[j] times them, packed by ck_pack_int8.
struct ck_int8_matrix {
    const int8_t *panels;   // [m / 16][ck_int8_depth(k) / 4][16][4]: four rows of a column side by side, zero padded
    const float *scale;     // [m]
    const float *sum;       // [m]: scale[j] times the sum of column j
    size_t k, m;
};

// [n, k] rows in 0...127, row i standing for scale[i] * q + offset[i]. Rows lie `row` bytes apart, row >= ck_int8_depth(k).
struct ck_int8_rows {
    const uint8_t *values;
    size_t row;
    const float *scale, *offset;  // [n]
    size_t n;
};

struct ck_adam {
    float learning_rate;    // already multiplied by the bias corrections: lr * sqrt(1 - beta2^t) / (1 - beta1^t)
    float beta1, beta2;
    float epsilon;          // already multiplied by sqrt(1 - beta2^t)
};

// One counter of one window of many things, each counted in the window's current slot and in the one before it.
struct ck_window {
    const float *values;         // the current slot's count of thing i at i * values_row, the previous one's `previous` after it
    size_t values_row, previous;
    const int32_t *slots;        // the number of thing i's current slot at i * slots_row
    size_t slots_row;
    int32_t slot;                // the slot of the moment that is asked about
    float previous_share;        // what of the slot before it lies in the window
    float current_share;         // what of a thing's current slot does when that is the slot before the moment's
};

// One implementation of every kernel. Pointers need no alignment; sizes may be zero.
struct ck_table {
    const char *name;

    // c[n, m] = activation(a[n, k] * b[k, m] + bias[m]), a element (i, p) at a[i * a_row + p * a_column]. b is rows
    // first ..< first + k of a [depth, m] matrix packed by ck_pack; panels points at row `first` of the first panel.
    // With `accumulate` the old c takes the place of the bias. bias may be null.
    void (*gemm_packed)(
        const float *a, size_t a_row, size_t a_column, const float *panels, size_t depth, const float *_Nullable bias,
        int activation, int accumulate, float *c, size_t c_row, size_t n, size_t k, size_t m);

    // Rows of x [n, k], x_row floats apart, to 0...127: 0 is the row's least value, 127 its greatest. Writes whole rows of
    // ck_int8_depth(k) bytes, q_row bytes apart.
    void (*quantize)(
        const float *x, size_t x_row, size_t n, size_t k, uint8_t *q, size_t q_row, float *scale, float *offset);
    // c[n, m] = activation(a * b + bias); with `accumulate` the old c takes the place of the bias. Products are summed as
    // integers, exactly: 127 * 63 * 4 < 2^15, so that four of them fit 16 bits.
    void (*gemm_int8)(
        const struct ck_int8_rows *a, const struct ck_int8_matrix *b, const float *_Nullable bias, int activation,
        int accumulate, float *c, size_t c_row);

    // mixed[t][i][j] = sum_e w_e values[i][e][j], w being gates[i][t][0 ..< experts] divided by their total.
    void (*mix)(
        const float *values, const float *gates, size_t n, size_t tasks, size_t experts, size_t width, float *mixed);
    // Rows p < d of panels packed for a depth of `depth` rows: mixed = start + x[p] * product.
    void (*scale_panels)(
        const float *x, const float *product, const float *start, size_t d, size_t depth, size_t panels, float *mixed);

    float (*dot)(const float *x, const float *y, size_t n);
    float (*sum)(const float *x, size_t n);
    float (*maximum)(const float *x, size_t n);    // -inf when n is 0

    // scores[i] = dot(query, rows + i * stride), i < n
    void (*scan)(const float *query, const float *rows, size_t stride, size_t n, size_t d, float *scores);
    // scores[q * n + i] = dot(queries + q * d, rows + i * d)
    void (*scan_many)(const float *queries, size_t count, const float *rows, size_t n, size_t d, float *scores);
    // The same over bytes in -127...127, exact.
    void (*scan_int8)(const int8_t *query, const int8_t *rows, size_t n, size_t d, int32_t *scores);

    void (*axpy)(float alpha, const float *x, float *y, size_t n);                  // y += alpha * x
    void (*scale)(float alpha, const float *x, float *y, size_t n);                 // y = alpha * x
    void (*multiply)(const float *x, const float *y, float *z, size_t n);           // z = x * y
    void (*multiply_add)(const float *x, const float *y, float *z, size_t n);       // z += x * y

    void (*activate)(int activation, const float *x, float *y, size_t n);
    // dx = dy * f'(x), expressed by y = f(x)
    void (*activate_gradient)(int activation, const float *y, const float *dy, float *dx, size_t n);
    void (*exponential)(const float *x, float offset, float *y, size_t n);          // y = exp(x + offset)

    // y = log(1 + x) for x > -1, NaN for others; the same whatever n.
    void (*log_plus_one)(const float *x, float *y, size_t n);
    // odds = log((successes + a) / (trials - successes + b)) - base, without failures below 0; NaN without trials.
    void (*log_odds)(
        const float *successes, const float *trials, float a, float b, float base, float *odds, size_t n);
    // What the window has of each entity: `unknown` for entities below 0.
    void (*windowed_counts)(
        const struct ck_window *window, const int32_t *entities, size_t n, float unknown, float *counts);
    // y[i * y_row] = (x[i] - mean) / deviation within -limit...limit, 0 for NaN.
    void (*standardise)(
        const float *x, float mean, float deviation, float limit, float *y, size_t y_row, size_t n);

    // Positions i with scores[i] >= threshold, ascending; NaN never passes. positions has room for n.
    size_t (*collect)(const float *scores, size_t n, float threshold, uint32_t *positions);

    // One step from gradient g: m, v are running moments; accumulator is the sum of squares.
    void (*adam)(const struct ck_adam *rule, const float *g, float *w, float *m, float *v, size_t n);
    void (*adagrad)(float learning_rate, float epsilon, const float *g, float *w, float *accumulator, size_t n);
};

const struct ck_table *ck_portable(void);
// Null when the processor or the build has no AVX2 and FMA.
const struct ck_table *_Nullable ck_avx2(void);
// The same with 512-bit registers for products, and with VNNI for those of bytes when the processor has it; null without
// AVX-512 F, BW, DQ and VL.
const struct ck_table *_Nullable ck_avx512(void);
// Null when the processor is no 64-bit ARM.
const struct ck_table *_Nullable ck_neon(void);
// The best for this processor, or what TRIBUTARY_KERNELS=portable|avx2|avx512|neon names when it has it.
const struct ck_table *ck_select(void);

// Asks for n floats to be brought into the cache.
void ck_prefetch(const float *x, size_t n);

// Row i of y, y_row floats from the one before, is row rows[i] of a [table_rows, width] table. Returns how many were copied:
// fewer than n when the next one is not in the table. Rows that are not there may be asked for, but are not read.
size_t ck_gather_rows(
    const float *table, size_t table_rows, size_t width, const uint32_t *rows, size_t n, float *y, size_t y_row);

// Floats that ck_pack writes for a [k, m] matrix.
size_t ck_packed_size(size_t k, size_t m);
// b element (p, j) at b[p * b_row + j * b_column] -> panels [m / 16][k][16], zero padded; a single column stays a plain vector.
void ck_pack(const float *b, size_t b_row, size_t b_column, size_t k, size_t m, float *panels);

// Bytes of a quantised row of k values: k rounded up to eight.
size_t ck_int8_depth(size_t k);
// Bytes that ck_pack_int8 writes for a [k, m] matrix.
size_t ck_packed_int8_size(size_t k, size_t m);
// Quantises and packs b, element (p, j) at b[p * b_row + j * b_column]: columns by their greatest magnitude.
void ck_pack_int8(
    const float *b, size_t b_row, size_t b_column, size_t k, size_t m, int8_t *panels, float *scale, float *sum);

// x = exp(x - the greatest of its group), for groups of `size` neighbours: weights of a softmax, not yet divided.
void ck_exponential_groups(const struct ck_table *table, float *x, size_t groups, size_t size);

// gemm_packed for an unpacked b, packed block by block into scratch (CK_GEMM_SCRATCH floats).
void ck_gemm(
    const struct ck_table *table, const float *a, size_t a_row, size_t a_column, const float *b, size_t b_row,
    size_t b_column, const float *_Nullable bias, int activation, int accumulate, float *c, size_t c_row, size_t n, size_t k,
    size_t m, float *scratch);

#pragma clang assume_nonnull end

#endif
