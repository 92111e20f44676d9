/// Self-attention over the pixels of an image (diffusers `Attention` with one query, key and value each of the same input).
///
/// out = (W_o · softmax(Q Kᵀ / √d) V + x) / rescale, with Q, K, V from the normalised input.
struct Attention: Sendable {
    let norm: GroupNorm?  // group_norm
    let projections: PackedMatrix  // to_q, to_k, to_v side by side
    let projectionBias: FloatStorage
    let output: Linear  // to_out.0
    let channels: Int
    let heads: Int
    let headChannels: Int
    let rescale: Float

    /// - Parameters:
    ///   - headChannels: channels of a head; a remainder of `channels` is not used, as in diffusers. nil means one head.
    ///   - groups: groups of the normalisation, or nil for none.
    init(
        _ reader: ParameterReader, _ key: String, channels: Int, headChannels: Int?, groups: Int?, epsilon: Double,
        rescale: Double = 1
    ) throws(CheckpointError) {
        self.channels = channels
        self.headChannels = headChannels ?? channels
        heads = channels / self.headChannels
        self.rescale = Float(rescale)
        norm =
            if let groups {
                try GroupNorm(reader, "\(key).group_norm", ChannelLayout(channels), groups: groups, epsilon: epsilon)
            } else {
                nil
            }
        let inner = heads * self.headChannels
        let columns = paddedChannels(inner)
        var parts: [(weights: [Float], outputs: Int, firstColumn: Int)] = []
        var bias: [Float] = []
        for (index, name) in ["to_q", "to_k", "to_v"].enumerated() {
            parts.append((try reader.read("\(key).\(name).weight", [inner, channels]), inner, index * columns))
            let values = try reader.read("\(key).\(name).bias", [inner])
            guard !values.isEmpty else { continue }  // a dry run
            bias += values + [Float](repeating: 0, count: columns - values.count)
        }
        projections = PackedMatrix(
            parts, inputs: ChannelLayout(channels), columns: 3 * columns, precision: reader.precision)
        projectionBias = FloatStorage(bias, count: bias.count)
        output = try Linear(
            reader, "\(key).to_out.0", from: inner, to: channels, precision: reader.precision)
    }

    func callAsFunction(_ x: Images, _ pass: Pass) -> Images {
        let result = Images(pass, channels: channels, height: x.height, width: x.width)
        pass.timed(
            "attention \(channels), \(x.height)×\(x.width), \(heads) heads",
            operations: Double(x.count) * operations(x.pixels)
        ) {
            run(x, into: result, pass)
        }
        return result
    }

    /// Operations for one image.
    func operations(_ pixels: Int) -> Double {
        let (pixels, inner) = (Double(pixels), Double(heads * headChannels))
        return 2 * pixels * Double(channels) * inner * 4 + 2 * 2 * pixels * pixels * inner
    }

    private func run(_ x: Images, into result: Images, _ pass: Pass) {
        let pixels = x.pixels
        let rows = x.count * pixels
        let inner = output.matrix.depth
        let innerStride = paddedChannels(inner)

        // Normalised input, then Q, K and V side by side.
        var source = x
        if let norm {
            let coefficients = norm.coefficients(of: FeatureMap(x), pass)
            source = x.affine(coefficients, nil, pass)
            pass.giveBack(coefficients.block)
        }
        let projected = pass.take(perRow: pixels * 3 * innerStride)
        projections.multiply(
            source.pointer, stride: source.stride, count: rows, bias: projectionBias.pointer, into: projected.pointer,
            outStride: 3 * innerStride, pass)
        if norm != nil { pass.giveBack(source.block) }

        let mixed = pass.take(perRow: pixels * innerStride)
        func part(_ index: Int) -> AttentionHeads.Rows {
            .init(pointer: projected.pointer + index * innerStride, stride: 3 * innerStride, count: pixels)
        }
        AttentionHeads(count: heads, channels: headChannels, precision: projections.precision)(
            queries: part(0), keys: part(1), values: part(2), images: x.count, into: mixed.pointer,
            stride: innerStride, pass)
        pass.giveBack(projected)

        output.matrix.multiply(
            mixed.pointer, stride: innerStride, count: rows, bias: output.bias.pointer, into: result.pointer,
            outStride: result.stride, residual: x.pointer, residualStride: x.stride, scale: 1 / rescale, pass)
        pass.giveBack(mixed)
    }
}
