// The plain form of every kernel: what runs on other processors, and what the fast forms are tested against.
#include "portable.h"
#include "features.h"
#include "mixture.h"

#include <math.h>

float ck_activate_one(int activation, float x) {
    switch (activation) {
        case CK_RELU: return x > 0 ? x : 0;
        case CK_LEAKY_RELU: return x > 0 ? x : 0.01f * x;
        case CK_SIGMOID: return 1 / (1 + expf(-x));
        case CK_TANH: return tanhf(x);
        case CK_TWICE_SIGMOID: return 2 / (1 + expf(-x));
        default: return x;
    }
}

static float slope_one(int activation, float y) {
    switch (activation) {
        case CK_RELU: return y > 0 ? 1 : 0;
        case CK_LEAKY_RELU: return y > 0 ? 1 : 0.01f;
        case CK_SIGMOID: return y * (1 - y);
        case CK_TANH: return 1 - y * y;
        case CK_TWICE_SIGMOID: return y * (1 - 0.5f * y);
        default: return 1;
    }
}

static void gemm_packed(
    const float *a, size_t a_row, size_t a_column, const float *panels, size_t depth, const float *bias,
    int activation, int accumulate, float *c, size_t c_row, size_t n, size_t k, size_t m) {
    size_t step = m == 1 ? 1 : CK_PANEL;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < m; j += step) {
            size_t width = m - j < step ? m - j : step;
            float row[CK_PANEL];
            for (size_t t = 0; t < width; t++)
                row[t] = accumulate ? c[i * c_row + j + t] : bias ? bias[j + t] : 0;
            for (size_t p = 0; p < k; p++) {
                float x = a[i * a_row + p * a_column];
                for (size_t t = 0; t < width; t++) row[t] += x * panels[j * depth + p * step + t];
            }
            for (size_t t = 0; t < width; t++) c[i * c_row + j + t] = ck_activate_one(activation, row[t]);
        }
    }
}

static void mix(
    const float *values, const float *gates, size_t n, size_t tasks, size_t experts, size_t width, float *mixed) {
    ck_mix_body(values, gates, n, tasks, experts, width, mixed);
}

static void scale_panels(
    const float *x, const float *product, const float *start, size_t d, size_t depth, size_t panels, float *mixed) {
    for (size_t q = 0; q < panels; q++) {
        for (size_t p = 0; p < d; p++) {
            const size_t first = (q * depth + p) * CK_PANEL;
            for (size_t t = first; t < first + CK_PANEL; t++) mixed[t] = start[t] + x[p] * product[t];
        }
    }
}

static float dot(const float *x, const float *y, size_t n) {
    float s[4] = {0, 0, 0, 0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t t = 0; t < 4; t++) s[t] += x[i + t] * y[i + t];
    for (; i < n; i++) s[0] += x[i] * y[i];
    return (s[0] + s[1]) + (s[2] + s[3]);
}

static float sum(const float *x, size_t n) {
    float s[4] = {0, 0, 0, 0};
    size_t i = 0;
    for (; i + 4 <= n; i += 4)
        for (size_t t = 0; t < 4; t++) s[t] += x[i + t];
    for (; i < n; i++) s[0] += x[i];
    return (s[0] + s[1]) + (s[2] + s[3]);
}

static float maximum(const float *x, size_t n) {
    float best = -INFINITY;
    for (size_t i = 0; i < n; i++) best = x[i] > best ? x[i] : best;
    return best;
}

static void scan(const float *query, const float *rows, size_t stride, size_t n, size_t d, float *scores) {
    for (size_t i = 0; i < n; i++) scores[i] = dot(query, rows + i * stride, d);
}

static void scan_many(const float *queries, size_t count, const float *rows, size_t n, size_t d, float *scores) {
    for (size_t q = 0; q < count; q++) scan(queries + q * d, rows, d, n, d, scores + q * n);
}

static void scan_int8(const int8_t *query, const int8_t *rows, size_t n, size_t d, int32_t *scores) {
    for (size_t i = 0; i < n; i++) {
        int32_t s = 0;
        for (size_t p = 0; p < d; p++) s += query[p] * rows[i * d + p];
        scores[i] = s;
    }
}

static void axpy(float alpha, const float *x, float *y, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] += alpha * x[i];
}

static void scale(float alpha, const float *x, float *y, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] = alpha * x[i];
}

static void multiply(const float *x, const float *y, float *z, size_t n) {
    for (size_t i = 0; i < n; i++) z[i] = x[i] * y[i];
}

static void multiply_add(const float *x, const float *y, float *z, size_t n) {
    for (size_t i = 0; i < n; i++) z[i] += x[i] * y[i];
}

static void activate(int activation, const float *x, float *y, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] = ck_activate_one(activation, x[i]);
}

static void activate_gradient(int activation, const float *y, const float *dy, float *dx, size_t n) {
    for (size_t i = 0; i < n; i++) dx[i] = dy[i] * slope_one(activation, y[i]);
}

static void exponential(const float *x, float offset, float *y, size_t n) {
    for (size_t i = 0; i < n; i++) y[i] = expf(x[i] + offset);
}

static size_t collect(const float *scores, size_t n, float threshold, uint32_t *positions) {
    size_t found = 0;
    for (size_t i = 0; i < n; i++)
        if (scores[i] >= threshold) positions[found++] = (uint32_t)i;
    return found;
}

static void adam(const struct ck_adam *rule, const float *g, float *w, float *m, float *v, size_t n) {
    for (size_t i = 0; i < n; i++) {
        m[i] = rule->beta1 * m[i] + (1 - rule->beta1) * g[i];
        v[i] = rule->beta2 * v[i] + (1 - rule->beta2) * g[i] * g[i];
        w[i] -= rule->learning_rate * m[i] / (sqrtf(v[i]) + rule->epsilon);
    }
}

static void adagrad(float learning_rate, float epsilon, const float *g, float *w, float *accumulator, size_t n) {
    for (size_t i = 0; i < n; i++) {
        accumulator[i] += g[i] * g[i];
        w[i] -= learning_rate * g[i] / (sqrtf(accumulator[i]) + epsilon);
    }
}

CK_FEATURE_FUNCTIONS()

static const struct ck_table portable = {
    .name = "portable",
    .gemm_packed = gemm_packed,
    .quantize = ck_portable_quantize,
    .gemm_int8 = ck_portable_gemm_int8,
    .mix = mix,
    .scale_panels = scale_panels,
    .dot = dot,
    .sum = sum,
    .maximum = maximum,
    .scan = scan,
    .scan_many = scan_many,
    .scan_int8 = scan_int8,
    .axpy = axpy,
    .scale = scale,
    .multiply = multiply,
    .multiply_add = multiply_add,
    .activate = activate,
    .activate_gradient = activate_gradient,
    .exponential = exponential,
    .log_plus_one = log_plus_one,
    .log_odds = log_odds,
    .windowed_counts = windowed_counts,
    .standardise = standardise,
    .collect = collect,
    .adam = adam,
    .adagrad = adagrad,
};

const struct ck_table *ck_portable(void) { return &portable; }
