/// Vectorised kernels of the network, and the small thread team that runs them.
///
/// Every kernel exists three times from one source (`variant.h`): for AVX-512, for AVX2 with FMA, and portably (arm64 and
/// everything else). The variant is chosen once, at run time. All of them keep one promise: the arithmetic of an output
/// element is a fixed sequence of operations that depends on the layer's shape only, never on how many other elements are
/// computed in the same call. That is what makes the network batch-invariant.
///
/// Activations are channels-last (NHWC) and a pixel's channels are padded with zeros to a multiple of `DS_CHANNEL_STEP`.
#ifndef DIFFSPEC_CKERNELS_H
#define DIFFSPEC_CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Channels of a pixel are padded to a multiple of this many floats (one cache line).
#define DS_CHANNEL_STEP 16

enum {
    DS_ACTIVATION_NONE = 0,
    DS_ACTIVATION_SILU = 1,
    DS_ACTIVATION_MISH = 2,
    DS_ACTIVATION_GELU = 3,
    DS_ACTIVATION_RELU = 4,
    DS_ACTIVATION_QUICK_GELU = 5
};

/// What the words of 32 bits hold that a product multiplies: the memory of the weights, and of the rows that meet them.
enum {
    DS_F32 = 0,                 ///< one number of single precision
    DS_BF16 = 1,                ///< two of sixteen bits, rounded to nearest even: numbers 2k (the lower half) and 2k + 1
    DS_BF16_TILED = 2           ///< the same, summed as tiles sum them; for tests, where the processor has none
};

// MARK: Choice of the variant

/// The name of the variant in use: "amx" (AVX-512, and tiles for DS_BF16), "avx512", "avx2" or "portable"; for tests of tiles without
/// AMX, one of the last three with "-tiles" behind it. Choosing "amx" asks the system for the process's permission to use tiles, after
/// which it refuses alternate signal stacks that are too small to hold them.
const char *ds_variant_name(void);
/// Columns in one packed panel of a weight matrix, for the variant in use.
size_t ds_panel_width(void);
/// Nonzero if the processor has the AVX-512 subset of the variant of that name.
int ds_cpu_has_avx512(void);
/// Nonzero if the processor has AVX512-BF16 beside it.
int ds_cpu_has_avx512_bf16(void);
/// Nonzero if products of DS_BF16 use the processor's instruction for them, so that they are faster than those of DS_F32.
int ds_bf16_is_native(void);
/// How many rows a product had best be given at a time: a multiple of the blocks in which they are multiplied.
size_t ds_row_chunk(int precision);
/// How many words of a DS_BF16 product are summed by themselves: 1, or 16 in tiles; see `ds_product`.
size_t ds_bf16_words(void);

// MARK: Matrix products

/// One product of a packed weight matrix with rows found through pointers.
///
/// out[i][n] = (bias[n] + Σ_t Σ_k rows[i][taps[t] + k] · B[t·depth + k][n] + residual[i][n]) · scale
///
/// The sum runs in the order of t, then k, in one accumulator: an output's bits do not depend on `count` or on its place.
/// A word k of DS_BF16 is two products: that of the upper halves is added first, then that of the lower, each sum rounded. In tiles,
/// sixteen words of a tap (at its end fewer) are summed first, the upper halves' products from zero and the lower's from zero; the sum
/// of both is added.
typedef struct {
    int precision;              ///< DS_F32 or DS_BF16, of rows and weights
    const ptrdiff_t *taps;      ///< offsets in words, `tapCount` of them
    size_t tapCount;
    size_t depth;               ///< words: k runs over 0 ..< depth for each tap
    const float *weights;       ///< packed by ds_pack_*: [panel][tapCount · depth][panel width]
    size_t columns;             ///< columns to write, a multiple of DS_CHANNEL_STEP
    const float *bias;          ///< [columns], or NULL for zero
    float scale;
    const float *next;          ///< weights that will be wanted after these, to be fetched meanwhile; may be NULL
} ds_product;

