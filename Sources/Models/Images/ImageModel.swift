import Couplings
import Diffusion
import NeuralNetwork
import Platform

/// A model of pictures, perhaps of several classes: a folder as diffusers' `save_pretrained` writes it, with the network in
/// it or under `unet/` and the process that it was trained for in `scheduler/scheduler_config.json` or our own
/// `process.json`.
///
///     let model = try ImageModel(named: "fashion-mnist")
///     for sample in try model.samples(16, steps: 100, window: 20, classes: ["Bag"], seed: 1) { … }
public struct ImageModel: Model {
    public static let kind = ModelKind(
        classNames: architectures.map { $0.className }, words: "an image model", command: "sample")

    /// The networks that such a folder can hold.
    public static let architectures: [any ImageNetwork.Type] = [UNet2D.self]

    public let name: String
    public let folder: String
    public let network: any ImageNetwork
    public let process: ImageProcess
    /// About what the network denoises pure noise to, by condition, for drafts to start from: the tensor "denoised"
    /// [max(1, labels), C, H, W] of `prior.safetensors`, if the folder has one. `diffspec calibrate` makes it.
    public let priors: [Condition: [Double]]

    /// What turns its samples into pictures, if they are latents; nil if they are pictures.
    public let decoder: LatentDecoder?

    /// What its samples start from, see ``starting(from:strength:keeping:threads:)``; nil for noise.
    var start: StartingPicture?

    public var noise: NoiseProcess { process.noise }
    public var pictures: PictureShape? { picture }
    /// Of a sample.
    public var picture: PictureShape { process.picture }
    /// Of what is shown of a sample: the picture that it is, or that is decoded from it.
    public var shown: PictureShape { decoder?.picture ?? picture }

    public init(named name: String) throws { try self.init(named: name, schedule: nil) }

    /// - Parameters:
    ///   - name: a folder, or a bundled model's name.
    ///   - schedule: takes the place of the folder's own noise schedule, or of one that it lacks.
    ///   - prompts: what a pipeline that reads texts is to show.
    ///   - precision: of the network's large products. The samples' law is that of the network so rounded.
    ///   - architectures: the networks that the folder may hold.
    /// - Throws: `CheckpointError`, `ModelError` or `DiffusionError`, naming the file and what is wrong with it;
    ///   `RecipeError` for prompts that the model needs or has no place for.
    public init(
        named name: String, schedule: NamedSchedule?, prompts: Prompts = Prompts(), precision: Precision = .f32,
        architectures: [any ImageNetwork.Type] = Self.architectures
    ) throws {
        let folder = try BundledModels.folder(name)
        if try ModelFolder.makesLatents(folder) {
            try self.init(
                pipeline: name, folder: folder, schedule: schedule, prompts: prompts, precision: precision)
            return
        }
        guard prompts == Prompts() else { throw RecipeError("prompt", "this model reads no text.") }
        let network = try Self.network(folder: folder, precision: precision, architectures: architectures)
        try self.init(name: name, folder: folder, network: network, schedule: schedule)
    }

    /// - Parameter network: the folder's, read already.
    init(name: String, folder: String, network: any ImageNetwork, schedule: NamedSchedule? = nil) throws {
        if try ModelFolder.makesLatents(folder) {
            try self.init(pipeline: name, folder: folder, schedule: schedule, prompts: Prompts(), precision: .f32)
            return
        }
        let process = try ImageProcess.load(
            folder: URL(fileURLWithPath: folder), network: network,
            networkFile: ModelFolder.configuration(of: folder), override: schedule)
        try self.init(name: name, folder: folder, network: network, process: process, decoder: nil)
    }

    /// - Parameter decoder: of a model of latents.
    init(
        name: String, folder: String, network: any ImageNetwork, process: ImageProcess, decoder: LatentDecoder?
    ) throws {
        let file = ModelFolder.configuration(of: folder)
        guard network.inChannels == network.outChannels else {
            throw ModelError(
                file, key: "out_channels", expected: "\(network.inChannels), as in_channels",
                found: "\(network.outChannels)",
                remedy:
                    "a network that also predicts its variance, or a correction (--draft corrected), can't be sampled")
        }
        if let (key, found) = network.furtherInput {
            throw ModelError(
                file, key: key, expected: "null", found: found,
                remedy: "a network conditioned on more than a label can be evaluated, but not sampled")
        }
        (self.name, self.folder, self.network, self.process) = (name, folder, network, process)
        self.decoder = decoder
        // Texts are not the classes that a file could number.
        priors =
            network is PromptedUNet
            ? [:] : try Self.priors(folder: folder, labels: network.labelCount, picture: process.picture)
    }

    /// A model without a folder, of a network of one's own.
    public init(name: String, network: any ImageNetwork, process: ImageProcess) {
        (self.name, self.network, self.process) = (name, network, process)
        (folder, priors, decoder) = ("", [:], nil)
    }

