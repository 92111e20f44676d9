import Couplings
import NeuralNetwork
import Platform

/// Which of DB25's verification rules (accelerated diffusion via speculative sampling, De Bortoli et al. 2025) decides
/// over a drafted step.
public enum RuleRecipe: Sendable, Equatable, Codable {
    case reflection
    case monotone
    case temperature(Double)
    case typical(density: Double, entropy: Double)
    case pooling(factor: Int)
    case matrix(file: String)
    case autoencoder(folder: String)
    case rejection

    /// - Throws: `RecipeError` for what is no rule.
    public init(_ text: String) throws {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let argument = parts.count > 1 ? parts[1] : nil
        switch (parts[0], argument) {
        case ("reflection", nil): self = .reflection
        case ("monotone", nil): self = .monotone
        case ("rejection", nil): self = .rejection
        case ("temperature", let value?):
            guard let tau = Double(value), tau > 0, tau.isFinite else {
                throw RecipeError("rule", "temperature:τ takes a positive finite number, found \"\(value)\".")
            }
            self = .temperature(tau)
        case ("typical", let value?):
            let numbers = value.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
            guard numbers.count == 2, let density = numbers[0], let entropy = numbers[1], density > 0, entropy > 0
            else {
                throw RecipeError("rule", "typical:κ,δ takes two positive numbers, found \"\(value)\".")
            }
            self = .typical(density: density, entropy: entropy)
        case ("projection", let value?) where value.hasPrefix("pool:"):
            guard let factor = Int(value.dropFirst(5)), (1...4096).contains(factor) else {
                throw RecipeError(
                    "rule",
                    "projection:pool:F takes a number of pixels from 1 to 4096, found \"\(value.dropFirst(5))\".")
            }
            self = .pooling(factor: factor)
        case ("projection", let file?) where !file.isEmpty: self = .matrix(file: file)
        case ("autoencoder", let folder?) where !folder.isEmpty: self = .autoencoder(folder: folder)
        default:
            throw RecipeError(
                "rule",
                "must be reflection, monotone, rejection, temperature:τ, typical:κ,δ, projection:pool:F, projection:FILE or autoencoder:DIR."
            )
        }
    }

    /// As it is written.
    public var name: String {
        switch self {
        case .reflection: "reflection"
        case .monotone: "monotone"
        case .temperature(let tau): "temperature:\(tau)"
        case .typical(let density, let entropy): "typical:\(density),\(entropy)"
        case .pooling(let factor): "projection:pool:\(factor)"
        case .matrix(let file): "projection:\(file)"
        case .autoencoder(let folder): "autoencoder:\(folder)"
        case .rejection: "rejection"
        }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        do { try self.init(container.decode(String.self)) } catch let error as RecipeError {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: error.description)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }

    /// Whether it takes states to be pictures.
    public var looksAtPictures: Bool {
        switch self {
        case .pooling, .matrix, .autoencoder: true
        case .reflection, .monotone, .temperature, .typical, .rejection: false
        }
    }

    /// - Parameters:
    ///   - pictures: of what size the target's pictures are; nil for a target that makes none.
    ///   - threads: cores for a rule that has a network.
    /// - Throws: `RecipeError` for numbers that cannot be, or a rule that needs pictures where there are none; what
    ///   reading a matrix or a network throws.
    public func rule(for pictures: PictureShape?, threads: Int) throws -> any VerificationRule {
        func shape() throws -> PictureShape {
            guard let pictures else {
                throw RecipeError("rule", "\(name) looks at pictures, and this target makes none.")
            }
            return pictures
        }
        _ = try RuleRecipe(name)  // whoever made it without a text may have put impossible numbers in
        switch self {
        case .reflection: return ReflectionCoupling()
        case .monotone: return MonotoneResidualCoupling()
        case .temperature(let tau): return ReflectionCoupling(temperature: tau)
        case .typical(let density, let entropy):
            return TypicalAcceptance(densityThreshold: density, entropyThreshold: entropy)
        case .rejection: return RejectionCoupling()
        case .pooling(let factor):
            let shape = try shape()
            return try ProjectionCoupling(
                PoolingProjector(channels: shape.channels, height: shape.height, width: shape.width, factor: factor))
        case .matrix(let file):
            let shape = try shape()
            return try ProjectionCoupling(Self.projector(file: file, dimension: shape.size))
        case .autoencoder(let folder):
            let shape = try shape()
            return try Self.autoencoder(folder: folder, shape: shape, threads: threads)
        }
    }

    /// Of the file or folder that the rule is read from; empty for one that isn't.
    public func fingerprint() throws -> String {
        switch self {
        case .matrix(let file):
            var fingerprint = Fingerprint()
            try fingerprint.combine(file: URL(fileURLWithPath: file))
            return fingerprint.text
        case .autoencoder(let folder): return try Fingerprint.text(ofFolder: BundledModels.folder(folder))
        case .reflection, .monotone, .temperature, .typical, .pooling, .rejection: return ""
        }
    }

    /// The tensor `projection`, or the only one of the file.
    private static func projector(file: String, dimension: Int) throws -> RowSpaceProjector {
        let tensors = try SafetensorsFile(path: file)
        let names = tensors.tensorNames
        guard let name = names.contains("projection") ? "projection" : names.count == 1 ? names[0] : nil else {
            throw ModelError(
                file, expected: "a tensor named projection, or one tensor only", found: "\(names.count) of other names")
        }
        let shape = tensors.shape(of: name) ?? []
        guard shape.count >= 2, shape[0] > 0, shape.dropFirst().reduce(1, *) == dimension else {
            throw ModelError(
                file, key: name, expected: "a matrix [rows, \(dimension)], a row for each thing to be seen of a sample",
                found: "\(shape)")
        }
        do {
            return try RowSpaceProjector(
                matrix: tensors.floats(named: name).map { Double($0) }, columns: dimension)
        } catch let error as ProjectorError {
            throw ModelError(file, key: name, expected: error.expected, found: error.found)
        }
    }

    /// Only the reconstruction enters the rule, so that one network stands for encoder and decoder.
    private static func autoencoder(
        folder: String, shape: PictureShape, threads: Int
    ) throws -> AutoencoderCoupling {
        let (channels, height, width) = (shape.channels, shape.height, shape.width)
        let folder = ModelFolder.networkFolder(in: try BundledModels.folder(folder))
        let network = try UNet2D(folder: folder)
        let configuration = network.configuration
        guard configuration.inChannels == channels, configuration.outChannels == channels else {
            throw ModelError(
                folder + "/config.json", key: "in_channels, out_channels",
                expected: "\(channels) both, as the model has",
                found: "\(configuration.inChannels) and \(configuration.outChannels)")
        }
        guard case .none = configuration.classEmbedding else {
            throw ModelError(
                folder + "/config.json", key: "class_embed_type", expected: "a network without classes",
                found: "one with classes")
        }
        return AutoencoderCoupling { state in
            try network(
                sample: state.map { Float($0) }, batch: 1, height: height, width: width, timesteps: [0],
                threads: threads
            ).map { Double($0) }
        }
    }
}
