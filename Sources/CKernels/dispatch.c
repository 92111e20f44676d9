// The choice of a variant, and the kernels that need none.
#include "kernels.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

int ds_cpu_has_avx512(void) {
#if defined(__x86_64__)
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")
        && __builtin_cpu_supports("avx512dq");
#else
    return 0;
#endif
}

int ds_cpu_has_avx512_bf16(void) {
#if defined(__x86_64__)
    return ds_cpu_has_avx512() && __builtin_cpu_supports("avx512bf16");
#else
    return 0;
#endif
}

/// Whether the processor has AMX for sixteen bits, the system saves tiles when it changes threads, and lets this process use them.
static int may_use_tiles(void) {
#if defined(__x86_64__) && defined(__linux__)
    enum { AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24, OSXSAVE = 1 << 27, TILE_STATES = 3 << 17, TILE_DATA = 18 };
    enum { REQUEST_PERMISSION = 0x1023 };  // ARCH_REQ_XCOMP_PERM
    unsigned a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & OSXSAVE)) return 0;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & (AMX_BF16 | AMX_TILE)) != (AMX_BF16 | AMX_TILE)) return 0;
    unsigned states, high;
    __asm__("xgetbv" : "=a"(states), "=d"(high) : "c"(0));
    return (states & TILE_STATES) == TILE_STATES && syscall(SYS_arch_prctl, (long)REQUEST_PERMISSION, (long)TILE_DATA) == 0;
#else
    return 0;
#endif
}

/// What is used of this processor.
typedef struct {
    const ds_kernels *kernels;
    int bf16;
    const char *name;
} selection;

static const selection *choose(void) {
    static const selection
        portable = {&ds_kernels_portable, DS_BF16_PAIRS, "portable"},
        portableTiles = {&ds_kernels_portable, DS_BF16_TILES, "portable-tiles"};
    // For tests: DIFFSPEC_KERNELS may ask for a lesser variant than the processor allows, or for one that multiplies as
    // tiles do.
    const char *wish = getenv("DIFFSPEC_KERNELS");
#if defined(__x86_64__)
    static const selection
        avx2 = {&ds_kernels_avx2, DS_BF16_PAIRS, "avx2"},
        avx2Tiles = {&ds_kernels_avx2, DS_BF16_TILES, "avx2-tiles"},
        avx512 = {&ds_kernels_avx512, DS_BF16_PAIRS, "avx512"},
        avx512Pairs = {&ds_kernels_avx512, DS_BF16_NATIVE_PAIRS, "avx512"},
        avx512Tiles = {&ds_kernels_avx512, DS_BF16_TILES, "avx512-tiles"},
        amx = {&ds_kernels_avx512, DS_BF16_NATIVE_TILES, "amx"};
    if (ds_cpu_has_avx512()) {
        if ((!wish || !strcmp(wish, "amx")) && may_use_tiles()) return &amx;
        if (!wish || !strcmp(wish, "amx") || !strcmp(wish, "avx512")) return ds_cpu_has_avx512_bf16() ? &avx512Pairs : &avx512;
        if (!strcmp(wish, "avx512-tiles")) return &avx512Tiles;
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        if (!wish || !strcmp(wish, "avx2")) return &avx2;
        if (!strcmp(wish, "avx2-tiles")) return &avx2Tiles;
    }
#endif
    return wish && !strcmp(wish, "portable-tiles") ? &portableTiles : &portable;
}

static const selection *selected(void) {
    static _Atomic(const selection *) chosen;
    const selection *s = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (!s) {
        s = choose();
        atomic_store_explicit(&chosen, s, memory_order_relaxed);
    }
    return s;
}

static const ds_kernels *kernels(void) { return selected()->kernels; }
int ds_bf16_kind(void) { return selected()->bf16; }

const char *ds_variant_name(void) { return selected()->name; }
int ds_bf16_is_native(void) {
    return selected()->bf16 == DS_BF16_NATIVE_PAIRS || selected()->bf16 == DS_BF16_NATIVE_TILES;
}
size_t ds_bf16_words(void) { return selected()->bf16 == DS_BF16_TILES || selected()->bf16 == DS_BF16_NATIVE_TILES ? 16 : 1; }
static int is_tiled(int precision) { return precision == DS_BF16_TILED || (precision == DS_BF16 && ds_bf16_words() > 1); }
size_t ds_row_chunk(int precision) { return is_tiled(precision) ? 64 : 56; }
size_t ds_panel_width(void) { return kernels()->panelWidth; }

