import Foundation
import NeuralNetwork

/// The layout of a model folder, as diffusers' `save_pretrained` writes it.
public enum ModelFolder {
    /// The file that drafts start from, which `diffspec calibrate prior` makes.
    public static let priorFile = "prior.safetensors"

    /// The folder that holds `config.json` and the weights: the folder itself, or `unet` in it.
    public static func networkFolder(in folder: String) -> String {
        let nested = URL(fileURLWithPath: folder).appendingPathComponent("unet").path
        return FileManager.default.fileExists(atPath: nested + "/config.json") ? nested : folder
    }

    /// Where the network is described.
    public static func configuration(of folder: String) -> String { networkFolder(in: folder) + "/config.json" }

    /// `_class_name` of the network's `config.json`; nil where it says none.
    /// - Throws: `CheckpointError` if the file cannot be read.
    public static func className(of folder: String) throws -> String? {
        try ConfigurationReader(path: configuration(of: folder)).value("_class_name")?.string
    }

    /// The first of some files that the folder has.
    static func existing(_ names: String..., in folder: String) -> String? {
        names.lazy.map { URL(fileURLWithPath: folder).appendingPathComponent($0).path }
            .first { FileManager.default.fileExists(atPath: $0) }
    }

    /// A DDPM's scheduler, where diffusers' pipelines or ours keep it.
    static func scheduler(in folder: String) -> String? {
        existing("scheduler/scheduler_config.json", "scheduler_config.json", in: folder)
    }
}
