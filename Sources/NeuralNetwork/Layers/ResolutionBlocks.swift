/// The blocks of a network of several resolutions (diffusers `models/unets/unet_2d_blocks.py`); checkpoint keys stand beside
/// the names.

/// Residual blocks, each followed by attention where the block has it, then a halving of the resolution.
/// `DownBlock2D`, `AttnDownBlock2D`, `ResnetDownsampleBlock2D`, `CrossAttnDownBlock2D`, and an encoder's.
struct DownBlock: Sendable {
    let residualBlocks: [ResidualBlock]  // resnets
    let attentions: [SpatialAttention]  // attentions
    let downsampler: Resampler?  // downsamplers.0
}

/// Two residual blocks with attention between them, or one alone. `UNetMidBlock2D`, `UNetMidBlock2DCrossAttn`.
struct MidBlock: Sendable {
    let first: ResidualBlock  // resnets.0
    let attention: SpatialAttention?  // attentions.0
    let second: ResidualBlock?  // resnets.1
}

/// Residual blocks that may each take a skip connection as well, then a doubling of the resolution.
/// `UpBlock2D`, `AttnUpBlock2D`, `ResnetUpsampleBlock2D`, `CrossAttnUpBlock2D`, and a decoder's.
struct UpBlock: Sendable {
    let residualBlocks: [ResidualBlock]  // resnets
    let attentions: [SpatialAttention]  // attentions
    let upsampler: Resampler?  // upsamplers.0
}

/// What stands behind a residual block.
enum SpatialAttention: Sendable {
    case pixels(Attention)
    case transformer(SpatialTransformer)

    /// - Parameter context: what a transformer's cross-attention reads; nil where there is no transformer.
    func callAsFunction(_ x: Images, context: Images?, _ pass: Pass) -> Images {
        switch self {
        case .pixels(let attention): attention(x, pass)
        case .transformer(let transformer): transformer(x, context: context, pass)
        }
    }

    /// Operations for one image.
    func operations(pixels: Int, context: Int) -> Double {
        switch self {
        case .pixels(let attention): attention.operations(pixels)
        case .transformer(let transformer): transformer.operations(pixels: pixels, context: context)
        }
    }
}
