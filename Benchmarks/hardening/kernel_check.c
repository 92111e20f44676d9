// Calls every kernel of CKernels with buffers of exactly the size it may touch, and compares with the textbook's loops.
// To be run under valgrind, which sees what lies outside:
//
//     cc -O2 -gdwarf-4 -ISources/CKernels/include Benchmarks/hardening/kernel_check.c Sources/CKernels/*.c -lm -lpthread -o kernel-check
//     DIFFSPEC_KERNELS=portable valgrind ./kernel-check
#include "CKernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int failures = 0;

static float *floats(size_t count) {
    float *memory = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
    if (!memory) exit(2);
    return memory;
}

static unsigned state = 1;
static float number(void) {
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / 8388608.0f - 1.0f;
}

static float *numbers(size_t count) {
    float *memory = floats(count);
    for (size_t i = 0; i < count; i++) memory[i] = number();
    return memory;
}

static float *zeros(size_t count) {
    float *memory = floats(count);
    memset(memory, 0, count * sizeof(float));
    return memory;
}

static void expect(const char *what, double found, double expected, double tolerance) {
    if (fabs(found - expected) <= tolerance * (1 + fabs(expected))) return;
    if (failures++ < 20) fprintf(stderr, "%s: expected %g, found %g\n", what, expected, found);
}

static size_t padded(size_t channels) { return (channels + DS_CHANNEL_STEP - 1) / DS_CHANNEL_STEP * DS_CHANNEL_STEP; }

static size_t *identity(size_t count) {
    size_t *positions = malloc(count * sizeof(size_t));
    for (size_t i = 0; i < count; i++) positions[i] = i;
    return positions;
}

/// Words of so many numbers, and how far results may be from the textbook's: numbers of sixteen bits are rounded to 2⁻⁹ of themselves,
/// and what Winograd's transforms make of that is at most some ten times as much.
static size_t words(int precision, size_t count) { return precision == DS_F32 ? count : (count + 1) / 2; }
static double tolerance(int precision, double single) { return precision == DS_F32 ? single : 0.1; }

/// Rows as a product reads them: the same, or rounded ones.
static float *as_factors(int precision, float *rows, size_t count, size_t depth) {
    if (precision == DS_F32) return rows;
    float *rounded = floats(count * words(precision, depth));
    ds_round_rows(rows, count, depth, depth, rounded, words(precision, depth));
    free(rows);
    return rounded;
}

static void check_products(int precision, size_t rows, size_t inputs, size_t outputs) {
    const size_t depth = precision == DS_F32 ? padded(inputs) : inputs, columns = padded(outputs), width = ds_panel_width();
    const size_t panels = (columns + width - 1) / width;
    const size_t row = words(precision, depth);
    float *weights = numbers(outputs * inputs), *packed = zeros(panels * width * row), *bias = numbers(columns);
    size_t *positions = identity(inputs);
    ds_pack(precision, weights, outputs, inputs, 1, positions, 0, row, packed);
    float *x = zeros(rows * depth), *out = floats(rows * columns), *residual = numbers(rows * columns);
    for (size_t r = 0; r < rows; r++) for (size_t k = 0; k < inputs; k++) x[r * depth + k] = number();
    float *factors = as_factors(precision, memcpy(floats(rows * depth), x, rows * depth * sizeof(float)), rows, depth);
    const ptrdiff_t taps[1] = {0};
    const ds_product product = {precision, taps, 1, row, packed, columns, bias, 0.5f, NULL};
    const float **pointers = malloc(rows * sizeof(float *));
    for (size_t r = 0; r < rows; r++) pointers[r] = factors + r * row;
    for (int strided = 0; strided < 2; strided++) {
        if (strided) ds_multiply_strided(&product, factors, row, rows, 0, panels, out, columns, residual, columns);
        else ds_multiply(&product, pointers, rows, 0, panels, out, columns, residual, columns);
        for (size_t r = 0; r < rows; r++) for (size_t n = 0; n < outputs; n++) {
            double sum = bias[n] + residual[r * columns + n];
            for (size_t k = 0; k < inputs; k++) sum += (double)x[r * depth + k] * weights[n * inputs + k];
            expect("product", out[r * columns + n], 0.5 * sum, tolerance(precision, 1e-4));
        }
    }
    free(weights); free(packed); free(bias); free(positions); free(x); free(factors); free(out); free(residual); free(pointers);
}

