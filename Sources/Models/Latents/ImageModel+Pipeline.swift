import NeuralNetwork
import Platform

/// What a pipeline is asked to show.
public struct Prompts: Codable, Equatable, Sendable {
    /// Sample `i` shows number `i` modulo their count; empty for a model without text.
    public var texts: [String] = []
    /// What guidance leads away from; nil for nothing.
    public var negative: String?

    public init(_ texts: [String] = [], negative: String? = nil) { (self.texts, self.negative) = (texts, negative) }
}

extension ImageModel {
    /// The pipelines of diffusers whose samples are latents.
    private enum Pipeline: String, CaseIterable {
        case latent = "LDMPipeline"
        case stableDiffusion = "StableDiffusionPipeline"
        case stableDiffusionXL = "StableDiffusionXLPipeline"

        /// The autoencoder's folder.
        var autoencoder: String { self == .latent ? "vqvae" : "vae" }

        /// The folders of all its parts.
        var parts: [String] {
            let text = ["text_encoder", "tokenizer"]
            return switch self {
            case .latent: ["unet", autoencoder]
            case .stableDiffusion: ["unet", autoencoder] + text
            case .stableDiffusionXL: ["unet", autoencoder] + text + text.map { $0 + "_2" }
            }
        }
    }

    /// A pipeline of latents, as `model_index.json` describes it: a U-Net, an autoencoder, and encoders of text.
    /// - Parameters:
    ///   - name: as it was asked for.
    ///   - folder: that holds the index.
    ///   - schedule: takes the place of the pipeline's own.
    ///   - prompts: what it is to show.
    ///   - precision: of the U-Net's large products; texts and pictures are encoded and decoded once, in f32.
    /// - Throws: `RecipeError` for prompts that the pipeline needs or has no place for; else as ``init(named:schedule:)``.
    init(
        pipeline name: String, folder: String, schedule: NamedSchedule?, prompts: Prompts, precision: Precision
    ) throws {
        let index = "\(folder)/model_index.json"
        let description = try JSONFile.read(path: index)
        let kind: Pipeline = try JSONFile.value(
            description["_class_name"]?.string ?? "", key: "_class_name", file: index)
        for part in kind.parts where FileKind(path: "\(folder)/\(part)") != .folder {
            throw ModelError(
                index, key: part, expected: "a folder \(part) beside it, as this \(kind.rawValue) needs", found: "none",
                remedy: "download that folder of the pipeline too")
        }
        let unetFolder = "\(folder)/unet"
        let unetFile = "\(unetFolder)/config.json"
        let autoencoderFolder = "\(folder)/\(kind.autoencoder)"
        if kind == .latent {
            guard prompts == Prompts() else {
                throw RecipeError("prompt", "this pipeline, \(kind.rawValue), reads no text.")
            }
        } else if prompts.texts.isEmpty {
            throw RecipeError("prompt", "is needed: this pipeline, \(kind.rawValue), shows what a text says.")
        }
        let autoencoder = try Self.autoencoder(folder: autoencoderFolder)

        let network: any ImageNetwork
        if kind == .latent {
            network = try UNet2D(folder: unetFolder, precision: precision)
        } else {
            let unet = try UNet2DCondition(folder: unetFolder, precision: precision)
            let threads = Processors.available
            let texts =
                if kind == .stableDiffusion {
                    try EncodedTexts(
                        stableDiffusion: folder, prompts: prompts.texts, negative: prompts.negative, threads: threads)
                } else {
                    try EncodedTexts(
                        stableDiffusionXL: folder, prompts: prompts.texts, negative: prompts.negative,
                        zeros: description["force_zeros_for_empty_prompt"]?.bool ?? true,
                        picture: Self.pictureSize(unet.configuration.sampleSize, autoencoder), threads: threads)
                }
            network = try PromptedUNet(unet, texts: texts, file: unetFile)
        }
        let process = try ImageProcess(
            pipeline: folder, network: network, networkFile: unetFile, override: schedule,
            texts: prompts.texts.count)
        let decoder = try LatentDecoder(
            autoencoder, latent: process.picture, file: "\(autoencoderFolder)/config.json")
        try self.init(name: name, folder: folder, network: network, process: process, decoder: decoder)
    }

    private static func autoencoder(folder: String) throws -> any Autoencoder {
        switch try ModelFolder.className(of: folder) {
        case VQModelConfiguration.className: try VQModel(folder: folder)
        default: try AutoencoderKL(folder: folder)
        }
    }

    /// In pixels; nothing where the U-Net's file does not say, which is refused later.
    private static func pictureSize(
        _ size: UNet2DConfiguration.ImageSize?, _ autoencoder: any Autoencoder
    ) -> (height: Int, width: Int) {
        let factor = autoencoder.base.pixelsPerLatent
        return ((size?.height ?? 0) * factor, (size?.width ?? 0) * factor)
    }
}
