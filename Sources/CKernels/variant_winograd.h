// Winograd's minimal filtering (Lavin & Gray, arXiv:1509.09308), vectorised over channels.
//
// Y = Aᵀ [ (G g Gᵀ) ⊙ (Bᵀ d B) ] A, for F(4×4, 3×3) with the points 0, ±1, ±2, ∞ and F(2×2, 3×3) with 0, ±1, ∞.

/// Bᵀ of F(4, 3) applied to six values.
INLINE void input_points_4(const vec d[6], vec t[6]) {
    const vec a = d[4] - splat(4.0f) * d[2];
    const vec b = d[3] - splat(4.0f) * d[1];
    const vec c = d[4] - d[2];
    const vec e = splat(2.0f) * (d[3] - d[1]);
    t[0] = splat(4.0f) * d[0] + (d[4] - splat(5.0f) * d[2]);
    t[1] = a + b;
    t[2] = a - b;
    t[3] = c + e;
    t[4] = c - e;
    t[5] = splat(4.0f) * d[1] + (d[5] - splat(5.0f) * d[3]);
}

/// Aᵀ of F(4, 3) applied to six values.
INLINE void output_points_4(const vec m[6], vec y[4]) {
    const vec a = m[1] + m[2], b = m[1] - m[2];
    const vec c = m[3] + m[4], d = m[3] - m[4];
    y[0] = (m[0] + a) + c;
    y[1] = b + splat(2.0f) * d;
    y[2] = a + splat(4.0f) * c;
    y[3] = (b + m[5]) + splat(8.0f) * d;
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
