import NeuralNetwork

/// A network that sees noisy pictures, their noise time and perhaps a class label, and predicts something of their size.
///
/// A further architecture is a type that conforms, and a line in `ImageModel.architectures`.
public protocol ImageNetwork: Sendable {
    /// `_class_name` of its `config.json`.
    static var className: String { get }

    /// - Parameter folder: of `config.json` and the weights.
    init(folder: String) throws
    /// The same with large products of another precision, by a network that has the choice, as every `Network` has.
    static func load(folder: String, precision: Precision) throws -> Self

    var inChannels: Int { get }
    var outChannels: Int { get }
    /// In pixels, as it was trained; nil if the configuration does not say.
    var trainedSize: (height: Int, width: Int)? { get }
    /// Labels that it has embeddings for; 0 without classes.
    var labelCount: Int { get }
    /// An input that it needs beside picture, time and label, and that keeps it from being sampled; nil for none.
    var furtherInput: (key: String, found: String)? { get }
    var parameters: [NetworkParameter] { get }
    var parameterCount: Int { get }
    /// The most channels of any activation, for an estimate of memory.
    var widestChannels: Int { get }
    /// What its configuration says of its parts, for inspections.
    var levels: ImageNetworkLevels { get }

    /// Of a row of this size.
    func floatingPointOperations(height: Int, width: Int) -> Double
    /// One call.
    /// - Parameters:
    ///   - sample: `[batch, inChannels, height, width]`
    ///   - batch: the number of rows.
    ///   - height: in pixels.
    ///   - width: in pixels.
    ///   - timesteps: `[batch]`
    ///   - labels: `[batch]`, nil for a network without classes.
    ///   - threads: cores to use, at least 1; changes no result.
    /// - Returns: `[batch, outChannels, height, width]`
    func predict(
        sample: [Float], batch: Int, height: Int, width: Int, timesteps: [Float], labels: [Int]?, threads: Int
    ) throws -> [Float]
    /// One call on the rows of a file, with all inputs that the network knows.
    func evaluate(_ rows: SafetensorsFile, threads: Int) throws -> [NamedTensor]
}

/// The resolutions of a network, from the finest.
public struct ImageNetworkLevels: Sendable {
    public let channels: [Int]
    public let downBlocks: [String]
    public let upBlocks: [String]

    public init(channels: [Int], downBlocks: [String] = [], upBlocks: [String] = []) {
        (self.channels, self.downBlocks, self.upBlocks) = (channels, downBlocks, upBlocks)
    }
}

extension ImageNetwork {
    /// A network without the choice.
    public static func load(folder: String, precision: Precision) throws -> Self {
        guard precision == .f32 else {
            throw RecipeError("precision", "\(precision.rawValue): a \(className) computes in f32 only.")
        }
        return try Self(folder: folder)
    }

    public var furtherInput: (key: String, found: String)? { nil }
    public var widestChannels: Int { levels.channels.max() ?? 1 }

    public func evaluate(_ rows: SafetensorsFile, threads: Int) throws -> [NamedTensor] {
        let labels: (Int) throws -> [Int]? = { batch in
            labelCount == 0 ? nil : try rows.integers(named: "class_labels", shape: [batch])
        }
        return try evaluate(rows) { sample, batch, height, width, timesteps in
            try predict(
                sample: sample, batch: batch, height: height, width: width, timesteps: timesteps,
                labels: labels(batch), threads: threads)
        }
    }

    /// Reads `sample` and `timestep`, and makes `output` of what the closure returns.
    func evaluate(
        _ file: SafetensorsFile,
        _ call: (_ sample: [Float], _ batch: Int, _ height: Int, _ width: Int, _ timesteps: [Float]) throws -> [Float]
    ) throws -> [NamedTensor] {
        let rows = NetworkRows(file: file)
        let shape = try rows.shape(of: "sample", ["N", "\(inChannels)", "height", "width"])
        let output = try call(
            file.floats(named: "sample"), shape[0], shape[2], shape[3], rows.timesteps(shape[0]))
        return [NamedTensor("output", shape: [shape[0], outChannels, shape[2], shape[3]], values: output)]
    }
}

extension ImageNetwork where Self: Network {
    public static func load(folder: String, precision: Precision) throws -> Self {
        try Self(folder: folder, precision: precision)
    }
}

extension UNet2D: ImageNetwork {
    public static var className: String { Configuration.className }

    public func floatingPointOperations(height: Int, width: Int) -> Double {
        floatingPointOperations(.init(height: height, width: width))
    }

    public var inChannels: Int { configuration.inChannels }
    public var outChannels: Int { configuration.outChannels }
    public var trainedSize: (height: Int, width: Int)? { configuration.sampleSize.map { ($0.height, $0.width) } }

    public var labelCount: Int { if case .table(let count) = configuration.classEmbedding { count } else { 0 } }

    public var furtherInput: (key: String, found: String)? {
        switch configuration.classEmbedding {
        case .none, .table: nil
        case .timestep, .identity, .projection, .linear: ("class_embed_type", "another type")
        }
    }

    public var levels: ImageNetworkLevels {
        ImageNetworkLevels(
            channels: configuration.blockChannels, downBlocks: configuration.downBlocks.map(\.rawValue),
            upBlocks: configuration.upBlocks.map(\.rawValue))
    }

    public func predict(
        sample: [Float], batch: Int, height: Int, width: Int, timesteps: [Float], labels: [Int]?, threads: Int
    ) throws -> [Float] {
        try self(
            sample: sample, batch: batch, height: height, width: width, timesteps: timesteps, classLabels: labels,
            threads: threads)
    }

    public func evaluate(_ rows: SafetensorsFile, threads: Int) throws -> [NamedTensor] {
        try evaluate(rows) { sample, batch, height, width, timesteps in
            try self(
                Input(
                    sample, rows: batch, shape: .init(height: height, width: width),
                    conditioning: .init(
                        timesteps: timesteps,
                        classes: NetworkRows(file: rows).classes(of: configuration.classEmbedding))),
                threads: threads)
        }
    }
}
