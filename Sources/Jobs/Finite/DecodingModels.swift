import Couplings
import FiniteAlphabets
import Foundation
import TokenModels

/// The models of a decoding, read from its files: a target, a draft, and the text before and after.
struct DecodingModels<Target: TokenModel, Draft: TokenModel> {
    let target: TemperedModel<Target>
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
            target: try TemperedModel(target, temperature: temperature), draft: draft, prompt: start, endTokens: [],
            text: { vocabulary.decode(start + $0) })
    }

    /// The target is the checkpoint, the draft an n-gram model of the text, or of what the checkpoint writes itself.
    func checkpointModels(_ path: String) throws -> DecodingModels<LlamaModel, NGramModel> {
        let model = LlamaModel(try LlamaCheckpoint(path: path))
        let tokenizer = try LlamaTokenizer(path: tokenizer ?? "", vocabularySize: model.vocabularySize)
        let start = try tokenizer.encode(prompt)
        let lessons =
            try text.map { try tokenizer.encode(String(decoding: LawFile.bytes($0), as: UTF8.self)) }
            ?? ownWriting(model)
        let draft = try NGramModel(
            order: draftOrder, vocabularySize: model.vocabularySize, trainedOn: lessons, source: text ?? path)
        return DecodingModels(
            target: try TemperedModel(model, temperature: temperature), draft: draft, prompt: start,
            endTokens: [LlamaTokenizer.beginning], text: { tokenizer.decode(start + $0) })
    }

    /// A few thousand tokens of the model's own, for a draft to learn from where there is no text.
    private func ownWriting(_ model: LlamaModel) throws -> [Int] {
        var model = model
        var written: [Int] = []
        var randomness = RandomSource(seed: seed).stream(sample: 0, step: 0, purpose: .auxiliary)
        for _ in 0..<16 {
            var story = [LlamaTokenizer.beginning]
            while story.count < min(256, model.checkpoint.contextLength) {
                let token = try model.nextDistribution(after: story).sample(randomness: &randomness)
                if token == LlamaTokenizer.beginning { break }
                story.append(token)
            }
            written += story
        }
        return written
    }
}
