import CKernels

/// A 3×3 convolution of channels-last images, with everything fused that touches the same pixels: normalisation and activation
/// of the input as it is read, doubling of the resolution, a second input whose channels follow the first's, bias per image,
/// residual and scaling of the output as it is written.
///
/// The algorithm is chosen when the weights are laid out, by the layer's shape, so that a row's bits never depend on the batch.
struct Convolution: Sendable {
    /// How the products are arranged.
    enum Algorithm: Sendable, Equatable, CustomStringConvertible {
        /// Nine taps for every output pixel.
        case direct
        /// Winograd's F(m×m, 3×3), m = 2 or 4; stride 1 only.
        case winograd(Int)

        var description: String {
            switch self {
            case .direct: "direct"
            case .winograd(let tile): "F(\(tile)×\(tile))"
            }
        }

        /// F(4×4) needs a quarter of the multiplications but four times the weights, and F(2×2) 4/9 of them and 16/9: the fewer
        /// tiles share the weights, the less is gained. Where a layer's weights are too many for the caches, to read them from
        /// memory may take longer than all that is saved.
        ///
        /// Measured on Zen 4, one image, processor time: 1280→1280 channels, 16×16 direct 72 ms, F(4×4) 19; 8×8 direct 16.5,
        /// F(2×2) 8.2.
        /// - Parameters:
        ///   - weights: inputs times outputs.
        ///   - side: the shorter one of the image, in pixels.
        ///   - precision: large layers of sixteen bits stay direct, which is the most accurate arrangement and half as dear there.
        static func fastest(weights: Int, side: Int, precision: Precision) -> Algorithm {
            let fitsCaches = weights <= 700_000
            guard fitsCaches || precision == .f32 else { return .direct }
            return switch side {
            case ...4: fitsCaches ? .winograd(2) : .direct
            case ...8: .winograd(fitsCaches ? 4 : 2)
            default: .winograd(4)
            }
        }
    }

    /// The choice of an algorithm, and of what it multiplies.
    struct Arrangement: Sendable {
        let algorithm: Algorithm
        let precision: Precision

        init(_ algorithm: Algorithm, _ precision: Precision = .f32) {
            self.algorithm = algorithm
            self.precision = precision
        }
    }

    let layout: ChannelLayout
    let outChannels: Int
    let stride: Int
    /// Zero rows above and zero columns left of the image.
    let padding: Int
    let arrangement: Arrangement
    let bias: FloatStorage
    let matrix: PackedMatrix?
    let transformed: WinogradMatrices?

    /// Reads `key.weight` `[out, in, 3, 3]` and `key.bias` `[out]`.
    ///
    /// - Parameter padding: 1 as usual; 0 is diffusers' `downsample_padding` 0, which adds a row below and a column on the right.
    init(
        _ reader: ParameterReader, _ key: String, from layout: ChannelLayout, to outChannels: Int, stride: Int = 1,
        padding: Int = 1, arrangement: Arrangement
    ) throws(CheckpointError) {
        self.init(
            weights: try reader.read("\(key).weight", [outChannels, layout.channels, 3, 3]),
            bias: try reader.read("\(key).bias", [outChannels]), from: layout, to: outChannels, stride: stride,
            padding: padding, arrangement: arrangement, reader.workspace)
    }

    /// - Parameters:
    ///   - weights: `[out, in, 3, 3]`; empty in a dry run, as `bias` is.
    ///   - bias: `[out]`
    ///   - workspace: threads for laying out the weights.
    init(
        weights: [Float], bias: [Float], from layout: ChannelLayout, to outChannels: Int, stride: Int = 1,
        padding: Int = 1, arrangement: Arrangement, _ workspace: Workspace
    ) {
        let columns = paddedChannels(outChannels)
        self.bias = FloatStorage(bias, count: columns)
        self.layout = layout
        self.outChannels = outChannels
        self.stride = stride
        self.padding = padding
        self.arrangement = arrangement
        let precision = arrangement.precision
        switch arrangement.algorithm {
        case .direct:
            matrix = PackedMatrix(
                [(weights, outChannels, 0)], inputs: layout, taps: 9, columns: columns, precision: precision)
            transformed = nil
        case .winograd(let tile):
            matrix = nil
            transformed = WinogradMatrices(
                weights, outputs: outChannels, inputs: layout, tile: tile, precision, workspace)
        }
    }

    /// What is read, and how.
    struct Input {
        var map: FeatureMap
        var coefficients: GroupNorm.Coefficients?
        var activation: Activation?
        var upsample = false

        init(
            _ map: FeatureMap, _ coefficients: GroupNorm.Coefficients? = nil, _ activation: Activation? = nil,
            upsample: Bool = false
        ) {
            self.map = map
            self.coefficients = coefficients
            self.activation = activation
            self.upsample = upsample
        }