// A 3×3 convolution: rows gathered with a border of zeros, then the product of nine taps, and the same by Winograd.
static void check_convolution(int precision, size_t height, size_t width, size_t inputs, size_t outputs, int upsample) {
    const size_t channels = padded(inputs), columns = padded(outputs), panelWidth = ds_panel_width();
    const size_t panels = (columns + panelWidth - 1) / panelWidth;
    const size_t inHeight = height >> upsample, inWidth = width >> upsample, paddedWidth = width + 2;
    float *weights = numbers(outputs * inputs * 9), *packed = zeros(panels * panelWidth * 9 * words(precision, channels)), *bias = zeros(columns);
    for (size_t n = 0; n < outputs; n++) bias[n] = number();
    size_t *positions = identity(inputs);
    const size_t pixel = words(precision, channels);
    ds_pack(precision, weights, outputs, inputs, 9, positions, 0, pixel, packed);
    float *image = zeros(inHeight * inWidth * channels), *scale = numbers(channels), *shift = zeros(channels);
    for (size_t p = 0; p < inHeight * inWidth; p++) for (size_t c = 0; c < inputs; c++) image[p * channels + c] = number();
    for (size_t c = 0; c < inputs; c++) shift[c] = number();
    float *border = floats((height + 2) * paddedWidth * channels), *out = floats(height * width * columns);
    const ds_gather gather = {image, height, width, channels, upsample, scale, shift, DS_ACTIVATION_SILU, 1, 1, paddedWidth, DS_F32, channels};
    ds_gather_rows(&gather, 0, height + 2, border);
    float *factors = floats((height + 2) * paddedWidth * pixel);
    ds_gather gatherFactors = gather;
    (gatherFactors.precision = precision, gatherFactors.outWords = pixel);
    ds_gather_rows(&gatherFactors, 0, height + 2, factors);
    ptrdiff_t taps[9];
    for (int t = 0; t < 9; t++) taps[t] = (ptrdiff_t)((t / 3 * paddedWidth + t % 3) * pixel);
    const ds_product product = {precision, taps, 9, pixel, packed, columns, bias, 1, NULL};
    ds_convolve(&product, factors, paddedWidth, pixel, 1, height, width, 0, panels, out, columns, NULL, 0);
    double *expected = malloc(height * width * outputs * sizeof(double));
    for (size_t y = 0; y < height; y++) for (size_t x = 0; x < width; x++) for (size_t n = 0; n < outputs; n++) {
        double sum = bias[n];
        for (int t = 0; t < 9; t++) for (size_t c = 0; c < inputs; c++) {
            const ptrdiff_t sy = (ptrdiff_t)y + t / 3 - 1, sx = (ptrdiff_t)x + t % 3 - 1;
            if (sy < 0 || sx < 0 || sy >= (ptrdiff_t)height || sx >= (ptrdiff_t)width) continue;
            const double v = (double)image[((size_t)(sy >> upsample) * inWidth + (size_t)(sx >> upsample)) * channels + c] * scale[c] + shift[c];
            sum += v / (1 + exp(-v)) * weights[(n * inputs + c) * 9 + t];
        }
        expected[(y * width + x) * outputs + n] = sum;
        expect("convolution", out[(y * width + x) * columns + n], sum, tolerance(precision, 1e-4));
    }
    for (int m = 2; m <= 4; m += 2) {
        const size_t tiles = (size_t)(m + 2) * (m + 2), stride = panels * panelWidth * pixel;
        float *transformed = zeros(tiles * stride), *in = floats(tiles * pixel), *feedback = floats(tiles), *products = floats(tiles * columns);
        float *tile = floats((m + 2) * (m + 2) * channels), *result = floats(m * m * columns);
        ds_winograd_feedback(m, feedback);
        ds_pack_winograd(precision, m, weights, outputs, inputs, positions, pixel, 0, panels, transformed, stride);
        for (size_t ty = 0; ty < height; ty += m) for (size_t tx = 0; tx < width; tx += m) {
            for (int y = 0; y < m + 2; y++) for (int x = 0; x < m + 2; x++) {
                const int inside = ty + y < height + 2 && tx + x < width + 2;
                float *to = tile + (y * (m + 2) + x) * channels;
                if (inside) memcpy(to, border + ((ty + y) * paddedWidth + tx + x) * channels, channels * sizeof(float));
                else memset(to, 0, channels * sizeof(float));
            }
            ds_winograd_input(m, precision == DS_F32 ? NULL : feedback, tile, (m + 2) * channels, channels, in, pixel);
            for (size_t i = 0; i < tiles; i++) {
                const ds_product one = {precision, NULL, 1, pixel, transformed + i * stride, columns, NULL, 1, NULL};
                ds_multiply_strided(&one, in + i * pixel, pixel, 1, 0, panels, products + i * columns, columns, NULL, 0);
            }
            const size_t rows = height - ty < (size_t)m ? height - ty : (size_t)m, cols = width - tx < (size_t)m ? width - tx : (size_t)m;
            ds_winograd_output(m, products, columns, columns, bias, 1, rows, cols, result, m * columns, columns, NULL, 0, 0);
            for (size_t y = 0; y < rows; y++) for (size_t x = 0; x < cols; x++) for (size_t n = 0; n < outputs; n++)
                expect("winograd", result[(y * m + x) * columns + n], expected[((ty + y) * width + tx + x) * outputs + n], tolerance(precision, 1e-3));
        }
        free(transformed); free(in); free(feedback); free(products); free(tile); free(result);
    }
    free(weights); free(packed); free(bias); free(positions); free(image); free(scale); free(shift); free(border); free(factors); free(out); free(expected);
}

