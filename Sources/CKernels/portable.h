// Plain kernels that lie in files of their own.
#ifndef CK_PORTABLE_H
#define CK_PORTABLE_H

#include "CKernels.h"

float ck_activate_one(int activation, float x);

void ck_portable_quantize(
    const float *x, size_t x_row, size_t n, size_t k, uint8_t *q, size_t q_row, float *scale, float *offset);
void ck_portable_gemm_int8(
    const struct ck_int8_rows *a, const struct ck_int8_matrix *b, const float *bias, int activation, int accumulate,
    float *c, size_t c_row);

#endif
