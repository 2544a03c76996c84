// Selection of candidates by histograms: no branch depends on a score.
#include "CKernels.h"

#include <math.h>
#include <string.h>

#define BUCKETS 512

uint16_t ck_keep_sums(
    uint16_t *sums, uint32_t *positions, size_t count, size_t keep, uint16_t low, uint32_t *histogram) {
    uint16_t greatest = low;
    for (size_t i = 0; i < count; i++) greatest = sums[i] > greatest ? sums[i] : greatest;
    memset(histogram + low, 0, ((size_t)greatest - low + 1) * sizeof *histogram);
    for (size_t i = 0; i < count; i++) histogram[sums[i]]++;
    uint16_t least = greatest;
    size_t better = 0;
    while (better + histogram[least] < keep) better += histogram[least--];
    size_t equal = keep - better, kept = 0;
    for (size_t i = 0; i < count; i++) {
        uint16_t sum = sums[i];
        size_t ties = (sum == least) & (equal > 0), taken = (sum > least) | ties;
        equal -= ties;
        sums[kept] = sum;
        positions[kept] = positions[i];
        kept += taken;
    }
    return least;
}

float ck_bar(const float *scores, size_t n, size_t keep) {
    float low = scores[0], high = scores[0];
    for (size_t i = 1; i < n; i++) {
        low = scores[i] < low ? scores[i] : low;
        high = scores[i] > high ? scores[i] : high;
    }
    float factor = BUCKETS / (high - low);
    if (!(high > low) || !isfinite(factor)) return low;
    uint32_t histogram[BUCKETS + 1] = {0};
    for (size_t i = 0; i < n; i++) histogram[(int)((high - scores[i]) * factor)]++;
    size_t bucket = 0, reached = histogram[0];
    while (reached < keep && bucket < BUCKETS) reached += histogram[++bucket];
    // A hundredth of a bucket more than the bucket's end: rounding must not keep its last out.
    float bar = high - ((float)bucket + 1.01f) / factor;
    return bar > low ? bar : low;
}

size_t ck_keep_scores(float *scores, uint32_t *positions, size_t count, float bar) {
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        float score = scores[i];
        scores[kept] = score;
        positions[kept] = positions[i];
        kept += score >= bar;
    }
    return kept;
}
