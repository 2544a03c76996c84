// Prints the core's greatest rate of float32 arithmetic in GFLOP/s: independent multiply-adds on registers, the widest that
// the processor has, the best of several runs. 0 where it does not know how to measure.
#include <stdio.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

#if defined(__x86_64__)
#define TWELVE(r)                                                                                                \
    "vfmadd231ps %%" r "14,%%" r "15,%%" r "0\n\tvfmadd231ps %%" r "14,%%" r "15,%%" r "1\n\t"                       \
    "vfmadd231ps %%" r "14,%%" r "15,%%" r "2\n\tvfmadd231ps %%" r "14,%%" r "15,%%" r "3\n\t"                       \
    "vfmadd231ps %%" r "14,%%" r "15,%%" r "4\n\tvfmadd231ps %%" r "14,%%" r "15,%%" r "5\n\t"                       \
    "vfmadd231ps %%" r "14,%%" r "15,%%" r "6\n\tvfmadd231ps %%" r "14,%%" r "15,%%" r "7\n\t"                       \
    "vfmadd231ps %%" r "14,%%" r "15,%%" r "8\n\tvfmadd231ps %%" r "14,%%" r "15,%%" r "9\n\t"                       \
    "vfmadd231ps %%" r "14,%%" r "15,%%" r "10\n\tvfmadd231ps %%" r "14,%%" r "15,%%" r "11\n\t"
#define CLOBBERED                                                                                                \
    "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11"

__attribute__((target("avx512f"))) static double wide(long turns) {
    double start = now();
    for (long i = 0; i < turns; i++) __asm__ volatile(TWELVE("zmm")::: CLOBBERED);
    return 12.0 * 32 * (double)turns / (now() - start) / 1e9;
}

__attribute__((target("avx2,fma"))) static double narrow(long turns) {
    double start = now();
    for (long i = 0; i < turns; i++) __asm__ volatile(TWELVE("ymm")::: CLOBBERED);
    return 12.0 * 16 * (double)turns / (now() - start) / 1e9;
}

static double rate(void) {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) return wide(2000000);
    return __builtin_cpu_supports("fma") ? narrow(2000000) : 0;
}
#else
static double rate(void) { return 0; }
#endif

int main(void) {
    double best = 0;
    for (int i = 0; i < 15; i++) {
        double found = rate();
        if (found > best) best = found;
    }
    printf("%.1f\n", best);
    return 0;
}
