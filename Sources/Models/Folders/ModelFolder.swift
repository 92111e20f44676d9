import NeuralNetwork
import Platform

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

    /// The class of the network in `config.json`; nil where it says none.
    /// - Throws: `CheckpointError` if the file cannot be read; `ModelError` for folders of known layouts that are not read.
    public static func className(of folder: String) throws -> String? {
        let file = configuration(of: folder)
        if existing("config.json", "unet/config.json", in: folder) == nil {
            if existing("unet_ema/config.json", in: folder) != nil {
                throw ModelError(
                    folder, expected: "a config.json, or one in unet/", found: "one in unet_ema/ only",
                    remedy: "rename unet_ema to unet")
            }
            if let index = existing("model_index.json", in: folder) {
                throw ModelError(
                    folder, expected: "a pipeline with a unet/", found: try pipelineName(index) ?? "one without",
                    remedy: "name a model whose network is a UNet")
            }
        }
        let configuration = try ConfigurationReader(path: file)
        if LeRobotConfiguration.describes(configuration) { return LeRobotConfiguration.className }
        // transformers lists what diffusers names.
        return (configuration.value("_class_name") ?? configuration.value("architectures")?.array?.first)?.string
    }

    private static func pipelineName(_ index: String) throws(ModelError) -> String? {
        try JSONFile.read(path: index)["_class_name"]?.string
    }

    /// Whether a folder is a pipeline whose UNet makes latents for another network.
    static func makesLatents(_ folder: String) throws(ModelError) -> Bool {
        guard let file = existing("model_index.json", in: folder) else { return false }
        let index = try JSONFile.read(path: file)
        return ["vqvae", "vae", "movq"].contains { (index[$0] ?? .null) != .null }
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
