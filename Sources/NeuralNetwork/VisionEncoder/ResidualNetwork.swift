import CKernels

/// A residual network of torchvision (He et al. 2016) up to its last feature map.
struct ResidualNetwork: Sendable {
    let stem: Stem  // backbone.0, .1
    let blocks: [ResidualNetworkBlock]  // backbone.4 … .7
    var outChannels: Int { blocks[blocks.count - 1].outChannels }

    init(_ configuration: VisionEncoderConfiguration, _ reader: ParameterReader) throws(CheckpointError) {
        let normalisation: ChannelNormalisation = configuration.usesGroupNorm ? .groups : .batches
        stem = try Stem(reader, "backbone", normalisation)
        var size = Self.halved(Self.halved(configuration.seen))
        var channels = Stem.outChannels
        var blocks: [ResidualNetworkBlock] = []
        for (stage, count) in configuration.backbone.blocks.enumerated() {
            let width = Stem.outChannels << stage
            for index in 0..<count {
                let stride = index == 0 && stage > 0 ? 2 : 1
                if stride == 2 { size = Self.halved(size) }
                let block = try ResidualNetworkBlock(
                    reader, "backbone.\(4 + stage).\(index)", from: channels, width: width, stride: stride,
                    hasBottleneck: configuration.backbone.hasBottlenecks, size: size, normalisation)
                blocks.append(block)
                channels = block.outChannels
            }
        }
        self.blocks = blocks
    }

    typealias Size = VisionEncoderConfiguration.Size

    /// After a convolution, or a pooling, of every second pixel with zeros around.
    static func halved(_ size: Size) -> Size { Size(height: (size.height + 1) / 2, width: (size.width + 1) / 2) }

    /// The size of the feature map.
    static func outputSize(_ configuration: VisionEncoderConfiguration) -> Size {
        (0..<5).reduce(configuration.seen) { size, _ in halved(size) }
    }

    /// Operations for one picture of this size.
    func operations(_ size: Size) -> Double {
        var size = Self.halved(size)
        var total = stem.operations(size)
        size = Self.halved(size)
        for block in blocks {
            let input = size
            if block.stride == 2 { size = Self.halved(size) }
            total += block.operations(from: input, to: size)
        }
        return total
    }
}

/// How a convolution's channels are normalised.
enum ChannelNormalisation: Sendable {
    /// `GroupNorm` of sixteen channels each.
    case groups
    /// `BatchNorm2d` with the moments of the training, which is folded into the convolution.
    case batches

    /// PyTorch's default, of both.
    private static let epsilon = 1e-5
    /// LeRobot has a group for so many channels.
    private static let channelsPerGroup = 16

    /// The layer `key`, and what it leaves of a convolution without a bias.
    /// - Parameter weights: `[out, …]`; folded into.
    /// - Returns: the convolution's bias, and the normalisation that is left.
    func read(
        _ reader: ParameterReader, _ key: String, channels: Int, weights: inout [Float]
    ) throws(CheckpointError) -> (bias: [Float], norm: GroupNorm?) {
        switch self {
        case .groups:
            let norm = try GroupNorm(
                reader, key, ChannelLayout(channels), groups: channels / Self.channelsPerGroup, epsilon: Self.epsilon)
            return (weights.isEmpty ? [] : [Float](repeating: 0, count: channels), norm)
        case .batches:
            let gain = try reader.read("\(key).weight", [channels])
            let offset = try reader.read("\(key).bias", [channels])
            let mean = try reader.read("\(key).running_mean", [channels])
            let variance = try reader.read("\(key).running_var", [channels])
            guard !weights.isEmpty else { return ([], nil) }
            let size = weights.count / channels
            var bias = [Float](repeating: 0, count: channels)
            for channel in 0..<channels {
                let scale = Double(gain[channel]) / (max(0, Double(variance[channel])) + Self.epsilon).squareRoot()
                bias[channel] = Float(Double(offset[channel]) - Double(mean[channel]) * scale)
                for index in channel * size..<(channel + 1) * size {
                    weights[index] = Float(Double(weights[index]) * scale)
                }
            }
            return (bias, nil)
        }
    }
}

/// A convolution without a bias, what normalises its channels, and what follows: y = act(norm(conv(x)) + residual).
struct NormalisedLayer: Sendable {
    private enum Products: Sendable {
        case square(Convolution)
        /// Of one pixel.
        case point(PackedMatrix, bias: FloatStorage)
    }

