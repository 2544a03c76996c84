// Bodies that the compiler vectorises for whatever instructions the functions have that include them: numbers made of counts.
#ifndef CK_FEATURES_H
#define CK_FEATURES_H

#include "CKernels.h"

#include <math.h>
#include <string.h>

#define CK_INLINE_BODY static inline __attribute__((always_inline))

// log x for finite x > 0 that is not subnormal, NaN for others: Cephes' polynomial between the square roots of 1/2 and 2.
CK_INLINE_BODY float ck_log_one(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const int32_t exponent = (int32_t)(bits - 0x3f3504f3u) >> 23;
    bits -= (uint32_t)exponent << 23;
    float m;
    memcpy(&m, &bits, sizeof m);
    m -= 1;
    const float square = m * m;
    float p = 7.0376836292e-2f;
    p = p * m - 1.1514610310e-1f;
    p = p * m + 1.1676998740e-1f;
    p = p * m - 1.2420140846e-1f;
    p = p * m + 1.4249322787e-1f;
    p = p * m - 1.6668057665e-1f;
    p = p * m + 2.0000714765e-1f;
    p = p * m - 2.4999993993e-1f;
    p = p * m + 3.3333331174e-1f;
    const float e = (float)exponent;
    const float y = m + (p * m * square - 2.12194440e-4f * e - 0.5f * square) + 0.693359375f * e;
    return x > 0 && x <= 3.4028234664e38f ? y : NAN;
}

// See ck_table.log_plus_one. What rounding 1 + x loses is made up for.
CK_INLINE_BODY void ck_log_plus_one_body(const float *x, float *y, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const float sum = 1 + x[i];
        y[i] = ck_log_one(sum) + (x[i] - (sum - 1)) / sum;
    }
}

// See ck_table.log_odds.
CK_INLINE_BODY void ck_log_odds_body(
    const float *successes, const float *trials, float a, float b, float base, float *odds, size_t n) {
    for (size_t i = 0; i < n; i++) {
        const float others = trials[i] - successes[i];
        const float value = ck_log_one((successes[i] + a) / ((others > 0 ? others : 0) + b)) - base;
        odds[i] = trials[i] > 0 ? value : NAN;
    }
}

// See ck_table.windowed_counts.
CK_INLINE_BODY void ck_windowed_counts_body(
    const struct ck_window *window, const int32_t *entities, size_t n, float unknown,
    float *restrict counts) {
    const struct ck_window w = *window;
    for (size_t i = 0; i < n; i++) {
        const size_t entity = entities[i] >= 0 ? (size_t)entities[i] : 0;
        const float current = w.values[entity * w.values_row];
        const float previous = w.values[entity * w.values_row + w.previous];
        const int32_t slot = w.slots[entity * w.slots_row];
        // A thing's slot beyond the moment's is of a newer clock: then both lie in the window.
        const float current_share = slot >= w.slot ? 1 : slot == w.slot - 1 ? w.current_share : 0;
        const float previous_share = slot > w.slot ? 1 : slot == w.slot ? w.previous_share : 0;
        const float count = current * current_share + previous * previous_share;
        counts[i] = entities[i] >= 0 ? count : unknown;
    }
}

// See ck_table.standardise.
CK_INLINE_BODY void ck_standardise_body(
    const float *x, float mean, float deviation, float limit, float *y, size_t y_row, size_t n) {
    for (size_t i = 0; i < n; i++) {
        float value = (x[i] - mean) / deviation;
        value = value < -limit ? -limit : value;
        value = value > limit ? limit : value;
        y[i * y_row] = x[i] == x[i] ? value : 0;
    }
}

// The functions of the table, with a processor's instructions.
#define CK_FEATURE_FUNCTIONS(TARGET)                                                                                    \
    TARGET static void log_plus_one(const float *x, float *y, size_t n) { ck_log_plus_one_body(x, y, n); }              \
    TARGET static void log_odds(                                                                                        \
        const float *successes, const float *trials, float a, float b, float base, float *odds, size_t n) {             \
        ck_log_odds_body(successes, trials, a, b, base, odds, n);                                                       \
    }                                                                                                                   \
    TARGET static void windowed_counts(                                                                                 \
        const struct ck_window *window, const int32_t *entities, size_t n, float unknown, float *counts) {              \
        ck_windowed_counts_body(window, entities, n, unknown, counts);                                                  \
    }                                                                                                                   \
    TARGET static void standardise(                                                                                     \
        const float *x, float mean, float deviation, float limit, float *y, size_t y_row, size_t n) {                   \
        ck_standardise_body(x, mean, deviation, limit, y, y_row, n);                                                    \
    }

#endif
