/// A network between pictures and latents, in both directions.
public protocol Autoencoder: Network
where Element == Float, Shape == AutoencoderRow, Conditioning == Void {
    /// What it has in common with the others.
    var base: AutoencoderConfiguration { get }
    /// Channels of what ``decode(_:count:height:width:threads:)`` takes, and of what encoding returns.
    var decodedChannels: Int { get }
    var encodedChannels: Int { get }
    /// The operations of one row in either direction.
    func operations(_ row: AutoencoderRow) -> Double
}

/// What a row of an autoencoder's call is: a picture to be encoded, or a latent to be decoded.
public enum AutoencoderRow: Sendable, Equatable {
    case image(height: Int, width: Int)
    case latent(height: Int, width: Int)
}

extension Autoencoder {
    /// Pictures of latents, as the decoder returns them.
    /// - Parameters:
    ///   - latents: `[count, decodedChannels, height, width]`, neither scaled nor shifted.
    ///   - count: of latents.
    ///   - height: of a latent.
    ///   - width: of a latent.
    ///   - threads: threads to use.
    /// - Returns: `[count, outChannels, height · pixelsPerLatent, width · pixelsPerLatent]`
    /// - Throws: ``NetworkInputError`` if the latents have another size.
    public func decode(
        _ latents: [Float], count: Int, height: Int, width: Int, threads: Int
    ) throws(NetworkInputError) -> [Float] {
        try self(
            Input(latents, rows: count, shape: .latent(height: height, width: width), conditioning: ()),
            threads: threads)
    }

    /// What the encoder makes of pictures.
    /// - Parameters:
    ///   - images: `[count, inChannels, height, width]`
    ///   - count: of pictures.
    ///   - height: a multiple of `pixelsPerLatent`, as is `width`.
    ///   - width: in pixels.
    ///   - threads: threads to use.
    /// - Returns: `[count, encodedChannels, height / pixelsPerLatent, width / pixelsPerLatent]`
    /// - Throws: ``NetworkInputError`` if the pictures have another size.
    public func encode(
        _ images: [Float], count: Int, height: Int, width: Int, threads: Int
    ) throws(NetworkInputError) -> [Float] {
        try self(
            Input(images, rows: count, shape: .image(height: height, width: width), conditioning: ()),
            threads: threads)
    }

    public func inputDimensions(_ row: AutoencoderRow) -> [Int] {
        switch row {
        case .image(let height, let width): [base.inChannels, height, width]
        case .latent(let height, let width): [decodedChannels, height, width]
        }
    }

    public func outputDimensions(_ row: AutoencoderRow) -> [Int] {
        let factor = base.pixelsPerLatent
        return switch row {
        case .image(let height, let width): [encodedChannels, height / factor, width / factor]
        case .latent(let height, let width): [base.outChannels, height * factor, width * factor]
        }
    }

    public func rowsPerPass(_ row: AutoencoderRow) -> Int {
        let factor = base.pixelsPerLatent
        let (height, width) =
            switch row {
            case .image(let height, let width): (height, width)
            case .latent(let height, let width): (height * factor, width * factor)
            }
        let widths = base.blockChannels
        // A level's images on the way up have the channels of the level below.
        let widest =
            widths.indices.map { level in
                (height >> level) * (width >> level) * paddedChannels(widths[min(level + 1, widths.count - 1)])
            }.max() ?? 1
        return max(1, min(32, 100_000_000 / (6 * max(1, widest))))
    }

    public func check(_ row: AutoencoderRow) throws(NetworkInputError) {
        let factor = base.pixelsPerLatent
        switch row {
        case .image(let height, let width):
            try UNet2DConfiguration.ImageSize(height: height, width: width).check(
                halvings: base.blockChannels.count - 1)
        case .latent(let height, let width):
            let most = 65_536 / factor
            guard (1...max(1, most)).contains(height), (1...max(1, most)).contains(width) else {
                throw NetworkInputError("latents of \(height)×\(width); expected 1 to \(most) each way")
            }
        }
    }

    public func floatingPointOperations(_ row: AutoencoderRow) -> Double { operations(row) }
}

/// An `AutoencoderKL` of diffusers: what it encodes a picture to is the mean of a latent and the logarithm of its variance.
public struct AutoencoderKL: Autoencoder {
    public let configuration: AutoencoderKLConfiguration
    public let resources: NetworkResources
    let encoder: Encoder
    let decoder: Decoder
    let quantConvolution: Linear?  // quant_conv
    let postQuantConvolution: Linear?  // post_quant_conv

    public var base: AutoencoderConfiguration { configuration.base }
    public var decodedChannels: Int { base.latentChannels }
    public var encodedChannels: Int { 2 * base.latentChannels }

    public init(_ configuration: AutoencoderKLConfiguration, _ reader: ParameterReader) throws(CheckpointError) {
        self.configuration = configuration
        let channels = configuration.base.latentChannels
        encoder = try Encoder(configuration.base, reader, to: 2 * channels)
        quantConvolution =
            configuration.hasQuantConvolution
            ? try Linear(reader, "quant_conv", from: 2 * channels, to: 2 * channels, isConvolution: true) : nil
        postQuantConvolution =
            configuration.hasPostQuantConvolution
            ? try Linear(reader, "post_quant_conv", from: channels, to: channels, isConvolution: true) : nil
        decoder = try Decoder(configuration.base, reader)
        resources = reader.resources
    }

