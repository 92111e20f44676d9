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
    init(
        _ reader: ParameterReader, _ key: String, from inChannels: Int, to outChannels: Int,
        _ activation: Activation = .silu
    ) throws(CheckpointError) {
        try self.init(
            reader, keys: ("\(key).linear_1", "\(key).linear_2"), from: inChannels, through: outChannels,
            to: outChannels, activation)
    }

    /// The pass's rows of `paddedChannels(in)` floats to rows of `paddedChannels(out)`.
    func callAsFunction(_ rows: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>, _ pass: Pass) {
        let stride = first.matrix.columns
        let hidden = pass.take(perRow: stride)
        first(rows, stride: paddedChannels(first.inChannels), count: pass.count, into: hidden.pointer, pass)
        activation(hidden.pointer, count: pass.count * stride)
        second(hidden.pointer, stride: stride, count: pass.count, into: out, pass)
        pass.giveBack(hidden)
    }

    /// Operations a row.
    var operations: Double { first.operations + second.operations }
}
