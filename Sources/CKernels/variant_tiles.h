// The product of DS_BF16 in tiles, as AMX computes it: TILE rows by TILE columns of sums, to which an instruction adds the products
// of TILE words of the rows with TILE rows of packed weights. The panels' layout is what its right factor asks for.
//
// The same text is compiled twice: for the instructions, and for plain functions that compute the same numbers anywhere.

enum { TILE = 16 };                       // rows of a tile; its columns, or words of a row
enum { TILE_BYTES = TILE * sizeof(float) };  // of a tile's row
enum { MAX_TILED_ROWS = 2 * TILE };

typedef struct { float row[TILE][TILE]; } tile;

INLINE void load_tile(tile *t, const float *from, ptrdiff_t bytes) {
    UNROLL for (int r = 0; r < TILE; r++) memcpy(t->row[r], (const char *)from + r * bytes, TILE_BYTES);
}

INLINE void store_tile(const tile *t, float *to) { memcpy(to, t->row, sizeof *t); }

/// What `tdpbf16ps` computes: of all words' upper halves one fused sum, of all lower halves another, both from zero; their sum is
/// then added. (The instruction takes numbers below 2⁻¹²⁶ for zero and makes them zero; this does neither.)
static void multiply_tiles(tile *sums, const tile *x, const tile *w) {
    const ivec upper = (ivec)(-65536);
    for (int r = 0; r < TILE; r++) {
        UNROLL for (int c = 0; c < TILE; c += LANES) {
            vec odd = splat(0), even = splat(0);
            for (int k = 0; k < TILE; k++) {
                const ivec xs = (ivec)splat(x->row[r][k]), ws = (ivec)load(w->row[k] + c);
                odd = odd + (vec)(xs & upper) * (vec)(ws & upper);
                even = even + (vec)(xs << 16) * (vec)(ws << 16);
            }
            store(sums->row[r] + c, load(sums->row[r] + c) + (even + odd));
        }
    }
}

/// The rows of one tile.
typedef struct {
    const float *const *rows;
    size_t count;
    int isEven;          // sixteen, each at `distance` bytes from the one before, so that they need not be copied
    ptrdiff_t distance;
} tile_rows;

/// - Parameter copy: where they will be copied to, unless they are even; zeros come in the places of missing ones.
INLINE tile_rows rows_of_tile(const float *const *rows, size_t count, float (*copy)[TILE]) {
    tile_rows t = {rows, count, count == TILE, 0};
    if (t.isEven) t.distance = (const char *)rows[1] - (const char *)rows[0];
    for (size_t r = 2; r < count && t.isEven; r++) t.isEven = (const char *)rows[r] - (const char *)rows[r - 1] == t.distance;
    memset(copy[count], 0, (TILE - count) * TILE_BYTES);
    return t;
}

/// `words` words of each row, from `offset` on, and zeros behind them.
INLINE void copy_rows(const tile_rows *t, ptrdiff_t offset, size_t words, float (*copy)[TILE]) {
    if (words == TILE) {
        for (size_t r = 0; r < t->count; r++) memcpy(copy[r], t->rows[r] + offset, TILE_BYTES);
        return;
    }
    for (size_t r = 0; r < t->count; r++) {
        memcpy(copy[r], t->rows[r] + offset, words * sizeof(float));
        memset(copy[r] + words, 0, (TILE - words) * sizeof(float));
    }
}

#define TILED_PRODUCT tiled_product
#define TARGET
#define TILES tile tiles[8];
#define LOAD_TILE(T, FROM, BYTES) load_tile(tiles + (T), FROM, BYTES)
#define MULTIPLY_TILES(SUMS, X, W) multiply_tiles(tiles + (SUMS), tiles + (X), tiles + (W))
#define STORE_TILE(T, TO) store_tile(tiles + (T), TO)
#include "tiled_product.h"

#ifdef NATIVE_TILES_TARGET
#define TILED_PRODUCT tiled_product_native
#define TARGET __attribute__((target(NATIVE_TILES_TARGET)))
#define TILES
#define LOAD_TILE(T, FROM, BYTES) _tile_loadd(T, FROM, BYTES)
#define MULTIPLY_TILES(SUMS, X, W) _tile_dpbf16ps(SUMS, X, W)
#define STORE_TILE(T, TO) _tile_stored(T, TO, TILE_BYTES)
#include "tiled_product.h"

/// Gives this thread's tiles their shape; until `end_native_tiles` they are part of what the system saves of the thread.
static __attribute__((target(NATIVE_TILES_TARGET))) void begin_native_tiles(void) {
    static const _Alignas(64) struct {
        uint8_t palette, startRow, reserved[14];
        uint16_t bytes[16];
        uint8_t rows[16];
    } shape = {.palette = 1, .bytes = {[0 ... 7] = TILE_BYTES}, .rows = {[0 ... 7] = TILE}};
    _tile_loadconfig(&shape);
}

static __attribute__((target(NATIVE_TILES_TARGET))) void end_native_tiles(void) { _tile_release(); }
#endif
