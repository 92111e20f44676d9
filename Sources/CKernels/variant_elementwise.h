// Activation functions, normalisation, pooling, softmax.

/// e^x, at most two units in the last place off on [-87, 88]; clamped outside.
INLINE vec exponential(vec x) {
    x = select_vec(x > splat(88.0f), splat(88.0f), x);
    x = select_vec(x < splat(-87.0f), splat(-87.0f), x);
    // x = n·ln 2 + r, |r| ≤ ½ ln 2, with ln 2 in two parts; rounding to nearest by adding 1.5·2²³.
    const vec magic = splat(12582912.0f);
    const vec shifted = x * splat(1.44269504088896341f) + magic;
    const ivec n = (ivec)shifted - (ivec)magic;
    const vec whole = shifted - magic;
    vec r = x - whole * splat(0.693359375f);
    r = r - whole * splat(-2.12194440e-4f);
    vec p = splat(1.9875691500e-4f);
    p = splat(1.3981999507e-3f) + p * r;
    p = splat(8.3334519073e-3f) + p * r;
    p = splat(4.1665795894e-2f) + p * r;
    p = splat(1.6666665459e-1f) + p * r;
    p = splat(5.0000001201e-1f) + p * r;
    p = splat(1.0f) + (r + p * (r * r));
    return (vec)((ivec)p + (n << 23));
}

/// 1/d, at most one unit in the last place off; a division where the processor has no fast estimate.
INLINE vec reciprocal(vec d) {
#ifdef RECIPROCAL_ESTIMATE
    // One Newton step on an estimate of 14 bits.
    const vec y = RECIPROCAL_ESTIMATE(d);
    return y + y * (splat(1.0f) - d * y);
#else
    return splat(1.0f) / d;
#endif
}

/// x Φ(x), with Φ(-|x|) = ½ erfc y, y = |x|/√2, and erfc y = exp(-y²) t P(t), t = 1/(1 + y/2): P is the polynomial of degree 8 whose
/// largest relative error, 2e-8 for y up to 6.5, is least. Small values keep their digits, unlike those of 1 + erf.
INLINE vec gelu(vec x) {
    static const float coefficients[] = {-0.0541715613f, 0.260493519f, -0.436796654f, 0.219552197f, 0.0144868394f,
                                         0.184829829f,   0.247774919f, 0.281703942f,  0.282126951f};
    const vec y = select_vec(x < splat(0), -x, x) * splat(0.70710678118654752f);
    const vec t = reciprocal(splat(1.0f) + splat(0.5f) * y);
    vec p = splat(coefficients[0]);
    UNROLL for (int i = 1; i < 9; i++) p = p * t + splat(coefficients[i]);
    const vec tail = splat(0.5f) * (p * t) * exponential(x * x * splat(-0.5f));  // x²/2 has fewer roundings than y²
    return x * select_vec(x > splat(0), splat(1.0f) - tail, tail);
}

INLINE vec activate(vec x, const int activation) {
    switch (activation) {
    case DS_ACTIVATION_SILU:
        return x * reciprocal(splat(1.0f) + exponential(-x));
    case DS_ACTIVATION_MISH: {
        // tanh(log(1 + e)) = (e² + 2e)/(e² + 2e + 2); from 20 on it is 1.
        const vec e = exponential(select_vec(x > splat(20.0f), splat(20.0f), x));
        const vec s = e * (e + splat(2.0f));
        return x * (s / (s + splat(2.0f)));
    }
    case DS_ACTIVATION_GELU:
        return gelu(x);
    case DS_ACTIVATION_RELU:
        return select_vec(x < splat(0.0f), splat(0.0f), x);
    case DS_ACTIVATION_QUICK_GELU:
        return x * reciprocal(splat(1.0f) + exponential(x * splat(-1.702f)));
    default:
        return x;
    }
}

INLINE void affine_pixel(const float *x, size_t channels, const float *scale, const float *shift, const int activation,
                         const int precision, float *out) {
    for (size_t c = 0; c < channels; c += LANES) {
        vec v = load(x + c);
        if (scale) v = load(shift + c) + v * load(scale + c);
        store_as(precision, out, c, activate(v, activation));
    }
}

