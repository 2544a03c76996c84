// Kernels of nearest-neighbour search in compressed vectors. Included by CKernels.h.
#ifndef CK_SEARCH_H
#define CK_SEARCH_H

#include <stddef.h>
#include <stdint.h>

#define CK_BYTE_ROWS 16     // Rows of a block of bytes: 16 sums of 32 bits fill an AVX-512 register.
#define CK_CODE_ROWS 32     // Rows of a block of 4-bit codes.
#define CK_CODES 16         // What a 4-bit code can stand for.
#define CK_TABLE_MAX 63     // Largest table entry: four of them add up within 8 bits.

#pragma clang assume_nonnull begin

// A query rounded to bytes, in the forms that the kernels read it.
struct ck_byte_query {
    const int8_t *bytes;    // [4 * groups], zero padded
    const int16_t *pairs;   // [groups][4]: bytes 0, 2, 1, 3 of each group
    size_t groups;          // ceil(d / 4)
    int32_t offset;         // 128 * sum of the bytes
    float scale;            // what one unit stands for
};

// Which rows count: row r when bit `first + r` is set; all when `bits` is null. Readable up to 8 bytes past the last bit.
struct ck_rows {
    const uint64_t *_Nullable bits;
    size_t first;
};

struct ck_search_table {
    const char *name;

    // scores[r] = query.scale * scales[r] * sum_k (row[r][k] - 128) * query[k], -inf for rows that do not count. Rows lie in
    // blocks of 16: [groups][16][4] bytes, each value plus 128. scores has room for whole blocks; scales for n.
    void (*score_blocks)(
        const struct ck_byte_query *query, const uint8_t *blocks, const float *scales, size_t n, struct ck_rows rows,
        float *scores);

    // The same for n rows at `positions` of a plain [, d] matrix of bytes in -127...127.
    void (*score_byte_rows)(
        const struct ck_byte_query *query, const int8_t *matrix, const float *scales, size_t d,
        const uint32_t *positions, size_t n, float *scores);

    // scores[i] = dot(query, matrix + positions[i] * d), equal to `scan` of the same processor to the last bit.
    void (*score_rows)(
        const float *query, const float *matrix, size_t d, const uint32_t *positions, size_t n, float *scores);

    // Sums table entries by 4-bit codes, and appends every row that counts and whose sum + bias is at least `bar`: its
    // sum + bias, and position + r. Rows lie in blocks of 32: [m / 2][32] bytes, code 2i in the low half, 2i + 1 in the
    // high; m is a multiple of 4, sums stay below 32,768. tables: as ck_code_tables lays them out.
    // Returns how many were appended, at most n.
    size_t (*scan_codes)(
        const uint8_t *blocks, const uint8_t *tables, size_t m, size_t n, struct ck_rows rows, int32_t bias, int32_t bar,
        uint32_t position, uint16_t *sums, uint32_t *positions);
};

const struct ck_search_table *ck_search_portable(void);
// Null when the processor or the build has none of these.
const struct ck_search_table *_Nullable ck_search_avx2(void);
const struct ck_search_table *_Nullable ck_search_avx512(void);    // F, BW, VL, VNNI
const struct ck_search_table *_Nullable ck_search_neon(void);      // with dot products

// tables [m / 4][8][16] u8: for each four codes a, b, c, d the tables of a, a, c, c, b, b, d, d. Entries are
// (q . codeword - least of the table) * factor, rounded, where the factor makes the widest table's range CK_TABLE_MAX.
// query: [m * width]; codebook: [m][width][16]; work: [16 * m] floats.
// Returns the factor; 0 when all entries of a table are alike in all tables.
float ck_code_tables(
    const float *query, const float *codebook, size_t m, size_t width, uint8_t *tables, float *work);

// codes[i] = the nearest of 16 codewords [width][16] of point i [n, width]; the first of equally near ones.
void ck_nearest_codes(const float *points, const float *codewords, size_t n, size_t width, uint8_t *codes);

// Codes of a residual r [m * width] of x with unit direction u, by coordinate descent from the nearest codewords: the
// least |e|^2 + (eta - 1) (e . u)^2, e = r - codeword; eta 1 keeps the nearest (Guo et al. 2020). codes: [m].
void ck_anisotropic_codes(
    const float *residual, const float *direction, const float *codebook, size_t m, size_t width, float eta,
    int sweeps, uint8_t *codes);

// Keeps the `keep` greatest sums, of equal ones the first, in their order, with their positions; keep < count. None is below
// `low`. histogram: room for 65,536. Returns the least sum kept.
uint16_t ck_keep_sums(
    uint16_t *sums, uint32_t *positions, size_t count, size_t keep, uint16_t low, uint32_t *histogram);

// A bar that at least `keep` of n finite scores reach and, unless they lie very unevenly, hardly more; 0 < keep <= n.
float ck_bar(const float *scores, size_t n, size_t keep);

// Keeps the scores that reach the bar, in their order, with their positions. Returns how many.
size_t ck_keep_scores(float *scores, uint32_t *positions, size_t count, float bar);

// columns[j] = max over i of scores[i * width + j], j < width <= n; NaN never wins.
void ck_fold_maximum(const float *scores, size_t n, size_t width, float *columns);

#pragma clang assume_nonnull end

#endif
