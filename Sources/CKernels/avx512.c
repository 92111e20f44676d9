// The variant for x86-64 processors with AVX-512.
#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"))), apply_to = function)
#define LANES 16
#define PANEL_VECTORS 2
#define MAX_ROWS 14
#define VARIANT avx512
#define RECIPROCAL_ESTIMATE(d) ((vec)_mm512_rcp14_ps((__m512)(d)))
// The sums of pairs that the instruction makes are those of `add_bf16`.
#define NATIVE_BF16_TARGET "avx512bf16,avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"
#define NATIVE_BF16(sum, x, w) ((vec)_mm512_dpbf16_ps((__m512)(sum), (__m512bh)(x), (__m512bh)(w)))
#define NATIVE_TILES_TARGET "amx-tile,amx-bf16,avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"
#include "variant.h"
#pragma clang attribute pop
#endif