void ds_multiply(const ds_product *product, const float *const *rows, size_t count, size_t firstPanel, size_t endPanel,
                 float *out, size_t outStride, const float *residual, size_t residualStride) {
    kernels()->multiply(product, rows, 0, 0, count, firstPanel, endPanel, out, outStride, residual, residualStride);
}

void ds_multiply_strided(const ds_product *product, const float *rows, size_t rowStride, size_t count, size_t firstPanel,
                         size_t endPanel, float *out, size_t outStride, const float *residual, size_t residualStride) {
    kernels()->multiply(product, 0, rows, rowStride, count, firstPanel, endPanel, out, outStride, residual,
                        residualStride);
}

void ds_convolve(const ds_product *product, const float *padded, size_t paddedWidth, size_t pixelWords, size_t step,
                 size_t rows, size_t columns, size_t firstPanel, size_t endPanel, float *out, size_t outStride,
                 const float *residual, size_t residualStride) {
    enum { MOST = 96 };
    const float *pointers[MOST];
    // 84 rows or, in tiles, 96: a multiple of every variant's block of rows, as one chunk is not.
    const size_t count = rows * columns, chunk = ds_row_chunk(product->precision) * 3 / 2;
    for (size_t first = 0; first < count; first += chunk) {
        const size_t length = count - first < chunk ? count - first : chunk;
        for (size_t i = 0; i < length; i++) {
            const size_t y = (first + i) / columns, x = (first + i) % columns;
            pointers[i] = padded + (y * step * paddedWidth + x * step) * pixelWords;
        }
        kernels()->multiply(product, pointers, 0, 0, length, firstPanel, endPanel, out + first * outStride, outStride,
                            residual ? residual + first * residualStride : 0, residualStride);
    }
}

void ds_convolve_sequence(const ds_sequence_convolution *convolution, size_t firstPanel, size_t endPanel) {
    kernels()->convolveSequence(convolution, firstPanel, endPanel);
}

static uint16_t to_bf16(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)((bits + (bits >> 16 & 1) + 0x7FFF) >> 16);
}

void ds_round_rows(const float *x, size_t rows, size_t stride, size_t floats, float *out, size_t outStride) {
    kernels()->roundRows(x, rows, stride, floats, out, outStride);
}

void ds_pack(int precision, const float *weights, size_t outputs, size_t inputs, size_t taps, const size_t *positions,
             size_t firstColumn, size_t depth, float *packed) {
    const size_t width = ds_panel_width();
    for (size_t o = 0; o < outputs; o++) {
        const size_t column = firstColumn + o;
        float *panel = packed + column / width * taps * depth * width + column % width;
        for (size_t i = 0; i < inputs; i++) {
            for (size_t t = 0; t < taps; t++) {
                const float weight = weights[(o * inputs + i) * taps + t];
                if (precision == DS_F32) {
                    panel[(t * depth + positions[i]) * width] = weight;
                } else {
                    uint16_t *word = (uint16_t *)(panel + (t * depth + positions[i] / 2) * width);
                    word[positions[i] % 2] = to_bf16(weight);
                }
            }
        }
    }
}

void ds_pack_transposed(const float *x, size_t rows, size_t stride, size_t words, float *packed) {
    const size_t width = ds_panel_width();
    for (size_t r = 0; r < rows; r++) {
        float *column = packed + r / width * words * width + r % width;
        for (size_t w = 0; w < words; w++) column[w * width] = x[r * stride + w];
    }
}

void ds_pack_rows(int precision, const float *x, size_t rows, size_t stride, size_t columns, float *packed) {
    const size_t width = ds_panel_width(), depth = precision == DS_F32 ? rows : (rows + 1) / 2;
    const size_t panels = (columns + width - 1) / width;
    memset(packed, 0, panels * depth * width * sizeof(float));
    for (size_t r = 0; r < rows; r++) {
        const float *row = x + r * stride;
        for (size_t panel = 0; panel < panels; panel++) {
            const size_t first = panel * width, count = columns - first < width ? columns - first : width;
            if (precision == DS_F32) {
                memcpy(packed + (panel * depth + r) * width, row + first, count * sizeof(float));
            } else {
                uint16_t *place = (uint16_t *)(packed + (panel * depth + r / 2) * width) + r % 2;
                for (size_t c = 0; c < count; c++) place[2 * c] = ((const uint16_t *)row)[first + c];
            }
        }
    }
}

void ds_pack_winograd(int precision, int m, const float *weights, size_t outputs, size_t inputs, const size_t *positions,
                      size_t depth, size_t firstPanel, size_t endPanel, float *packed, size_t positionStride) {
    (m == 4 ? kernels()->winogradPack4 : kernels()->winogradPack2)(
        precision, weights, outputs, inputs, positions, depth, firstPanel, endPanel, packed, positionStride);
}

