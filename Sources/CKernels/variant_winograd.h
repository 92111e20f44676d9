// Winograd's minimal filtering (Lavin & Gray, arXiv:1509.09308), vectorised over channels.
//
// Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A, for F(4×4, 3×3) with the points 0, ±a, ±b, ∞ and F(2×2, 3×3) with 0, ±1, ∞.
//
// The customary points ±1, ±2 of F(4×4) lose twice as much precision as a = 5/8, b = 3/2 (root mean square 3.0e-6 against
// 1.3e-6 of the output's deviation at 256 channels, largest 4.4e-5 against 1.0e-5), whose squares are exact in binary too.

#define POINT_A 0.625
#define POINT_B 1.5
#define SQUARE_A (POINT_A * POINT_A)
#define SQUARE_B (POINT_B * POINT_B)

/// Bᵀ of F(4, 3) applied to six values: row p holds the coefficients of the product of x - q over the other points q.
INLINE void input_points_4(const vec d[6], vec t[6]) {
    const vec a = splat(POINT_A), b = splat(POINT_B), a2 = splat(SQUARE_A), b2 = splat(SQUARE_B);
    const vec sum = splat(SQUARE_A + SQUARE_B), product = splat(SQUARE_A * SQUARE_B);
    const vec evenA = d[4] - b2 * d[2], oddA = d[3] - b2 * d[1];
    const vec evenB = d[4] - a2 * d[2], oddB = d[3] - a2 * d[1];
    t[0] = product * d[0] + (d[4] - sum * d[2]);
    t[1] = evenA + a * oddA;
    t[2] = evenA - a * oddA;
    t[3] = evenB + b * oddB;
    t[4] = evenB - b * oddB;
    t[5] = product * d[1] + (d[5] - sum * d[3]);
}

/// Aᵀ of F(4, 3) applied to six values: row i holds the i-th powers of the points.
INLINE void output_points_4(const vec m[6], vec y[4]) {
    const vec evenA = m[1] + m[2], oddA = m[1] - m[2];
    const vec evenB = m[3] + m[4], oddB = m[3] - m[4];
    y[0] = (m[0] + evenA) + evenB;
    y[1] = splat(POINT_A) * oddA + splat(POINT_B) * oddB;
    y[2] = splat(SQUARE_A) * evenA + splat(SQUARE_B) * evenB;
    y[3] = (m[5] + splat(SQUARE_A * POINT_A) * oddA) + splat(SQUARE_B * POINT_B) * oddB;
}

INLINE void input_points_2(const vec d[4], vec t[4]) {
    t[0] = d[0] - d[2];
    t[1] = d[1] + d[2];
    t[2] = d[2] - d[1];
    t[3] = d[1] - d[3];
}

INLINE void output_points_2(const vec m[4], vec y[2]) {
    y[0] = (m[0] + m[1]) + m[2];
    y[1] = (m[1] - m[2]) - m[3];
}

/// G applied to three values, at each of the m + 2 points.
INLINE void filter_points_4(const dvec g[3], dvec u[6]) {
    const dvec a = (g[0] + SQUARE_A * g[2]) / (2 * SQUARE_A * (SQUARE_A - SQUARE_B));
    const dvec b = (g[0] + SQUARE_B * g[2]) / (2 * SQUARE_B * (SQUARE_B - SQUARE_A));
    const dvec c = g[1] * (POINT_A / (2 * SQUARE_A * (SQUARE_A - SQUARE_B)));
    const dvec d = g[1] * (POINT_B / (2 * SQUARE_B * (SQUARE_B - SQUARE_A)));
    u[0] = g[0] * (1 / (SQUARE_A * SQUARE_B));
    u[1] = a + c;
    u[2] = a - c;
    u[3] = b + d;
    u[4] = b - d;
    u[5] = g[2];
}

INLINE void filter_points_2(const dvec g[3], dvec u[4]) {
    const dvec even = g[0] + g[2];
    u[0] = g[0];
    u[1] = (even + g[1]) * 0.5;
    u[2] = (even - g[1]) * 0.5;
    u[3] = g[2];
}

// Numbers of sixteen bits are not rounded one by one. Errors e of the (m + 2)² numbers of a transformed kernel make one of
// eᵀ (Q ⊗ Q) e in the squared output, for inputs that know nothing of each other, where Q = (A Aᵀ) ∘ (Bᵀ B). With Q = C D Cᵀ,
// C upper triangular with ones on its diagonal, that is a sum of squares Σ_k D_k (e_k + Σ_{i<k} C_ik e_i)²: so every number,
// before it is rounded, makes good what was done to those before it. The same holds for a transformed input with
// Q = (A Aᵀ) ∘ (G Gᵀ); there, where time matters, only the numbers of a row make good for each other. In F(4×4) the
// variance of the output's error goes down to 0.42 of what it was for the kernels' part, and to 0.59 for the inputs'.

