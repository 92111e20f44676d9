// The body of a product in tiles; variant_tiles.h says of what kind. Tiles 0–3 are the sums of two times two tiles of rows and
// columns, 4 and 5 the rows, 6 and 7 the weights.

/// As a block of variant_multiply.h, of `height` ≤ MAX_TILED_ROWS rows. Always whole tiles: an output's sums are the same wherever
/// its row stands and however many there are.
static TARGET __attribute__((noinline)) void TILED_PRODUCT(
    const ds_product *product, const float *const *rows, size_t height, const float *weights, const float *ahead,
    size_t aheadStep, const float *bias, size_t width, float *out, size_t outStride, const float *residual,
    size_t residualStride) {
    TILES
    enum { WIDE = PANEL > TILE };  // a panel is one tile wide or two
    _Static_assert(PANEL == TILE || PANEL == 2 * TILE, "a panel is one tile wide or two");
    _Alignas(64) float x[2][TILE][TILE], w[TILE][PANEL], sums[2][WIDE + 1][TILE][TILE], first[PANEL];
    const int isTall = height > TILE;
    const int isWide = WIDE && width > TILE;

    UNROLL for (int c = 0; c < PANEL; c += LANES) store(first + c, bias && c < width ? load(bias + c) : splat(0));
    // A row of stride 0 is every row.
    LOAD_TILE(0, first, 0);
    if (isTall) LOAD_TILE(2, first, 0);
    if (isWide) {
        LOAD_TILE(1, first + TILE % PANEL, 0);
        if (isTall) LOAD_TILE(3, first + TILE % PANEL, 0);
    }
    const tile_rows upper = rows_of_tile(rows, isTall ? TILE : height, x[0]);
    const tile_rows lower = rows_of_tile(rows + TILE, isTall ? height - TILE : 0, x[1]);
    // What is wanted now need not be asked for, nor what has been asked for.
    const int asks = aheadStep > 0 && ahead != weights;

    for (size_t t = 0; t < product->tapCount; t++) {
        const ptrdiff_t tap = product->taps ? product->taps[t] : 0;
        for (size_t k = 0; k < product->depth; k += TILE) {
            const size_t words = product->depth - k < TILE ? product->depth - k : TILE;
            for (size_t i = 0; i < words && asks; i++, ahead += aheadStep) {
                UNROLL for (int v = 0; v < PANEL * 4; v += 64) __builtin_prefetch((const char *)ahead + v, 0, 2);
            }
            if (upper.isEven && words == TILE) {
                LOAD_TILE(4, upper.rows[0] + tap + k, upper.distance);
            } else {
                copy_rows(&upper, tap + k, words, x[0]);
                LOAD_TILE(4, x[0][0], TILE_BYTES);
            }
            if (isTall && lower.isEven && words == TILE) {
                LOAD_TILE(5, lower.rows[0] + tap + k, lower.distance);
            } else if (isTall) {
                copy_rows(&lower, tap + k, words, x[1]);
                LOAD_TILE(5, x[1][0], TILE_BYTES);
            }
            const float *factors = weights;
            if (words < TILE) {
                memcpy(w, weights, words * PANEL * sizeof(float));
                memset(w[words], 0, (TILE - words) * PANEL * sizeof(float));
                factors = w[0];
            }
            LOAD_TILE(6, factors, PANEL * sizeof(float));
            MULTIPLY_TILES(0, 4, 6);
            if (isTall) MULTIPLY_TILES(2, 5, 6);
            if (isWide) {
                LOAD_TILE(7, factors + TILE % PANEL, PANEL * sizeof(float));
                MULTIPLY_TILES(1, 4, 7);
                if (isTall) MULTIPLY_TILES(3, 5, 7);
            }
            weights += words * PANEL;
        }
    }
    STORE_TILE(0, sums[0][0][0]);
    if (isTall) STORE_TILE(2, sums[1][0][0]);
    if (isWide) {
        STORE_TILE(1, sums[0][WIDE][0]);
        if (isTall) STORE_TILE(3, sums[1][WIDE][0]);
    }
    const vec scale = splat(product->scale);
    for (size_t r = 0; r < height; r++) {
        UNROLL for (int c = 0; c < PANEL; c += LANES) {
            if (c >= width) continue;
            vec y = load(sums[r / TILE][c / TILE][r % TILE] + c % TILE);
            if (residual) y = y + load(residual + r * residualStride + c);
            store(out + r * outStride + c, y * scale);
        }
    }
}
#undef TILED_PRODUCT
#undef TARGET
#undef TILES
#undef LOAD_TILE
#undef MULTIPLY_TILES
#undef STORE_TILE
