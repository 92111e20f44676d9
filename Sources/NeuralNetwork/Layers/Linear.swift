/// y = x · Wᵀ + b for rows of features (PyTorch's `nn.Linear`, or a 1×1 convolution).
package struct Linear: Sendable {
    let matrix: PackedMatrix
    let bias: FloatStorage
    package let inChannels: Int
    package let outChannels: Int
    /// Floats from one row of the input to the next.
    let inputStride: Int

    /// Reads `key.weight` `[out, in]` (`[out, in, 1, 1]` for a convolution) and `key.bias`.
    init(
        _ reader: ParameterReader, _ key: String, from inputs: ChannelLayout, to outChannels: Int,
        isConvolution: Bool = false, precision: Precision = .f32
    ) throws(CheckpointError) {
        inChannels = inputs.channels
        inputStride = inputs.stride
        let weights = try reader.read("\(key).weight", [outChannels, inChannels] + (isConvolution ? [1, 1] : []))
        let columns = paddedChannels(outChannels)
        matrix = PackedMatrix([(weights, outChannels, 0)], inputs: inputs, columns: columns, precision: precision)
        bias = FloatStorage(try reader.read("\(key).bias", [outChannels]), count: columns)
        self.outChannels = outChannels
    }

    package init(
        _ reader: ParameterReader, _ key: String, from inChannels: Int, to outChannels: Int,
        isConvolution: Bool = false,
        precision: Precision = .f32
    ) throws(CheckpointError) {
        try self.init(
            reader, key, from: ChannelLayout(inChannels), to: outChannels, isConvolution: isConvolution,
            precision: precision)
    }

    /// `count` rows `stride` floats apart; the output's rows are `outStride` floats apart, or else
    /// `paddedChannels(outChannels)`.
    package func callAsFunction(
        _ rows: UnsafePointer<Float>, stride: Int, count: Int, into out: UnsafeMutablePointer<Float>,
        outStride: Int? = nil,
        _ pass: Pass
    ) {
        matrix.multiply(
            rows, stride: stride, count: count, bias: bias.pointer, into: out, outStride: outStride ?? matrix.columns,
            pass)
    }

    /// Operations a row: two for every multiplication.
    package var operations: Double { 2 * Double(inChannels) * Double(outChannels) }
}