/// C for kernels (or else for inputs), from the transforms of unit vectors.
#define ROUNDING_FEEDBACK(M, N)                                                                                       \
    static void rounding_feedback_##M(int forKernels, float *feedback) {                                              \
        double a[N][M], b[N][N], c[N][N], d[N];                                                                       \
        for (int p = 0; p < N; p++) {                                                                                 \
            vec unit[N], in[N], out[M];                                                                               \
            dvec tap[3], kernel[N];                                                                                   \
            for (int i = 0; i < N; i++) unit[i] = splat(i == p ? 1 : 0);                                              \
            for (int i = 0; i < 3; i++) tap[i] = (dvec)(i == p ? 1.0 : 0.0);                                          \
            input_points_##M(unit, in);                                                                               \
            output_points_##M(unit, out);                                                                             \
            filter_points_##M(tap, kernel);                                                                           \
            for (int i = 0; i < N; i++) b[i][p] = forKernels ? in[i][0] : kernel[i][0];                               \
            for (int i = 0; i < M; i++) a[p][i] = out[i][0];                                                          \
        }                                                                                                             \
        for (int k = N - 1; k >= 0; k--) {                                                                            \
            for (int i = 0; i <= k; i++) {                                                                            \
                double outputs = 0, others = 0;                                                                       \
                for (int j = 0; j < M; j++) outputs += a[i][j] * a[k][j];                                             \
                for (int j = 0; j < (forKernels ? N : 3); j++) others += b[i][j] * b[k][j];                           \
                c[i][k] = outputs * others;                                                                           \
                for (int j = k + 1; j < N; j++) c[i][k] -= c[i][j] * c[k][j] * d[j];                                  \
            }                                                                                                         \
            d[k] = c[k][k];                                                                                           \
            for (int i = 0; i < N; i++) {                                                                             \
                c[i][k] = i <= k ? c[i][k] / d[k] : 0;                                                                \
                feedback[i * N + k] = (float)c[i][k];                                                                 \
            }                                                                                                         \
        }                                                                                                             \
    }

ROUNDING_FEEDBACK(4, 6)
ROUNDING_FEEDBACK(2, 4)

/// Rounds `n` numbers that make good for each other, and stores each in its row, a word for two of them.
INLINE void store_rounded(const int n, const float *feedback, const vec *x, float *out, size_t stride, size_t index) {
    vec error[6];
    UNROLL for (int k = 0; k < n; k++) {
        vec wanted = x[k];
        UNROLL for (int i = 0; i < k; i++) wanted = wanted - splat(feedback[i * n + k]) * error[i];
        const word_vec rounded = rounded_bf16(wanted);
        error[k] = (vec)(rounded & 0xFFFF0000) - x[k];
        *(half_vec_unaligned *)((uint16_t *)(out + k * stride) + index) = upper_halves(rounded);
    }
}

#define WINOGRAD_INPUT(M, N)                                                                                          \
    INLINE void transform_input_##M(const int rounds, const float *feedback, const float *padded, size_t rowStride,   \
                                    size_t channels, float *out, size_t positionStride) {                             \
        for (size_t c = 0; c < channels; c += LANES) {                                                                \
            vec t[N][N];                                                                                              \
            UNROLL for (int j = 0; j < N; j++) {                                                                      \
                vec d[N], column[N];                                                                                  \
                UNROLL for (int i = 0; i < N; i++) d[i] = load(padded + i * rowStride + j * channels + c);            \
                input_points_##M(d, column);                                                                          \
                UNROLL for (int i = 0; i < N; i++) t[i][j] = column[i];                                               \
            }                                                                                                         \
            UNROLL for (int i = 0; i < N; i++) {                                                                      \
                vec row[N];                                                                                           \
                float *place = out + i * N * positionStride;                                                          \
                input_points_##M(t[i], row);                                                                          \
                if (rounds) store_rounded(N, feedback, row, place, positionStride, c);                                \
                else UNROLL for (int j = 0; j < N; j++) store(place + j * positionStride + c, row[j]);                \
            }                                                                                                         \
        }                                                                                                             \
    }                                                                                                                 \
    static void winograd_input_##M(const float *feedback, const float *padded, size_t rowStride, size_t channels,     \
                                   float *out, size_t positionStride) {                                               \
        if (feedback) transform_input_##M(1, feedback, padded, rowStride, channels, out, positionStride);             \
        else transform_input_##M(0, feedback, padded, rowStride, channels, out, positionStride);                      \
    }

