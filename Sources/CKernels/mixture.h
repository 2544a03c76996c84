// A body that the compiler vectorises for whatever instructions the function has that includes it.
#ifndef CK_MIXTURE_H
#define CK_MIXTURE_H

#include <stddef.h>

#define CK_INLINE static inline __attribute__((always_inline))

// See ck_table.mix. Four experts at a time: the sum is then written once for all of them.
CK_INLINE void ck_mix_body(
    const float *values, const float *gates, size_t n, size_t tasks, size_t experts, size_t width, float *restrict mixed) {
    for (size_t i = 0; i < n; i++, values += experts * width) {
        for (size_t t = 0; t < tasks; t++, gates += experts) {
            float *restrict target = mixed + (t * n + i) * width;
            float total = 0;
            for (size_t e = 0; e < experts; e++) total += gates[e];
            const float share = 1 / total;
            for (size_t j = 0; j < width; j++) target[j] = 0;
            size_t e = 0;
            for (; e + 4 <= experts; e += 4) {
                const float *v = values + e * width;
                const float a = gates[e] * share, b = gates[e + 1] * share;
                const float c = gates[e + 2] * share, d = gates[e + 3] * share;
                for (size_t j = 0; j < width; j++)
                    target[j] += (a * v[j] + b * v[width + j]) + (c * v[2 * width + j] + d * v[3 * width + j]);
            }
            for (; e < experts; e++)
                for (size_t j = 0; j < width; j++) target[j] += gates[e] * share * values[e * width + j];
        }
    }
}

#endif