static void check_elementwise(size_t height, size_t width, size_t channels) {
    const size_t stride = padded(channels), pixels = height * width;
    float *x = numbers(pixels * stride), *y = floats(pixels * stride), *scale = numbers(stride), *shift = numbers(stride);
    for (int activation = DS_ACTIVATION_NONE; activation <= DS_ACTIVATION_RELU; activation++) {
        ds_affine(x, pixels, stride, scale, shift, activation, y);
        ds_activate(x, pixels * stride, activation, y);
        for (size_t i = 0; i < pixels * stride; i++) {
            const double v = x[i];
            const double values[] = {v, v / (1 + exp(-v)), v * tanh(log1p(exp(v))), 0.5 * v * (1 + erf(v / sqrt(2))), v > 0 ? v : 0};
            expect("activation", y[i], values[activation], 1e-5);
        }
    }
    double *sums = malloc(stride * sizeof(double)), *squares = malloc(stride * sizeof(double));
    ds_channel_sums(x, pixels, stride, stride, sums, squares);
    for (size_t c = 0; c < stride; c++) {
        double sum = 0, square = 0;
        for (size_t p = 0; p < pixels; p++) { sum += x[p * stride + c]; square += (double)x[p * stride + c] * x[p * stride + c]; }
        // Eight pixels at a time are added in single precision: seven roundings of sums below 8, half a unit each.
        expect("sum", sums[c], sum, pixels / 8.0 * 7 * 2.4e-7 + 1e-7);
        expect("sum of squares", squares[c], square, pixels / 8.0 * 7 * 2.4e-7 + 1e-7);
    }
    // A mean far from zero leaves the variance its digits: in single precision 10⁴ is known to 10⁻³, deviations of 1 with
    // it, and what is rounded already is summed here in double precision. Each pixel is 10⁴ away and less than 2 from the first.
    for (size_t i = 0; i < pixels * stride; i++) y[i] = x[i] + 1e4f;
    ds_channel_sums(y, pixels, stride, stride, sums, squares);
    for (size_t c = 0; c < stride; c++) {
        double mean = 0, variance = 0;
        for (size_t p = 0; p < pixels; p++) mean += y[p * stride + c] / (double)pixels;
        for (size_t p = 0; p < pixels; p++) variance += (y[p * stride + c] - mean) * (y[p * stride + c] - mean) / pixels;
        expect("mean far from zero", sums[c] / pixels, mean, 1e-9);
        expect("variance far from zero", squares[c] / pixels - sums[c] / pixels * (sums[c] / pixels), variance, 1e-5);
    }
    float *half = floats((height / 2) * (width / 2) * stride + 16), *twice = floats(4 * pixels * stride);
    ds_average_pool(x, height, width, stride, half);
    if (height > 1 && width > 1) expect("pool", half[0], (x[0] + x[stride] + x[width * stride] + x[(width + 1) * stride]) / 4.0, 1e-6);
    ds_upsample(x, height, width, stride, twice);
    expect("upsampling", twice[(4 * pixels - 1) * stride], x[(pixels - 1) * stride], 0);
    float *planes = floats(channels * pixels), *back = floats(pixels * stride);
    ds_from_channels_last(x, channels, pixels, stride, planes);
    ds_to_channels_last(planes, channels, pixels, stride, 1, 0, back);
    for (size_t p = 0; p < pixels; p++) for (size_t c = 0; c < stride; c++)
        expect("layout", back[p * stride + c], c < channels ? x[p * stride + c] : 0, 0);
    ds_softmax(x, pixels, channels, stride, 2);
    for (size_t p = 0; p < pixels; p++) {
        double sum = 0;
        for (size_t c = 0; c < channels; c++) sum += x[p * stride + c];
        expect("softmax", sum, 1, 1e-5);
    }
    free(x); free(y); free(scale); free(shift); free(sums); free(squares); free(half); free(twice); free(planes); free(back);
}

