import CKernels

/// softmax(Q Kᵀ / √d) V for every head of every image or sequence.
///
/// Some queries at a time are compared with all keys, so that the memory grows with the number of keys, not with its square.
struct AttentionHeads: Sendable {
    let count: Int
    /// Channels of a head, d.
    let channels: Int
    /// Whether a query sees only the keys up to its own place, as in a model that reads a text in order.
    var isCausal = false
    /// Of the two products; the softmax between them is in single precision.
    var precision = Precision.f32

    /// The queries, keys or values of several images: the channels of head h are floats h · d … of each row.
    struct Rows {
        let pointer: UnsafePointer<Float>
        /// Floats from row to row.
        let stride: Int
        /// Rows of an image.
        let count: Int
    }

    /// Queries that are compared with all keys at once; fixed, so that the shape of a product depends on the image only.
    static let queryBlock = 64

    /// - Parameters:
    ///   - images: how many there are, one behind the other in each of the rows.
    ///   - mixed: where the results go, a row for each query.
    ///   - stride: floats from row to row of `mixed`.
    func callAsFunction(
        queries: Rows, keys: Rows, values: Rows, images: Int, into mixed: UnsafeMutablePointer<Float>, stride: Int,
        _ pass: Pass
    ) {
        if precision == .bf16, channels % Int(DS_CHANNEL_STEP) == 0, !isCausal {
            rounded(queries: queries, keys: keys, values: values, images: images, into: mixed, stride: stride, pass)
            return
        }
        LinearAlgebra.prepare()
        let blocks = (queries.count + Self.queryBlock - 1) / Self.queryBlock
        let size = Self.queryBlock * keys.count
        let scores = pass.take(perThread: size)
        let scale = 1 / Float(channels).squareRoot()
        pass.parallel(images * count * blocks) { unit, thread in
            let (image, head, block) = (unit / blocks / count, unit / blocks % count, unit % blocks)
            let first = block * Self.queryBlock
            let rows = min(Self.queryBlock, queries.count - first)
            let score = scores.pointer + thread * size
            let column = head * channels
            LinearAlgebra.multiply(
                queries.pointer + (image * queries.count + first) * queries.stride + column, aStride: queries.stride,
                keys.pointer + image * keys.count * keys.stride + column, bStride: keys.stride, transposeB: true,
                into: score, cStride: keys.count, m: rows, n: keys.count, k: channels)
            if isCausal {
                for row in 0..<rows {
                    let seen = min(keys.count, first + row + 1)
                    let place = score + row * keys.count
                    ds_softmax(place, 1, seen, keys.count, scale)
                    (place + seen).update(repeating: 0, count: keys.count - seen)
                }
            } else {
                ds_softmax(score, rows, keys.count, keys.count, scale)
            }
            LinearAlgebra.multiply(
                score, aStride: keys.count, values.pointer + image * values.count * values.stride + column,
                bStride: values.stride, transposeB: false,
                into: mixed + (image * queries.count + first) * stride + column, cStride: stride,
                m: rows, n: channels, k: keys.count)
        }
        pass.giveBack(scores)
    }

    /// Operations for one image.
    func operations(queries: Int, keys: Int) -> Double {
        4 * Double(queries) * Double(keys) * Double(count * channels)
    }
}
