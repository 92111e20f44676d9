/// Collects the projections of the time embedding, one of every residual block (`time_emb_proj`), into one matrix: they all
/// read the same row.
struct TimeProjectionBuilder {
    private var parts: [(weights: [Float], outputs: Int, firstColumn: Int)] = []
    private var bias: [Float] = []
    private var columns = 0

    /// Adds rows `outputs` of a projection. Returns its first column. `extraBias` is added to the bias.
    mutating func add(_ weights: ArraySlice<Float>, _ bias: ArraySlice<Float>, outputs: Int, extraBias: [Float]? = nil)
        -> Int
    {
        let column = columns
        columns += paddedChannels(outputs)
        parts.append((Array(weights), outputs, column))
        guard !bias.isEmpty else { return column }  // a dry run
        var values = [Float](repeating: 0, count: paddedChannels(outputs))
        for (index, value) in bias.enumerated() { values[index] = value + (extraBias?[index] ?? 0) }
        self.bias += values
        return column
    }

    func build(channels: Int) -> TimeProjection {
        TimeProjection(
            matrix: PackedMatrix(parts, inputs: ChannelLayout(channels), columns: columns, precision: .f32),
            bias: FloatStorage(bias, count: columns))
    }
}

/// The projections of all residual blocks.
struct TimeProjection: Sendable {
    let matrix: PackedMatrix
    let bias: FloatStorage

    /// The projections of the pass's rows, `paddedChannels(channels)` floats apart. The caller gives their block back, or
    /// leaves it to the end of the pass.
    func callAsFunction(_ rows: UnsafePointer<Float>, _ pass: Pass) -> Values {
        let values = Values(block: pass.take(perRow: matrix.columns), stride: matrix.columns)
        matrix.multiply(
            rows, stride: paddedChannels(matrix.depth), count: pass.count, bias: bias.pointer,
            into: values.block.pointer, outStride: values.stride, pass)
        return values
    }

    /// Operations a row.
    var operations: Double { 2 * Double(matrix.depth) * Double(matrix.columns) }

    /// What a residual block finds of its own: for image i, `pointer[i · stride + column]`.
    struct Values {
        let block: Workspace.Block
        let stride: Int
        func column(_ column: Int) -> UnsafePointer<Float> { UnsafePointer(block.pointer + column) }
    }
}