// A convolution of sequences of `positions` by `taps` taps, zeros beyond its ends, every `step`-th output; then a modulation.
static void check_sequence(int precision, size_t batch, size_t positions, size_t inputs, size_t outputs, size_t taps, size_t step, int accumulates) {
    const size_t depth = padded(inputs), columns = padded(outputs), width = ds_panel_width();
    const size_t panels = (columns + width - 1) / width, outPositions = (positions + step - 1) / step, middle = taps / 2;
    float *weights = numbers(outputs * inputs * taps), *packed = zeros(panels * width * taps * words(precision, depth)), *bias = zeros(columns);
    for (size_t n = 0; n < outputs; n++) bias[n] = number();
    size_t *channels = identity(inputs);
    const size_t row = words(precision, depth);
    ds_pack(precision, weights, outputs, inputs, taps, channels, 0, row, packed);
    float *in = zeros(positions * batch * depth), *out = numbers(outPositions * batch * columns);
    for (size_t r = 0; r < positions * batch; r++) for (size_t c = 0; c < inputs; c++) in[r * depth + c] = number();
    float *factors = as_factors(precision, memcpy(floats(positions * batch * depth), in, positions * batch * depth * sizeof(float)),
                                positions * batch, depth);
    float *before = floats(outPositions * batch * columns);
    memcpy(before, out, outPositions * batch * columns * sizeof(float));
    ds_sequence_tap *list = malloc(taps * sizeof(ds_sequence_tap));
    for (size_t t = 0; t < taps; t++) {
        // Output o reads input o · step + t - middle, where there is one.
        size_t first = t >= middle ? 0 : (middle - t + step - 1) / step, count = 0;
        while (first + count < outPositions && (first + count) * step + t < positions + middle) count++;
        list[t] = (ds_sequence_tap){t, count ? first * step + t - middle : 0, first, count};
    }
    const ds_sequence_convolution convolution = {precision, list, taps, packed, taps, row, columns, bias, accumulates, batch, step, 1,
                                                 factors, row, out, columns, outPositions};
    ds_convolve_sequence(&convolution, 0, panels);
    for (size_t o = 0; o < outPositions; o++) for (size_t b = 0; b < batch; b++) for (size_t n = 0; n < outputs; n++) {
        double sum = bias[n] + (accumulates ? before[(o * batch + b) * columns + n] : 0);
        for (size_t t = 0; t < taps; t++) {
            const ptrdiff_t p = (ptrdiff_t)(o * step + t) - (ptrdiff_t)middle;
            if (p < 0 || p >= (ptrdiff_t)positions) continue;
            for (size_t c = 0; c < inputs; c++) sum += (double)in[((size_t)p * batch + b) * depth + c] * weights[(n * inputs + c) * taps + t];
        }
        expect("sequence convolution", out[(o * batch + b) * columns + n], sum, tolerance(precision, 1e-4));
    }
    float *scale = numbers(columns), *shift = numbers(columns), *gain = numbers(columns), *residual = numbers(outPositions * batch * columns);
    memcpy(before, out, outPositions * batch * columns * sizeof(float));
    const ds_modulation modulation = {scale, shift, gain, shift};
    ds_modulate(&modulation, columns, out, outPositions * batch, columns, residual, columns);
    for (size_t i = 0; i < outPositions * batch * columns; i++) {
        const double v = (double)before[i] * scale[i % columns] + shift[i % columns];
        expect("modulation", out[i], v * tanh(log1p(exp(v))) * gain[i % columns] + shift[i % columns] + residual[i], 1e-4);
    }
    free(weights); free(packed); free(bias); free(channels); free(in); free(factors); free(out); free(before); free(list);
    free(scale); free(shift); free(gain); free(residual);
}

