import Couplings
import FiniteAlphabets
import Foundation
import Models
import TokenModels

/// What one or several rules decoded, and at what cost, beside decoding without drafts.
public struct DecodingResult: RunResult {
    /// One rule's decoding.
    struct Row: Encodable {
        /// Or "autoregressive", of decoding without drafts.
        let rule: String
        let drafts, lookahead, tokens, target_calls: Int
        /// Tokens per call of the target.
        let block_efficiency: Double
        let acceptance: Double
        let fallbacks: Int
        /// Whether the tokens follow the target's law.
        let exact: Bool
        /// How far the law of the whole text can be from the target's in L1: 15τ a token of global resolution (GR, Theorem R.1), at
        /// most 2; 0 for exact rules.
        let law_l1_bound: Double
        let seconds: Double
        let tokens_per_second: Double
        /// Of the tokens a second, to those of decoding without drafts.
        var speedup = 1.0
        let text: String

        init(
            _ name: String, drafts: Int, lookahead: Int, _ output: DecodingOutput, tolerance: Double,
            seconds: Double, text: String
        ) {
            (rule, self.drafts, self.lookahead, tokens) = (name, drafts, lookahead, output.tokens.count)
            (target_calls, block_efficiency) = (output.targetCalls, output.blockEfficiency)
            (acceptance, fallbacks, exact) = (output.acceptance, output.fallbacks, output.isExact)
            (self.seconds, self.text) = (seconds, text)
            law_l1_bound = output.isExact ? 0 : min(2, 15 * tolerance * Double(tokens))
            tokens_per_second = seconds > 0 ? Double(tokens) / seconds : 0
        }
    }

    let rows: [Row]
    /// Decoding without drafts by the same engine.
    let autoregressive: Row

    public static func run(_ request: DecodingRequest) throws -> DecodingResult {
        try request.check()
        guard let checkpoint = request.checkpoint else { return try result(request.textModels(), request) }
        guard let draft = request.draftCheckpoint else {
            return try result(request.checkpointModels(checkpoint), request)
        }
        return try result(request.checkpointModels(checkpoint, draft: draft), request)
    }

    private static func result(
        _ models: DecodingModels<some TokenModel, some TokenModel>, _ request: DecodingRequest
    ) throws -> DecodingResult {
        let random = RandomSource(seed: request.seed)
        func timed(
            _ name: String, drafts: Int, lookahead: Int, _ decode: () throws -> DecodingOutput
        ) rethrows -> Row {
            let begun = ContinuousClock.now
            let output = try decode()
            return Row(
                name, drafts: drafts, lookahead: lookahead, output, tolerance: request.parameters.tolerance,
                seconds: (ContinuousClock.now - begun) / .seconds(1),
                text: models.text(output.tokens))
        }
        func plain(_ count: Int) throws -> DecodingOutput {
            var decoder = PlainDecoder(models.target, endTokens: models.endTokens, truncation: request.truncation)
            var randomness = random.stream(sample: 0, step: 0, purpose: .verification)
            return try decoder.decode(prompt: models.prompt, count: count, randomness: &randomness)
        }
        // The first calls come to cold memory.
        _ = try plain(min(request.tokens, 8))
        let autoregressive = try timed("autoregressive", drafts: 0, lookahead: 0) { try plain(request.tokens) }
        let shape = try request.shape()
        let rows = try request.rules.map { rule in
            var decoder = try SpeculativeDecoder(
                target: models.target, draft: models.draft, lookahead: request.lookahead, endTokens: models.endTokens,
                truncation: request.truncation, draftTruncation: request.draftTruncation)
            var row = try timed(rule.rawValue, drafts: shape.pathCount, lookahead: request.lookahead) {
                if rule == .gumbel {
                    return try decoder.decodeInvariantly(
                        prompt: models.prompt, count: request.tokens, paths: request.drafts
                    ) { position in
                        random.stream(sample: 0, step: position, purpose: .verification)
                    }
                }
                var randomness = random.stream(sample: 0, step: 0, purpose: .verification)
                return try decoder.decode(
                    prompt: models.prompt, count: request.tokens, shape: shape,
                    rule: { try request.parameters.multiDraftRule(rule, $0) ?? NaiveRule($0) },
                    randomness: &randomness)
            }
            if autoregressive.tokens_per_second > 0 {
                row.speedup = row.tokens_per_second / autoregressive.tokens_per_second
            }
            return row
        }
        return DecodingResult(rows: rows, autoregressive: autoregressive)
    }

    /// One rule is an object, with decoding without drafts as a key of it; several are an array that ends with it.
    public func encode(to encoder: any Encoder) throws {
        guard rows.count == 1 else { return try (rows + [autoregressive]).encode(to: encoder) }
        try rows[0].encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(autoregressive, forKey: .autoregressive)
    }

    private enum Key: CodingKey { case autoregressive }

    public var text: String {
        let table = ([autoregressive] + rows).map { row in
            row.rule.padding(toLength: 22, withPad: " ", startingAt: 0)
                + String(
                    format: "%6d %6d %8d %8d %10.3f %10.3f %9.3f %9.1f %7.2f", row.drafts, row.lookahead, row.tokens,
                    row.target_calls, row.block_efficiency, row.acceptance, row.seconds, row.tokens_per_second,
                    row.speedup)
                + (row.exact
                    ? "" : String(format: "  not exact: the text's law is within %.3g in L1", row.law_l1_bound))
        }
        let title =
            "rule                  drafts lookah.   tokens    calls tokens/call acceptance   seconds  tokens/s   ratio"
        return ((rows.count == 1 ? [rows[0].text] : []) + [title] + table).joined(separator: "\n")
    }
}