/// Rows 0 ..< count, panels firstPanel ..< endPanel. `residual` may be NULL or equal `out`.
void ds_multiply(const ds_product *product, const float *const *rows, size_t count,
                 size_t firstPanel, size_t endPanel,
                 float *out, size_t outStride, const float *residual, size_t residualStride);

/// The same for rows at a constant stride and a single tap at offset 0.
void ds_multiply_strided(const ds_product *product, const float *rows, size_t rowStride, size_t count,
                         size_t firstPanel, size_t endPanel,
                         float *out, size_t outStride, const float *residual, size_t residualStride);

/// A convolution's product over `rows` × `columns` output pixels of one image. Output pixel (y, x) reads the padded pixel
/// (y · step, x · step), whose words begin at padded + ((y · step) · paddedWidth + x · step) · pixelWords, and the taps from
/// there.
void ds_convolve(const ds_product *product, const float *padded, size_t paddedWidth, size_t pixelWords, size_t step,
                 size_t rows, size_t columns, size_t firstPanel, size_t endPanel,
                 float *out, size_t outStride, const float *residual, size_t residualStride);

/// One tap of a convolution of sequences: it takes positions inPosition, inPosition + inStep, … of the input to
/// outPosition, outPosition + outStep, … of the output, `count` of them.
typedef struct {
    size_t weight;              ///< which of the packed taps
    size_t inPosition, outPosition, count;
} ds_sequence_tap;

/// A convolution of `batch` sequences over their positions, with or without a stride, or transposed: its taps say which.
/// Rows are ordered by position first: position p of sequence b is row p · batch + b, so that a tap is a plain product of
/// consecutive rows, and what lies outside the sequence costs nothing.
///
/// out[row][n] = (accumulates ? out[row][n] : 0) + bias[n] + Σ_t (Σ_k in[row of tap t][k] · B[t·depth + k][n])
///
/// in the order of the taps: an output's bits depend neither on the batch nor on its place in it.
typedef struct {
    int precision;              ///< DS_F32 or DS_BF16, of input and weights
    const ds_sequence_tap *taps;
    size_t tapCount;
    const float *weights;       ///< packed by ds_pack: [panel][weightTaps · depth][panel width]
    size_t weightTaps;
    size_t depth;               ///< words
    size_t columns;             ///< columns to write, a multiple of DS_CHANNEL_STEP
    const float *bias;          ///< [columns]
    int accumulates;
    size_t batch;
    size_t inStep, outStep;
    const float *in;
    size_t inStride;            ///< words from row to row
    float *out;
    size_t outStride;
    size_t outPositions;
} ds_sequence_convolution;

/// Panels firstPanel ..< endPanel.
void ds_convolve_sequence(const ds_sequence_convolution *convolution, size_t firstPanel, size_t endPanel);

/// Rounds `rows` rows of `floats` floats, `stride` floats apart, to words of two numbers; the last upper half is zero if there
/// is no number for it. `outStride` words from row to row.
void ds_round_rows(const float *x, size_t rows, size_t stride, size_t floats, float *out, size_t outStride);

/// Packs weights [outputs][inputs][taps] into `packed`, which holds zeros: input i goes to row t · depth + positions[i] (half of
/// that position for two numbers a word), output o to column firstColumn + o. `depth` counts words.
void ds_pack(int precision, const float *weights, size_t outputs, size_t inputs, size_t taps, const size_t *positions,
             size_t firstColumn, size_t depth, float *packed);

/// Packs rows of `words` words each, `stride` words apart, as the columns of a matrix: row j becomes column j. `packed` holds zeros
/// where there is no row.
void ds_pack_transposed(const float *x, size_t rows, size_t stride, size_t words, float *packed);

/// Packs rows of `columns` numbers as the rows of a matrix; of DS_BF16, rounded ones, two of them to a row of words. `stride` words
/// from row to row. All of `packed` is written, the columns of the last panel that there are no numbers for as zeros.
void ds_pack_rows(int precision, const float *x, size_t rows, size_t stride, size_t columns, float *packed);

