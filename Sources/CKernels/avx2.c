// The variant for x86-64 processors with AVX2 and FMA.
#include "kernels.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define LANES 8
#define PANEL_VECTORS 2
#define MAX_ROWS 6
#define VARIANT avx2
#include "variant.h"
#pragma clang attribute pop
#endif