        var height: Int { upsample ? 2 * map.height : map.height }
        var width: Int { upsample ? 2 * map.width : map.width }
    }

    /// What happens to the product before it is written: (product + bias + residual) · scale.
    struct Output {
        /// A bias for every image in place of the layer's own.
        var imageBias: (pointer: UnsafePointer<Float>, imageStride: Int)?
        var residual: Images?
        var scale: Float = 1
    }

    func callAsFunction(_ input: Input, _ output: Output = Output(), into out: Images, _ pass: Pass) {
        pass.timed(
            "convolution \(layout.channels)→\(outChannels), \(out.height)×\(out.width), \(arrangement.algorithm)\(arrangement.precision.suffix)",
            operations: Double(out.count) * operations(out.height, out.width)
        ) {
            if let matrix {
                direct(matrix, input, output, into: out, pass)
            } else if let transformed {
                winograd(transformed, input, output, into: out, pass)
            }
        }
    }

    /// Operations for one image of this output size, as the textbook counts them: the arrangements other than the direct
    /// one need fewer.
    func operations(_ height: Int, _ width: Int) -> Double {
        2 * 9 * Double(layout.channels) * Double(outChannels) * Double(height) * Double(width)
    }

    /// Copies padded rows of one image, normalised and activated, to `place`.
    func gather(
        _ input: Input, image: Int, rows: Range<Int>, top: Int, paddedWidth: Int, as precision: Precision,
        to place: UnsafeMutablePointer<Float>
    ) {
        func copy(_ part: Images, channel: Int) {
            var gather = ds_gather(
                image: part.image(image), height: input.height, width: input.width, channels: part.stride,
                upsample: input.upsample ? 1 : 0,
                scale: input.coefficients.map { UnsafePointer($0.scale(image) + channel) },
                shift: input.coefficients.map { UnsafePointer($0.shift(image) + channel) },
                activation: input.activation?.code ?? Int32(DS_ACTIVATION_NONE),
                top: top, left: padding, paddedWidth: paddedWidth, precision: precision.code,
                outWords: precision.words(input.map.stride))
            ds_gather_rows(&gather, rows.lowerBound, rows.upperBound, place + precision.words(channel))
        }
        copy(input.map.first, channel: 0)
        if let second = input.map.second { copy(second, channel: input.map.first.stride) }
    }

    /// The direct algorithm: padded rows are gathered, and the product finds its nine taps in them.
    private func direct(
        _ matrix: PackedMatrix, _ input: Input, _ output: Output, into out: Images, _ pass: Pass
    ) {
        let step = stride
        let precision = matrix.precision
        let words = precision.words(input.map.stride)
        let paddedWidth = (out.width - 1) * step + 3
        // Bands of rows, a few dozen pixels each; panels of columns too while there are few bands.
        let bandRows = max(1, min(out.height, 84 / out.width))
        let bands = (out.height + bandRows - 1) / bandRows
        let total = out.count * bands
        let splits = min(matrix.panels, max(1, (2 * pass.threads + total - 1) / total))
        let scratchSize = ((bandRows - 1) * step + 3) * paddedWidth * words
        let scratch = pass.take(perThread: scratchSize)
        pass.parallel(total * splits) { unit, thread in
            let (image, band, split) = (unit / splits / bands, unit / splits % bands, unit % splits)
            let firstRow = band * bandRows
            let rows = min(bandRows, out.height - firstRow)
            let place = scratch.pointer + thread * scratchSize
            gather(
                input, image: image, rows: firstRow * step..<(firstRow + rows - 1) * step + 3, top: padding,
                paddedWidth: paddedWidth, as: precision, to: place)
            withUnsafeTemporaryAllocation(of: Int.self, capacity: 9) { taps in
                for tap in 0..<9 { taps.initializeElement(at: tap, to: (tap / 3 * paddedWidth + tap % 3) * words) }
                var product = ds_product(
                    precision: precision.code, taps: taps.baseAddress, tapCount: 9, depth: matrix.words,
                    weights: matrix.storage.pointer, columns: matrix.columns,
                    bias: output.imageBias.map { $0.pointer + image * $0.imageStride } ?? bias.pointer,
                    scale: output.scale,
                    next: nil)
                let offset = firstRow * out.width
                ds_convolve(
                    &product, place, paddedWidth, words, step, rows, out.width,
                    split * matrix.panels / splits, (split + 1) * matrix.panels / splits,
                    out.image(image) + offset * out.stride, out.stride,
                    output.residual.map { UnsafePointer($0.image(image) + offset * $0.stride) },
                    output.residual?.stride ?? 0)
            }
        }
        pass.giveBack(scratch)
    }
}