    /// The network of a folder, of the architecture that its `config.json` names.
    static func network(
        folder: String, precision: Precision = .f32, architectures: [any ImageNetwork.Type] = Self.architectures
    ) throws -> any ImageNetwork {
        let className = try ModelFolder.className(of: folder)
        if let type = architectures.first(where: { $0.className == className }) {
            return try type.load(folder: ModelFolder.networkFolder(in: folder), precision: precision)
        }
        try kind.require(folder: folder)
        // A class that nobody knows is refused by the reader, which says what it supports.
        return try UNet2D(folder: ModelFolder.networkFolder(in: folder), precision: precision)
    }

    private static func priors(
        folder: String, labels: Int, picture: PictureShape
    ) throws -> [Condition: [Double]] {
        guard let path = ModelFolder.existing(ModelFolder.priorFile, in: folder) else { return [:] }
        let values = try SafetensorsFile(path: path).floats(
            named: "denoised", shape: [max(1, labels), picture.channels, picture.height, picture.width])
        guard values.allSatisfy(\.isFinite) else {
            throw ModelError(path, key: "denoised", expected: "finite numbers", found: "an infinity or NaN")
        }
        return Dictionary(
            uniqueKeysWithValues: (0..<max(1, labels)).map { label in
                (
                    labels == 0 ? .none : .label(label),
                    values[label * picture.size..<(label + 1) * picture.size].map(Double.init)
                )
            })
    }

    /// Labels that the network has embeddings for, "no class" among them; 0 for a model without classes.
    public var labelCount: Int { network.labelCount }

    /// Labels that can be asked for; 0 for a model without classes.
    public var classCount: Int {
        guard process.classNames.isEmpty else { return process.classNames.count }
        return process.nullClass == labelCount - 1 ? labelCount - 1 : labelCount
    }

    public var summary: String {
        let mark = name == BundledModels.defaultModel ? "  (default)" : ""
        return "\(picture.channels)×\(picture.height)×\(picture.width), \(classCount) classes, "
            + "\(network.parameterCount) parameters, \(process.scheduleName) schedule\(mark)"
    }

    public static func summary(folder name: String) throws -> String {
        let folder = try BundledModels.folder(name)
        if CorrectionNetwork.isOne(folder: folder) {
            return "\(try network(folder: folder).parameterCount) parameters, for --draft corrected"
        }
        return try ImageModel(named: name).summary
    }

    /// The network with its process, ready to be put into a chain.
    /// - Parameter threads: cores to use, at least 1.
    public func denoiser(threads: Int) -> ImageDenoiser {
        ImageDenoiser(network: network, process: process, threads: threads, start: start)
    }

    /// The labels that classes name, by label or by name in any case; all of the model's for an empty list.
    /// - Throws: `RecipeError` for one that the model does not have.
    public func labels(of classes: [String]) throws(RecipeError) -> [Int] {
        if classes.isEmpty { return Array(0..<classCount) }
        let names = process.classNames
        var labels: [Int] = []
        for text in classes {
            let label = names.firstIndex { $0.lowercased() == text.lowercased() } ?? Int(text)
            guard let label, (0..<classCount).contains(label) else {
                let known =
                    classCount == 0
                    ? "this model has no classes"
                    : "classes are 0 to \(classCount - 1)" + (names.isEmpty ? "" : " or \(names.list)")
                throw RecipeError("class", "\(text): \(known).")
            }
            labels.append(label)
        }
        return labels
    }

    /// The name of a label; nil if it has none.
    public func className(_ label: Int) -> String? {
        process.classNames.indices.contains(label) ? process.classNames[label] : nil
    }

    /// - Parameters:
    ///   - recipe: steps, churn, spacing and guidance.
    ///   - classes: class names or labels; empty for all classes in turn.
    ///   - threads: cores to use, at least 1; changes no result.
    public func chain(_ recipe: ChainRecipe, subjects classes: [String], threads: Int) throws -> DenoisingChain {
        if recipe.guidance != 0, process.nullClass == nil {
            throw RecipeError(
                "guidance", "needs a model trained with a \"no class\" label, and this one has none.")
        }
        let run = try noise.steps(recipe)
        var steps = run.steps
        var (priors, origin) = (priors, DenoisingChain.Start?.none)
        let conditions = try labels(of: classes).map { Condition.label($0) }
        let unconditional = process.nullClass.map { Condition.label($0) } ?? .none
        if let start {
            steps = try start.steps(of: steps)
            let (signal, deviation) = (
                noise.schedule.signal(at: steps[0].time), noise.schedule.noise(at: steps[0].time)
            )
            origin = .init(mean: start.sample.map { signal * $0 }, standardDeviation: deviation)
            // The picture is also about what the first prediction will be.
            for condition in conditions + [unconditional, .none] { priors[condition] = start.sample }
        }
        return try DenoisingChain(
            denoiser: denoiser(threads: threads), steps: steps, conditions: conditions, guidance: recipe.guidance,
            unconditional: unconditional, predictionBounds: run.bounds, priors: priors, start: origin,
            startDeviation: run.startDeviation)
    }

    public static func inspection(of name: String, folder: String) throws -> any Inspection {
        ImageInspection(name, folder: folder, network: try network(folder: folder))
    }

    public static func evaluate(folder: String, rows: SafetensorsFile, threads: Int) throws -> [NamedTensor] {
        try network(folder: folder).evaluate(rows, threads: threads)
    }
}
