// The matrix product: a block of up to MAX_ROWS rows times one packed panel of PANEL columns, all sums in registers. Weights that
// will be wanted later are asked for on the way, from `ahead` on, `aheadStep` floats further with every input.

// There are two kinds of it, which differ in what a word holds: `f32` takes it for one number, `bf16` for two of sixteen bits. All
// else is the same: rows and weights of the second kind are half as many words.

INLINE vec add_f32(vec sum, vec x, vec w) { return sum + x * w; }

/// What the instruction `vdpbf16ps` computes of AVX512-BF16, for it is no fused sum: the product of the upper halves is added
/// and the sum rounded to nearest even, then that of the lower halves. A product of two such numbers is exact. (The instruction
/// takes numbers below 2⁻¹²⁶ for zero, of whatever it reads, and makes them zero in what it writes; this does neither.)
INLINE vec add_bf16(vec sum, vec x, vec w) {
    const ivec upper = (ivec)(-65536);
    sum = sum + (vec)((ivec)x & upper) * (vec)((ivec)w & upper);
    return sum + (vec)((ivec)x << 16) * (vec)((ivec)w << 16);
}

#define MULTIPLY_BLOCK(KIND, ADD, TARGET, VECTORS, ROWS)                                                              \
    static TARGET __attribute__((noinline)) void multiply_##KIND##_##ROWS(                                            \
        const ds_product *product, const float *const *rows, const float *weights, const float *ahead,                \
        size_t aheadStep, const float *bias, size_t width,                                                            \
        float *out, size_t outStride, const float *residual, size_t residualStride) {                                 \
        vec sum[ROWS][VECTORS];                                                                                       \
        UNROLL for (int v = 0; v < VECTORS; v++) {                                                                    \
            vec first = bias && v * LANES < width ? load(bias + v * LANES) : splat(0);                                \
            UNROLL for (int r = 0; r < ROWS; r++) sum[r][v] = first;                                                  \
        }                                                                                                             \
        const size_t depth = product->depth;                                                                          \
        for (size_t t = 0; t < product->tapCount; t++) {                                                              \
            const ptrdiff_t tap = product->taps ? product->taps[t] : 0;                                               \
            const float *row[ROWS];                                                                                   \
            UNROLL for (int r = 0; r < ROWS; r++) row[r] = rows[r] + tap;                                             \
            for (size_t k = 0; k < depth; k++) {                                                                      \
                vec w[VECTORS];                                                                                       \
                UNROLL for (int v = 0; v < VECTORS; v++) w[v] = load(weights + v * LANES);                            \
                UNROLL for (int v = 0; v < PANEL * 4; v += 64) __builtin_prefetch((const char *)ahead + v, 0, 2);     \
                weights += PANEL;                                                                                     \
                ahead += aheadStep;                                                                                   \
                UNROLL for (int r = 0; r < ROWS; r++) {                                                               \
                    const vec x = splat(row[r][k]);                                                                   \
                    UNROLL for (int v = 0; v < VECTORS; v++) sum[r][v] = ADD(sum[r][v], x, w[v]);                     \
                }                                                                                                     \
            }                                                                                                         \
        }                                                                                                             \
        const vec scale = splat(product->scale);                                                                      \
        UNROLL for (int r = 0; r < ROWS; r++) {                                                                       \
            UNROLL for (int v = 0; v < VECTORS; v++) {                                                                \
                if (v * LANES >= width) continue;                                                                     \
                vec y = sum[r][v];                                                                                    \
                if (residual) y = y + load(residual + r * residualStride + v * LANES);                                \
                store(out + r * outStride + v * LANES, y * scale);                                                    \
            }                                                                                                         \
        }                                                                                                             \
    }

typedef void (*multiply_block)(const ds_product *, const float *const *, const float *, const float *, size_t,
                               const float *, size_t, float *, size_t, const float *, size_t);

#if MAX_ROWS == 14
#define EACH_HEIGHT(F, ...) F(__VA_ARGS__, 1) F(__VA_ARGS__, 2) F(__VA_ARGS__, 3) F(__VA_ARGS__, 4) F(__VA_ARGS__, 5) \
    F(__VA_ARGS__, 6) F(__VA_ARGS__, 7) F(__VA_ARGS__, 8) F(__VA_ARGS__, 9) F(__VA_ARGS__, 10) F(__VA_ARGS__, 11) \
    F(__VA_ARGS__, 12) F(__VA_ARGS__, 13) F(__VA_ARGS__, 14)
#elif MAX_ROWS == 6
#define EACH_HEIGHT(F, ...) F(__VA_ARGS__, 1) F(__VA_ARGS__, 2) F(__VA_ARGS__, 3) F(__VA_ARGS__, 4) F(__VA_ARGS__, 5) \
    F(__VA_ARGS__, 6)
