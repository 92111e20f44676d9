// Random numbers. No product here is fused with a sum, so that every variant gives the same bits.

#define DOUBLES (LANES / 2)  // in a register
typedef double doubles __attribute__((ext_vector_type(DOUBLES)));
typedef uint32_t uvec __attribute__((ext_vector_type(DOUBLES)));
typedef uint64_t uwide __attribute__((ext_vector_type(DOUBLES)));
typedef int64_t iwide __attribute__((ext_vector_type(DOUBLES)));

/// The high and the low half of a · m.
INLINE uvec wide_product(uvec a, uint32_t m, uvec *low) {
    const uwide product = __builtin_convertvector(a, uwide) * (uwide)(uint64_t)m;
    *low = __builtin_convertvector(product, uvec);
    return __builtin_convertvector(product >> 32, uvec);
}

/// DOUBLES blocks of Philox 4×32-10 from `counter[0] + first` on, as two words each.
INLINE void philox_blocks(const uint32_t *counter, const uint32_t *key, size_t first, uint64_t *words) {
    uvec x, y = (uvec)counter[1], z = (uvec)counter[2], w = (uvec)counter[3];
    UNROLL for (int i = 0; i < DOUBLES; i++) x[i] = counter[0] + (uint32_t)first + (uint32_t)i;
    uint32_t key0 = key[0], key1 = key[1];
    UNROLL for (int round = 0; round < 10; round++) {
        uvec low0, low1;
        const uvec high0 = wide_product(x, 0xD2511F53u, &low0), high1 = wide_product(z, 0xCD9E8D57u, &low1);
        x = high1 ^ y ^ (uvec)key0;
        y = low1;
        z = high0 ^ w ^ (uvec)key1;
        w = low0;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
    const uwide even = __builtin_convertvector(y, uwide) << 32 | __builtin_convertvector(x, uwide);
    const uwide odd = __builtin_convertvector(w, uwide) << 32 | __builtin_convertvector(z, uwide);
    UNROLL for (int i = 0; i < DOUBLES; i++) {
        words[2 * i] = even[i];
        words[2 * i + 1] = odd[i];
    }
}

static void philox(const uint32_t *counter, const uint32_t *key, size_t blocks, uint64_t *words) {
    size_t first = 0;
    for (; first + DOUBLES <= blocks; first += DOUBLES) philox_blocks(counter, key, first, words + 2 * first);
    if (first == blocks) return;
    uint64_t rest[2 * DOUBLES];
    philox_blocks(counter, key, first, rest);
    memcpy(words + 2 * first, rest, 2 * (blocks - first) * sizeof *words);
}

INLINE doubles select_double(iwide mask, doubles a, doubles b) { return (doubles)((mask & (iwide)a) | (~mask & (iwide)b)); }

/// A uniform of (0, 1): the middles of 2⁵² equal parts. All three steps are exact.
INLINE doubles uniform_of(uwide word) {
    return ((doubles)(word >> 12 | (uwide)0x3FF0000000000000u) - (doubles)1.0) + (doubles)0x1p-53;
}

/// log x of normal numbers, less than a unit in the last place off (the polynomial and the splitting of ln 2 are those of
/// Sun's fdlibm, e_log.c).
INLINE doubles logarithm(doubles x) {
#pragma clang fp contract(off)
    // x = 2^k m, m from √½ to √2
    const iwide bits = (iwide)x - (iwide)0x3FE6A09E667F3BCD;
    const iwide exponent = bits >> 52;
    const doubles m = (doubles)((iwide)x - (exponent << 52));
    const doubles k = __builtin_convertvector(exponent, doubles);
    const doubles f = m - (doubles)1.0;
    const doubles s = f / ((doubles)2.0 + f);
    const doubles z = s * s;
    doubles p = (doubles)1.479819860511658591e-01;
    p = (doubles)1.531383769920937332e-01 + p * z;
    p = (doubles)1.818357216161805012e-01 + p * z;
    p = (doubles)2.222219843214978396e-01 + p * z;
    p = (doubles)2.857142874366239149e-01 + p * z;
    p = (doubles)3.999999999940941908e-01 + p * z;
    p = (doubles)6.666666666666735130e-01 + p * z;
    const doubles half = (doubles)0.5 * f * f;
    const doubles tail = s * (half + p * z) + k * (doubles)1.90821492927058770002e-10;
    return k * (doubles)6.93147180369123816490e-01 - ((half - tail) - f);
}

/// sin and cos of 2πv, v from 0 to 1, about a unit in the last place off. The quarter turns are taken off exactly; the
/// polynomials are those of fdlibm's k_sin.c and k_cos.c.
INLINE doubles sine_and_cosine(doubles v, doubles *cosine) {
#pragma clang fp contract(off)
    const doubles magic = (doubles)6755399441055744.0;  // 1.5·2⁵², which rounds what is added to it
    const doubles shifted = (doubles)4.0 * v + magic;
    const iwide quarter = (iwide)shifted;
    const doubles angle = (v - (doubles)0.25 * (shifted - magic)) * (doubles)6.28318530717958647693;
    const doubles z = angle * angle;
    doubles p = (doubles)1.58969099521155010221e-10;
    p = (doubles)-2.50507602534068634195e-08 + p * z;
    p = (doubles)2.75573137070700676789e-06 + p * z;
    p = (doubles)-1.98412698298579493134e-04 + p * z;
    p = (doubles)8.33333333332248946124e-03 + p * z;
    p = (doubles)-1.66666666666666324348e-01 + p * z;
    const doubles sine = angle + angle * z * p;
    doubles q = (doubles)-1.13596475577881948265e-11;
    q = (doubles)2.08757232129817482790e-09 + q * z;
    q = (doubles)-2.75573143513906633035e-07 + q * z;
    q = (doubles)2.48015872894767294178e-05 + q * z;
    q = (doubles)-1.38888888888741095749e-03 + q * z;
    q = (doubles)4.16666666666666019037e-02 + q * z;
    const doubles cosineOfAngle = (doubles)1.0 - ((doubles)0.5 * z - z * z * q);
    // Odd quarters exchange the two; the second and the third turn the cosine's sign, the third and the fourth the sine's.
    const iwide odd = -(quarter & 1);
    const iwide sign = (iwide)((uwide)1 << 63);
    *cosine = (doubles)((iwide)select_double(odd, sine, cosineOfAngle) ^ (-((quarter + 1) >> 1 & 1) & sign));
    return (doubles)((iwide)select_double(odd, cosineOfAngle, sine) ^ (-(quarter >> 1 & 1) & sign));
}

/// DOUBLES pairs.
INLINE void box_muller_pairs(const uint64_t *words, double *out) {
#pragma clang fp contract(off)
    uwide first, second;
    UNROLL for (int i = 0; i < DOUBLES; i++) {
        first[i] = words[2 * i];
        second[i] = words[2 * i + 1];
    }
    const doubles radius = __builtin_elementwise_sqrt((doubles)-2.0 * logarithm(uniform_of(first)));
    doubles cosine;
    const doubles sine = sine_and_cosine(uniform_of(second), &cosine);
    const doubles even = radius * cosine, odd = radius * sine;
    UNROLL for (int i = 0; i < DOUBLES; i++) {
        out[2 * i] = even[i];
        out[2 * i + 1] = odd[i];
    }
}

static void box_muller(const uint64_t *words, size_t pairs, double *out) {
    size_t first = 0;
    for (; first + DOUBLES <= pairs; first += DOUBLES) box_muller_pairs(words + 2 * first, out + 2 * first);
    if (first == pairs) return;
    uint64_t rest[2 * DOUBLES] = {0};
    double values[2 * DOUBLES];
    memcpy(rest, words + 2 * first, 2 * (pairs - first) * sizeof *words);
    box_muller_pairs(rest, values);
    memcpy(out + 2 * first, values, 2 * (pairs - first) * sizeof *out);
}
