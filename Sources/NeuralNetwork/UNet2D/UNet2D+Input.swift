extension UNet2D {
    /// What a call's rows depend on beside the images.
    public struct Conditioning: Sendable {
        /// `[rows]`, the network's own time input.
        public var timesteps: [Float]
        public var classes: Classes

        public init(timesteps: [Float], classes: Classes = .none) {
            self.timesteps = timesteps
            self.classes = classes
        }
    }

    /// What a call says of its rows' classes.
    public enum Classes: Sendable {
        case none
        /// `[rows]`, each from 0 ..< `num_class_embeds`; or any integers if the class input is embedded as time is.
        case labels([Int])
        /// For `class_embed_type` "timestep" `[rows]` numbers, for the other types `[rows, numbers a row]`.
        case values([Float])

        /// As numbers, to be embedded.
        var numbers: [Float]? {
            switch self {
            case .none: nil
            case .labels(let labels): labels.map { Float($0) }
            case .values(let values): values
            }
        }
    }

    /// The network's output for a batch of rows, exactly as diffusers' `UNet2DModel.forward` returns it.
    ///
    /// - Parameters:
    ///   - sample: `[batch, inChannels, height, width]`.
    ///   - batch: number of rows, any from 0.
    ///   - height: divisible by 2^halvings, as is `width`: the resolution is halved so often, and must double back.
    ///   - width: in pixels.
    ///   - timesteps: `[batch]`, the network's own time input.
    ///   - classLabels: ``Classes/labels(_:)``.
    ///   - classInputs: ``Classes/values(_:)``, in place of labels.
    ///   - threads: threads to use, the caller's among them.
    /// - Returns: `[batch, outChannels, height, width]`.
    /// - Throws: ``NetworkInputError`` if an argument has the wrong size or a label is out of range.
    public func callAsFunction(
        sample: [Float], batch: Int, height: Int, width: Int, timesteps: [Float], classLabels: [Int]? = nil,
        classInputs: [Float]? = nil, threads: Int
    ) throws(NetworkInputError) -> [Float] {
        let classes = classInputs.map(Classes.values) ?? classLabels.map(Classes.labels) ?? .none
        let input = Input(
            sample, rows: batch, shape: .init(height: height, width: width),
            conditioning: .init(timesteps: timesteps, classes: classes))
        return try self(input, threads: threads)
    }

    public func inputDimensions(_ size: UNet2DConfiguration.ImageSize) -> [Int] {
        [configuration.inChannels, size.height, size.width]
    }

    public func outputDimensions(_ size: UNet2DConfiguration.ImageSize) -> [Int] {
        [configuration.outChannels, size.height, size.width]
    }

    public func rowsPerPass(_ size: UNet2DConfiguration.ImageSize) -> Int {
        size.rowsPerPass(blockChannels: configuration.blockChannels)
    }

    public func check(_ size: UNet2DConfiguration.ImageSize) throws(NetworkInputError) {
        try size.check(halvings: configuration.halvings)
    }

    public func check(_ conditioning: Conditioning, rows: Int) throws(NetworkInputError) {
        try NetworkInputError.check(conditioning.timesteps.count, "timesteps", rows: rows)
        try configuration.classEmbedding.check(
            conditioning.classes, rows: rows, channels: configuration.timeEmbeddingChannels)
    }
}

extension UNet2DConfiguration.ImageSize {
    /// The most images of this size that a U-Net should take at once.
    func rowsPerPass(blockChannels: [Int]) -> Int {
        let widest =
            blockChannels.enumerated().map { level, channels in
                (height >> level) * (width >> level) * paddedChannels(channels)
            }.max() ?? 1
        // Skip connections and temporaries come to about 16 times the widest activation.
        return max(1, min(32, 100_000_000 / (16 * max(1, widest))))
    }

    /// Refuses a size that cannot be halved so often.
    func check(halvings: Int) throws(NetworkInputError) {
        let unit = 1 << halvings
        guard (1...65_536).contains(height), (1...65_536).contains(width), height % unit == 0, width % unit == 0 else {
            throw NetworkInputError(
                "images of \(height)×\(width) pixels: this network halves the resolution \(halvings) times, so height and width must be multiples of \(unit) (at most 65536)"
            )
        }
    }
}
