import Diffusion
import Foundation
import NeuralNetwork

/// A model folder, as diffusers' `save_pretrained` writes it: the network, in it or under `unet/`, and the process it
/// was trained for, from `scheduler/scheduler_config.json` or our own `process.json`.
public struct PretrainedModel: Sendable {
    public let folder: String
    public let network: UNet2D
    public let process: TrainedProcess
    /// About what the network denoises pure noise to, by label (nil without classes), for drafts to start from: the
    /// tensor "denoised" [max(1, labels), C, H, W] of `prior.safetensors`, if the folder has one. `diffspec calibrate`
    /// makes it.
    public let priors: [Int?: [Double]]

    /// - Parameter schedule: takes the place of the folder's own noise schedule, or of one that it lacks.
    /// - Throws: `CheckpointError`, `ModelError` or `DiffusionError`, naming the file and what is wrong with it.
    public init(folder: String, schedule: NamedSchedule? = nil) throws {
        try Architecture.unet2D.require(folder: folder)
        try self.init(folder: folder, network: UNet2D(folder: Self.networkFolder(in: folder)), schedule: schedule)
    }

    /// - Parameter network: the folder's, read already.
    public init(folder: String, network: UNet2D, schedule: NamedSchedule? = nil) throws {
        self.folder = folder
        self.network = network
        let networkFolder = Self.networkFolder(in: folder)
        let (input, output) = (network.configuration.inChannels, network.configuration.outChannels)
        guard input == output else {
            throw ModelError(
                networkFolder + "/config.json", key: "out_channels", expected: "\(input), as in_channels",
                found: "\(output)",
                remedy:
                    "a network that also predicts its variance, or a correction (--draft corrected), can't be sampled")
        }
        switch network.configuration.classEmbedding {
        case .none, .table: break
        case .timestep, .identity:
            throw ModelError(
                networkFolder + "/config.json", key: "class_embed_type", expected: "null", found: "another type",
                remedy: "a network conditioned on more than a label can be evaluated, but not sampled")
        }
        process = try TrainedProcess.load(
            folder: URL(fileURLWithPath: folder), network: network.configuration,
            networkFile: networkFolder + "/config.json",
            override: schedule)
        priors = try Self.priors(folder: folder, network: network.configuration, process: process)
    }

    /// The file in a model folder that `priors` are read from.
    public static let priorFile = "prior.safetensors"

    private static func priors(
        folder: String, network: UNet2DConfiguration, process: TrainedProcess
    ) throws -> [Int?: [Double]] {
        let path = URL(fileURLWithPath: folder).appendingPathComponent(priorFile).path
        guard FileManager.default.fileExists(atPath: path) else { return [:] }
        let (labels, size) = (network.labelCount, network.inChannels * process.height * process.width)
        let values = try SafetensorsFile(path: path).floats(
            named: "denoised", shape: [max(1, labels), network.inChannels, process.height, process.width])
        guard values.allSatisfy(\.isFinite) else {
            throw ModelError(path, key: "denoised", expected: "finite numbers", found: "an infinity or NaN")
        }
        return Dictionary(
            uniqueKeysWithValues: (0..<max(1, labels)).map { label in
                (labels == 0 ? nil : label, values[label * size..<(label + 1) * size].map(Double.init))
            })
    }

    /// The folder that holds `config.json` and the weights.
    public static func networkFolder(in folder: String) -> String {
        let nested = URL(fileURLWithPath: folder).appendingPathComponent("unet").path
        return FileManager.default.fileExists(atPath: nested + "/config.json") ? nested : folder
    }

    /// Labels that the network has embeddings for, "no class" among them; 0 for a model without classes.
    public var labelCount: Int { network.configuration.labelCount }

    /// Labels that can be asked for; 0 for a model without classes.
    public var classCount: Int {
        let labels = network.configuration.labelCount
        guard process.classNames.isEmpty else { return process.classNames.count }
        return process.nullClass == labels - 1 ? labels - 1 : labels
    }

    /// The network with its process, ready to be put into a chain.
    /// - Parameter threads: cores to use, at least 1.
    public func denoiser(threads: Int) -> UNetDenoiser {
        UNetDenoiser(network: network, process: process, threads: threads)
    }
}

extension UNet2DConfiguration {
    /// How many labels the network has embeddings for; 0 without classes.
    var labelCount: Int {
        if case .table(let count) = classEmbedding { count } else { 0 }
    }
}