// Rows packed on the way, as columns and as rows of a matrix, by the product with ones: sums of rows and of columns.
static void check_packed_rows(int precision, size_t rows, size_t width) {
    const size_t panel = ds_panel_width(), row = words(precision, width), deep = words(precision, rows);
    float *x = numbers(rows * width), *packable = as_factors(precision, memcpy(floats(rows * width), x, rows * width * sizeof(float)), rows, width);
    const size_t longest = rows > width ? rows : width, columns = padded(longest);
    float *ones = floats(longest), *out = floats(columns);
    for (size_t i = 0; i < longest; i++) ones[i] = 1;
    for (int transposed = 0; transposed < 2; transposed++) {
        const size_t outputs = transposed ? rows : width, inputs = transposed ? width : rows;
        const size_t panels = (outputs + panel - 1) / panel, depth = transposed ? row : deep;
        float *packed = zeros(panels * panel * depth);
        if (transposed) ds_pack_transposed(packable, rows, row, row, packed);
        else ds_pack_rows(precision, packable, rows, row, width, packed);
        float *factors = as_factors(precision, memcpy(floats(inputs), ones, inputs * sizeof(float)), 1, inputs);
        const ds_product product = {precision, NULL, 1, depth, packed, padded(outputs), NULL, 1, NULL};
        ds_multiply_strided(&product, factors, depth, 1, 0, panels, out, columns, NULL, 0);
        for (size_t o = 0; o < padded(outputs); o++) {
            double sum = 0;
            for (size_t i = 0; i < inputs && o < outputs; i++) sum += transposed ? x[o * width + i] : x[i * width + o];
            expect("packed rows", out[o], sum, tolerance(precision, 1e-4));
        }
        free(packed); free(factors);
    }
    free(x); free(packable); free(ones); free(out);
}

static void check_gated_gelu(size_t rows, size_t channels, size_t stride) {
    float *x = numbers(2 * rows * channels), *out = floats((rows - 1) * stride + channels);
    ds_gated_gelu(x, rows, channels, out, stride);
    for (size_t r = 0; r < rows; r++) for (size_t c = 0; c < channels; c++) {
        const double gate = x[(2 * r + 1) * channels + c];
        expect("gated GELU", out[r * stride + c], x[2 * r * channels + c] * gate * 0.5 * erfc(-gate / sqrt(2)), 1e-6);
    }
    free(x); free(out);
}

