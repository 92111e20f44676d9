// The kernels' AMX instructions, run where there is no AMX: each traps as unknown, and the handler below does what it would have
// done, by the rules of Intel's manual. What comes out must be the bits of the twin without such instructions, and of the
// definition; memory ends at pages that may not be touched.
//
//     clang -O2 -ISources/CKernels -ISources/CKernels/include Benchmarks/hardening/amx_check.c -lm -o amx-check && ./amx-check 300
//
// Needs AVX-512. A first argument is the number of random cases, a second their seed.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "avx512.c"

// Stands in for that of dispatch.c: DS_BF16 means tiles here.
int ds_bf16_kind(void) { return DS_BF16_NATIVE_TILES; }

// MARK: The instructions

static struct {
    uint8_t shape[64], tile[8][16][64], isLoaded[8];
    int isConfigured;
    long configurations, releases, products;
} amx;

static _Noreturn void refuse(const char *why) {
    ssize_t written = write(2, why, strlen(why)) + write(2, "\n", 1);
    _exit(written > 0 ? 99 : 98);
}

static unsigned row_bytes(int t) { return amx.shape[16 + 2 * t] | amx.shape[17 + 2 * t] << 8; }
static unsigned row_count(int t) { return amx.shape[48 + t]; }

static float half(const uint8_t *p) {
    const uint32_t bits = (uint32_t)(p[0] | p[1] << 8) << 16;
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void load_shape(const uint8_t *from) {
    memcpy(amx.shape, from, 64);
    if (amx.shape[0] != 1 || amx.shape[1]) refuse("ldtilecfg: palette or first row");
    for (int i = 2; i < 64; i++) {
        if ((i < 16 || (i >= 32 && i < 48) || i >= 56) && amx.shape[i]) refuse("ldtilecfg: reserved bytes");
    }
    for (int t = 0; t < 8; t++) {
        if (row_bytes(t) > 64 || row_count(t) > 16 || !row_bytes(t) != !row_count(t)) refuse("ldtilecfg: a tile's shape");
    }
    memset(amx.tile, 0, sizeof amx.tile);
    memset(amx.isLoaded, 0, sizeof amx.isLoaded);
    amx.isConfigured = 1;
    amx.configurations++;
}

static void move_tile(int t, uint8_t *memory, long stride, int isLoad) {
    if (!isLoad && !amx.isLoaded[t]) refuse("tilestored: a tile that was never loaded");
    for (unsigned r = 0; r < row_count(t); r++) {
        if (isLoad) {
            memset(amx.tile[t][r], 0, 64);
            memcpy(amx.tile[t][r], memory + (long)r * stride, row_bytes(t));
        } else {
            memcpy(memory + (long)r * stride, amx.tile[t][r], row_bytes(t));
        }
    }
    if (isLoad) amx.isLoaded[t] = 1;
}

/// tdpbf16ps: two sums from zero, of the even and the odd numbers, each product and sum rounded once; then both are added.
static void multiply_and_add(int sums, int x, int w) {
    if (sums == x || x == w || sums == w) refuse("tdpbf16ps: the same tile twice");
    if (row_count(sums) != row_count(x) || row_bytes(x) / 4 != row_count(w) || row_bytes(sums) != row_bytes(w)) {
        refuse("tdpbf16ps: shapes that do not fit");
    }
    if (!amx.isLoaded[sums] || !amx.isLoaded[x] || !amx.isLoaded[w]) refuse("tdpbf16ps: a tile that was never loaded");
    for (unsigned r = 0; r < row_count(sums); r++) {
        for (unsigned n = 0; n < row_bytes(sums) / 4; n++) {
            float even = 0, odd = 0, sum;
            for (unsigned k = 0; k < row_bytes(x) / 4; k++) {
                even = fmaf(half(amx.tile[x][r] + 4 * k), half(amx.tile[w][k] + 4 * n), even);
                odd = fmaf(half(amx.tile[x][r] + 4 * k + 2), half(amx.tile[w][k] + 4 * n + 2), odd);
            }
            memcpy(&sum, amx.tile[sums][r] + 4 * n, 4);
            sum += even + odd;
            memcpy(amx.tile[sums][r] + 4 * n, &sum, 4);
        }
    }
    amx.products++;
}

/// Decodes the instruction that trapped (three-byte VEX), does its work and goes behind it.
static void on_unknown_instruction(int signal, siginfo_t *info, void *context) {
    static const int registers[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                                      REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
    greg_t *values = ((ucontext_t *)context)->uc_mcontext.gregs;
    const uint8_t *p = (const uint8_t *)values[REG_RIP];
    (void)signal, (void)info;
    if (*p++ != 0xC4) refuse("no AMX instruction");
    const uint8_t first = *p++, second = *p++, code = *p++, form = *p++;
    if ((first & 31) != 2 || (second & 0x84)) refuse("no AMX instruction");
    const int highReg = !(first & 0x80) << 3, highIndex = !(first & 0x40) << 3, highBase = !(first & 0x20) << 3;
    const int third = (~second >> 3) & 15, prefix = second & 3, mode = form >> 6;
    const int reg = (form >> 3 & 7) | highReg, rm = (form & 7) | highBase;
    uint8_t *memory = 0;
    long stride = 0;
    int isRelative = 0;
    if (mode != 3) {
        if ((form & 7) == 4) {
            const uint8_t sib = *p++;
            const int index = (sib >> 3 & 7) | highIndex;
            if (index != 4) stride = (long)values[registers[index]] * (1 << (sib >> 6));
            if ((sib & 7) == 5 && mode == 0) refuse("an address without a base");
            memory = (uint8_t *)values[registers[(sib & 7) | highBase]];
        } else {
            if (code == 0x4B) refuse("a tile's address without a stride");
            isRelative = mode == 0 && (form & 7) == 5;
            if (!isRelative) memory = (uint8_t *)values[registers[rm]];
        }
        int32_t wide = 0;
        if (mode == 1) {
            wide = (int8_t)*p++;
        } else if (mode == 2 || isRelative) {
            memcpy(&wide, p, 4);
            p += 4;
        }
        memory = (isRelative ? (uint8_t *)p : memory) + wide;
    }
    if (code == 0x49 && prefix == 0 && mode != 3) {
        load_shape(memory + stride);
    } else if (code == 0x49 && prefix == 0 && form == 0xC0) {
        amx.isConfigured = 0;
        amx.releases++;
    } else {
        if (!amx.isConfigured) refuse("tiles without a shape");
        if (reg > 7 || (mode == 3 && (rm > 7 || third > 7))) refuse("a tile beyond the seventh");
        if (code == 0x4B && (prefix == 2 || prefix == 3) && mode != 3) {
            move_tile(reg, memory, stride, prefix == 3);
        } else if (code == 0x5C && prefix == 2 && mode == 3) {
            multiply_and_add(reg, rm, third);
        } else {
            refuse("an AMX instruction that is not expected");
        }
    }
    values[REG_RIP] = (greg_t)p;
}

// MARK: The cases

static uint64_t state;
static uint64_t below(uint64_t end) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (state * 0x2545F4914F6CDD1Dull >> 11) % end;
}
static float number(void) { return (float)((double)below(1 << 20) / (1 << 19) - 1) * (float)(1 << below(6)); }

/// Numbers that begin or end at a page that may not be touched, freed with all others after a case.
static struct { void *map; size_t length; } buffers[16];
static int bufferCount;
static float *buffer(size_t count, int isPairs, int atFront) {
    const size_t bytes = count * sizeof(float), pages = (bytes + 4095) / 4096 * 4096;
    char *map = mmap(0, pages + 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED || mprotect(map + 4096, pages, PROT_READ | PROT_WRITE)) exit(2);
    buffers[bufferCount].map = map;
    buffers[bufferCount++].length = pages + 8192;
    float *values = (float *)(map + 4096 + (atFront ? 0 : pages - bytes));
    for (size_t i = 0; i < count; i++) {
        float a = number(), b = number();
        uint32_t x, y;
        memcpy(&x, &a, 4), memcpy(&y, &b, 4);
        const uint32_t pair = x >> 16 | (y & 0xFFFF0000);
        memcpy(values + i, isPairs ? (void *)&pair : (void *)&a, 4);
    }
    return values;
}

static long failures, compared;
static void expect_same(const char *what, const float *found, const float *expected, size_t count) {
    compared += (long)count;
    if (!memcmp(found, expected, count * sizeof(float))) return;
    failures++;
    printf("%s: other bits\n", what);
}

/// Where the words of a row begin, by one of several kinds of distance between rows.
static size_t row_place(int kind, size_t r, size_t count, size_t stride) {
    switch (kind) {
    case 0: return r * stride;
    case 1: return (count - 1 - r) * stride;               // descending
    case 2: return 0;                                      // all the same
    case 3: return r * stride + r / 8 * 3;                 // rows of an image
    case 4: return r * stride + r / 16 * 2;
    case 5: return below(count * stride + 1);
    default: return r * stride + (r + 1 == count);         // the last one apart
    }
}

/// A product with taps, bias and residual: by tiles, by the twin, of some rows by themselves, and by the definition.
static void check_product(void) {
    const int atFront = below(2) == 1, kind = (int)below(7), hasBias = below(2) == 1, residuals = (int)below(3);
    const size_t depth = below(3) ? 1 + below(50) : 16 * (1 + below(4));
    const size_t count = below(3) ? 1 + below(100) : 16 * (1 + below(6));
    const size_t columns = 16 * (1 + below(5)), panels = (columns + PANEL - 1) / PANEL, outStride = columns + 16;
    const size_t stride = below(2 * depth + 3), tapCount = 1 + below(4);  // rows may overlap
    ptrdiff_t taps[4];
    size_t places[128], last = 0, lastTap = 0;
    for (size_t t = 0; t < tapCount; t++) {
        taps[t] = t ? (ptrdiff_t)below(40) : 0;
        if ((size_t)taps[t] > lastTap) lastTap = (size_t)taps[t];
    }
    for (size_t r = 0; r < count; r++) {
        places[r] = row_place(kind, r, count, stride);
        if (places[r] > last) last = places[r];
    }
    const float *x = buffer(last + lastTap + depth, 1, atFront), *w = buffer(panels * tapCount * depth * PANEL, 1, atFront);
    const float *bias = buffer(columns, 0, atFront), *rows[128];
    for (size_t r = 0; r < count; r++) rows[r] = x + places[r];
    const size_t size = (count - 1) * outStride + columns;
    float *residual = buffer(size, 0, atFront), *tiled = buffer(size, 0, atFront), *twin = buffer(size, 0, atFront);
    memcpy(tiled, residual, size * sizeof(float));
    memcpy(twin, residual, size * sizeof(float));
    ds_product product = {.taps = taps, .tapCount = tapCount, .depth = depth, .weights = w, .columns = columns,
                          .bias = hasBias ? bias : 0, .scale = number()};
    const ds_kernels *kernels = &ds_kernels_avx512;
    product.precision = DS_BF16_TILED;
    kernels->multiply(&product, rows, 0, 0, count, 0, panels, twin, outStride, residuals == 2 ? twin : residuals ? residual : 0,
                      outStride);
    product.precision = DS_BF16;
    kernels->multiply(&product, rows, 0, 0, count, 0, panels, tiled, outStride,
                      residuals == 2 ? tiled : residuals ? residual : 0, outStride);
    expect_same("product", tiled, twin, size);

    const size_t r = below(count), from = below(r + 1), some = r - from + 1 + below(count - r);
    float *part = buffer(some * columns, 0, atFront);
    kernels->multiply(&product, rows + from, 0, 0, some, 0, panels, part, columns, residuals ? residual + from * outStride : 0,
                      outStride);
    expect_same("some rows", part + (r - from) * columns, tiled + r * outStride, columns);

    for (size_t c = 0; c < columns; c++) {
        float sum = hasBias ? bias[c] : 0;
        for (size_t t = 0; t < tapCount; t++) {
            for (size_t k = 0; k < depth; k += 16) {
                float even = 0, odd = 0;
                for (size_t j = k; j < depth && j < k + 16; j++) {
                    const uint8_t *a = (const uint8_t *)(rows[r] + taps[t] + j);
                    const uint8_t *b = (const uint8_t *)(w + ((c / PANEL * tapCount + t) * depth + j) * PANEL + c % PANEL);
                    even = fmaf(half(a), half(b), even);
                    odd = fmaf(half(a + 2), half(b + 2), odd);
                }
                sum += even + odd;
            }
        }
        sum = (sum + (residuals ? residual[r * outStride + c] : 0)) * product.scale;
        expect_same("definition", tiled + r * outStride + c, &sum, 1);
    }
}

static void check_sequence(void) {
    const int atFront = below(2) == 1;
    const size_t depth = 1 + below(50), columns = 16 * (1 + below(5)), panels = (columns + PANEL - 1) / PANEL;
    const size_t batch = 1 + below(20), positions = 1 + below(9), stride = depth + below(3), outStride = columns + 16;
    const ds_sequence_tap taps[3] = {{1, 0, 1, positions - 1}, {0, 0, 0, positions}, {2, 1, 0, positions - 1}};
    const size_t size = (positions * batch - 1) * outStride + columns;
    float *tiled = buffer(size, 0, atFront), *twin = buffer(size, 0, atFront);
    memcpy(twin, tiled, size * sizeof(float));
    ds_sequence_convolution c = {
        .taps = taps, .tapCount = 3, .weights = buffer(panels * 3 * depth * PANEL, 1, atFront), .weightTaps = 3, .depth = depth,
        .columns = columns, .bias = buffer(columns, 0, atFront), .accumulates = below(2) == 1, .batch = batch, .inStep = 1,
        .outStep = 1, .in = buffer((positions * batch - 1) * stride + depth, 1, atFront), .inStride = stride,
        .outStride = outStride, .outPositions = positions};
    c.precision = DS_BF16_TILED, c.out = twin;
    ds_kernels_avx512.convolveSequence(&c, 0, panels);
    c.precision = DS_BF16, c.out = tiled;
    ds_kernels_avx512.convolveSequence(&c, 0, panels);
    expect_same("sequence", tiled, twin, size);
}

int main(int count, char **words) {
    if (!__builtin_cpu_supports("avx512bw")) return puts("amx: no AVX-512 here, not checked"), 0;
    struct sigaction action = {.sa_sigaction = on_unknown_instruction, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigaction(SIGILL, &action, 0);
    state = (count > 2 ? strtoull(words[2], 0, 10) : 1) * 0x9E3779B97F4A7C15ull + 1;
    const int cases = count > 1 ? atoi(words[1]) : 300;
    for (int i = 0; i < cases; i++) {
        check_product();
        check_sequence();
        while (bufferCount) bufferCount--, munmap(buffers[bufferCount].map, buffers[bufferCount].length);
    }
    if (amx.configurations != amx.releases || amx.isConfigured) failures++, puts("a shape that was not released");
    printf("amx: %d cases, %ld numbers compared, %ld tile products, %ld failures\n", cases, compared, amx.products, failures);
    return failures != 0;
}
