import CKernels

/// Layer normalisation, y = (x - mean) / √(variance + ε) · weight + bias with the moments of one row.
struct LayerNorm: Sendable {
    let channels: Int
    let epsilon: Float
    let weight: FloatStorage
    let bias: FloatStorage

    /// Reads `key.weight` and `key.bias`, both `[channels]`.
    init(_ reader: ParameterReader, _ key: String, _ channels: Int, epsilon: Double = 1e-5) throws(CheckpointError) {
        self.channels = channels
        self.epsilon = Float(epsilon)
        weight = FloatStorage(try reader.read("\(key).weight", [channels]), count: paddedChannels(channels))
        bias = FloatStorage(try reader.read("\(key).bias", [channels]), count: paddedChannels(channels))
    }

    /// Each pixel or token by itself.
    func callAsFunction(_ x: Images, _ pass: Pass) -> Images {
        let result = Images(pass, channels: x.channels, height: x.height, width: x.width)
        let slab = 64
        let rows = x.count * x.pixels
        pass.parallel((rows + slab - 1) / slab) { unit, _ in
            let first = unit * slab
            ds_layer_norm(
                x.pointer + first * x.stride, min(slab, rows - first), x.stride, channels, weight.pointer,
                bias.pointer, epsilon, result.pointer + first * x.stride)
        }
        return result
    }
}
