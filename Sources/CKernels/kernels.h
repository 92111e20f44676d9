#ifndef DIFFSPEC_KERNELS_H
#define DIFFSPEC_KERNELS_H

#include "CKernels.h"

/// How products of DS_BF16 are computed.
enum {
    DS_BF16_PAIRS,         ///< word by word, without an instruction for it
    DS_BF16_NATIVE_PAIRS,  ///< the same numbers by AVX512-BF16
    DS_BF16_TILES,         ///< sixteen words at a time, without an instruction for it
    DS_BF16_NATIVE_TILES   ///< the same numbers by AMX
};
int ds_bf16_kind(void);

/// One variant of every kernel; see CKernels.h for what each does.
typedef struct {
    const char *name;
    size_t panelWidth;
    void (*multiply)(const ds_product *, const float *const *, const float *, size_t, size_t, size_t, size_t,
                     float *, size_t, const float *, size_t);
    void (*convolveSequence)(const ds_sequence_convolution *, size_t, size_t);
    void (*roundRows)(const float *, size_t, size_t, size_t, float *, size_t);
    void (*gather)(const ds_gather *, size_t, size_t, float *);
    void (*affine)(const float *, size_t, size_t, const float *, const float *, int, float *);
    void (*channelSums)(const float *, size_t, size_t, size_t, double *, double *);
    void (*modulate)(const ds_modulation *, size_t, float *, size_t, size_t, const float *, size_t);
    void (*softmax)(float *, size_t, size_t, size_t, float);
    void (*layerNorm)(const float *, size_t, size_t, size_t, const float *, const float *, float, float *);
    void (*gatedGELU)(const float *, size_t, size_t, float *, size_t);
    void (*rmsNorm)(const float *, size_t, size_t, size_t, const float *, float, float *, size_t);
    void (*gatedSiLU)(const float *, size_t, size_t, size_t, float *, size_t);
    void (*attend)(const ds_attention *, const float *, float *, float *);
    void (*averagePool)(const float *, size_t, size_t, size_t, float *);
    void (*winogradPack4)(int, const float *, size_t, size_t, const size_t *, size_t, size_t, size_t, float *, size_t);
    void (*winogradPack2)(int, const float *, size_t, size_t, const size_t *, size_t, size_t, size_t, float *, size_t);
    void (*winogradFeedback4)(int, float *);
    void (*winogradFeedback2)(int, float *);
    void (*winogradInput4)(const float *, const float *, size_t, size_t, float *, size_t);
    void (*winogradInput2)(const float *, const float *, size_t, size_t, float *, size_t);
    void (*winogradOutput4)(const float *, size_t, size_t, const float *, float, size_t, size_t, float *, size_t, size_t,
                            const float *, size_t, size_t);
    void (*winogradOutput2)(const float *, size_t, size_t, const float *, float, size_t, size_t, float *, size_t, size_t,
                            const float *, size_t, size_t);
    void (*philox)(const uint32_t *, const uint32_t *, size_t, uint64_t *);
    void (*boxMuller)(const uint64_t *, size_t, double *);
} ds_kernels;

extern const ds_kernels ds_kernels_portable;
#if defined(__x86_64__)
extern const ds_kernels ds_kernels_avx2;
extern const ds_kernels ds_kernels_avx512;
#endif

#endif