INLINE void gather_rows(const ds_gather *g, size_t firstRow, size_t endRow, float *out, const int activation,
                        const int precision) {
    const size_t words = precision == DS_F32 ? g->channels : g->channels / 2;
    const size_t sourceWidth = g->width >> g->upsample;
    for (size_t py = firstRow; py < endRow; py++) {
        const ptrdiff_t y = (ptrdiff_t)py - g->top;
        for (size_t px = 0; px < g->paddedWidth; px++) {
            const ptrdiff_t x = (ptrdiff_t)px - g->left;
            if (y >= 0 && x >= 0 && (size_t)y < g->height && (size_t)x < g->width) {
                const size_t pixel = ((size_t)y >> g->upsample) * sourceWidth + ((size_t)x >> g->upsample);
                affine_pixel(g->image + pixel * g->channels, g->channels, g->scale, g->shift, activation,
                             precision, out);
            } else {
                memset(out, 0, words * sizeof(float));
            }
            out += g->outWords;
        }
    }
}

INLINE void gather_as(const ds_gather *g, size_t firstRow, size_t endRow, float *out, const int precision) {
    switch (g->activation) {
    case DS_ACTIVATION_SILU: gather_rows(g, firstRow, endRow, out, DS_ACTIVATION_SILU, precision); break;
    case DS_ACTIVATION_MISH: gather_rows(g, firstRow, endRow, out, DS_ACTIVATION_MISH, precision); break;
    case DS_ACTIVATION_GELU: gather_rows(g, firstRow, endRow, out, DS_ACTIVATION_GELU, precision); break;
    case DS_ACTIVATION_RELU: gather_rows(g, firstRow, endRow, out, DS_ACTIVATION_RELU, precision); break;
    case DS_ACTIVATION_QUICK_GELU: gather_rows(g, firstRow, endRow, out, DS_ACTIVATION_QUICK_GELU, precision); break;
    default: gather_rows(g, firstRow, endRow, out, DS_ACTIVATION_NONE, precision); break;
    }
}

static void gather(const ds_gather *g, size_t firstRow, size_t endRow, float *out) {
    if (g->precision == DS_F32) gather_as(g, firstRow, endRow, out, DS_F32);
    else gather_as(g, firstRow, endRow, out, DS_BF16);
}

/// See ds_round_rows.
static void round_rows(const float *x, size_t rows, size_t stride, size_t floats, float *out, size_t outStride) {
    const size_t whole = floats / LANES * LANES;
    for (size_t r = 0; r < rows; r++, x += stride, out += outStride) {
        for (size_t c = 0; c < whole; c += LANES) store_as(DS_BF16, out, c, load(x + c));
        if (whole == floats) continue;
        float rest[LANES] = {};
        memcpy(rest, x + whole, (floats - whole) * sizeof(float));
        const half_vec rounded = to_bf16(load(rest));
        memcpy((uint16_t *)out + whole, &rounded, (floats - whole + 1) / 2 * sizeof(float));
    }
}

INLINE void affine_pixels(const float *x, size_t pixels, size_t channels, const float *scale, const float *shift,
                          const int activation, float *out) {
    for (size_t p = 0; p < pixels; p++) {
        affine_pixel(x + p * channels, channels, scale, shift, activation, DS_F32, out + p * channels);
    }
}

static void affine(const float *x, size_t pixels, size_t channels, const float *scale, const float *shift, int activation,
                   float *out) {
    switch (activation) {
    case DS_ACTIVATION_SILU: affine_pixels(x, pixels, channels, scale, shift, DS_ACTIVATION_SILU, out); break;
    case DS_ACTIVATION_MISH: affine_pixels(x, pixels, channels, scale, shift, DS_ACTIVATION_MISH, out); break;
    case DS_ACTIVATION_GELU: affine_pixels(x, pixels, channels, scale, shift, DS_ACTIVATION_GELU, out); break;
    case DS_ACTIVATION_RELU: affine_pixels(x, pixels, channels, scale, shift, DS_ACTIVATION_RELU, out); break;
    case DS_ACTIVATION_QUICK_GELU:
        affine_pixels(x, pixels, channels, scale, shift, DS_ACTIVATION_QUICK_GELU, out);
        break;
    default: affine_pixels(x, pixels, channels, scale, shift, DS_ACTIVATION_NONE, out); break;
    }
}

