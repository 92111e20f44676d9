/// Transformer blocks over the pixels of an image, whose context is a text or the like (diffusers `Transformer2DModel` of
/// continuous inputs).
///
/// out = W_out · blocks(W_in · norm(x)) + x
struct SpatialTransformer: Sendable {
    let norm: GroupNorm
    let projectIn: Linear  // proj_in
    let blocks: [TransformerBlock]  // transformer_blocks
    let projectOut: Linear  // proj_out

    /// What one is made of, beside the channels.
    struct Plan {
        let heads: Int
        let contextChannels: Int
        let blocks: Int
        /// Whether the projections are stored as matrices, not as 1×1 convolutions.
        let isLinear: Bool
        let onlyCrossAttention: Bool
    }

    init(
        _ reader: ParameterReader, _ key: String, channels: Int, _ plan: Plan, groups: Int
    ) throws(CheckpointError) {
        // A remainder of the channels is not used, as in diffusers.
        let heads = AttentionHeads(count: plan.heads, channels: channels / plan.heads)
        let inner = heads.count * heads.channels
        norm = try GroupNorm(reader, "\(key).norm", ChannelLayout(channels), groups: groups, epsilon: 1e-6)
        projectIn = try Linear(
            reader, "\(key).proj_in", from: channels, to: inner, isConvolution: !plan.isLinear,
            precision: reader.precision)
        var blocks: [TransformerBlock] = []
        for index in 0..<plan.blocks {
            blocks.append(
                try TransformerBlock(
                    reader, "\(key).transformer_blocks.\(index)", channels: inner,
                    contextChannels: plan.contextChannels, heads: heads, onlyCrossAttention: plan.onlyCrossAttention))
        }
        self.blocks = blocks
        projectOut = try Linear(
            reader, "\(key).proj_out", from: inner, to: channels, isConvolution: !plan.isLinear,
            precision: reader.precision)
    }

    func callAsFunction(_ x: Images, context: Images?, _ pass: Pass) -> Images {
        let result = Images(pass, channels: x.channels, height: x.height, width: x.width)
        guard let context else { preconditionFailure("a transformer without a context") }
        pass.timed(
            "transformer \(x.channels), \(x.height)×\(x.width), \(blocks.count) blocks",
            operations: Double(x.count) * operations(pixels: x.pixels, context: context.pixels)
        ) {
            let coefficients = norm.coefficients(of: FeatureMap(x), pass)
            let normalised = x.affine(coefficients, nil, pass)
            pass.giveBack(coefficients.block)
            let tokens = Images(pass, channels: projectIn.outChannels, height: x.height, width: x.width)
            let rows = x.count * x.pixels
            projectIn(normalised.pointer, stride: x.stride, count: rows, into: tokens.pointer, pass)
            pass.giveBack(normalised)
            for block in blocks { block(tokens, context: context, pass) }
            projectOut.matrix.multiply(
                tokens.pointer, stride: tokens.stride, count: rows, bias: projectOut.bias.pointer,
                into: result.pointer, outStride: result.stride, residual: x.pointer, residualStride: x.stride, pass)
            pass.giveBack(tokens)
        }
        return result
    }

    /// Operations for one image.
    func operations(pixels: Int, context: Int) -> Double {
        Double(pixels) * (projectIn.operations + projectOut.operations)
            + blocks.reduce(0) { $0 + $1.operations(tokens: pixels, context: context) }
    }
}