    let inChannels: Int
    let outChannels: Int
    let stride: Int
    private let products: Products
    private let norm: GroupNorm?

    /// Reads `key.weight`, `[out, in, side, side]`, and the normalisation.
    /// - Parameters:
    ///   - side: 1 or 3.
    ///   - size: of the result.
    init(
        _ reader: ParameterReader, _ key: String, norm normKey: String, from inChannels: Int, to outChannels: Int,
        side: Int, stride: Int = 1, size: ResidualNetwork.Size, _ normalisation: ChannelNormalisation
    ) throws(CheckpointError) {
        (self.inChannels, self.outChannels, self.stride) = (inChannels, outChannels, stride)
        var weights = try reader.read("\(key).weight", [outChannels, inChannels, side, side])
        let (bias, norm) = try normalisation.read(reader, normKey, channels: outChannels, weights: &weights)
        self.norm = norm
        let layout = ChannelLayout(inChannels)
        if side == 3 {
            let algorithm: Convolution.Algorithm =
                stride > 1
                ? .direct
                : .fastest(
                    weights: inChannels * outChannels, side: min(size.height, size.width), precision: .f32)
            products = .square(
                Convolution(
                    weights: weights, bias: bias, from: layout, to: outChannels, stride: stride,
                    arrangement: .init(algorithm), reader.workspace))
        } else {
            let columns = paddedChannels(outChannels)
            products = .point(
                PackedMatrix([(weights, outChannels, 0)], inputs: layout, columns: columns, precision: .f32),
                bias: FloatStorage(bias, count: columns))
        }
    }

    func callAsFunction(
        _ x: Images, residual: Images? = nil, activates: Bool = true, _ pass: Pass
    ) -> Images {
        let (height, width) = stride == 2 ? ((x.height + 1) / 2, (x.width + 1) / 2) : (x.height, x.width)
        let result = Images(pass, channels: outChannels, height: height, width: width)
        switch products {
        case .square(let convolution):
            convolution(.init(FeatureMap(x)), into: result, pass)
        case .point(let matrix, let bias):
            pass.timed(
                "convolution \(inChannels)→\(outChannels), \(height)×\(width), 1×1",
                operations: Double(x.count) * operations(.init(height: height, width: width))
            ) {
                let source = stride == 2 ? x.everySecond(pass) : x
                matrix.multiply(
                    source.pointer, stride: source.stride, count: source.count * source.pixels, bias: bias.pointer,
                    into: result.pointer, outStride: result.stride, pass)
                if stride == 2 { pass.giveBack(source) }
            }
        }
        result.finish(norm, residual: residual, activates: activates, pass)
        return result
    }

    /// Operations for one picture of this output size.
    func operations(_ size: ResidualNetwork.Size) -> Double {
        let taps = if case .square = products { 9.0 } else { 1.0 }
        return 2 * taps * Double(inChannels) * Double(outChannels) * Double(size.height) * Double(size.width)
    }
}

extension Images {
    /// Every second pixel of every second row, from the first on.
    fileprivate func everySecond(_ pass: Pass) -> Images {
        let result = Images(pass, channels: channels, height: (height + 1) / 2, width: (width + 1) / 2)
        pass.parallel(count * result.height) { unit, _ in
            let (image, row) = (unit / result.height, unit % result.height)
            for column in 0..<result.width {
                (result.image(image) + (row * result.width + column) * stride).update(
                    from: self.image(image) + (2 * row * width + 2 * column) * stride, count: stride)
            }
        }
        return result
    }

    /// act(norm(x) + residual), in place.
    fileprivate func finish(_ norm: GroupNorm?, residual: Images?, activates: Bool, _ pass: Pass) {
        let coefficients = norm?.coefficients(of: FeatureMap(self), pass)
        let rows = max(1, 4096 / max(1, width * stride / 16))
        let bands = (height + rows - 1) / rows
        pass.parallel(count * bands) { unit, _ in
            let (image, band) = (unit / bands, unit % bands)
            let first = band * rows * width
            let pixels = min(rows, height - band * rows) * width
            let place = self.image(image) + first * stride
            if let coefficients {
                ds_affine(
                    place, pixels, stride, coefficients.scale(image), coefficients.shift(image),
                    Int32(residual == nil && activates ? DS_ACTIVATION_RELU : DS_ACTIVATION_NONE), place)
            }
            if let residual {
                let other = residual.image(image) + first * stride
                for index in 0..<pixels * stride { place[index] += other[index] }
            }
            if activates, residual != nil || coefficients == nil {
                ds_activate(place, pixels * stride, Int32(DS_ACTIVATION_RELU), place)
            }
        }
        if let coefficients { pass.giveBack(coefficients.block) }
    }
}

