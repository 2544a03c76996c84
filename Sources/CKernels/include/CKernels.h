// Numeric kernels behind one explicit dispatch table. All matrices are dense, row-major float32 unless said otherwise.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#define CK_PANEL 16         // Columns of a packed panel: two AVX2 registers.
#define CK_STRIP 6          // Rows of a tile.
#define CK_BLOCK_K 256      // Depth of a packed block: one panel (16 KiB) stays in the first-level cache.
#define CK_BLOCK_M 256      // Columns of a packed block: the block (256 KiB) stays in the second-level cache.
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

struct ck_adam {
    float learning_rate;    // already multiplied by the bias corrections: lr * sqrt(1 - beta2^t) / (1 - beta1^t)
    float beta1, beta2;
    float epsilon;          // already multiplied by sqrt(1 - beta2^t)
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

    // Positions i with scores[i] >= threshold, ascending; NaN never passes. positions has room for n.
    size_t (*collect)(const float *scores, size_t n, float threshold, uint32_t *positions);

    // One step from gradient g: m, v are running moments; accumulator is the sum of squares.
    void (*adam)(const struct ck_adam *rule, const float *g, float *w, float *m, float *v, size_t n);
    void (*adagrad)(float learning_rate, float epsilon, const float *g, float *w, float *accumulator, size_t n);
};

const struct ck_table *ck_portable(void);
// Null when the processor or the build has no AVX2 and FMA.
const struct ck_table *_Nullable ck_avx2(void);
// The best for this processor, or what TRIBUTARY_KERNELS=portable|avx2 names when the processor has it.
const struct ck_table *ck_select(void);

// Asks for n floats to be brought into the cache.
void ck_prefetch(const float *x, size_t n);

// Floats that ck_pack writes for a [k, m] matrix.
size_t ck_packed_size(size_t k, size_t m);
// b element (p, j) at b[p * b_row + j * b_column] -> panels [m / 16][k][16], zero padded; a single column stays a plain vector.
void ck_pack(const float *b, size_t b_row, size_t b_column, size_t k, size_t m, float *panels);

// gemm_packed for an unpacked b, packed block by block into scratch (CK_GEMM_SCRATCH floats).
void ck_gemm(
    const struct ck_table *table, const float *a, size_t a_row, size_t a_column, const float *b, size_t b_row,
    size_t b_column, const float *_Nullable bias, int activation, int accumulate, float *c, size_t c_row, size_t n, size_t k,
    size_t m, float *scratch);

#pragma clang assume_nonnull end

#endif
