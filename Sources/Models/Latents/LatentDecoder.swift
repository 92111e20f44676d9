import NeuralNetwork

/// What turns a model's samples, if they are latents, into pictures.
public struct LatentDecoder: Sendable {
    let autoencoder: any Autoencoder
    /// A latent's channels are `sample · scale[channel] + shift[channel]` to the autoencoder.
    private let scale: [Double]
    private let shift: [Double]
    /// Of a sample, a latent.
    public let latent: PictureShape
    /// Of what is made of it.
    public let picture: PictureShape

    /// - Parameters:
    ///   - autoencoder: of the pipeline.
    ///   - latent: the shape of its samples.
    ///   - file: of the autoencoder's configuration, for errors.
    init(_ autoencoder: any Autoencoder, latent: PictureShape, file: String) throws(ModelError) {
        let base = autoencoder.base
        guard latent.channels == autoencoder.decodedChannels else {
            throw ModelError(
                file, key: "latent_channels", expected: "\(latent.channels), as the U-Net's out_channels",
                found: "\(autoencoder.decodedChannels)")
        }
        guard base.outChannels == 1 || base.outChannels == 3 else {
            throw ModelError(
                file, key: "out_channels", expected: "1 or 3, for pictures", found: "\(base.outChannels)")
        }
        let (height, width) = (latent.height * base.pixelsPerLatent, latent.width * base.pixelsPerLatent)
        guard height <= 4096, width <= 4096 else {
            throw ModelError(file, key: "image size", expected: "at most 4096 each way", found: "\(height)×\(width)")
        }
        self.autoencoder = autoencoder
        self.latent = latent
        picture = PictureShape(channels: base.outChannels, height: height, width: width)
        let kl = (autoencoder as? AutoencoderKL)?.configuration
        let deviations = kl?.latentDeviations ?? Array(repeating: 1, count: latent.channels)
        scale = deviations.map { $0 / base.scalingFactor }
        shift = kl?.latentMeans ?? Array(repeating: kl?.shiftFactor ?? 0, count: latent.channels)
    }

    /// The latent of a picture, `[channels, height, width]`: the mean of the autoencoder's posterior.
    /// - Throws: `NetworkInputError` for a picture of another size.
    func latent(of picture: [Double], threads: Int) throws -> [Double] {
        let values = try autoencoder.encode(
            picture.map { Float($0) }, count: 1, height: self.picture.height, width: self.picture.width,
            threads: threads)
        let pixels = latent.height * latent.width
        // Behind the means stand the deviations, if there are any.
        return values.prefix(latent.size).enumerated().map { index, value in
            let channel = index / pixels
            return (Double(value) - shift[channel]) / scale[channel]
        }
    }

    /// A sample's picture, `[channels, height, width]`, white at 1 and black at -1.
    /// - Throws: `NetworkInputError` for a sample of another size.
    public func picture(of sample: [Double], threads: Int) throws -> [Double] {
        let pixels = latent.height * latent.width
        let values = sample.enumerated().map { index, value in
            let channel = min(index / pixels, latent.channels - 1)
            return Float(value * scale[channel] + shift[channel])
        }
        let decoded =
            if let tiled = TiledDecoding(autoencoder, height: latent.height, width: latent.width) {
                try tiled(values, height: latent.height, width: latent.width, threads: threads)
            } else {
                try autoencoder.decode(
                    values, count: 1, height: latent.height, width: latent.width, threads: threads)
            }
        return decoded.map(Double.init)
    }
}
