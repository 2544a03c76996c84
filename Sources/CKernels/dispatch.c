#include "CKernels.h"

#include <stdlib.h>
#include <string.h>

const struct ck_table *ck_select(void) {
    const struct ck_table *best = ck_avx2();
    const char *wanted = getenv("TRIBUTARY_KERNELS");
    if (best == NULL || (wanted != NULL && strcmp(wanted, "portable") == 0)) return ck_portable();
    return best;
}

void ck_prefetch(const float *x, size_t n) {
    // 16 floats to a cache line; the last float may begin one more.
    for (size_t i = 0; i < n; i += 16) __builtin_prefetch(x + i);
    if (n > 0) __builtin_prefetch(x + n - 1);
}
