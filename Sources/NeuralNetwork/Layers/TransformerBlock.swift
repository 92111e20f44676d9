import CKernels

/// Attention of the tokens to each other, then to a context, then a gated feed-forward layer, each of the normalised tokens
/// and added to them (diffusers `BasicTransformerBlock` with `layer_norm` and `geglu`).
struct TransformerBlock: Sendable {
    let norm1: LayerNorm
    let attention1: TokenAttention  // attn1
    let norm2: LayerNorm
    let attention2: TokenAttention  // attn2
    let norm3: LayerNorm
    let expansion: PackedMatrix  // ff.net.0.proj: values and gates side by side
    let expansionBias: FloatStorage
    let contraction: Linear  // ff.net.2
    /// Whether the first attention reads the context too.
    let onlyCrossAttention: Bool

    init(
        _ reader: ParameterReader, _ key: String, channels: Int, contextChannels: Int, heads: AttentionHeads,
        onlyCrossAttention: Bool
    ) throws(CheckpointError) {
        self.onlyCrossAttention = onlyCrossAttention
        norm1 = try LayerNorm(reader, "\(key).norm1", channels)
        attention1 = try TokenAttention(
            reader, "\(key).attn1", .diffusers, channels: channels,
            contextChannels: onlyCrossAttention ? contextChannels : channels, heads: heads)
        norm2 = try LayerNorm(reader, "\(key).norm2", channels)
        attention2 = try TokenAttention(
            reader, "\(key).attn2", .diffusers, channels: channels, contextChannels: contextChannels, heads: heads)
        norm3 = try LayerNorm(reader, "\(key).norm3", channels)
        let inner = 4 * channels
        let columns = paddedChannels(inner)
        let weights = try reader.read("\(key).ff.net.0.proj.weight", [2 * inner, channels])
        let bias = try reader.read("\(key).ff.net.0.proj.bias", [2 * inner])
        let (half, padding) = (weights.count / 2, [Float](repeating: 0, count: columns - inner))
        expansion = PackedMatrix(
            [(Array(weights[..<half]), inner, 0), (Array(weights[half...]), inner, columns)],
            inputs: ChannelLayout(channels), columns: 2 * columns, precision: reader.precision)
        let padded = bias.isEmpty ? [] : Array(bias[..<inner]) + padding + Array(bias[inner...]) + padding
        expansionBias = FloatStorage(padded, count: 2 * columns)
        contraction = try Linear(reader, "\(key).ff.net.2", from: inner, to: channels, precision: reader.precision)
    }

    /// In place.
    func callAsFunction(_ x: Images, context: Images, _ pass: Pass) {
        var normalised = norm1(x, pass)
        attention1(normalised, context: onlyCrossAttention ? context : normalised, addingTo: x, pass)
        pass.giveBack(normalised)
        normalised = norm2(x, pass)
        attention2(normalised, context: context, addingTo: x, pass)
        pass.giveBack(normalised)
        normalised = norm3(x, pass)
        feedForward(normalised, addingTo: x, pass)
        pass.giveBack(normalised)
    }

    /// Tokens that are widened at once.
    private static let slab = 512

    /// W₂ · (values · GELU(gates)) + b₂, added to `sum`, some tokens at a time: the wide layer need not be in memory as a whole.
    private func feedForward(_ x: Images, addingTo sum: Images, _ pass: Pass) {
        let columns = expansion.columns / 2
        let total = x.count * x.pixels
        let wide = pass.take(floats: Self.slab * 2 * columns)
        // An odd number of cache lines apart, so that rows do not compete for the same cache sets.
        let gatedStride = columns | 16
        let gated = pass.take(floats: Self.slab * gatedStride)
        for first in stride(from: 0, to: total, by: Self.slab) {
            let rows = min(Self.slab, total - first)
            expansion.multiply(
                x.pointer + first * x.stride, stride: x.stride, count: rows, bias: expansionBias.pointer,
                into: wide.pointer, outStride: 2 * columns, pass)
            let part = 16
            pass.parallel((rows + part - 1) / part) { unit, _ in
                let start = unit * part
                ds_gated_gelu(
                    wide.pointer + start * 2 * columns, min(part, rows - start), columns,
                    gated.pointer + start * gatedStride,
                    gatedStride)
            }
            let place = sum.pointer + first * sum.stride
            contraction.matrix.multiply(
                gated.pointer, stride: gatedStride, count: rows, bias: contraction.bias.pointer, into: place,
                outStride: sum.stride, residual: place, residualStride: sum.stride, pass)
        }
        pass.giveBack(gated)
        pass.giveBack(wide)
    }

    /// Operations for one sequence.
    func operations(tokens: Int, context: Int) -> Double {
        let channels = Double(norm1.channels)
        return attention1.operations(tokens: tokens, context: onlyCrossAttention ? context : tokens)
            + attention2.operations(tokens: tokens, context: context)
            + Double(tokens) * 2 * 12 * channels * channels
    }
}
