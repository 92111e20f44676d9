/// What a network of several resolutions is made of, whatever its configuration calls it: the blocks on the way down, in the
/// middle and on the way up.
struct BlockPlan {
    /// Before every key, "" or "encoder." and the like.
    var prefix = ""
    /// Of every level, from the finest.
    let blockChannels: [Int]
    /// In pixels, at the finest level, as it was trained.
    let size: UNet2DConfiguration.ImageSize
    let style: ResidualBlock.Style
    var downsamplePadding = 1
    /// From the finest level to the coarsest.
    var down: [Level] = []
    var middle: Middle?
    /// From the coarsest level to the finest.
    var up: [Level] = []
    /// Whether the blocks on the way up also read what those on the way down made.
    var hasSkips = true

    struct Level {
        let residualBlocks: Int
        /// After each of the residual blocks; none, or as many as they are.
        var attentions: [Attention] = []
        /// Whether the resolution is changed by a residual block, not by a convolution.
        var resamplesByResidualBlock = false
    }

    struct Middle {
        let attention: Attention?
        var residualBlocks = 2
        var scaleFactor = 1.0
    }

    enum Attention {
        /// Of pixels to each other; nil means one head, and no normalisation.
        case pixels(headChannels: Int?, groups: Int?)
        case transformer(SpatialTransformer.Plan)
    }

    var halvings: Int { blockChannels.count - 1 }

    /// Channels of what residual block `layer` of up block `index` reads: from below, and of the skip connection.
    func upLayout(_ index: Int, layer: Int) -> ChannelLayout {
        let widths = Array(blockChannels.reversed())
        let below = layer == 0 ? widths[max(0, index - 1)] : widths[index]
        guard hasSkips else { return ChannelLayout(below) }
        let isLast = layer == up[index].residualBlocks - 1
        return ChannelLayout(below, isLast ? widths[min(index + 1, widths.count - 1)] : widths[index])
    }

    /// The widths that group normalisation sees, each once.
    var normalisedWidths: [Int] {
        var widths = Set(blockChannels)
        for index in up.indices {
            for layer in 0..<up[index].residualBlocks { widths.insert(upLayout(index, layer: layer).channels) }
        }
        return widths.sorted()
    }

    /// Refuses a number of groups that does not divide every normalised width.
    func checkGroups(_ reader: ConfigurationReader) throws(CheckpointError) {
        for channels in normalisedWidths where channels % style.groups != 0 {
            throw CheckpointError(
                .unsupported, file: reader.file, subject: "key norm_num_groups",
                "the value \(style.groups) does not divide the \(channels) channels of a normalised layer; supported: a common divisor of \(normalisedWidths)"
            )
        }
    }
}
