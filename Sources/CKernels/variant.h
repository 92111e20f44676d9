// The source of every variant. The including file defines LANES (floats in a vector), PANEL_VECTORS (vectors in a packed
// panel of weights), MAX_ROWS (rows multiplied at once) and VARIANT (the suffix of the names).
//
// Vectors are the compiler's own vector types, so the same text becomes AVX-512, AVX2, NEON or SSE instructions; a sum
// written as `a + b * c` becomes a fused multiply-add where the processor has one.

#include <math.h>
#include <string.h>

typedef float vec __attribute__((ext_vector_type(LANES)));
typedef float vec_unaligned __attribute__((ext_vector_type(LANES), aligned(4), may_alias));
typedef uint32_t word_vec __attribute__((ext_vector_type(LANES)));
typedef uint16_t half_vec __attribute__((ext_vector_type(LANES)));
typedef uint16_t half_vec_unaligned __attribute__((ext_vector_type(LANES), aligned(2), may_alias));
typedef int32_t ivec __attribute__((ext_vector_type(LANES)));
typedef double dvec __attribute__((ext_vector_type(LANES)));
typedef double dvec_unaligned __attribute__((ext_vector_type(LANES), aligned(8), may_alias));

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define PANEL (LANES * PANEL_VECTORS)

INLINE vec load(const float *p) { return *(const vec_unaligned *)p; }
INLINE void store(float *p, vec v) { *(vec_unaligned *)p = v; }
/// Rounded to nearest even where only the upper half of a word counts, to infinity where that leads there.
INLINE word_vec rounded_bf16(vec v) { return (word_vec)v + ((word_vec)v >> 16 & 1) + 0x7FFF; }
INLINE half_vec upper_halves(word_vec words) { return __builtin_convertvector(words >> 16, half_vec); }
INLINE half_vec to_bf16(vec v) { return upper_halves(rounded_bf16(v)); }
/// Stores floats `index` … of a row that begins at `row`, in words that hold one number or two.
INLINE void store_as(int precision, float *row, size_t index, vec v) {
    if (precision == DS_F32) store(row + index, v);
    else *(half_vec_unaligned *)((uint16_t *)row + index) = to_bf16(v);
}
INLINE vec splat(float x) { return (vec)x; }
INLINE vec select_vec(ivec mask, vec a, vec b) { return (vec)((mask & (ivec)a) | (~mask & (ivec)b)); }

#include "variant_multiply.h"
#include "variant_elementwise.h"
#include "variant_winograd.h"
#include "variant_noise.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

const ds_kernels JOIN(ds_kernels_, VARIANT) = {
    .name = TEXT(VARIANT),
    .panelWidth = PANEL,
    .multiply = multiply,
    .convolveSequence = convolve_sequence,
    .roundRows = round_rows,
    .gather = gather,
    .affine = affine,
    .channelSums = channel_sums,
    .modulate = modulate,
    .softmax = softmax,
    .layerNorm = layer_norm,
    .gatedGELU = gated_gelu,
    .rmsNorm = rms_norm,
    .gatedSiLU = gated_silu,
    .attend = attend,
    .averagePool = average_pool,
    .winogradPack4 = winograd_pack_4,
    .winogradPack2 = winograd_pack_2,
    .winogradFeedback4 = rounding_feedback_4,
    .winogradFeedback2 = rounding_feedback_2,
    .winogradInput4 = winograd_input_4,
    .winogradInput2 = winograd_input_2,
    .winogradOutput4 = winograd_output_4,
    .winogradOutput2 = winograd_output_2,
    .philox = philox,
    .boxMuller = box_muller,
};
