/// The blocks of a `UNet2DModel` (diffusers `models/unets/unet_2d_blocks.py`); checkpoint keys stand beside the names.

/// Residual blocks, each followed by attention in an `AttnDownBlock2D`, then a halving of the resolution.
/// `DownBlock2D`, `AttnDownBlock2D`, `ResnetDownsampleBlock2D`.
struct DownBlock: Sendable {
    let residualBlocks: [ResidualBlock]  // resnets
    let attentions: [Attention]  // attentions
    let downsampler: Resampler?  // downsamplers.0
}

/// Two residual blocks with attention between them. `UNetMidBlock2D`.
struct MidBlock: Sendable {
    let first: ResidualBlock  // resnets.0
    let attention: Attention?  // attentions.0
    let second: ResidualBlock  // resnets.1
}

/// Residual blocks that each take a skip connection as well, then a doubling of the resolution.
/// `UpBlock2D`, `AttnUpBlock2D`, `ResnetUpsampleBlock2D`.
struct UpBlock: Sendable {
    let residualBlocks: [ResidualBlock]  // resnets
    let attentions: [Attention]  // attentions
    let upsampler: Resampler?  // upsamplers.0
}
