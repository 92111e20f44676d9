import CKernels

/// softmax(Q Kᵀ / √d) V for every head of every image or sequence.
///
/// The keys and the values of a head are packed as weights are, once for all of its queries. Some queries at a time are compared
/// with all keys, so that the memory grows with the number of keys, not with its square.
struct AttentionHeads: Sendable {
    let count: Int
    /// Channels of a head, d.
    let channels: Int
    /// Whether a query sees only the keys up to its own place, as in a model that reads a text in order.
    let isCausal: Bool
    /// Of the two products; the softmax between them is in single precision.
    let precision: Precision

    /// - Parameter precision: a head's channels are rounded by whole steps of channels only; others stay in single precision.
    init(count: Int, channels: Int, isCausal: Bool = false, precision: Precision = .f32) {
        self.count = count
        self.channels = channels
        self.isCausal = isCausal
        self.precision = channels % Int(DS_CHANNEL_STEP) == 0 ? precision : .f32
    }

    /// The queries, keys or values of several images: the channels of head h are floats h · d … of each row.
    struct Rows {
        let pointer: UnsafePointer<Float>
        /// Floats from row to row.
        let stride: Int
        /// Rows of an image.
        let count: Int

        func head(_ column: Int, image: Int, row: Int = 0) -> UnsafePointer<Float> {
            pointer + (image * count + row) * stride + column
        }
    }

    /// Queries that are compared with all keys at once: their scores should stay in a thread's second cache.
    private var queryBlock: Int { Int(ds_row_chunk(precision.code)) }

    /// - Parameters:
    ///   - images: how many there are, one behind the other in each of the rows.
    ///   - mixed: where the results go, a row for each query.
    ///   - stride: floats from row to row of `mixed`.
    func callAsFunction(
        queries: Rows, keys: Rows, values: Rows, images: Int, into mixed: UnsafeMutablePointer<Float>, stride: Int,
        _ pass: Pass
    ) {
        let packed = Packed(self, keys: keys, values: values, images: images, pass)
        let queryBlock = queryBlock
        let blocks = (queries.count + queryBlock - 1) / queryBlock
        let columns = paddedChannels(keys.count)
        // An odd number of cache lines apart, so that rows do not compete for the same cache sets.
        let scoreStride = columns | 16
        let outColumns = paddedChannels(channels)
        // Scores, what meets the packed matrices where it must be rounded, and the result.
        let factorSize = precision == .f32 ? 0 : max(packed.words, packed.keyWords)
        let size = queryBlock * (scoreStride + factorSize + outColumns)
        let scratch = pass.take(perThread: size)
        let scale = 1 / Float(channels).squareRoot()
        pass.parallel(images * count * blocks) { unit, thread in
            let (head, block) = (unit / blocks, unit % blocks)
            let (image, column) = (head / count, head % count * channels)
            let first = block * queryBlock
            let rows = min(queryBlock, queries.count - first)
            let scores = scratch.pointer + thread * size
            let factors = scores + queryBlock * scoreStride
            let result = factors + queryBlock * factorSize

            multiply(
                queries.head(column, image: image, row: first), stride: queries.stride, count: rows, floats: channels,
                by: packed.keys(head), columns: columns, into: scores, outStride: scoreStride, rounded: factors)
            soften(scores, firstQuery: first, rows: rows, keys: keys.count, stride: scoreStride, scale: scale)
            multiply(
                scores, stride: scoreStride, count: rows, floats: keys.count, by: packed.values(head),
                columns: outColumns, into: result, outStride: outColumns, rounded: factors)
            for row in 0..<rows {
                (mixed + (image * queries.count + first + row) * stride + column).update(
                    from: result + row * outColumns, count: channels)
            }
        }
        pass.giveBack(scratch)
        pass.giveBack(packed.block)
    }

    /// The product of some rows with a packed matrix of as many rows as these have floats; one thread.
    /// - Parameter rounded: room for the rows in the matrix's precision.
    private func multiply(
        _ rows: UnsafePointer<Float>, stride: Int, count: Int, floats: Int, by matrix: UnsafePointer<Float>,
        columns: Int, into out: UnsafeMutablePointer<Float>, outStride: Int, rounded: UnsafeMutablePointer<Float>
    ) {
        let words = precision.words(floats)
        var (rows, stride) = (rows, stride)
        if precision != .f32 {
            ds_round_rows(rows, count, stride, floats, rounded, words)
            (rows, stride) = (UnsafePointer(rounded), words)
        }
        var product = ds_product(
            precision: precision.code, taps: nil, tapCount: 1, depth: words, weights: matrix, columns: columns,
            bias: nil, scale: 1, next: nil)
        ds_multiply_strided(
            &product, rows, stride, count, 0, PackedMatrix.panels(columns), out, outStride, nil, 0)
    }

    private func soften(
        _ scores: UnsafeMutablePointer<Float>, firstQuery: Int, rows: Int, keys: Int, stride: Int, scale: Float
    ) {
        guard isCausal else {
            ds_softmax(scores, rows, keys, stride, scale)
            return
        }
        for row in 0..<rows {
            let seen = min(keys, firstQuery + row + 1)
            let place = scores + row * stride
            ds_softmax(place, 1, seen, stride, scale)
            (place + seen).update(repeating: 0, count: keys - seen)
        }
    }

    /// The keys of each head as the columns of a matrix, and its values as the rows of another.
    private struct Packed {
        let block: Workspace.Block
        /// Of a query, and of a row of scores.
        let words, keyWords: Int
        private let keySize, valueSize: Int

        init(_ heads: AttentionHeads, keys: Rows, values: Rows, images: Int, _ pass: Pass) {
            let precision = heads.precision
            let (words, keyWords) = (precision.words(heads.channels), precision.words(keys.count))
            let width = Int(ds_panel_width())
            let keySize = PackedMatrix.panels(keys.count) * width * words
            let valueSize = PackedMatrix.panels(heads.channels) * width * keyWords
            let block = pass.take(perRow: heads.count * (keySize + valueSize))
            let roundedSize = precision == .f32 ? 0 : keys.count * words
            let rounded = pass.take(perThread: roundedSize)
            pass.parallel(images * heads.count) { unit, thread in
                let (image, column) = (unit / heads.count, unit % heads.count * heads.channels)
                let own = rounded.pointer + thread * roundedSize
                func rows(_ part: Rows) -> (pointer: UnsafePointer<Float>, stride: Int) {
                    let first = part.head(column, image: image)
                    guard precision != .f32 else { return (first, part.stride) }
                    ds_round_rows(first, part.count, part.stride, heads.channels, own, words)
                    return (UnsafePointer(own), words)
                }
                let place = block.pointer + unit * (keySize + valueSize)
                place.update(repeating: 0, count: keySize)
                let keyRows = rows(keys)
                ds_pack_transposed(keyRows.pointer, keys.count, keyRows.stride, words, place)
                let valueRows = rows(values)
                ds_pack_rows(
                    precision.code, valueRows.pointer, keys.count, valueRows.stride, heads.channels, place + keySize)
            }
            pass.giveBack(rounded)
            (self.block, self.words, self.keyWords) = (block, words, keyWords)
            (self.keySize, self.valueSize) = (keySize, valueSize)
        }

        func keys(_ head: Int) -> UnsafePointer<Float> { UnsafePointer(block.pointer + head * (keySize + valueSize)) }
        func values(_ head: Int) -> UnsafePointer<Float> { keys(head) + keySize }
    }

    /// Operations for one image.
    func operations(queries: Int, keys: Int) -> Double {
        4 * Double(queries) * Double(keys) * Double(count * channels)
    }
}