/// The start: a convolution of 7×7 pixels with a step of two, normalisation, ReLU, and the largest of 3×3 pixels with a step
/// of two.
struct Stem: Sendable {
    static let outChannels = 64
    private static let side = 7
    private static let inChannels = VisionEncoderConfiguration.imageChannels

    /// A tap is a whole row of seven pixels, whose numbers follow each other.
    private let matrix: PackedMatrix
    private let bias: FloatStorage
    private let norm: GroupNorm?

    init(_ reader: ParameterReader, _ key: String, _ normalisation: ChannelNormalisation) throws(CheckpointError) {
        let (side, inputs, outputs) = (Self.side, Self.inChannels, Self.outChannels)
        var weights = try reader.read("\(key).0.weight", [outputs, inputs, side, side])
        let (bias, norm) = try normalisation.read(reader, "\(key).1", channels: outputs, weights: &weights)
        self.norm = norm
        var byRows = [Float](repeating: 0, count: weights.count)
        if !weights.isEmpty {
            for output in 0..<outputs {
                for channel in 0..<inputs {
                    for row in 0..<side {
                        for column in 0..<side {
                            byRows[((output * side + column) * inputs + channel) * side + row] =
                                weights[((output * inputs + channel) * side + row) * side + column]
                        }
                    }
                }
            }
        }
        let columns = paddedChannels(outputs)
        matrix = PackedMatrix(
            [(byRows, outputs, 0)], inputs: ChannelLayout(side * inputs), taps: side, columns: columns,
            precision: .f32)
        self.bias = FloatStorage(bias, count: columns)
    }

    /// - Parameters:
    ///   - pictures: `[rows of the pass][channels][image.height][image.width]`
    ///   - framing: what of them is looked at.
    func callAsFunction(_ pictures: UnsafePointer<Float>, _ framing: PictureFraming, _ pass: Pass) -> Images {
        let size = ResidualNetwork.halved(framing.crop)
        let convolved = Images(pass, channels: Self.outChannels, height: size.height, width: size.width)
        let (channels, margin) = (Self.inChannels, Self.side / 2)
        let (paddedHeight, paddedWidth) = (framing.crop.height + 2 * margin, framing.crop.width + 2 * margin)
        let paddedSize = paddedHeight * paddedWidth * channels
        let padded = pass.take(perRow: paddedSize)
        let pixels = framing.image.height * framing.image.width * channels
        pass.timed("framing") {
            pass.parallel(pass.count) { image, _ in
                let place = padded.pointer + image * paddedSize
                place.update(repeating: 0, count: paddedSize)
                framing(
                    pictures + image * pixels, channels: channels,
                    into: place + (margin * paddedWidth + margin) * channels, stride: paddedWidth * channels)
            }
        }
        pass.timed(
            "convolution \(channels)→\(Self.outChannels), \(size.height)×\(size.width), 7×7",
            operations: Double(pass.count) * operations(size)
        ) {
            let bandRows = max(1, min(size.height, 168 / size.width))
            let bands = (size.height + bandRows - 1) / bandRows
            pass.parallel(pass.count * bands) { unit, _ in
                let (image, firstRow) = (unit / bands, unit % bands * bandRows)
                withUnsafeTemporaryAllocation(of: Int.self, capacity: Self.side) { taps in
                    for tap in 0..<Self.side {
                        taps.initializeElement(at: tap, to: tap * paddedWidth * channels)
                    }
                    var product = ds_product(
                        precision: matrix.precision.code, taps: taps.baseAddress, tapCount: Self.side,
                        depth: matrix.words,
                        weights: matrix.storage.pointer, columns: matrix.columns, bias: bias.pointer, scale: 1,
                        next: nil)
                    ds_convolve(
                        &product,
                        padded.pointer + image * paddedSize + 2 * firstRow * paddedWidth * channels, paddedWidth,
                        channels, 2, min(bandRows, size.height - firstRow), size.width, 0, matrix.panels,
                        convolved.image(image) + firstRow * size.width * convolved.stride, convolved.stride, nil, 0)
                }
            }
        }
        pass.giveBack(padded)
        convolved.finish(norm, residual: nil, activates: true, pass)
        let result = convolved.largestOfThree(pass)
        pass.giveBack(convolved)
        return result
    }

