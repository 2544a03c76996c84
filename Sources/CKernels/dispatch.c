#include "CKernels.h"

#include <stdlib.h>
#include <string.h>

const struct ck_table *ck_select(void) {
    const struct ck_table *best = ck_avx2();
    const char *wanted = getenv("TRIBUTARY_KERNELS");
    if (best == NULL || (wanted != NULL && strcmp(wanted, "portable") == 0)) return ck_portable();
    return best;
}
