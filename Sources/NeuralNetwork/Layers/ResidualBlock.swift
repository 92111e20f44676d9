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
    let timeScaleShift: TimeScaleShift
    /// First columns of this block's part of the time projection, if there is one: the shift, and perhaps the scale.
    let shiftColumn: Int
    let scaleColumn: Int

    /// What all blocks of a network have in common.
    struct Style: Sendable {
        let groups: Int
        let epsilon: Double
        let activation: Activation
        /// nil for a network without time.
        let timeChannels: Int?
        let timeScaleShift: TimeScaleShift
    }

    /// - Parameters:
    ///   - arrangements: of the two 3×3 convolutions.
    ///   - time: collects the projection of the time embedding, if the style has one.
    init(
        _ reader: ParameterReader, _ key: String, from layout: ChannelLayout, to outChannels: Int, style: Style,
        resampling: Resampling = .none, outScaleFactor: Double = 1,
        arrangements: (Convolution.Arrangement, Convolution.Arrangement),
        time: inout TimeProjectionBuilder
    ) throws(CheckpointError) {
        let outLayout = ChannelLayout(outChannels)
        norm1 = try GroupNorm(reader, "\(key).norm1", layout, groups: style.groups, epsilon: style.epsilon)
        conv1 = try Convolution(
            reader, "\(key).conv1", from: layout, to: outChannels, arrangement: arrangements.0)
        let parts = style.timeScaleShift == .shift ? 1 : 2
        var projection: (weights: [Float], bias: [Float])?
        if let timeChannels = style.timeChannels {
            projection = (
                try reader.read("\(key).time_emb_proj.weight", [parts * outChannels, timeChannels]),
                try reader.read("\(key).time_emb_proj.bias", [parts * outChannels])
            )
        }
        norm2 = try GroupNorm(reader, "\(key).norm2", outLayout, groups: style.groups, epsilon: style.epsilon)
        conv2 = try Convolution(
            reader, "\(key).conv2", from: outLayout, to: outChannels, arrangement: arrangements.1)
        shortcut =
            layout.channels == outChannels
            ? nil : try Shortcut(reader, "\(key).conv_shortcut", from: layout, to: outChannels)

        if let (weights, bias) = projection {
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
        } else {
            (shiftColumn, scaleColumn) = (0, 0)
        }
        activation = style.activation
        self.resampling = resampling
        outScale = Float(1 / outScaleFactor)
        timeScaleShift = style.timeScaleShift
    }

    func callAsFunction(
        _ x: FeatureMap, time: TimeProjection.Values?, _ pass: Pass
    ) -> Images {
        let coefficients1 = norm1.coefficients(of: x, pass)
        var input = Convolution.Input(x, coefficients1, activation)
        var residual = x
        var temporary: [Images] = []
        switch resampling {
        case .none: break
        case .up:
            input.upsample = true
            residual = FeatureMap(x.first.upsampled(pass))
            temporary.append(residual.first)
        case .down:
            let normalised = x.first.affine(coefficients1, activation, pass)
            let pooled = normalised.pooled(pass)
            pass.giveBack(normalised.block)
            input = Convolution.Input(FeatureMap(pooled))
            residual = FeatureMap(x.first.pooled(pass))
            temporary += [pooled, residual.first]
        }

        let (height, width, channels) = (input.height, input.width, conv1.outChannels)
        let hidden = Images(pass, channels: channels, height: height, width: width)
        var output = Convolution.Output()
        if timeScaleShift == .shift, let time { output.imageBias = (time.column(shiftColumn), time.stride) }
        conv1(input, output, into: hidden, pass)
        pass.giveBack(coefficients1.block)

        var modulation: GroupNorm.Modulation?
        if timeScaleShift == .scaleAndShift, let time {
            modulation = .init(
                scale: time.column(scaleColumn), shift: time.column(shiftColumn), imageStride: time.stride)
        }
        let coefficients2 = norm2.coefficients(
            of: FeatureMap(hidden), modulation: modulation, pass)

        let result = Images(pass, channels: channels, height: height, width: width)
        output = Convolution.Output(scale: outScale)
        if let shortcut {
            shortcut(residual, into: result, pass)
            output.residual = result
        } else if residual.second != nil {
            residual.join(into: result, pass)
            output.residual = result
        } else {
            output.residual = residual.first
        }
        conv2(Convolution.Input(FeatureMap(hidden), coefficients2, activation), output, into: result, pass)
        pass.giveBack(coefficients2.block)
        pass.giveBack(hidden.block)
        for images in temporary { pass.giveBack(images.block) }
        return result
    }

    /// Operations for one image of this output size.
    func operations(_ height: Int, _ width: Int) -> Double {
        let channels = Double(conv1.outChannels)
        return conv1.operations(height, width) + conv2.operations(height, width)
            + (shortcut == nil ? 0 : 2 * Double(conv1.layout.channels) * channels * Double(height) * Double(width))
    }
}
