import CKernels

/// A weight matrix laid out for the product kernels: panels of columns, each with its rows one after the other.
///
/// With several taps the rows of the input are found at several places, which makes a convolution out of the product without
/// copying pixels together.
struct PackedMatrix: Sendable {
    let storage: FloatStorage
    let taps: Int
    /// Of the weights, and of what they are multiplied with.
    let precision: Precision
    /// Rows of the matrix for each tap: input channels as they lie in memory.
    let depth: Int
    /// Columns, padded.
    let columns: Int

    /// One or several matrices `[outputs, inputs, taps]` side by side, each at its own first column.
    init(
        _ parts: [(weights: [Float], outputs: Int, firstColumn: Int)], inputs: ChannelLayout, taps: Int = 1,
        columns: Int, precision: Precision
    ) {
        self.init(
            parts, positions: (0..<inputs.channels).map(inputs.position),
            depth: inputs.second == 0 ? inputs.first : inputs.stride, taps: taps, columns: columns,
            precision: precision)
    }

    /// - Parameters:
    ///   - parts: as above.
    ///   - positions: where each input stands among the `depth` of a row.
    init(
        _ parts: [(weights: [Float], outputs: Int, firstColumn: Int)], positions: [Int], depth: Int, taps: Int = 1,
        columns: Int, precision: Precision
    ) {
        let panels = Self.panels(columns)
        let isDryRun = parts.contains { $0.weights.isEmpty }
        storage = FloatStorage(count: isDryRun ? 0 : panels * Int(ds_panel_width()) * taps * precision.words(depth)) {
            memory in
            for part in parts where !isDryRun {
                ds_pack(
                    precision.code, part.weights, part.outputs, positions.count, taps, positions, part.firstColumn,
                    precision.words(depth), memory.baseAddress)
            }
        }
        self.taps = taps
        self.precision = precision
        self.depth = depth
        self.columns = columns
    }

    /// Copies a column of a matrix of one tap: the `depth` weights of an output.
    func copyColumn(_ column: Int, to place: UnsafeMutablePointer<Float>) {
        let width = Int(ds_panel_width())
        let first = storage.pointer + column / width * width * words + column % width
        switch precision {
        case .f32: for row in 0..<depth { place[row] = first[row * width] }
        case .bf16:
            for row in 0..<depth {
                let bits = first[row / 2 * width].bitPattern
                place[row] = Float(bitPattern: row % 2 == 0 ? bits << 16 : bits & 0xFFFF_0000)
            }
        }
    }

    static func panels(_ columns: Int) -> Int {
        let width = Int(ds_panel_width())
        return (columns + width - 1) / width
    }

    var panels: Int { Self.panels(columns) }
    /// ``depth`` in words of 32 bits.
    var words: Int { precision.words(depth) }

    /// out[row] = (rows[row] · W + bias + residual[row]) · scale for `count` rows at a constant stride; all threads take part.
    func multiply(
        _ rows: UnsafePointer<Float>, stride: Int, count: Int, bias: UnsafePointer<Float>?,
        into out: UnsafeMutablePointer<Float>, outStride: Int,
        residual: UnsafePointer<Float>? = nil, residualStride: Int = 0, scale: Float = 1, _ pass: Pass
    ) {
        // Rows in blocks while there are enough of them to keep the threads busy, else panels of columns too.
        let blockRows = Int(ds_row_chunk(precision.code))
        let blocks = (count + blockRows - 1) / blockRows
        let splits = min(panels, max(1, (4 * pass.threads + blocks - 1) / blocks))
        let (panels, columns, depth, words, weights) = (panels, columns, depth, words, storage.pointer)
        let rounded = precision == .f32 ? nil : pass.take(perThread: blockRows * words)
        pass.parallel(blocks * splits) { unit, thread in
            let first = unit / splits * blockRows
            let split = unit % splits
            let block = min(blockRows, count - first)
            var product = ds_product(
                precision: precision.code, taps: nil, tapCount: 1, depth: words, weights: weights, columns: columns,
                bias: bias, scale: scale, next: nil)
            var (place, placeStride) = (rows + first * stride, stride)
            if let rounded {
                let own = rounded.pointer + thread * blockRows * words
                ds_round_rows(place, block, stride, depth, own, words)
                (place, placeStride) = (UnsafePointer(own), words)
            }
            ds_multiply_strided(
                &product, place, placeStride, block,
                split * panels / splits, (split + 1) * panels / splits,
                out + first * outStride, outStride, residual.map { $0 + first * residualStride }, residualStride)
        }
        if let rounded { pass.giveBack(rounded) }
    }
}
