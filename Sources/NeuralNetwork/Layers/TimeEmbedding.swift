import CKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Sinusoidal embedding of a number (diffusers `get_timestep_embedding`): cos and sin of t · 10000^(-i / (n - shift)).
struct SinusoidalEmbedding: Sendable {
    let channels: Int
    let cosineFirst: Bool
    /// One for each of n = channels / 2 frequencies, in the single precision in which PyTorch computes them.
    let frequencies: [Float]

    init(channels: Int, flipSinToCos: Bool, frequencyShift: Double) {
        self.channels = channels
        cosineFirst = flipSinToCos
        let half = channels / 2
        let divisor = Float(Double(half) - frequencyShift)
        frequencies = (0..<half).map { index in
            let exponent = Float(-log(10_000.0)) * Float(index) / divisor
            return Float(exp(Double(exponent)))
        }
    }

    /// The embedding of the policies of Chi et al.: sin, then cos, of t · 10000^(-i / (n - 1)).
    init(policyChannels channels: Int) {
        self.channels = channels
        cosineFirst = false
        let half = channels / 2
        // The factor is rounded before it is multiplied with i, as PyTorch does there.
        let factor = Float(log(10_000.0) / Double(half - 1))
        frequencies = (0..<half).map { Float(exp(Double(-factor * Float($0)))) }
    }

    /// `out` holds `channels` floats; an odd last one becomes zero.
    func callAsFunction(_ value: Float, into out: UnsafeMutablePointer<Float>) {
        let half = frequencies.count
        for (index, frequency) in frequencies.enumerated() {
            let angle = Double(value * frequency)
            out[index + (cosineFirst ? half : 0)] = Float(sin(angle))
            out[index + (cosineFirst ? 0 : half)] = Float(cos(angle))
        }
        if channels % 2 == 1 { out[channels - 1] = 0 }
    }
}

/// Two linear layers with an activation between them (diffusers `TimestepEmbedding`).
struct TimestepEmbedding: Sendable {
    let first: Linear  // linear_1
    let second: Linear  // linear_2
    let activation: Activation

    /// - Parameters:
    ///   - keys: of the two layers.
    ///   - hiddenChannels: between them.
    init(
        _ reader: ParameterReader, keys: (String, String), from inChannels: Int, through hiddenChannels: Int,
        to outChannels: Int, _ activation: Activation
    ) throws(CheckpointError) {
        first = try Linear(reader, keys.0, from: inChannels, to: hiddenChannels)
        second = try Linear(reader, keys.1, from: hiddenChannels, to: outChannels)
        self.activation = activation
    }

    /// diffusers' own.
    init(_ reader: ParameterReader, _ key: String, from inChannels: Int, to outChannels: Int) throws(CheckpointError) {
        try self.init(
            reader, keys: ("\(key).linear_1", "\(key).linear_2"), from: inChannels, through: outChannels,
            to: outChannels,
            .silu)
    }

    /// Rows of `paddedChannels(in)` floats to rows of `paddedChannels(out)`.
    func callAsFunction(
        _ rows: UnsafePointer<Float>, count: Int, into out: UnsafeMutablePointer<Float>, _ workspace: Workspace
    ) {
        let stride = first.matrix.columns
        let hidden = workspace.take(count * stride)
        first(rows, stride: paddedChannels(first.inChannels), count: count, into: hidden.pointer, workspace)
        ds_activate(hidden.pointer, count * stride, activation.code, hidden.pointer)
        second(hidden.pointer, stride: stride, count: count, into: out, workspace)
        workspace.giveBack(hidden)
    }
}

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
            matrix: PackedMatrix(parts, inputs: ChannelLayout(channels), columns: columns),
            bias: FloatStorage(bias, count: columns))
    }
}

/// The projections of all residual blocks.
struct TimeProjection: Sendable {
    let matrix: PackedMatrix
    let bias: FloatStorage

    /// What a residual block finds of its own: for image i, `pointer[i · stride + column]`.
    struct Values {
        let block: Workspace.Block
        let stride: Int
        func column(_ column: Int) -> UnsafePointer<Float> { UnsafePointer(block.pointer + column) }
    }
}