/// The same for 3×3 kernels transformed for ds_winograd_*: (m+2)² packed matrices of one tap, `positionStride` floats apart.
/// Only panels firstPanel ..< endPanel are written.
void ds_pack_winograd(int precision, int m, const float *weights, size_t outputs, size_t inputs, const size_t *positions,
                      size_t depth, size_t firstPanel, size_t endPanel, float *packed, size_t positionStride);

// MARK: Elementwise and normalisation

/// Copies padded rows firstRow ..< endRow of an image into `out`, applying act(x · scale[c] + shift[c]) inside the image and
/// writing zeros outside it. A padded pixel (py, px) is the image's pixel (py - top, px - left), halved if `upsample` is 1.
typedef struct {
    const float *image;         ///< [height >> upsample][width >> upsample][channels]
    size_t height, width;       ///< after upsampling
    size_t channels;            ///< a multiple of DS_CHANNEL_STEP
    int upsample;               ///< 1: every pixel is seen twice in each direction
    const float *scale;         ///< [channels], or NULL for no affine map
    const float *shift;
    int activation;
    ptrdiff_t top, left;        ///< zero rows above and zero columns before the image
    size_t paddedWidth;
    int precision;              ///< of `out`: DS_F32, or DS_BF16 for two channels a word
    size_t outWords;            ///< words of a pixel of `out`; the image's channels begin at `out`
} ds_gather;

void ds_gather_rows(const ds_gather *gather, size_t firstRow, size_t endRow, float *out);

/// out[i] = act(x[i] · scale[i mod channels] + shift[…]) for `pixels` pixels.
void ds_affine(const float *x, size_t pixels, size_t channels, const float *scale, const float *shift, int activation,
               float *out);

/// sums[c] = Σ x, squares[c] = Σ x² over `pixels` pixels that lie `stride` floats apart, in order, from differences to the
/// first of them: eight in single precision, the eights in double. However far a mean is from zero, the variance of the
/// sums keeps the digits of single precision.
void ds_channel_sums(const float *x, size_t pixels, size_t stride, size_t channels, double *sums, double *squares);

/// What follows a convolution of sequences, for each channel: Mish(x · scale + shift) · gain + offset.
typedef struct {
    const float *scale, *shift; ///< of the normalisation
    const float *gain;          ///< NULL for 1
    const float *offset;        ///< NULL for 0
} ds_modulation;

/// Applies a modulation to `channels` channels of `rows` rows, `stride` floats apart, in place; `residual` (may be NULL) is
/// added at the end.
void ds_modulate(const ds_modulation *modulation, size_t channels, float *x, size_t rows, size_t stride,
                 const float *residual, size_t residualStride);

/// out = act(x) for `count` floats.
void ds_activate(const float *x, size_t count, int activation, float *out);

/// Softmax of `rows` rows of `columns` floats in place, of scale · x.
void ds_softmax(float *x, size_t rows, size_t columns, size_t stride, float scale);

/// Layer normalisation of `rows` rows, `stride` floats apart in `x` and `out`: (x - mean) / √(variance + ε) · weight + bias
/// over the first `channels` of each row. `weight` and `bias` are padded with zeros, and so becomes `out`.
void ds_layer_norm(const float *x, size_t rows, size_t stride, size_t channels, const float *weight, const float *bias,
                   float epsilon, float *out);

/// out[c] = x[c] · GELU(x[channels + c]) for `rows` rows of 2 · `channels` floats, to rows `outStride` floats apart.
/// `channels` is a multiple of DS_CHANNEL_STEP.
void ds_gated_gelu(const float *x, size_t rows, size_t channels, float *out, size_t outStride);

/// Normalisation by the root of the mean square of `rows` rows: x / √(mean x² + ε) · weight over the first `channels` of each row.
/// `weight` and the rows are padded with zeros, and so becomes `out`.
void ds_rms_norm(const float *x, size_t rows, size_t stride, size_t channels, const float *weight, float epsilon, float *out,
                 size_t outStride);

/// out[c] = SiLU(x[c]) · x[channels + c] for `rows` rows. `channels` is a multiple of DS_CHANNEL_STEP.
void ds_gated_silu(const float *x, size_t rows, size_t stride, size_t channels, float *out, size_t outStride);