    /// Operations for one picture of this size after the convolution.
    func operations(_ size: ResidualNetwork.Size) -> Double {
        2 * Double(Self.side * Self.side * Self.inChannels * Self.outChannels) * Double(size.height)
            * Double(size.width)
    }
}

extension Images {
    /// The largest of 3×3 pixels around every second one (`MaxPool2d(3, 2, 1)`); values are at least 0.
    fileprivate func largestOfThree(_ pass: Pass) -> Images {
        let result = Images(pass, channels: channels, height: (height + 1) / 2, width: (width + 1) / 2)
        pass.parallel(count * result.height) { unit, _ in
            let (image, row) = (unit / result.height, unit % result.height)
            let rows = max(0, 2 * row - 1)...min(height - 1, 2 * row + 1)
            for column in 0..<result.width {
                let place = result.image(image) + (row * result.width + column) * stride
                place.update(repeating: 0, count: stride)
                for y in rows {
                    for x in max(0, 2 * column - 1)...min(width - 1, 2 * column + 1) {
                        let source = self.image(image) + (y * width + x) * stride
                        for channel in 0..<stride { place[channel] = max(place[channel], source[channel]) }
                    }
                }
            }
        }
        return result
    }
}

/// Two convolutions of 3×3 pixels (`BasicBlock`), or one between two of one pixel (`Bottleneck`), around which the input is
/// added to the result.
struct ResidualNetworkBlock: Sendable {
    let layers: [NormalisedLayer]
    let shortcut: NormalisedLayer?  // downsample
    let stride: Int
    var outChannels: Int { layers[layers.count - 1].outChannels }

    /// - Parameters:
    ///   - width: channels of the 3×3 convolutions.
    ///   - size: of the result.
    init(
        _ reader: ParameterReader, _ key: String, from inChannels: Int, width: Int, stride: Int, hasBottleneck: Bool,
        size: ResidualNetwork.Size, _ normalisation: ChannelNormalisation
    ) throws(CheckpointError) {
        self.stride = stride
        let outChannels = hasBottleneck ? 4 * width : width
        // Sides, channels and steps of the convolutions.
        let plan =
            hasBottleneck
            ? [(1, width, 1), (3, width, stride), (1, outChannels, 1)] : [(3, width, stride), (3, width, 1)]
        var layers: [NormalisedLayer] = []
        var channels = inChannels
        for (index, (side, outputs, step)) in plan.enumerated() {
            layers.append(
                try NormalisedLayer(
                    reader, "\(key).conv\(index + 1)", norm: "\(key).bn\(index + 1)", from: channels, to: outputs,
                    side: side, stride: step, size: size, normalisation))
            channels = outputs
        }
        self.layers = layers
        shortcut =
            stride == 1 && inChannels == outChannels
            ? nil
            : try NormalisedLayer(
                reader, "\(key).downsample.0", norm: "\(key).downsample.1", from: inChannels, to: outChannels, side: 1,
                stride: stride, size: size, normalisation)
    }

    func callAsFunction(_ x: Images, _ pass: Pass) -> Images {
        let residual = shortcut.map { $0(x, activates: false, pass) } ?? x
        var hidden = x
        for (index, layer) in layers.enumerated() {
            let next = layer(hidden, residual: index == layers.count - 1 ? residual : nil, pass)
            if index > 0 { pass.giveBack(hidden) }
            hidden = next
        }
        if shortcut != nil { pass.giveBack(residual) }
        return hidden
    }

    /// Operations for one picture, of these sizes before and after.
    func operations(from input: ResidualNetwork.Size, to output: ResidualNetwork.Size) -> Double {
        let before = stride == 2 && layers.count == 3 ? layers[0].operations(input) - layers[0].operations(output) : 0
        return layers.reduce(before + (shortcut?.operations(output) ?? 0)) { $0 + $1.operations(output) }
    }
}
