// Would weights of eight bits help a network that is bound by reading them? One pass over 65 million weights on two threads, in
// panels of 32 columns as Sources/CKernels packs them, for several rows at once: in f32, in bf16 (AVX512-BF16), and in int8
// that is made f32 on the way. Prints milliseconds, the least of nine.
//
//     clang -O3 -march=native Benchmarks/products/eight_bits.c -lpthread -o /tmp/eight-bits && /tmp/eight-bits
#include <immintrin.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if !defined(__AVX512BF16__)
#error "needs a processor with AVX512-BF16"
#endif

enum { DEPTH = 2048, COLUMNS = 32, MAX_ROWS = 11, THREADS = 2, WEIGHTS = 65 << 20, REPEATS = 9, AHEAD = 8192 };

static float rows[MAX_ROWS][DEPTH];

// A product of ROWS rows with `panels` panels: STEP inputs at a time, whose weights are BYTES bytes for all columns.
#define PRODUCT(NAME, ROWS, STEP, BYTES, LOAD, ADD)                                                                   \
    static __attribute__((noinline)) float NAME##_##ROWS(const char *w, size_t panels) {                              \
        __m512 sums[ROWS][2], all = _mm512_setzero_ps();                                                              \
        for (size_t panel = 0; panel < panels; panel++) {                                                             \
            for (int r = 0; r < ROWS; r++) sums[r][0] = sums[r][1] = _mm512_setzero_ps();                             \
            for (int k = 0; k < DEPTH; k += STEP, w += BYTES) {                                                       \
                LOAD                                                                                                  \
                for (int line = 0; line < BYTES; line += 64) _mm_prefetch(w + AHEAD + line, _MM_HINT_T1);             \
                for (int r = 0; r < ROWS; r++) { ADD }                                                                \
            }                                                                                                         \
            for (int r = 0; r < ROWS; r++) all = _mm512_add_ps(all, _mm512_add_ps(sums[r][0], sums[r][1]));           \
        }                                                                                                             \
        return _mm512_reduce_add_ps(all);                                                                             \
    }
#define LOAD_F32 const __m512 a = _mm512_loadu_ps(w), b = _mm512_loadu_ps(w + 64);
#define LOAD_BF16 const __m512bh a = (__m512bh)_mm512_loadu_si512(w), b = (__m512bh)_mm512_loadu_si512(w + 64);
#define EIGHT(P) _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(P))))
#define LOAD_INT8 const __m512 a = EIGHT(w), b = EIGHT(w + 16);
#define ADD_F32                                                                                                       \
    const __m512 x = _mm512_set1_ps(rows[r][k]);                                                                      \
    sums[r][0] = _mm512_fmadd_ps(x, a, sums[r][0]);                                                                   \
    sums[r][1] = _mm512_fmadd_ps(x, b, sums[r][1]);
#define ADD_BF16                                                                                                      \
    const __m512bh x = (__m512bh)_mm512_set1_ps(rows[r][k / 2]);                                                      \
    sums[r][0] = _mm512_dpbf16_ps(sums[r][0], x, a);                                                                  \
    sums[r][1] = _mm512_dpbf16_ps(sums[r][1], x, b);
#define PRODUCTS(ROWS)                                                                                                \
    PRODUCT(f32, ROWS, 1, 128, LOAD_F32, ADD_F32)                                                                     \
    PRODUCT(bf16, ROWS, 2, 128, LOAD_BF16, ADD_BF16)                                                                  \
    PRODUCT(int8, ROWS, 1, 32, LOAD_INT8, ADD_F32)
PRODUCTS(1)
PRODUCTS(4)
PRODUCTS(11)

typedef struct { float (*product)(const char *, size_t); const char *weights; size_t panels; float result; } part;

static void *run(void *argument) {
    part *p = argument;
    p->result = p->product(p->weights, p->panels);
    return 0;
}

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static double milliseconds(float (*product)(const char *, size_t), const char *weights, size_t bytes) {
    const size_t panels = (size_t)WEIGHTS / DEPTH / COLUMNS / THREADS;
    double least = 1e9;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        part parts[THREADS];
        pthread_t threads[THREADS];
        const double start = seconds();
        for (int i = 0; i < THREADS; i++) {
            parts[i] = (part){product, weights + i * panels * DEPTH * COLUMNS * bytes, panels, 0};
            pthread_create(&threads[i], 0, run, &parts[i]);
        }
        for (int i = 0; i < THREADS; i++) pthread_join(threads[i], 0);
        if (seconds() - start < least) least = seconds() - start;
    }
    return 1e3 * least;
}

int main(void) {
    const size_t size = (size_t)WEIGHTS * sizeof(float);
    char *weights = malloc(size + 2 * AHEAD);
    if (!weights) return 1;
    for (size_t i = 0; i < size + 2 * AHEAD; i++) weights[i] = (char)(i * 7 % 13);  // pages of their own, and small numbers
    printf("| rows | f32 | bf16 | int8 |\n|---|---|---|---|\n");
#define LINE(ROWS)                                                                                                    \
    printf("| %d | %.2f | %.2f | %.2f |\n", ROWS, milliseconds(f32_##ROWS, weights, 4),                               \
           milliseconds(bf16_##ROWS, weights, 2), milliseconds(int8_##ROWS, weights, 1));
    LINE(1) LINE(4) LINE(11)
    free(weights);
}
