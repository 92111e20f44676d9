import FiniteAlphabets
import Foundation
import NeuralNetwork

/// A Llama, read from a checkpoint of llama2.c or a folder of transformers.
///
/// The keys and values of the last context and tree are kept; of what shares its beginning with them only the rest is computed, in one
/// pass over the weights.
public struct LlamaModel: TokenModel, Sendable {
    private let network: Llama
    private var cache: LlamaCache
    /// To share the work out among. What is computed does not depend on them.
    public var threads: Int
    /// The tokens that the checkpoint begins and ends a text with, as far as it says so.
    public let beginning: Int?
    public let endTokens: Set<Int>

    /// - Parameters:
    ///   - path: of a file of llama2.c's versions 0 to 2, or of a folder with `config.json` and `model.safetensors`.
    ///   - precision: of the large products.
    ///   - threads: to share the work out among.
    /// - Throws: `TokenModelError` or `CheckpointError` naming the file and what is wrong with it.
    public init(path: String, precision: Precision = .f32, threads: Int = 1) throws {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            network = try Llama(folder: path, precision: precision)
            let special = try LlamaSpecialTokens(folder: path, vocabularySize: network.configuration.vocabularySize)
            (beginning, endTokens) = (special.beginning, special.ends)
        } else {
            let checkpoint = try LlamaCheckpoint(path: path)
            network = try Llama(checkpoint.configuration, precision: precision, tensor: checkpoint.tensor)
            // llama2.c's programs begin with this token, and end where it comes again.
            (beginning, endTokens) = (LlamaTokenizer.beginning, [LlamaTokenizer.beginning])
        }
        cache = LlamaCache(network.configuration)
        self.threads = threads
    }

    public var vocabularySize: Int { network.configuration.vocabularySize }
    public var contextLength: Int? { network.configuration.contextLength }
    /// Numbers in the weights.
    public var parameterCount: Double { network.configuration.parameters.reduce(0) { $0 + Double($1.count) } }

    /// - Throws: `TokenModelError` for an empty context, one longer than the model's, or a token outside the vocabulary;
    ///   `CouplingError` for scores that are not numbers.
    public mutating func laws(
        after context: [Int], tree: TokenTree, nodes: Range<Int>, truncation: LogitsTruncation
    ) throws -> [SparseLaw] {
        guard !context.isEmpty else {
            throw TokenModelError.parameterOutOfRange(
                name: "the context's length", value: 0,
                expected: "at least 1 (a llama begins with its beginning-of-text token)")
        }
        let length = context.count + (tree.depths.max() ?? 0)
        guard length <= network.configuration.contextLength else {
            throw TokenModelError.contextTooLong(length: length, limit: network.configuration.contextLength)
        }
        for (position, token) in (context + tree.tokens.dropFirst()).enumerated()
        where !(0..<vocabularySize).contains(token) {
            throw TokenModelError.outsideVocabulary(what: "token \(token)", position: position)
        }
        return try network.scores(
            after: context, parents: tree.parents, tokens: tree.tokens, nodes: nodes, cache: &cache, threads: threads
        ).map { try truncation.law(ofLogits: $0, name: "next-token scores of the checkpoint") }
    }
}
