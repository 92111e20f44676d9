import ArgumentParser
import Couplings
import Foundation
import NeuralNetwork
import Models

/// `--rule`: which of DB25's verification rules decides over a drafted step.
enum RuleOption: Sendable {
    case reflection
    case temperature(Double)
    case typical(density: Double, entropy: Double)
    case pooling(factor: Int)
    case matrix(file: String)
    case autoencoder(folder: String)
    case rejection

    static let help = ArgumentHelp(
        """
        How a drafted step is verified: reflection (exact, Algorithm 4), rejection (exact, Algorithm 2, which draws \
        again and again), temperature:τ (Algorithm 7), typical:κ,δ (typical acceptance; κ may be inf), projection:pool:F \
        (Algorithm 9, what average pooling over F×F pixels sees), projection:FILE (Algorithm 9, a matrix [rows, values of \
        a sample] in safetensors), autoencoder:DIR (Algorithm 10, a UNet2DModel that returns its input's reconstruction \
        at timestep 0). The others are not exact (default: reflection, at --temperature).
        """, valueName: "rule")

    init(_ text: String) throws {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let argument = parts.count > 1 ? parts[1] : nil
        switch (parts[0], argument) {
        case ("reflection", nil): self = .reflection
        case ("rejection", nil): self = .rejection
        case ("temperature", let value?):
            guard let tau = Double(value), tau > 0, tau.isFinite else {
                throw ValidationError("temperature:τ takes a positive finite number, found \"\(value)\".")
            }
            self = .temperature(tau)
        case ("typical", let value?):
            let numbers = value.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
            guard numbers.count == 2, let density = numbers[0], let entropy = numbers[1], density > 0, entropy > 0
            else {
                throw ValidationError("typical:κ,δ takes two positive numbers, found \"\(value)\".")
            }
            self = .typical(density: density, entropy: entropy)
        case ("projection", let value?) where value.hasPrefix("pool:"):
            guard let factor = Int(value.dropFirst(5)), (1...4096).contains(factor) else {
                throw ValidationError(
                    "projection:pool:F takes a number of pixels from 1 to 4096, found \"\(value.dropFirst(5))\".")
            }
            self = .pooling(factor: factor)
        case ("projection", let file?) where !file.isEmpty: self = .matrix(file: file)
        case ("autoencoder", let folder?) where !folder.isEmpty: self = .autoencoder(folder: folder)
        default:
            throw ValidationError(
                "expected reflection, rejection, temperature:τ, typical:κ,δ, projection:pool:F, projection:FILE or autoencoder:DIR."
            )
        }
    }

    /// As it is written on the command line.
    var name: String {
        switch self {
        case .reflection: "reflection"
        case .temperature(let tau): "temperature:\(tau)"
        case .typical(let density, let entropy): "typical:\(density),\(entropy)"
        case .pooling(let factor): "projection:pool:\(factor)"
        case .matrix(let file): "projection:\(file)"
        case .autoencoder(let folder): "autoencoder:\(folder)"
        case .rejection: "rejection"
        }
    }

    /// Whether it takes states to be pictures.
    var looksAtPictures: Bool {
        switch self {
        case .pooling, .matrix, .autoencoder: true
        case .reflection, .temperature, .typical, .rejection: false
        }
    }

    /// - Parameter model: the target, whose image size a projection must fit; nil for one that makes no pictures.
    func rule(for model: PretrainedModel?, threads: Int) throws -> any VerificationRule {
        func picture() throws -> (channels: Int, height: Int, width: Int) {
            guard let model else { throw ValidationError("--rule \(name) looks at pictures; a policy has none.") }
            return (model.network.configuration.inChannels, model.process.height, model.process.width)
        }
        switch self {
        case .reflection: return ReflectionCoupling()
        case .temperature(let tau): return ReflectionCoupling(temperature: tau)
        case .typical(let density, let entropy):
            return TypicalAcceptance(densityThreshold: density, entropyThreshold: entropy)
        case .rejection: return RejectionCoupling()
        case .pooling(let factor):
            let (channels, height, width) = try picture()
            return try ProjectionCoupling(
                PoolingProjector(channels: channels, height: height, width: width, factor: factor))
        case .matrix(let file):
            let (channels, height, width) = try picture()
            return try ProjectionCoupling(Self.projector(file: file, dimension: channels * height * width))
        case .autoencoder(let folder):
            let (channels, height, width) = try picture()
            return try Self.autoencoder(
                folder: folder, channels: channels, height: height, width: width, threads: threads)
        }
    }

    /// Of the file or folder that the rule is read from; empty for one that isn't.
    func fingerprint() throws -> String {
        switch self {
        case .matrix(let file):
            var fingerprint = Fingerprint()
            try fingerprint.combine(file: URL(fileURLWithPath: file))
            return fingerprint.text
        case .autoencoder(let folder): return try PretrainedModel.fingerprint(folder: BundledModels.folder(folder))
        case .reflection, .temperature, .typical, .pooling, .rejection: return ""
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
        folder: String, channels: Int, height: Int, width: Int, threads: Int
    ) throws -> AutoencoderCoupling {
        let folder = PretrainedModel.networkFolder(in: try BundledModels.folder(folder))
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
