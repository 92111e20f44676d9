// The package's product kernel beside OpenBLAS's sgemm, on the products of Winograd's F(4×4, 3×3): 36 matrices of weights, one
// after the other, too many for the second cache. One thread; the fastest of forty passes, by processor time.
//
//   clang -O2 -I Sources/CKernels/include -I Sources/CKernels Benchmarks/products/products.c Sources/CKernels/*.c \
//       -o /tmp/products -lopenblas -lpthread -lm && /tmp/products
#define _GNU_SOURCE
#include "CKernels.h"

#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

enum { POSITIONS = 36, REPEATS = 40 };

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static float *numbers(size_t count) {
    float *p = 0;
    if (posix_memalign((void **)&p, 2 << 20, count * sizeof(float))) exit(1);
    madvise(p, count * sizeof(float), MADV_HUGEPAGE);
    for (size_t i = 0; i < count; i++) p[i] = (float)(rand() % 2001) / 1000.0f - 1.0f;
    return p;
}

int main(void) {
    openblas_set_num_threads(1);
    printf("kernels %s, OpenBLAS %s\n\n", ds_variant_name(), openblas_get_corename());
    printf("| tiles | inputs | outputs | own GFLOP/s | sgemm GFLOP/s | ratio |\n|---|---|---|---|---|---|\n");
    const size_t shapes[][3] = {{1, 256, 256}, {4, 256, 256}, {8, 256, 256}, {16, 256, 256}, {20, 512, 256}, {32, 128, 128},
                                {32, 256, 256}, {64, 128, 128}, {64, 256, 256}, {64, 512, 256}, {80, 256, 256}};
    const size_t width = ds_panel_width();
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        const size_t m = shapes[s][0], k = shapes[s][1], n = shapes[s][2];
        float *a = numbers(POSITIONS * m * k), *b = numbers(POSITIONS * k * n), *packed = numbers(POSITIONS * k * n);
        float *c = numbers(POSITIONS * m * n), *d = numbers(POSITIONS * m * n);
        for (size_t p = 0; p < POSITIONS; p++)
            for (size_t row = 0; row < k; row++)
                for (size_t column = 0; column < n; column++)
                    packed[p * k * n + (column / width * k + row) * width + column % width] = b[(p * k + row) * n + column];
        double own = 1e9, blas = 1e9;
        for (int repeat = 0; repeat < REPEATS; repeat++) {
            double start = now();
            for (size_t p = 0; p < POSITIONS; p++) {
                const ds_product product = {DS_F32, 0, 1, k, packed + p * k * n, n, 0, 1, 0};
                ds_multiply_strided(&product, a + p * m * k, k, m, 0, n / width, c + p * m * n, n, 0, 0);
            }
            own = fmin(own, now() - start);
            start = now();
            for (size_t p = 0; p < POSITIONS; p++)
                cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)m, (int)n, (int)k, 1, a + p * m * k, (int)k,
                            b + p * k * n, (int)n, 0, d + p * m * n, (int)n);
            blas = fmin(blas, now() - start);
        }
        double worst = 0;
        for (size_t i = 0; i < POSITIONS * m * n; i++) worst = fmax(worst, fabs((double)c[i] - (double)d[i]));
        if (worst > 1e-3) return 1;
        const double work = 2e-9 * POSITIONS * (double)(m * n * k);
        printf("| %zu | %zu | %zu | %.0f | %.0f | %.2f |\n", m, k, n, work / own, work / blas, blas / own);
        free(a), free(b), free(packed), free(c), free(d);
    }
}