INLINE void modulate_rows(const ds_modulation *m, size_t channels, float *x, size_t rows, size_t stride,
                          const float *residual, size_t residualStride, const int activation) {
    for (size_t r = 0; r < rows; r++, x += stride) {
        for (size_t c = 0; c < channels; c += LANES) {
            vec v = activate(load(m->shift + c) + load(x + c) * load(m->scale + c), activation);
            if (m->gain) v = v * load(m->gain + c);
            if (m->offset) v = v + load(m->offset + c);
            if (residual) v = v + load(residual + r * residualStride + c);
            store(x + c, v);
        }
    }
}

static void modulate(const ds_modulation *m, size_t channels, float *x, size_t rows, size_t stride, const float *residual,
                     size_t residualStride) {
    modulate_rows(m, channels, x, rows, stride, residual, residualStride, DS_ACTIVATION_MISH);
}

static void channel_sums(const float *x, size_t pixels, size_t stride, size_t channels, double *sums,
                         double *squares) {
    // Differences from the first pixel are summed, eight pixels at a time in single precision, those in double precision:
    // where a mean is far from zero, the squares themselves would leave no digits for the variance.
    enum { RUN = 8 };
    for (size_t c = 0; c < channels; c += LANES) {
        dvec sum = {}, square = {};
        const float *p = x + c;
        const vec pivot = pixels ? load(p) : splat(0);
        for (size_t first = 0; first < pixels; first += RUN) {
            const size_t run = pixels - first < RUN ? pixels - first : RUN;
            vec s = splat(0), q = splat(0), t = splat(0), u = splat(0);
            if (run == RUN) {
                UNROLL for (int i = 0; i < RUN; i += 2) {
                    const vec a = load(p) - pivot, b = load(p + stride) - pivot;
                    s = s + a;
                    t = t + b;
                    q = q + a * a;
                    u = u + b * b;
                    p += 2 * stride;
                }
            } else {
                for (size_t i = 0; i < run; i++, p += stride) {
                    const vec a = load(p) - pivot;
                    s = s + a;
                    q = q + a * a;
                }
            }
            sum = sum + __builtin_convertvector(s + t, dvec);
            square = square + __builtin_convertvector(q + u, dvec);
        }
        // Σx = Σd + n k and Σx² = Σd² + k (2 Σd + n k), of differences d from k.
        const dvec k = __builtin_convertvector(pivot, dvec);
        const dvec whole = k * (double)pixels;
        *(dvec_unaligned *)(sums + c) = sum + whole;
        *(dvec_unaligned *)(squares + c) = square + k * (sum + sum + whole);
    }
}

static void softmax(float *x, size_t rows, size_t columns, size_t stride, float scale) {
    const size_t whole = columns / LANES * LANES;
    for (size_t r = 0; r < rows; r++, x += stride) {
        float tail[LANES];
        for (size_t i = 0; i < LANES; i++) tail[i] = whole + i < columns ? x[whole + i] * scale : -INFINITY;
        float largest = -INFINITY;
        vec most = load(tail);
        for (size_t c = 0; c < whole; c += LANES) {
            const vec v = load(x + c) * splat(scale);
            most = select_vec(v > most, v, most);
        }
        for (int i = 0; i < LANES; i++) largest = most[i] > largest ? most[i] : largest;
        vec sum = splat(0);
        for (size_t c = 0; c < whole; c += LANES) {
            const vec e = exponential(load(x + c) * splat(scale) - splat(largest));
            store(x + c, e);
            sum = sum + e;
        }
        vec rest = exponential(load(tail) - splat(largest));
        float total = 0;
        for (int i = 0; i < LANES; i++) total += sum[i];
        for (size_t i = 0; whole + i < columns; i++) total += rest[i];
        const float inverse = 1.0f / total;
        for (size_t c = 0; c < whole; c += LANES) store(x + c, load(x + c) * splat(inverse));
        for (size_t i = 0; whole + i < columns; i++) x[whole + i] = rest[i] * inverse;
    }
}

