/// A 1×1 convolution of one or two inputs whose channels follow each other.
struct Shortcut: Sendable {
    let first: PackedMatrix
    let second: PackedMatrix?
    let bias: FloatStorage

    /// Reads `key.weight` `[out, in, 1, 1]` and `key.bias`.
    init(_ reader: ParameterReader, _ key: String, from layout: ChannelLayout, to outChannels: Int)
        throws(CheckpointError)
    {
        let channels = layout.channels
        let weights = try reader.read("\(key).weight", [outChannels, channels, 1, 1])
        let columns = paddedChannels(outChannels)
        bias = FloatStorage(try reader.read("\(key).bias", [outChannels]), count: columns)
        /// The weights of some of the input channels.
        func matrix(_ range: Range<Int>) -> PackedMatrix {
            let part =
                weights.isEmpty
                ? []
                : (0..<outChannels).flatMap {
                    weights[$0 * channels + range.lowerBound..<$0 * channels + range.upperBound]
                }
            return PackedMatrix(
                [(part, outChannels, 0)], inputs: ChannelLayout(range.count), columns: columns,
                precision: reader.precision)
        }
        first = matrix(0..<layout.first)
        second = layout.second == 0 ? nil : matrix(layout.first..<channels)
    }

    func callAsFunction(_ x: FeatureMap, into out: Images, _ pass: Pass) {
        pass.timed(
            "convolution \(x.channels)→\(out.channels), \(x.height)×\(x.width), 1×1",
            operations: 2 * Double(x.count * x.first.pixels) * Double(x.channels * out.channels)
        ) { run(x, into: out, pass) }
    }

    private func run(_ x: FeatureMap, into out: Images, _ pass: Pass) {
        let rows = x.count * x.first.pixels
        first.multiply(
            x.first.pointer, stride: x.first.stride, count: rows, bias: bias.pointer, into: out.pointer,
            outStride: out.stride, pass)
        if let second, let part = x.second {
            second.multiply(
                part.pointer, stride: part.stride, count: rows, bias: nil, into: out.pointer, outStride: out.stride,
                residual: out.pointer, residualStride: out.stride, pass)
        }
    }
}
