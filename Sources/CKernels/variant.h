// The source of every variant. The including file defines LANES (floats in a vector), PANEL_VECTORS (vectors in a packed
// panel of weights), MAX_ROWS (rows multiplied at once) and VARIANT (the suffix of the names).
//
// Vectors are the compiler's own vector types, so the same text becomes AVX-512, AVX2, NEON or SSE instructions; a sum
// written as `a + b * c` becomes a fused multiply-add where the processor has one.

#include <math.h>
#include <string.h>

typedef float vec __attribute__((ext_vector_type(LANES)));
typedef float vec_unaligned __attribute__((ext_vector_type(LANES), aligned(4), may_alias));
typedef int32_t ivec __attribute__((ext_vector_type(LANES)));
typedef double dvec __attribute__((ext_vector_type(LANES)));
typedef double dvec_unaligned __attribute__((ext_vector_type(LANES), aligned(8), may_alias));

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")
#define PANEL (LANES * PANEL_VECTORS)

INLINE vec load(const float *p) { return *(const vec_unaligned *)p; }
INLINE void store(float *p, vec v) { *(vec_unaligned *)p = v; }
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
    .gather = gather,
    .affine = affine,
    .channelSums = channel_sums,
    .modulate = modulate,
    .softmax = softmax,
    .layerNorm = layer_norm,
    .gatedGELU = gated_gelu,
    .averagePool = average_pool,
    .winogradPack4 = winograd_pack_4,
    .winogradPack2 = winograd_pack_2,
    .winogradInput4 = winograd_input_4,
    .winogradInput2 = winograd_input_2,
    .winogradOutput4 = winograd_output_4,
    .winogradOutput2 = winograd_output_2,
    .philox = philox,
    .boxMuller = box_muller,
};