static void layer_norm(const float *x, size_t rows, size_t stride, size_t channels, const float *weight, const float *bias,
                       float epsilon, float *out) {
    const size_t padded = (channels + DS_CHANNEL_STEP - 1) / DS_CHANNEL_STEP * DS_CHANNEL_STEP;
    const size_t whole = channels / LANES * LANES;
    for (size_t r = 0; r < rows; r++, x += stride, out += stride) {
        // The mean first, then the squares of the differences from it, so that a large mean costs no digits.
        dvec sums = {};
        for (size_t c = 0; c < whole; c += LANES) sums = sums + __builtin_convertvector(load(x + c), dvec);
        double sum = 0;
        for (int i = 0; i < LANES; i++) sum += sums[i];
        for (size_t c = whole; c < channels; c++) sum += x[c];
        const float mean = (float)(sum / (double)channels);
        dvec squares = {};
        for (size_t c = 0; c < whole; c += LANES) {
            const vec d = load(x + c) - splat(mean);
            squares = squares + __builtin_convertvector(d * d, dvec);
        }
        double square = 0;
        for (int i = 0; i < LANES; i++) square += squares[i];
        for (size_t c = whole; c < channels; c++) square += (double)((x[c] - mean) * (x[c] - mean));
        const float inverse = (float)(1.0 / sqrt(square / (double)channels + (double)epsilon));
        for (size_t c = 0; c < padded; c += LANES) {
            store(out + c, load(bias + c) + (load(x + c) - splat(mean)) * splat(inverse) * load(weight + c));
        }
    }
}

static void gated_gelu(const float *x, size_t rows, size_t channels, float *out, size_t outStride) {
    for (size_t r = 0; r < rows; r++, x += 2 * channels, out += outStride) {
        for (size_t c = 0; c < channels; c += LANES) {
            store(out + c, load(x + c) * activate(load(x + channels + c), DS_ACTIVATION_GELU));
        }
    }
}

/// See ds_rms_norm. Padding is zero, and adds nothing to the sum.
static void rms_norm(const float *x, size_t rows, size_t stride, size_t channels, const float *weight, float epsilon, float *out,
                     size_t outStride) {
    const size_t padded = (channels + DS_CHANNEL_STEP - 1) / DS_CHANNEL_STEP * DS_CHANNEL_STEP;
    for (size_t r = 0; r < rows; r++, x += stride, out += outStride) {
        dvec squares = {};
        for (size_t c = 0; c < padded; c += LANES) {
            const dvec d = __builtin_convertvector(load(x + c), dvec);
            squares = squares + d * d;
        }
        double square = 0;
        for (int i = 0; i < LANES; i++) square += squares[i];
        const float inverse = (float)(1.0 / sqrt(square / (double)channels + (double)epsilon));
        for (size_t c = 0; c < padded; c += LANES) store(out + c, load(x + c) * splat(inverse) * load(weight + c));
    }
}

static void gated_silu(const float *x, size_t rows, size_t stride, size_t channels, float *out, size_t outStride) {
    for (size_t r = 0; r < rows; r++, x += stride, out += outStride) {
        for (size_t c = 0; c < channels; c += LANES) {
            store(out + c, activate(load(x + c), DS_ACTIVATION_SILU) * load(x + channels + c));
        }
    }
}

#define CHANNEL_VECTORS (DS_CHANNEL_STEP / LANES)