static void check_rms_norm(size_t rows, size_t channels) {
    const size_t stride = (channels + 15) / 16 * 16;
    float *x = floats(rows * stride), *weight = floats(stride), *values = numbers(rows * channels), *out = floats(rows * stride);
    memset(x, 0, rows * stride * sizeof *x);
    memset(weight, 0, stride * sizeof *weight);
    for (size_t c = 0; c < channels; c++) {
        weight[c] = 1 + (float)c / 8;
        for (size_t r = 0; r < rows; r++) x[r * stride + c] = values[r * channels + c];
    }
    ds_rms_norm(x, rows, stride, channels, weight, 1e-3f, out, stride);
    for (size_t r = 0; r < rows; r++) {
        double sum = 0;
        for (size_t c = 0; c < channels; c++) sum += (double)x[r * stride + c] * x[r * stride + c];
        for (size_t c = 0; c < stride; c++) {
            expect("RMS norm", out[r * stride + c], x[r * stride + c] / sqrt(sum / channels + 1e-3) * weight[c], 1e-5);
        }
    }
    free(x); free(weight); free(values); free(out);
}

static void check_gated_silu(size_t rows, size_t channels, size_t stride) {
    float *x = numbers(2 * rows * channels), *out = floats((rows - 1) * stride + channels);
    ds_gated_silu(x, rows, 2 * channels, channels, out, stride);
    for (size_t r = 0; r < rows; r++) for (size_t c = 0; c < channels; c++) {
        const double gate = x[2 * r * channels + c];
        expect("gated SiLU", out[r * stride + c], x[(2 * r + 1) * channels + c] * gate / (1 + exp(-gate)), 1e-6);
    }
    free(x); free(out);
}

/// The first `prefix` positions, and every second of `others` behind them.
static void check_attention(size_t prefix, size_t others, size_t channels) {
    const size_t positions = prefix + 2 * others, blocks = (positions + 15) / 16;
    float *keys = numbers(blocks * channels * 16), *values = numbers(positions * channels), *query = numbers(channels);
    float *scores = floats(blocks * 16), *out = floats(channels);
    uint32_t *seen = malloc((others + 1) * sizeof *seen);
    for (size_t i = 0; i < others; i++) seen[i] = (uint32_t)(prefix + 2 * i + 1);
    const ds_attention attention = {.keys = keys, .keyStride = channels * 16, .values = values, .valueStride = channels,
                                    .channels = channels, .prefix = prefix, .others = seen, .otherCount = others, .scale = 0.5f};
    ds_attend(&attention, query, scores, out);
    double total = 0, *sums = calloc(channels, sizeof *sums);
    for (size_t i = 0; i < prefix + others; i++) {
        const size_t position = i < prefix ? i : seen[i - prefix];
        double score = 0;
        for (size_t c = 0; c < channels; c++) score += (double)query[c] * keys[(position / 16 * channels + c) * 16 + position % 16];
        const double weight = exp(0.5 * score);
        total += weight;
        for (size_t c = 0; c < channels; c++) sums[c] += weight * values[position * channels + c];
    }
    for (size_t c = 0; c < channels; c++) expect("attention", out[c], sums[c] / total, 1e-5);
    free(keys); free(values); free(query); free(scores); free(out); free(seen); free(sums);
}