void ds_gather_rows(const ds_gather *gather, size_t firstRow, size_t endRow, float *out) {
    kernels()->gather(gather, firstRow, endRow, out);
}

void ds_affine(const float *x, size_t pixels, size_t channels, const float *scale, const float *shift, int activation,
               float *out) {
    kernels()->affine(x, pixels, channels, scale, shift, activation, out);
}

void ds_channel_sums(const float *x, size_t pixels, size_t stride, size_t channels, double *sums, double *squares) {
    kernels()->channelSums(x, pixels, stride, channels, sums, squares);
}

void ds_modulate(const ds_modulation *modulation, size_t channels, float *x, size_t rows, size_t stride,
                 const float *residual, size_t residualStride) {
    kernels()->modulate(modulation, channels, x, rows, stride, residual, residualStride);
}

void ds_activate(const float *x, size_t count, int activation, float *out) {
    kernels()->affine(x, 1, count, 0, 0, activation, out);
}

void ds_softmax(float *x, size_t rows, size_t columns, size_t stride, float scale) {
    kernels()->softmax(x, rows, columns, stride, scale);
}

void ds_layer_norm(const float *x, size_t rows, size_t stride, size_t channels, const float *weight, const float *bias,
                   float epsilon, float *out) {
    kernels()->layerNorm(x, rows, stride, channels, weight, bias, epsilon, out);
}

void ds_gated_gelu(const float *x, size_t rows, size_t channels, float *out, size_t outStride) {
    kernels()->gatedGELU(x, rows, channels, out, outStride);
}

void ds_rms_norm(const float *x, size_t rows, size_t stride, size_t channels, const float *weight, float epsilon, float *out,
                 size_t outStride) {
    kernels()->rmsNorm(x, rows, stride, channels, weight, epsilon, out, outStride);
}

void ds_gated_silu(const float *x, size_t rows, size_t stride, size_t channels, float *out, size_t outStride) {
    kernels()->gatedSiLU(x, rows, stride, channels, out, outStride);
}

void ds_attend(const ds_attention *attention, const float *query, float *scores, float *out) {
    kernels()->attend(attention, query, scores, out);
}

void ds_average_pool(const float *x, size_t height, size_t width, size_t channels, float *out) {
    kernels()->averagePool(x, height, width, channels, out);
}

void ds_upsample(const float *x, size_t height, size_t width, size_t channels, float *out) {
    const size_t pixel = channels * sizeof(float);
    for (size_t y = 0; y < 2 * height; y++) {
        for (size_t column = 0; column < 2 * width; column++) {
            memcpy(out + (y * 2 * width + column) * channels, x + (y / 2 * width + column / 2) * channels, pixel);
        }
    }
}

void ds_to_channels_last(const float *x, size_t channels, size_t pixels, size_t stride, float scale, float shift,
                         float *out) {
    for (size_t p = 0; p < pixels; p++) {
        for (size_t c = 0; c < channels; c++) out[p * stride + c] = x[c * pixels + p] * scale + shift;
        for (size_t c = channels; c < stride; c++) out[p * stride + c] = 0;
    }
}

void ds_from_channels_last(const float *x, size_t channels, size_t pixels, size_t stride, float *out) {
    for (size_t c = 0; c < channels; c++) {
        for (size_t p = 0; p < pixels; p++) out[c * pixels + p] = x[p * stride + c];
    }
}

void ds_winograd_feedback(int m, float *feedback) {
    (m == 4 ? kernels()->winogradFeedback4 : kernels()->winogradFeedback2)(0, feedback);
}

void ds_winograd_input(int m, const float *feedback, const float *padded, size_t rowStride, size_t channels, float *out,
                       size_t positionStride) {
    (m == 4 ? kernels()->winogradInput4 : kernels()->winogradInput2)(feedback, padded, rowStride, channels, out, positionStride);
}

void ds_winograd_output(int m, const float *in, size_t positionStride, size_t channels, const float *bias, float scale,
                        size_t rows, size_t columns, float *out, size_t rowStride, size_t pixelStride,
                        const float *residual, size_t residualRowStride, size_t residualPixelStride) {
    (m == 4 ? kernels()->winogradOutput4 : kernels()->winogradOutput2)(
        in, positionStride, channels, bias, scale, rows, columns, out, rowStride, pixelStride, residual, residualRowStride,
        residualPixelStride);
}

void ds_philox(const uint32_t *counter, const uint32_t *key, size_t blocks, uint64_t *words) {
    kernels()->philox(counter, key, blocks, words);
}

void ds_box_muller(const uint64_t *words, size_t pairs, double *out) { kernels()->boxMuller(words, pairs, out); }