#define WINOGRAD_OUTPUT(M, N)                                                                                         \
    static void winograd_output_##M(                                                                                  \
        const float *in, size_t positionStride, size_t channels, const float *bias, float scale, size_t rows,         \
        size_t columns, float *out, size_t rowStride, size_t pixelStride, const float *residual,                      \
        size_t residualRowStride, size_t residualPixelStride) {                                                       \
        for (size_t c = 0; c < channels; c += LANES) {                                                                \
            vec t[M][N];                                                                                              \
            UNROLL for (int j = 0; j < N; j++) {                                                                      \
                vec m[N], column[M];                                                                                  \
                UNROLL for (int i = 0; i < N; i++) m[i] = load(in + (i * N + j) * positionStride + c);                \
                output_points_##M(m, column);                                                                         \
                UNROLL for (int i = 0; i < M; i++) t[i][j] = column[i];                                               \
            }                                                                                                         \
            const vec offset = bias ? load(bias + c) : splat(0);                                                      \
            UNROLL for (int i = 0; i < M; i++) {                                                                      \
                if (i >= rows) break;                                                                                 \
                vec y[M];                                                                                             \
                output_points_##M(t[i], y);                                                                           \
                UNROLL for (int j = 0; j < M; j++) {                                                                  \
                    if (j >= columns) break;                                                                          \
                    vec v = y[j] + offset;                                                                            \
                    if (residual) v = v + load(residual + i * residualRowStride + j * residualPixelStride + c);       \
                    store(out + i * rowStride + j * pixelStride + c, v * splat(scale));                               \
                }                                                                                                     \
            }                                                                                                         \
        }                                                                                                             \
    }

WINOGRAD_INPUT(4, 6)
WINOGRAD_INPUT(2, 4)
WINOGRAD_OUTPUT(4, 6)
WINOGRAD_OUTPUT(2, 4)

/// Rounds the n × n numbers of LANES transformed kernels, which all make good for each other.
INLINE void round_together(const int n, const float *feedback, const dvec *u, half_vec *rounded) {
    dvec error[36];
    for (int k = 0; k < n * n; k++) {
        dvec wanted = u[k];
        for (int i = 0; i < k; i++) {
            // Zero unless i is in no later column than k.
            const double factor = (double)feedback[i / n * n + k / n] * feedback[i % n * n + k % n];
            if (factor != 0) wanted -= (dvec)factor * error[i];
        }
        const word_vec word = rounded_bf16(__builtin_convertvector(wanted, vec));
        rounded[k] = upper_halves(word);
        error[k] = __builtin_convertvector((vec)(word & 0xFFFF0000), dvec) - u[k];
    }
}

#define WINOGRAD_PACK(M, N)                                                                                           \
    static void winograd_pack_##M(int precision, const float *weights, size_t outputs, size_t inputs,                 \
                                  const size_t *positions, size_t depth, size_t firstPanel, size_t endPanel,          \
                                  float *packed, size_t positionStride) {                                             \
        float feedback[N * N];                                                                                        \
        rounding_feedback_##M(1, feedback);                                                                           \
        for (size_t panel = firstPanel; panel < endPanel; panel++) {                                                  \
            for (size_t o = panel * PANEL; o < (panel + 1) * PANEL && o < outputs; o += LANES) {                      \
                const size_t lanes = outputs - o < LANES ? outputs - o : LANES;                                       \
                float *column = packed + panel * PANEL * depth + o % PANEL;                                           \
                for (size_t i = 0; i < inputs; i++) {                                                                 \
                    float taps[9][LANES] = {};                                                                        \
                    for (size_t lane = 0; lane < lanes; lane++) {                                                     \
                        const float *g = weights + ((o + lane) * inputs + i) * 9;                                     \
                        UNROLL for (int t = 0; t < 9; t++) taps[t][lane] = g[t];                                      \
                    }                                                                                                 \
                    dvec half[N][3];                                                                                  \
                    UNROLL for (int c = 0; c < 3; c++) {                                                              \
                        dvec g[3], u[N];                                                                              \
                        UNROLL for (int r = 0; r < 3; r++) g[r] = __builtin_convertvector(load(taps[3 * r + c]), dvec); \
                        filter_points_##M(g, u);                                                                      \
                        UNROLL for (int r = 0; r < N; r++) half[r][c] = u[r];                                         \
                    }                                                                                                 \
                    dvec u[N * N];                                                                                    \
                    UNROLL for (int r = 0; r < N; r++) filter_points_##M(half[r], u + r * N);                         \
                    if (precision == DS_F32) {                                                                        \
                        float *out = column + positions[i] * PANEL;                                                   \
                        UNROLL for (int p = 0; p < N * N; p++) {                                                      \
                            store(out + p * positionStride, __builtin_convertvector(u[p], vec));                      \
                        }                                                                                             \
                    } else {                                                                                          \
                        half_vec rounded[N * N];                                                                      \
                        round_together(N, feedback, u, rounded);                                                      \
                        float *out = column + positions[i] / 2 * PANEL;                                               \
                        for (int p = 0; p < N * N; p++) {                                                             \
                            /* Into the half of the word that is this input's, beside the other's. */                 \
                            const word_vec own = __builtin_convertvector(rounded[p], word_vec) << positions[i] % 2 * 16; \
                            const word_vec known = (word_vec)load(out + p * positionStride);                          \
                            store(out + p * positionStride, (vec)(known | own));                                      \
                        }                                                                                             \
                    }                                                                                                 \
                }                                                                                                     \
            }                                                                                                         \
        }                                                                                                             \
    }

WINOGRAD_PACK(4, 6)
WINOGRAD_PACK(2, 4)
