/// y = x · Wᵀ + b for rows of features (PyTorch's `nn.Linear`, or a 1×1 convolution).
struct Linear: Sendable {
    let matrix: PackedMatrix
    let bias: FloatStorage
    let inChannels: Int
    let outChannels: Int

    /// Reads `key.weight` `[out, in]` (`[out, in, 1, 1]` for a convolution) and `key.bias`.
    init(
        _ reader: ParameterReader, _ key: String, from inChannels: Int, to outChannels: Int, isConvolution: Bool = false
    ) throws(CheckpointError) {
        let weights = try reader.read("\(key).weight", [outChannels, inChannels] + (isConvolution ? [1, 1] : []))
        let columns = paddedChannels(outChannels)
        matrix = PackedMatrix([(weights, outChannels, 0)], inputs: ChannelLayout(inChannels), columns: columns)
        bias = FloatStorage(try reader.read("\(key).bias", [outChannels]), count: columns)
        self.inChannels = inChannels
        self.outChannels = outChannels
    }

    /// `count` rows `stride` floats apart; the output's rows are `paddedChannels(outChannels)` floats apart.
    func callAsFunction(
        _ rows: UnsafePointer<Float>, stride: Int, count: Int, into out: UnsafeMutablePointer<Float>, _ workspace: Workspace
    ) {
        matrix.multiply(
            rows, stride: stride, count: count, bias: bias.pointer, into: out, outStride: matrix.columns, workspace)
    }
}
