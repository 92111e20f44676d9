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

#define WINOGRAD_INPUT(M, N)                                                                                          \
    static void winograd_input_##M(const float *padded, size_t rowStride, size_t channels, float *out,                \
                                   size_t positionStride) {                                                           \
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
                input_points_##M(t[i], row);                                                                          \
                UNROLL for (int j = 0; j < N; j++) store(out + (i * N + j) * positionStride + c, row[j]);             \
            }                                                                                                         \
        }                                                                                                             \
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

#define WINOGRAD_PACK(M, N)                                                                                           \
    static void winograd_pack_##M(const float *weights, size_t outputs, size_t inputs, const size_t *positions,       \
                                  size_t depth, size_t firstPanel, size_t endPanel, float *packed,                    \
                                  size_t positionStride) {                                                            \
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
                    float *out = column + positions[i] * PANEL;                                                       \
                    UNROLL for (int r = 0; r < N; r++) {                                                              \
                        dvec u[N];                                                                                    \
                        filter_points_##M(half[r], u);                                                                \
                        UNROLL for (int c = 0; c < N; c++) {                                                          \
                            store(out + (r * N + c) * positionStride, __builtin_convertvector(u[c], vec));            \
                        }                                                                                             \
                    }                                                                                                 \
                }                                                                                                     \
            }                                                                                                         \
        }                                                                                                             \
    }

WINOGRAD_PACK(4, 6)
WINOGRAD_PACK(2, 4)