/// What one head's queries of a text attend to: the first `prefix` positions, and others behind them.
typedef struct {
    const float *keys;          ///< [block of DS_CHANNEL_STEP positions][channels][DS_CHANNEL_STEP]
    size_t keyStride;           ///< floats from block to block
    const float *values;        ///< [position][channels]
    size_t valueStride;         ///< floats from position to position
    size_t channels;            ///< of the head, a multiple of DS_CHANNEL_STEP
    size_t prefix;
    const uint32_t *others;     ///< ascending, from `prefix` on
    size_t otherCount;
    float scale;
} ds_attention;

/// out = softmax(scale · query · keys) · values over the positions that are seen, at least one. A result's bits depend on the keys and
/// values that are seen and their order alone, not on the places that the others have.
/// `scores` has room for the positions up to the last that is seen, and as many as make whole blocks.
void ds_attend(const ds_attention *attention, const float *query, float *scores, float *out);

/// Means over 2×2 blocks: [height][width][channels] → [height / 2][width / 2][channels]; a last odd row or column is dropped.
void ds_average_pool(const float *x, size_t height, size_t width, size_t channels, float *out);

/// Every pixel twice in each direction: [height][width][channels] → [2·height][2·width][channels].
void ds_upsample(const float *x, size_t height, size_t width, size_t channels, float *out);

/// [channels][pixels] → [pixels][stride], x · scale + shift; the padding channels become zero.
void ds_to_channels_last(const float *x, size_t channels, size_t pixels, size_t stride, float scale, float shift, float *out);
/// [pixels][stride] → [channels][pixels].
void ds_from_channels_last(const float *x, size_t channels, size_t pixels, size_t stride, float *out);

// MARK: Winograd's minimal filtering, F(m×m, 3×3) with m = 4 or 2 (Lavin & Gray, arXiv:1509.09308)

/// How numbers of sixteen bits make good for the rounding of those before them: (m+2)² floats.
void ds_winograd_feedback(int m, float *feedback);

/// Transforms one tile: reads (m+2)² pixels at `padded` (rows `rowStride` floats apart, pixels `channels` apart) and writes
/// (m+2)² vectors of `channels` numbers, `positionStride` words apart: floats, or two numbers a word if `feedback`, from
/// ds_winograd_feedback, is not NULL.
void ds_winograd_input(int m, const float *feedback, const float *padded, size_t rowStride, size_t channels, float *out,
                       size_t positionStride);

/// The inverse: reads (m+2)² vectors, writes `rows` × `columns` (≤ m) pixels
/// (y + bias[c] + residual) · scale, `channels` floats each, beginning at channel 0 of `out`.
void ds_winograd_output(int m, const float *in, size_t positionStride, size_t channels, const float *bias, float scale,
                        size_t rows, size_t columns, float *out, size_t rowStride, size_t pixelStride,
                        const float *residual, size_t residualRowStride, size_t residualPixelStride);

// MARK: Random numbers. Every variant gives the same bits.

/// `blocks` blocks of Philox 4×32-10 (Salmon et al., SC 2011) under `key[2]`, at counter[0], counter[0] + 1, … (which wraps without a
/// carry) with the other three words of `counter[4]`; of each two words, the first half of the block first.
void ds_philox(const uint32_t *counter, const uint32_t *key, size_t blocks, uint64_t *words);

/// Independent standard normals from independent random words, two from two, by Box and Muller's transform; their upper 52 bits count.
/// `out` may be where the words are.
void ds_box_muller(const uint64_t *words, size_t pairs, double *out);

// MARK: Threads

/// A team of threads: the caller and `threads - 1` helpers that wait, first spinning, then asleep.
typedef struct ds_team ds_team;
/// NULL if no memory; a team smaller than asked for if the system refuses threads.
ds_team *ds_team_create(size_t threads);
void ds_team_destroy(ds_team *team);
size_t ds_team_size(const ds_team *team);
/// Calls body(context, unit, thread) once for every unit 0 ..< units and returns when all are done.
void ds_team_run(ds_team *team, size_t units, void (*body)(void *context, size_t unit, size_t thread), void *context);

#ifdef __cplusplus
}
#endif
#endif
