/// A halving or doubling of the resolution, between two blocks.
enum Resampler: Sendable {
    /// A convolution with stride 2, or one that reads every pixel twice in each direction.
    case convolution(Convolution)  // conv
    case residual(ResidualBlock)

    func callAsFunction(_ x: Images, time: TimeProjection.Values?, _ pass: Pass) -> Images {
        switch self {
        case .convolution(let convolution):
            let doubles = convolution.stride == 1
            let input = Convolution.Input(FeatureMap(x), upsample: doubles)
            let result = Images(
                pass, channels: convolution.outChannels, height: input.height / convolution.stride,
                width: input.width / convolution.stride)
            convolution(input, into: result, pass)
            return result
        case .residual(let block): return block(FeatureMap(x), time: time, pass)
        }
    }

    /// Operations for one image of this output size.
    func operations(_ height: Int, _ width: Int) -> Double {
        switch self {
        case .convolution(let convolution): convolution.operations(height, width)
        case .residual(let block): block.operations(height, width)
        }
    }
}
