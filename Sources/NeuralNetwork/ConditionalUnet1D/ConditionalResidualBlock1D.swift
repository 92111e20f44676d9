/// Two convolution blocks with FiLM conditioning between them (Perez et al. 2018) and a residual connection
/// (`ConditionalResidualBlock1D`).
struct ConditionalResidualBlock1D: Sendable {
    let first: SequenceBlock  // blocks.0
    let second: SequenceBlock  // blocks.1
    let shortcut: SequenceConvolution?  // residual_conv
    /// First columns of this block's part of the projection of the features, `cond_encoder.1`; no gain where the
    /// condition only shifts.
    let gainColumn: Int?
    let offsetColumn: Int

    init(
        _ reader: ParameterReader, _ key: String, from inputs: ChannelLayout, to channels: Int,
        _ configuration: ConditionalUnet1DConfiguration, features: inout TimeProjectionBuilder
    ) throws(CheckpointError) {
        let (kernel, groups) = (configuration.kernelSize, configuration.normGroups)
        first = try SequenceBlock(reader, "\(key).blocks.0", from: inputs, to: channels, kernel: kernel, groups: groups)
        second = try SequenceBlock(
            reader, "\(key).blocks.1", from: ChannelLayout(channels), to: channels, kernel: kernel, groups: groups)
        let parts = configuration.predictsScale ? 2 : 1
        let weights = try reader.read(
            "\(key).cond_encoder.1.weight", [parts * channels, configuration.featureDimension])
        let bias = try reader.read("\(key).cond_encoder.1.bias", [parts * channels])
        shortcut =
            inputs.channels == channels
            ? nil
            : try SequenceConvolution(reader, "\(key).residual_conv", from: inputs, to: channels, .same(kernel: 1))
        let (half, halfBias) = (weights.count / parts, bias.count / parts)
        gainColumn =
            configuration.predictsScale
            ? features.add(weights[..<half], bias[..<halfBias], outputs: channels) : nil
        offsetColumn = features.add(
            weights[(weights.count - half)...], bias[(bias.count - halfBias)...], outputs: channels)
    }

    var channels: Int { second.convolution.outChannels }

    func callAsFunction(
        _ x: Sequences, into output: Sequences, features: TimeProjection.Values, _ pass: Pass
    ) {
        let hidden = Sequences(pass, positions: x.positions, channels: channels)
        let film = SequenceBlock.Film(
            gain: gainColumn.map { features.column($0) }, offset: features.column(offsetColumn), stride: features.stride
        )
        first(x, into: hidden, film: film, pass)
        if let shortcut {
            second(hidden, into: output, shortcut: .projected(shortcut, x), pass)
        } else if x.isContiguous(first.convolution.inputs) {
            second(hidden, into: output, shortcut: .identity(x), pass)
        } else {
            let joined = Sequences(pass, positions: x.positions, channels: channels)
            x.join(first.convolution.inputs, into: joined)
            second(hidden, into: output, shortcut: .identity(joined), pass)
            pass.giveBack(joined)
        }
        pass.giveBack(hidden)
    }

    /// Operations for one sequence of `positions` positions.
    func operations(_ positions: Int) -> Double {
        first.convolution.operations(positions) + second.convolution.operations(positions)
            + (shortcut?.operations(positions) ?? 0)
    }
}