/// One word at a time, as the paper has it.
static void philox_block(uint32_t *word, uint32_t key0, uint32_t key1) {
    for (int round = 0; round < 10; round++) {
        const uint64_t product0 = 0xD2511F53ull * word[0], product1 = 0xCD9E8D57ull * word[2];
        const uint32_t next[4] = {(uint32_t)(product1 >> 32) ^ word[1] ^ key0, (uint32_t)product1,
                                  (uint32_t)(product0 >> 32) ^ word[3] ^ key1, (uint32_t)product0};
        memcpy(word, next, sizeof next);
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
}

static void check_random_numbers(size_t pairs) {
    const uint32_t counter[4] = {0xFFFFFFF0u, 1, 2, 3}, key[2] = {4, 0xFFFFFFFFu};
    uint64_t *words = malloc(2 * pairs * sizeof *words);
    double *normals = malloc(2 * pairs * sizeof *normals);
    ds_philox(counter, key, pairs, words);
    ds_box_muller(words, pairs, normals);
    for (size_t i = 0; i < pairs; i++) {
        uint32_t word[4] = {counter[0] + (uint32_t)i, counter[1], counter[2], counter[3]};
        philox_block(word, key[0], key[1]);
        expect("Philox", words[2 * i] == ((uint64_t)word[1] << 32 | word[0]) && words[2 * i + 1] == ((uint64_t)word[3] << 32 | word[2]), 1, 0);
        const double radius = sqrt(-2 * log(((double)(words[2 * i] >> 12) + 0.5) * 0x1p-52));
        const double angle = 6.28318530717958647693 * (((double)(words[2 * i + 1] >> 12) + 0.5) * 0x1p-52);
        expect("Box-Muller", normals[2 * i], radius * cos(angle), 1e-14);
        expect("Box-Muller", normals[2 * i + 1], radius * sin(angle), 1e-14);
    }
    ds_box_muller(words, pairs, (double *)words);
    expect("Box-Muller in place", memcmp(words, normals, 2 * pairs * sizeof *words), 0, 0);
    free(words); free(normals);
}

static void count_unit(void *context, size_t unit, size_t thread) { ((size_t *)context)[unit] += 1 + 0 * thread; }

static void check_team(size_t threads, size_t units) {
    ds_team *team = ds_team_create(threads);
    if (!team) exit(2);
    size_t *counts = calloc(units ? units : 1, sizeof(size_t));
    for (int round = 0; round < 3; round++) ds_team_run(team, units, count_unit, counts);
    for (size_t i = 0; i < units; i++) expect("team", (double)counts[i], 3, 0);
    ds_team_destroy(team);
    free(counts);
}

int main(void) {
    const size_t sizes[] = {1, 3, 16, 17, 48};
    for (int p = DS_F32; p <= DS_BF16_TILED; p++) for (size_t i = 0; i < 5; i++) for (size_t j = 0; j < 5; j++) for (size_t rows = 1; rows <= 36; rows += 7)
        check_products(p, rows, sizes[i], sizes[j]);
    for (int p = DS_F32; p <= DS_BF16_TILED; p++) {
        for (int upsample = 0; upsample < 2; upsample++) {
            check_convolution(p, 4, 6, 3, 5, upsample);
            check_convolution(p, 2, 2, 16, 16, upsample);
            check_convolution(p, 8, 10, 20, 33, upsample);
        }
        check_convolution(p, 5, 7, 17, 18, 0);
        check_convolution(p, 1, 1, 1, 1, 0);
    }
    for (size_t i = 0; i < 5; i++) for (size_t j = 0; j < 5; j++) {
        check_packed_rows(DS_F32, sizes[i], sizes[j]);
        check_packed_rows(DS_BF16, sizes[i], 2 * sizes[j]);
        check_rms_norm(sizes[i], sizes[j]);
        for (size_t channels = 16; channels <= 48; channels += 32) check_attention(sizes[i], sizes[j], channels);
        check_attention(sizes[i], 0, 16);
    }
    for (size_t channels = 16; channels <= 48; channels += 16) check_gated_silu(3, channels, channels + 16);
    for (size_t channels = 16; channels <= 48; channels += 16) check_gated_gelu(3, channels, channels + 16);
    for (size_t i = 0; i < 5; i++) { check_elementwise(4, 6, sizes[i]); check_elementwise(3, 5, sizes[i]); check_elementwise(1, 1, sizes[i]); }
    for (size_t taps = 1; taps <= 5; taps += 2) for (size_t step = 1; step <= 2; step++) for (int accumulates = 0; accumulates < 2; accumulates++) for (int p = DS_F32; p <= DS_BF16_TILED; p++) {
        check_sequence(p, 1, 1, 3, 5, taps, step, accumulates);
        check_sequence(p, 3, 8, 17, 33, taps, step, accumulates);
        check_sequence(p, 7, 5, 16, 16, taps, step, accumulates);
    }
    for (size_t pairs = 1; pairs < 40; pairs++) check_random_numbers(pairs);
    for (size_t threads = 1; threads <= 3; threads++) { check_team(threads, 0); check_team(threads, 1); check_team(threads, 50); }
    printf("%s kernels: %d failures\n", ds_variant_name(), failures);
    return failures ? 1 : 0;
}
