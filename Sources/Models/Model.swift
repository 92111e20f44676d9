import Couplings
import Diffusion
import NeuralNetwork

/// A trained diffusion model: a network, and the process that it was trained to undo. What it makes is sampled through
/// its chain; see `ImageModel.samples` for the shortest way.
///
/// A further kind of model is a type of its own and a line in `ModelKind.all`; a further architecture for pictures is an
/// `ImageNetwork` and a line in `ImageModel.architectures`.
public protocol Model: Sendable {
    /// What one sample is asked to show: a class, an observation.
    associatedtype Subject: Sendable

    /// What a folder of this kind is, for lists and errors.
    static var kind: ModelKind { get }

    /// - Parameter name: of a bundled model, or the path of a folder.
    /// - Throws: `CheckpointError`, `ModelError` or `DiffusionError`, naming the file and what is wrong with it.
    init(named name: String) throws

    /// As it was asked for: a folder, or a bundled model's name.
    var name: String { get }
    /// The noise that the network was trained to undo.
    var noise: NoiseProcess { get }
    /// What the states of its chains are, if they are pictures.
    var pictures: PictureShape? { get }
    /// What of the model's files is not followed as another program might, a sentence each: to be said once.
    var notes: [String] { get }
    /// In one line: what it makes, of what size, by how many parameters.
    var summary: String { get }

    /// The chain that a recipe describes.
    /// - Parameters:
    ///   - recipe: steps, churn, spacing and guidance.
    ///   - subjects: what the samples are to show, in turn; what an empty list means is the model's to say.
    ///   - threads: cores to use, at least 1.
    /// - Throws: `RecipeError` for a recipe or a subject that does not fit the model.
    func chain(_ recipe: ChainRecipe, subjects: [Subject], threads: Int) throws -> DenoisingChain

    /// What is in a folder, also where the network is sound but cannot be sampled.
    static func inspection(of name: String, folder: String) throws -> any Inspection
    /// One call of a folder's network on given rows.
    /// - Returns: the output tensors by name, as the library that trained it returns them.
    static func evaluate(folder: String, rows: SafetensorsFile, threads: Int) throws -> [NamedTensor]
    /// In one line, what a folder holds.
    static func summary(folder: String) throws -> String
}

extension Model {
    public var pictures: PictureShape? { nil }
    public var notes: [String] { noise.notes }
    public static func summary(folder: String) throws -> String { try Self(named: folder).summary }
}

/// A tensor of Float32.
public struct NamedTensor: Sendable {
    public let name: String
    public let shape: [Int]
    public let values: [Float]

    public init(_ name: String, shape: [Int], values: [Float]) {
        (self.name, self.shape, self.values) = (name, shape, values)
    }
}

/// A kind of model: how its folders are told apart, and what runs them.
public struct ModelKind: Sendable {
    /// `_class_name` of the networks in such folders.
    public let classNames: [String]
    /// "an image model"
    public let words: String
    /// The subcommand that samples it.
    public let command: String

    public init(classNames: [String], words: String, command: String) {
        (self.classNames, self.words, self.command) = (classNames, words, command)
    }

    /// All kinds. A folder that names another class, or none, is taken for the first, whose reader then says what is wrong.
    public static let all: [any Model.Type] = [ImageModel.self, PolicyModel.self, MixtureModel.self]

    /// The kind of a folder.
    /// - Throws: `CheckpointError` if its `config.json` cannot be read.
    public static func of(folder: String) throws -> any Model.Type {
        let name = try ModelFolder.className(of: folder)
        return all.first { type in name.map(type.kind.classNames.contains) ?? false } ?? all[0]
    }

    /// Refuses a folder that holds another kind of model.
    func require(folder: String) throws {
        let found = try Self.of(folder: folder).kind
        guard found.classNames != classNames else { return }
        let name = try ModelFolder.className(of: folder) ?? "none"
        throw ModelError(
            ModelFolder.configuration(of: folder), key: "_class_name", expected: classNames.joined(separator: " or "),
            found: "\(name), \(found.words)", remedy: "run it with diffspec \(found.command)")
    }
}