    public func forward(
        _ sample: UnsafePointer<Float>, _ row: AutoencoderRow, _ conditioning: Void,
        into output: UnsafeMutablePointer<Float>, _ pass: Pass
    ) {
        switch row {
        case .image(let height, let width):
            var x = encoder(
                Images(pass, channelsFirst: sample, channels: base.inChannels, height: height, width: width), pass)
            if let quantConvolution { x = quantConvolution(x, pass) }
            x.write(channelsFirst: output, pass)
            // As diffusers' DiagonalGaussianDistribution bounds the logarithms.
            let half = decodedChannels * x.pixels
            for row in 0..<pass.count {
                for index in row * 2 * half + half..<(row + 1) * 2 * half {
                    output[index] = min(max(output[index], -30), 20)
                }
            }
        case .latent(let height, let width):
            var x = Images(pass, channelsFirst: sample, channels: decodedChannels, height: height, width: width)
            if let postQuantConvolution { x = postQuantConvolution(x, pass) }
            decoder(x, pass).write(channelsFirst: output, pass)
        }
    }

    public func operations(_ row: AutoencoderRow) -> Double {
        switch row {
        case .image(let height, let width):
            encoder.operations(height, width)
                + Double(height * width / (base.pixelsPerLatent * base.pixelsPerLatent))
                * (quantConvolution?.operations ?? 0)
        case .latent(let height, let width):
            decoder.operations(height, width) + Double(height * width) * (postQuantConvolution?.operations ?? 0)
        }
    }
}

/// A `VQModel` of diffusers: every pixel of a latent is replaced by the nearest vector of a codebook before it is decoded.
public struct VQModel: Autoencoder {
    public let configuration: VQModelConfiguration
    public let resources: NetworkResources
    let encoder: Encoder
    let decoder: Decoder
    let quantConvolution: Linear  // quant_conv
    let codebook: [Float]  // quantize.embedding.weight
    let postQuantConvolution: Linear  // post_quant_conv

    public var base: AutoencoderConfiguration { configuration.base }
    public var decodedChannels: Int { configuration.codeChannels }
    public var encodedChannels: Int { configuration.codeChannels }

    public init(_ configuration: VQModelConfiguration, _ reader: ParameterReader) throws(CheckpointError) {
        self.configuration = configuration
        let (channels, codeChannels) = (configuration.base.latentChannels, configuration.codeChannels)
        encoder = try Encoder(configuration.base, reader, to: channels)
        quantConvolution = try Linear(reader, "quant_conv", from: channels, to: codeChannels, isConvolution: true)
        codebook = try reader.read("quantize.embedding.weight", [configuration.codes, codeChannels])
        postQuantConvolution = try Linear(
            reader, "post_quant_conv", from: codeChannels, to: channels, isConvolution: true)
        decoder = try Decoder(configuration.base, reader)
        resources = reader.resources
    }

    public func forward(
        _ sample: UnsafePointer<Float>, _ row: AutoencoderRow, _ conditioning: Void,
        into output: UnsafeMutablePointer<Float>, _ pass: Pass
    ) {
        switch row {
        case .image(let height, let width):
            let x = encoder(
                Images(pass, channelsFirst: sample, channels: base.inChannels, height: height, width: width), pass)
            quantConvolution(x, pass).write(channelsFirst: output, pass)
        case .latent(let height, let width):
            let x = Images(pass, channelsFirst: sample, channels: decodedChannels, height: height, width: width)
            quantise(x, pass)
            decoder(postQuantConvolution(x, pass), pass).write(channelsFirst: output, pass)
        }
    }

    /// Replaces every pixel by the nearest code, the first of equals.
    private func quantise(_ x: Images, _ pass: Pass) {
        let channels = configuration.codeChannels
        codebook.withUnsafeBufferPointer { codes in
            guard let base = codes.baseAddress else { return }
            pass.parallel(x.count * x.pixels) { unit, _ in
                let pixel = x.pointer + unit * x.stride
                var best = (code: 0, distance: Float.infinity)
                for code in 0..<configuration.codes {
                    let vector = base + code * channels
                    var distance: Float = 0
                    for channel in 0..<channels {
                        let difference = pixel[channel] - vector[channel]
                        distance += difference * difference
                    }
                    if distance < best.distance { best = (code, distance) }
                }
                pixel.update(from: base + best.code * channels, count: channels)
            }
        }
    }

    public func operations(_ row: AutoencoderRow) -> Double {
        switch row {
        case .image(let height, let width):
            encoder.operations(height, width)
                + Double(height * width / (base.pixelsPerLatent * base.pixelsPerLatent)) * quantConvolution.operations
        case .latent(let height, let width):
            decoder.operations(height, width)
                + Double(height * width)
                * (postQuantConvolution.operations + 3 * Double(configuration.codes * configuration.codeChannels))
        }
    }
}

extension Linear {
    /// A 1×1 convolution. Gives back `x`.
    fileprivate func callAsFunction(_ x: Images, _ pass: Pass) -> Images {
        let result = Images(pass, channels: outChannels, height: x.height, width: x.width)
        self(x.pointer, stride: x.stride, count: x.count * x.pixels, into: result.pointer, pass)
        pass.giveBack(x)
        return result
    }
}
