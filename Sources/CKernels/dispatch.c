#include "CKernels.h"

#include <stdlib.h>
#include <string.h>

// From the best to the plainest.
static const struct ck_table *_Nullable (*const tables[])(void) = {
    ck_avx512, ck_avx2, ck_neon,
};

const struct ck_table *ck_select(void) {
    const char *wanted = getenv("TRIBUTARY_KERNELS");
    const struct ck_table *best = NULL;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        const struct ck_table *table = tables[i]();
        if (table == NULL) continue;
        if (wanted != NULL && strcmp(wanted, table->name) == 0) return table;
        if (best == NULL) best = table;
    }
    if (best == NULL || (wanted != NULL && strcmp(wanted, "portable") == 0)) return ck_portable();
    return best;
}

void ck_prefetch(const float *x, size_t n) {
    // 16 floats to a cache line; the last float may begin one more.
    for (size_t i = 0; i < n; i += 16) __builtin_prefetch(x + i);
    if (n > 0) __builtin_prefetch(x + n - 1);
}
