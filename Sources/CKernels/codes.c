// Product quantisation: encoding, and the tables of a query. Plain loops over 16 codewords at a time.
#include "CKernels.h"

#include <math.h>

float ck_code_tables(
    const float *query, const float *codebook, size_t m, size_t width, uint8_t *tables, float *work) {
    float range = 0;
    for (size_t j = 0; j < m; j++) {
        float *sums = work + j * CK_CODES;
        for (size_t c = 0; c < CK_CODES; c++) sums[c] = 0;
        for (size_t t = 0; t < width; t++) {
            float x = query[j * width + t];
            const float *words = codebook + (j * width + t) * CK_CODES;
            for (size_t c = 0; c < CK_CODES; c++) sums[c] += x * words[c];
        }
        float low = sums[0], high = sums[0];
        for (size_t c = 1; c < CK_CODES; c++) {
            low = sums[c] < low ? sums[c] : low;
            high = sums[c] > high ? sums[c] : high;
        }
        for (size_t c = 0; c < CK_CODES; c++) sums[c] -= low;
        range = high - low > range ? high - low : range;
    }
    float factor = range > 0 ? CK_TABLE_MAX / range : 0;
    // Where a code's two copies lie within the eight tables of its four.
    static const size_t places[4] = {0, 4, 2, 6};
    for (size_t j = 0; j < m; j++) {
        uint8_t *target = tables + (j / 4 * 8 + places[j % 4]) * CK_CODES;
        for (size_t c = 0; c < CK_CODES; c++) {
            float entry = work[j * CK_CODES + c] * factor + 0.5f;
            target[c] = target[CK_CODES + c] = (uint8_t)(int)(entry < CK_TABLE_MAX ? entry : CK_TABLE_MAX);
        }
    }
    return factor;
}

static size_t least(const float *costs) {
    size_t best = 0;
    for (size_t c = 1; c < CK_CODES; c++) best = costs[c] < costs[best] ? c : best;
    return best;
}

static size_t nearest(const float *point, const float *codewords, size_t width) {
    float costs[CK_CODES] = {0};
    for (size_t t = 0; t < width; t++) {
        for (size_t c = 0; c < CK_CODES; c++) {
            float e = point[t] - codewords[t * CK_CODES + c];
            costs[c] += e * e;
        }
    }
    return least(costs);
}

void ck_nearest_codes(const float *points, const float *codewords, size_t n, size_t width, uint8_t *codes) {
    for (size_t i = 0; i < n; i++) codes[i] = (uint8_t)nearest(points + i * width, codewords, width);
}

// The part of e . u that code `code` of one subspace leaves.
static float part(const float *residual, const float *direction, const float *words, size_t width, size_t code) {
    float sum = 0;
    for (size_t t = 0; t < width; t++) sum += (residual[t] - words[t * CK_CODES + code]) * direction[t];
    return sum;
}

// Chooses one subspace's code given that the others leave e . u = rest.
static size_t choose(
    const float *residual, const float *direction, const float *words, size_t width, float weight, float rest) {
    float costs[CK_CODES] = {0}, along[CK_CODES] = {0};
    for (size_t t = 0; t < width; t++) {
        for (size_t c = 0; c < CK_CODES; c++) {
            float e = residual[t] - words[t * CK_CODES + c];
            costs[c] += e * e;
            along[c] += e * direction[t];
        }
    }
    for (size_t c = 0; c < CK_CODES; c++) costs[c] += weight * (rest + along[c]) * (rest + along[c]);
    return least(costs);
}

void ck_anisotropic_codes(
    const float *residual, const float *direction, const float *codebook, size_t m, size_t width, float eta,
    int sweeps, uint8_t *codes) {
    float total = 0;
    for (size_t j = 0; j < m; j++) {
        const float *words = codebook + j * width * CK_CODES;
        codes[j] = (uint8_t)nearest(residual + j * width, words, width);
        total += part(residual + j * width, direction + j * width, words, width, codes[j]);
    }
    if (!(eta > 1)) return;
    int changed = 1;
    for (int sweep = 0; sweep < sweeps && changed; sweep++) {
        changed = 0;
        for (size_t j = 0; j < m; j++) {
            const float *r = residual + j * width, *u = direction + j * width;
            const float *words = codebook + j * width * CK_CODES;
            float rest = total - part(r, u, words, width, codes[j]);
            size_t code = choose(r, u, words, width, eta - 1, rest);
            changed |= code != codes[j];
            codes[j] = (uint8_t)code;
            total = rest + part(r, u, words, width, code);
        }
    }
}

void ck_fold_maximum(const float *scores, size_t n, size_t width, float *columns) {
    for (size_t j = 0; j < width; j++) columns[j] = -INFINITY;
    for (size_t i = 0; i < n; i += width) {
        size_t count = n - i < width ? n - i : width;
        for (size_t j = 0; j < count; j++) columns[j] = scores[i + j] > columns[j] ? scores[i + j] : columns[j];
    }
}