/// The scores of `BLOCKS` blocks of positions, side by side so that no sum waits for itself.
#define SCORE_BLOCKS(BLOCKS)                                                                                          \
    static void score_blocks_##BLOCKS(const ds_attention *a, const float *query, const float *keys, float *scores) {  \
        vec sums[BLOCKS][CHANNEL_VECTORS] = {};                                                                       \
        for (size_t c = 0; c < a->channels; c++, keys += DS_CHANNEL_STEP) {                                           \
            const vec q = splat(query[c]);                                                                            \
            UNROLL for (int b = 0; b < BLOCKS; b++) {                                                                 \
                UNROLL for (int v = 0; v < CHANNEL_VECTORS; v++) {                                                    \
                    sums[b][v] = sums[b][v] + q * load(keys + b * a->keyStride + v * LANES);                          \
                }                                                                                                     \
            }                                                                                                         \
        }                                                                                                             \
        UNROLL for (int b = 0; b < BLOCKS; b++) {                                                                     \
            UNROLL for (int v = 0; v < CHANNEL_VECTORS; v++) store(scores + b * DS_CHANNEL_STEP + v * LANES, sums[b][v]); \
        }                                                                                                             \
    }

/// The values of `BLOCKS` blocks of channels, likewise.
#define MIX_BLOCKS(BLOCKS)                                                                                            \
    static void mix_blocks_##BLOCKS(const ds_attention *a, const float *scores, const float *values, float *out) {    \
        vec sums[BLOCKS * CHANNEL_VECTORS] = {};                                                                      \
        for (size_t i = 0; i < a->prefix + a->otherCount; i++) {                                                      \
            const float *value = values + (i < a->prefix ? i : a->others[i - a->prefix]) * a->valueStride;            \
            const vec score = splat(scores[i]);                                                                       \
            UNROLL for (int v = 0; v < BLOCKS * CHANNEL_VECTORS; v++) {                                               \
                sums[v] = sums[v] + score * load(value + v * LANES);                                                  \
            }                                                                                                         \
        }                                                                                                             \
        UNROLL for (int v = 0; v < BLOCKS * CHANNEL_VECTORS; v++) store(out + v * LANES, sums[v]);                    \
    }

SCORE_BLOCKS(1)
SCORE_BLOCKS(4)
MIX_BLOCKS(1)
MIX_BLOCKS(4)

/// See ds_attend. A score is one sum over the channels in their order, and so is a channel of the result over the positions.
static void attend(const ds_attention *a, const float *query, float *scores, float *out) {
    const size_t end = a->otherCount > 0 ? a->others[a->otherCount - 1] + 1 : a->prefix;
    const size_t blocks = (end + DS_CHANNEL_STEP - 1) / DS_CHANNEL_STEP;
    size_t block = 0;
    for (; block + 4 <= blocks; block += 4) {
        score_blocks_4(a, query, a->keys + block * a->keyStride, scores + block * DS_CHANNEL_STEP);
    }
    for (; block < blocks; block++) {
        score_blocks_1(a, query, a->keys + block * a->keyStride, scores + block * DS_CHANNEL_STEP);
    }
    // Positions ascend, so that none is written over before it is read.
    for (size_t i = 0; i < a->otherCount; i++) scores[a->prefix + i] = scores[a->others[i]];
    const size_t count = a->prefix + a->otherCount;
    softmax(scores, 1, count, count, a->scale);
    size_t c = 0;
    for (; c + 4 * DS_CHANNEL_STEP <= a->channels; c += 4 * DS_CHANNEL_STEP) mix_blocks_4(a, scores, a->values + c, out + c);
    for (; c < a->channels; c += DS_CHANNEL_STEP) mix_blocks_1(a, scores, a->values + c, out + c);
}

static void average_pool(const float *x, size_t height, size_t width, size_t channels, float *out) {
    for (size_t y = 0; y < height / 2; y++) {
        for (size_t column = 0; column < width / 2; column++) {
            const float *p = x + (2 * y * width + 2 * column) * channels;
            for (size_t c = 0; c < channels; c += LANES) {
                const vec top = load(p + c) + load(p + channels + c);
                const vec bottom = load(p + width * channels + c) + load(p + (width + 1) * channels + c);
                store(out + c, (top + bottom) * splat(0.25f));
            }
            out += channels;
        }
    }
}
