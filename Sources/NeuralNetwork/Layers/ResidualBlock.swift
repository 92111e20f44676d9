import CKernels

/// Two convolutions with normalisation, activation, time embedding and a residual connection (diffusers `ResnetBlock2D`),
/// which may halve or double the resolution.
struct ResidualBlock: Sendable {
    enum Resampling: Sendable { case none, down, up }

    let norm1: GroupNorm
    let conv1: Convolution
    let norm2: GroupNorm
    let conv2: Convolution
    let shortcut: Shortcut?  // conv_shortcut
    let activation: Activation
    let resampling: Resampling
    let outScale: Float
    let timeScaleShift: UNet2DConfiguration.TimeScaleShift
    /// First columns of this block's part of the time projection: the shift, and the scale if there is one.
    let shiftColumn: Int
    let scaleColumn: Int

    /// What all blocks of a network have in common.
    struct Style: Sendable {
        let groups: Int
        let epsilon: Double
        let activation: Activation
        let timeChannels: Int
        let timeScaleShift: UNet2DConfiguration.TimeScaleShift
    }

    /// - Parameter algorithm: the arrangement of both 3×3 convolutions.
    init(
        _ reader: ParameterReader, _ key: String, from layout: ChannelLayout, to outChannels: Int, style: Style,
        resampling: Resampling = .none, outScaleFactor: Double = 1, algorithm: Convolution.Algorithm,
        time: inout TimeProjectionBuilder
    ) throws(CheckpointError) {
        let outLayout = ChannelLayout(outChannels)
        norm1 = try GroupNorm(reader, "\(key).norm1", layout, groups: style.groups, epsilon: style.epsilon)
        conv1 = try Convolution(reader, "\(key).conv1", from: layout, to: outChannels, algorithm: algorithm)
        let parts = style.timeScaleShift == .shift ? 1 : 2
        let weights = try reader.read("\(key).time_emb_proj.weight", [parts * outChannels, style.timeChannels])
        let bias = try reader.read("\(key).time_emb_proj.bias", [parts * outChannels])
        norm2 = try GroupNorm(reader, "\(key).norm2", outLayout, groups: style.groups, epsilon: style.epsilon)
        conv2 = try Convolution(reader, "\(key).conv2", from: outLayout, to: outChannels, algorithm: algorithm)
        shortcut =
            layout.channels == outChannels
            ? nil : try Shortcut(reader, "\(key).conv_shortcut", from: layout, to: outChannels)

        let half = weights.count / parts
        let halfBias = bias.count / parts
        switch style.timeScaleShift {
        case .shift:
            // The shift follows conv1 at once, so conv1's bias joins it.
            let convolutionBias = conv1.bias.floats
            shiftColumn = time.add(weights[...], bias[...], outputs: outChannels, extraBias: convolutionBias)
            scaleColumn = 0
        case .scaleAndShift:
            scaleColumn = time.add(weights[..<half], bias[..<halfBias], outputs: outChannels)
            shiftColumn = time.add(weights[half...], bias[halfBias...], outputs: outChannels)
        }
        activation = style.activation
        self.resampling = resampling
        outScale = Float(1 / outScaleFactor)
        timeScaleShift = style.timeScaleShift
    }

    func callAsFunction(
        _ x: FeatureMap, time: TimeProjection.Values, capacity: Int, _ workspace: Workspace
    ) -> Images {
        let coefficients1 = norm1.coefficients(of: x, capacity: capacity, workspace)
        var input = Convolution.Input(x, coefficients1, activation)
        var residual = x
        var temporary: [Images] = []
        switch resampling {
        case .none: break
        case .up:
            input.upsample = true
            residual = FeatureMap(x.first.upsampled(capacity: capacity, workspace))
            temporary.append(residual.first)
        case .down:
            let normalised = x.first.affine(coefficients1, activation, capacity: capacity, workspace)
            let pooled = normalised.pooled(capacity: capacity, workspace)
            workspace.giveBack(normalised.block)
            input = Convolution.Input(FeatureMap(pooled))
            residual = FeatureMap(x.first.pooled(capacity: capacity, workspace))
            temporary += [pooled, residual.first]
        }

        let (height, width, channels) = (input.height, input.width, conv1.outChannels)
        let hidden = Images(
            workspace, count: x.count, capacity: capacity, height: height, width: width, channels: channels)
        var output = Convolution.Output()
        if timeScaleShift == .shift { output.imageBias = (time.column(shiftColumn), time.stride) }
        conv1(input, output, into: hidden, workspace)
        workspace.giveBack(coefficients1.block)

        let modulation =
            timeScaleShift == .shift
            ? nil
            : GroupNorm.Modulation(
                scale: time.column(scaleColumn), shift: time.column(shiftColumn), imageStride: time.stride)
        let coefficients2 = norm2.coefficients(
            of: FeatureMap(hidden), modulation: modulation, capacity: capacity, workspace)

        let result = Images(
            workspace, count: x.count, capacity: capacity, height: height, width: width, channels: channels)
        output = Convolution.Output(scale: outScale)
        if let shortcut {
            shortcut(residual, into: result, workspace)
            output.residual = result
        } else if residual.second != nil {
            residual.join(into: result, workspace)
            output.residual = result
        } else {
            output.residual = residual.first
        }
        conv2(Convolution.Input(FeatureMap(hidden), coefficients2, activation), output, into: result, workspace)
        workspace.giveBack(coefficients2.block)
        workspace.giveBack(hidden.block)
        for images in temporary { workspace.giveBack(images.block) }
        return result
    }
}

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
            return PackedMatrix([(part, outChannels, 0)], inputs: ChannelLayout(range.count), columns: columns)
        }
        first = matrix(0..<layout.first)
        second = layout.second == 0 ? nil : matrix(layout.first..<channels)
    }

    func callAsFunction(_ x: FeatureMap, into out: Images, _ workspace: Workspace) {
        workspace.timed(
            "convolution \(x.channels)→\(out.channels), \(x.height)×\(x.width), 1×1",
            operations: 2 * Double(x.count * x.first.pixels) * Double(x.channels * out.channels)
        ) { run(x, into: out, workspace) }
    }

    private func run(_ x: FeatureMap, into out: Images, _ workspace: Workspace) {
        let rows = x.count * x.first.pixels
        first.multiply(
            x.first.pointer, stride: x.first.stride, count: rows, bias: bias.pointer, into: out.pointer,
            outStride: out.stride, workspace)
        if let second, let part = x.second {
            second.multiply(
                part.pointer, stride: part.stride, count: rows, bias: nil, into: out.pointer, outStride: out.stride,
                residual: out.pointer, residualStride: out.stride, workspace)
        }
    }
}
