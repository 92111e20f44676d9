/// Pictures to what latents are made of (diffusers `Encoder`).
struct Encoder: Sendable {
    let convIn: Convolution  // conv_in
    let downBlocks: [DownBlock]  // down_blocks
    let midBlock: MidBlock?  // mid_block
    let out: NormalisedConvolution  // conv_norm_out, conv_out

    /// - Parameter outChannels: of the result.
    init(_ configuration: AutoencoderConfiguration, _ reader: ParameterReader, to outChannels: Int)
        throws(CheckpointError)
    {
        var builder = BlockBuilder(configuration.plan("encoder."), reader)
        let widths = configuration.blockChannels
        convIn = try Convolution(
            reader, "encoder.conv_in", from: ChannelLayout(configuration.inChannels), to: widths[0],
            arrangement: .init(.direct))
        downBlocks = try builder.downBlocks()
        midBlock = try builder.midBlock()
        out = try NormalisedConvolution(
            &builder, from: widths[widths.count - 1], to: outChannels, level: widths.count - 1)
    }

    /// Gives back `input`.
    func callAsFunction(_ input: Images, _ pass: Pass) -> Images {
        var chain = LayerChain(input, pass)
        chain.then(convIn)
        for block in downBlocks {
            chain.then(block.residualBlocks, block.attentions)
            if let downsampler = block.downsampler { chain.replace { downsampler($0, time: nil, pass) } }
        }
        chain.then(midBlock)
        chain.replace { out($0, pass) }
        return chain.images
    }

    /// Operations for one picture of this size.
    func operations(_ height: Int, _ width: Int) -> Double {
        var count = OperationCount(height: height, width: width)
        count.add(convIn)
        for block in downBlocks {
            count.add(block.residualBlocks, block.attentions)
            if let downsampler = block.downsampler { count.add(downsampler, halves: true) }
        }
        count.add(midBlock)
        count.add(out.convolution)
        return count.total
    }
}

/// Latents to pictures (diffusers `Decoder`).
struct Decoder: Sendable {
    let convIn: Convolution  // conv_in
    let midBlock: MidBlock?  // mid_block
    let upBlocks: [UpBlock]  // up_blocks
    let out: NormalisedConvolution  // conv_norm_out, conv_out

    init(_ configuration: AutoencoderConfiguration, _ reader: ParameterReader) throws(CheckpointError) {
        var builder = BlockBuilder(configuration.plan("decoder."), reader)
        let widths = configuration.blockChannels
        convIn = try Convolution(
            reader, "decoder.conv_in", from: ChannelLayout(configuration.latentChannels),
            to: widths[widths.count - 1], arrangement: .init(.direct))
        midBlock = try builder.midBlock()
        upBlocks = try builder.upBlocks()
        out = try NormalisedConvolution(&builder, from: widths[0], to: configuration.outChannels, level: 0)
    }

    /// Gives back `input`.
    func callAsFunction(_ input: Images, _ pass: Pass) -> Images {
        var chain = LayerChain(input, pass)
        chain.then(convIn)
        chain.then(midBlock)
        for block in upBlocks {
            chain.then(block.residualBlocks, block.attentions)
            if let upsampler = block.upsampler { chain.replace { upsampler($0, time: nil, pass) } }
        }
        chain.replace { out($0, pass) }
        return chain.images
    }

    /// Operations for one latent of this size.
    func operations(_ height: Int, _ width: Int) -> Double {
        var count = OperationCount(height: height, width: width)
        count.add(convIn)
        count.add(midBlock)
        for block in upBlocks {
            count.add(block.residualBlocks, block.attentions)
            if let upsampler = block.upsampler { count.add(upsampler, halves: false) }
        }
        count.add(out.convolution)
        return count.total
    }
}

/// The end of either half: group normalisation, SiLU, a 3×3 convolution.
struct NormalisedConvolution: Sendable {
    let norm: GroupNorm  // conv_norm_out
    let convolution: Convolution  // conv_out

    init(_ builder: inout BlockBuilder, from inChannels: Int, to outChannels: Int, level: Int) throws(CheckpointError) {
        let (reader, plan) = (builder.reader, builder.plan)
        let layout = ChannelLayout(inChannels)
        norm = try GroupNorm(
            reader, "\(plan.prefix)conv_norm_out", layout, groups: plan.style.groups, epsilon: plan.style.epsilon)
        convolution = try Convolution(
            reader, "\(plan.prefix)conv_out", from: layout, to: outChannels,
            arrangement: .init(builder.algorithm(level: level, weights: inChannels * outChannels)))
    }

    func callAsFunction(_ x: Images, _ pass: Pass) -> Images {
        let coefficients = norm.coefficients(of: FeatureMap(x), pass)
        let result = Images(pass, channels: convolution.outChannels, height: x.height, width: x.width)
        convolution(.init(FeatureMap(x), coefficients, .silu), into: result, pass)
        pass.giveBack(coefficients.block)
        return result
    }
}

/// Images on their way through layers that follow each other: what a layer has read is given back.
private struct LayerChain {
    private(set) var images: Images
    private let pass: Pass

    init(_ images: Images, _ pass: Pass) { (self.images, self.pass) = (images, pass) }

    mutating func replace(_ layer: (Images) -> Images) {
        let next = layer(images)
        pass.giveBack(images)
        images = next
    }

    mutating func then(_ convolution: Convolution) {
        let pass = pass
        replace { x in
            let result = Images(pass, channels: convolution.outChannels, height: x.height, width: x.width)
            convolution(.init(FeatureMap(x)), into: result, pass)
            return result
        }
    }

    mutating func then(_ residualBlocks: [ResidualBlock], _ attentions: [SpatialAttention]) {
        let pass = pass
        for (index, block) in residualBlocks.enumerated() {
            replace { block(FeatureMap($0), time: nil, pass) }
            if index < attentions.count { replace { attentions[index]($0, context: nil, pass) } }
        }
    }

    mutating func then(_ block: MidBlock?) {
        guard let block else { return }
        then([block.first], block.attention.map { [$0] } ?? [])
        if let second = block.second { then([second], []) }
    }
}

/// Adds up the operations of layers that follow each other.
private struct OperationCount {
    private var height: Int
    private var width: Int
    private(set) var total = 0.0

    init(height: Int, width: Int) { (self.height, self.width) = (height, width) }

    mutating func add(_ convolution: Convolution) { total += convolution.operations(height, width) }

    mutating func add(_ residualBlocks: [ResidualBlock], _ attentions: [SpatialAttention]) {
        for block in residualBlocks { total += block.operations(height, width) }
        for attention in attentions { total += attention.operations(pixels: height * width, context: 0) }
    }

    mutating func add(_ resampler: Resampler, halves: Bool) {
        (height, width) = halves ? (height / 2, width / 2) : (2 * height, 2 * width)
        total += resampler.operations(height, width)
    }

    mutating func add(_ block: MidBlock?) {
        guard let block else { return }
        add([block.first] + (block.second.map { [$0] } ?? []), block.attention.map { [$0] } ?? [])
    }
}
