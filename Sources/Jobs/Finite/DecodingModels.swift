import Couplings
import FiniteAlphabets
import Foundation
import Models
import TokenModels

/// The models of a decoding, read from its files: a target, a draft, and the text before and after.
struct DecodingModels<Target: TokenModel, Draft: TokenModel> {
    let target: Target
    let draft: Draft
    /// The prompt's tokens.
    let prompt: [Int]
    let endTokens: Set<Int>
    /// The text of tokens that follow the prompt, with the prompt before it.
    let text: ([Int]) -> String
}

extension DecodingRequest {
    /// Both models are n-grams of the text's bytes.
    func textModels() throws -> DecodingModels<NGramModel, NGramModel> {
        let path = text ?? ""
        let bytes = [UInt8](try LawFile.bytes(path))
        let vocabulary = ByteVocabulary(of: bytes)
        let encoded = try vocabulary.encode(bytes)
        func model(_ order: Int) throws -> NGramModel {
            try NGramModel(order: order, vocabularySize: vocabulary.count, trainedOn: encoded, source: path)
        }
        let (target, draft) = (try model(order), try model(draftOrder))
        let start = try vocabulary.encode(Array(prompt.utf8))
        return DecodingModels(
            target: target, draft: draft, prompt: start, endTokens: [], text: { vocabulary.decode(start + $0) })
    }

    /// The target is the checkpoint, the draft an n-gram model of the text, or of what the checkpoint writes itself.
    func checkpointModels(_ path: String) throws -> DecodingModels<LlamaModel, NGramModel> {
        let model = try LlamaModel(path: path, precision: precision, threads: threads)
        let words = try words(of: path, model)
        let lessons =
            try text.map { try words.encode(String(decoding: LawFile.bytes($0), as: UTF8.self)) } ?? ownWriting(model)
        return models(
            model,
            try NGramModel(
                order: draftOrder, vocabularySize: model.vocabularySize, trainedOn: lessons, source: text ?? path),
            words, prompt: try start(model, words))
    }

    /// Both models are checkpoints of one vocabulary.
    func checkpointModels(
        _ path: String, draft draftPath: String
    ) throws -> DecodingModels<LlamaModel, LlamaModel> {
        let model = try LlamaModel(path: path, precision: precision, threads: threads)
        let draft = try LlamaModel(path: draftPath, precision: precision, threads: threads)
        guard model.vocabularySize == draft.vocabularySize else {
            throw TokenModelError.vocabulariesDiffer(target: model.vocabularySize, draft: draft.vocabularySize)
        }
        let words = try words(of: path, model)
        // Of equal size, two vocabularies may still be different ones.
        if let own = words as? TransformersTokenizer, let file = Self.ownTokenizer(draftPath),
            try !TransformersTokenizer(path: file).hasSameTokens(as: own)
        {
            throw TokenModelError.malformed(
                file: file, expected: "the target's vocabulary, so that the draft can be its draft",
                found: "other tokens")
        }
        return models(model, draft, words, prompt: try start(model, words))
    }

    private func models<Draft: TokenModel>(
        _ target: LlamaModel, _ draft: Draft, _ words: any TextTokenizer, prompt: [Int]
    ) -> DecodingModels<LlamaModel, Draft> {
        DecodingModels(
            target: target, draft: draft, prompt: prompt, endTokens: target.endTokens,
            text: { words.decode(prompt + $0) })
    }

    /// The checkpoint's tokenizer: the one that is named, or else the folder's own.
    private func words(of path: String, _ model: LlamaModel) throws -> any TextTokenizer {
        guard let file = tokenizer ?? Self.ownTokenizer(path) else {
            throw RecipeError(
                "tokenizer", "must be given; \(path) has none of its own (tokenizer.json beside config.json).")
        }
        guard file.hasSuffix(".json") else {
            return try LlamaTokenizer(path: file, vocabularySize: model.vocabularySize)
        }
        let words = try TransformersTokenizer(path: file)
        // A matrix may have more rows than there are tokens, but not fewer.
        guard words.vocabularySize <= model.vocabularySize else {
            throw TokenModelError.malformed(
                file: file, expected: "at most \(model.vocabularySize) tokens, as the checkpoint has",
                found: "\(words.vocabularySize)")
        }
        return words
    }

    private static func ownTokenizer(_ checkpoint: String) -> String? {
        let file = checkpoint.hasSuffix("/") ? "\(checkpoint)tokenizer.json" : "\(checkpoint)/tokenizer.json"
        return FileManager.default.fileExists(atPath: file) ? file : nil
    }

    /// The prompt's tokens. A model that begins every text with a token of its own begins an empty one with it too.
    private func start(_ model: LlamaModel, _ words: any TextTokenizer) throws -> [Int] {
        let tokens = try words.encode(prompt)
        return tokens.isEmpty ? model.beginning.map { [$0] } ?? [] : tokens
    }

    /// A few thousand tokens of the model's own, for a draft to learn from where there is no text.
    private func ownWriting(_ model: LlamaModel) throws -> [Int] {
        var model = model
        var written: [Int] = []
        var randomness = RandomSource(seed: seed).stream(sample: 0, step: 0, purpose: .auxiliary)
        for _ in 0..<16 {
            var story = [model.beginning ?? 0]
            while story.count < min(256, model.contextLength ?? 256) {
                let token = try model.law(after: story).sample(randomness: &randomness)
                if model.endTokens.contains(token) { break }
                story.append(token)
            }
            written += story
        }
        return written
    }
}