#elif MAX_ROWS == 4
#define EACH_HEIGHT(F, ...) F(__VA_ARGS__, 1) F(__VA_ARGS__, 2) F(__VA_ARGS__, 3) F(__VA_ARGS__, 4)
#else
#error "EACH_HEIGHT has no list for this MAX_ROWS"
#endif
#define BLOCK_OF_HEIGHT(KIND, ROWS) multiply_##KIND##_##ROWS,

/// Blocks by their height: of whole panels, and of those of which DS_CHANNEL_STEP columns at most are wanted.
typedef const multiply_block block_table[2][MAX_ROWS + 1];

#if PANEL > DS_CHANNEL_STEP
#define NARROW_VECTORS (DS_CHANNEL_STEP / LANES)
#define BLOCK_TABLE(KIND, ADD, TARGET)                                                                                \
    EACH_HEIGHT(MULTIPLY_BLOCK, KIND, ADD, TARGET, PANEL_VECTORS)                                                     \
    EACH_HEIGHT(MULTIPLY_BLOCK, KIND##_narrow, ADD, TARGET, NARROW_VECTORS)                                           \
    static block_table blocks_##KIND = {                                                                              \
        {0, EACH_HEIGHT(BLOCK_OF_HEIGHT, KIND)}, {0, EACH_HEIGHT(BLOCK_OF_HEIGHT, KIND##_narrow)}};
#else
#define BLOCK_TABLE(KIND, ADD, TARGET)                                                                                \
    EACH_HEIGHT(MULTIPLY_BLOCK, KIND, ADD, TARGET, PANEL_VECTORS)                                                     \
    static block_table blocks_##KIND = {{0, EACH_HEIGHT(BLOCK_OF_HEIGHT, KIND)}, {0, EACH_HEIGHT(BLOCK_OF_HEIGHT, KIND)}};
#endif

BLOCK_TABLE(f32, add_f32, )
BLOCK_TABLE(bf16, add_bf16, )
#ifdef NATIVE_BF16
BLOCK_TABLE(native, NATIVE_BF16, __attribute__((target(NATIVE_BF16_TARGET))))
#endif

#include "variant_tiles.h"

typedef void (*tiled_block)(const ds_product *, const float *const *, size_t, const float *, const float *, size_t,
                            const float *, size_t, float *, size_t, const float *, size_t);

/// How the blocks of a call are multiplied: by a function for every height, or in tiles.
typedef struct {
    size_t maxRows;
    const block_table *blocks;  // 0 for tiles
    tiled_block tiled;
    void (*end)(void);          // to be called when all is multiplied; 0 for nothing
} block_kind;

INLINE block_kind begin_blocks(int precision) {
    const block_kind tiles = {.maxRows = MAX_TILED_ROWS, .tiled = tiled_product};
    if (precision == DS_F32) return (block_kind){.maxRows = MAX_ROWS, .blocks = &blocks_f32};
    if (precision == DS_BF16_TILED) return tiles;
    switch (ds_bf16_kind()) {
#ifdef NATIVE_TILES_TARGET
    case DS_BF16_NATIVE_TILES:
        begin_native_tiles();
        return (block_kind){.maxRows = MAX_TILED_ROWS, .tiled = tiled_product_native, .end = end_native_tiles};
#endif
#ifdef NATIVE_BF16
    case DS_BF16_NATIVE_PAIRS: return (block_kind){.maxRows = MAX_ROWS, .blocks = &blocks_native};
#endif
    case DS_BF16_TILES: return tiles;
    default: return (block_kind){.maxRows = MAX_ROWS, .blocks = &blocks_bf16};
    }
}

/// The first row of a block of `blocks`. Blocks are of nearly equal height, 16 rows are 8 + 8 and not 14 + 2; but tiles are whole.
INLINE size_t block_start(const block_kind *kind, size_t block, size_t blocks, size_t count) {
    if (kind->blocks) return block * count / blocks;
    return block * kind->maxRows < count ? block * kind->maxRows : count;
}

INLINE void end_blocks(const block_kind *kind) { if (kind->end) kind->end(); }

/// One block of `height` rows, of which `width` columns are wanted.
INLINE void multiply_rows(const block_kind *kind, const ds_product *product, const float *const *rows, size_t height,
                          const float *weights, const float *ahead, size_t aheadStep, const float *bias, size_t width,
                          float *out, size_t outStride, const float *residual, size_t residualStride) {
    if (kind->blocks) {
        (*kind->blocks)[width <= DS_CHANNEL_STEP][height](product, rows, weights, ahead, aheadStep, bias, width, out, outStride,
                                                          residual, residualStride);
    } else {
        kind->tiled(product, rows, height, weights, ahead, aheadStep, bias, width, out, outStride, residual, residualStride);
    }
}

/// `pointers` or, when that is NULL, `strided` with `rowStride`.
static void multiply(const ds_product *product, const float *const *pointers, const float *strided, size_t rowStride,
                     size_t count, size_t firstPanel, size_t endPanel, float *out, size_t outStride,
                     const float *residual, size_t residualStride) {
    if (count == 0) return;
    const size_t depth = product->tapCount * product->depth;
    const block_kind kind = begin_blocks(product->precision);
    const size_t blocks = (count + kind.maxRows - 1) / kind.maxRows;
    for (size_t panel = firstPanel; panel < endPanel; panel++) {
        const size_t column = panel * PANEL;
        if (column >= product->columns) break;
        const size_t width = product->columns - column;
        const float *weights = product->weights + panel * depth * PANEL;
        const float *bias = product->bias ? product->bias + column : 0;
        for (size_t block = 0; block < blocks; block++) {
            const size_t first = block_start(&kind, block, blocks, count), end = block_start(&kind, block + 1, blocks, count);
            const float *local[MAX_TILED_ROWS];
            const float *const *rows = local;
            if (pointers) {
                rows = pointers + first;
            } else {
                for (size_t r = first; r < end; r++) local[r - first] = strided + r * rowStride;
            }
            // While the last block is computed, the next panel comes into the cache.
            const float *ahead = block + 1 < blocks ? weights : panel + 1 < endPanel || !product->next
                ? weights + depth * PANEL : product->next;
            multiply_rows(&kind, product, rows, end - first, weights, ahead, PANEL, bias, width,
                          out + first * outStride + column, outStride,
                          residual ? residual + first * residualStride + column : 0, residualStride);
        }
    }
    end_blocks(&kind);
}

/// See ds_convolve_sequence. The taps of a panel are added to its output one after the other: each is a plain product of
/// consecutive rows, and positions where a tap would meet the padding are left out rather than multiplied with zeros.
static void convolve_sequence(const ds_sequence_convolution *c, size_t firstPanel, size_t endPanel) {
    ds_product product = {.tapCount = 1, .depth = c->depth, .precision = c->precision, .scale = 1};
    // Positions that follow each other are one run of rows, and so are the positions of a single sequence.
    const int isOneRun = c->batch == 1 || (c->inStep == 1 && c->outStep == 1);
    const size_t inStride = c->batch == 1 ? c->inStep * c->inStride : c->inStride;
    const size_t outStride = c->batch == 1 ? c->outStep * c->outStride : c->outStride;
    const size_t tapSize = c->depth * PANEL;
    const block_kind kind = begin_blocks(c->precision);
    for (size_t panel = firstPanel; panel < endPanel; panel++) {
        const size_t column = panel * PANEL;
        if (column >= c->columns) break;
        const size_t width = c->columns - column;
        for (size_t row = 0; row < c->outPositions * c->batch; row++) {
            float *out = c->out + row * c->outStride + column;
            UNROLL for (int v = 0; v < PANEL_VECTORS; v++) {
                if (v * LANES >= width) continue;
                const vec bias = load(c->bias + column + v * LANES);
                store(out + v * LANES, c->accumulates ? load(out + v * LANES) + bias : bias);
            }
        }
        const float *weights = c->weights + panel * c->weightTaps * tapSize;
        for (size_t t = 0; t < c->tapCount; t++) {
            const ds_sequence_tap *tap = c->taps + t;
            const float *tapWeights = weights + tap->weight * tapSize;
            const float *next = t + 1 < c->tapCount ? weights + c->taps[t + 1].weight * tapSize
                                                    : weights + (c->weightTaps + c->taps[0].weight) * tapSize;
            const size_t runs = isOneRun ? 1 : tap->count;
            const size_t count = isOneRun ? tap->count * c->batch : c->batch;
            const size_t blocks = (count + kind.maxRows - 1) / kind.maxRows;
            const size_t parts = runs * blocks < 8 ? runs * blocks : 8;
            for (size_t run = 0; run < runs; run++) {
                const float *in = c->in + (tap->inPosition + run * c->inStep) * c->batch * c->inStride;
                float *out = c->out + (tap->outPosition + run * c->outStep) * c->batch * c->outStride + column;
                for (size_t block = 0; block < blocks; block++) {
                    const size_t first = block_start(&kind, block, blocks, count);
                    const size_t end = block_start(&kind, block + 1, blocks, count);
                    const float *rows[MAX_TILED_ROWS];
                    for (size_t r = first; r < end; r++) rows[r - first] = in + r * inStride;
                    // Meanwhile the next tap's weights come into the cache, a part with each block: asked for all at once,
                    // they would keep the processor waiting, and the memory idle afterwards.
                    const size_t part = run * blocks + block;
                    const float *ahead = part < parts ? next + part * tapSize / parts : tapWeights;
                    float *place = out + first * outStride;
                    multiply_rows(&kind, &product, rows, end - first, tapWeights, ahead, part < parts ? PANEL / parts : 0, 0,
                                  width, place, outStride, place, outStride);
                }
            }
        }
    }
    end_blocks(&kind);
}
