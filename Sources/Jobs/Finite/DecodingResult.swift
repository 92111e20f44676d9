import Couplings
import FiniteAlphabets
import Foundation
import Models
import TokenModels

/// What one or several rules decoded, and at what cost.
public struct DecodingResult: RunResult {
    /// One rule's decoding.
    struct Row: Encodable {
        let rule: CouplingRule
        let drafts, lookahead, tokens, target_calls: Int
        /// Tokens per call of the target.
        let block_efficiency: Double
        let acceptance: Double
        let fallbacks: Int
        /// Whether the tokens follow the target's law.
        let exact: Bool
        let seconds: Double
        let text: String
    }

    let rows: [Row]

    public static func run(_ request: DecodingRequest) throws -> DecodingResult {
        try request.check()
        return DecodingResult(
            rows: try request.checkpoint.map { try rows(request.checkpointModels($0), request) }
                ?? rows(request.textModels(), request))
    }

    private static func rows(
        _ models: DecodingModels<some TokenModel, some TokenModel>, _ request: DecodingRequest
    ) throws -> [Row] {
        let random = RandomSource(seed: request.seed)
        return try request.rules.map { rule in
            var decoder = try SpeculativeDecoder(
                target: models.target, draft: models.draft, lookahead: request.lookahead, endTokens: models.endTokens)
            let begun = ContinuousClock.now
            let output: DecodingOutput
            if rule == .gumbel {
                output = try decoder.decodeInvariantly(prompt: models.prompt, count: request.tokens) { position in
                    random.stream(sample: 0, step: position, purpose: .verification)
                }
            } else {
                var randomness = random.stream(sample: 0, step: 0, purpose: .verification)
                output = try decoder.decode(
                    prompt: models.prompt, count: request.tokens, paths: request.drafts,
                    rule: { try request.parameters.multiDraftRule(rule, $0) ?? NaiveRule($0) },
                    randomness: &randomness)
            }
            return Row(
                rule: rule, drafts: rule == .gumbel ? 1 : request.drafts, lookahead: request.lookahead,
                tokens: output.tokens.count, target_calls: output.targetCalls,
                block_efficiency: output.blockEfficiency, acceptance: output.acceptance, fallbacks: output.fallbacks,
                exact: output.isExact, seconds: (ContinuousClock.now - begun) / .seconds(1),
                text: models.text(output.tokens))
        }
    }

    /// One rule is an object, several are an array of them.
    public func encode(to encoder: any Encoder) throws {
        if rows.count == 1 { try rows[0].encode(to: encoder) } else { try rows.encode(to: encoder) }
    }

    public var text: String {
        let table = rows.map { row in
            row.rule.rawValue.padding(toLength: 22, withPad: " ", startingAt: 0)
                + String(
                    format: "%6d %6d %8d %8d %10.3f %10.3f %9.3f", row.drafts, row.lookahead, row.tokens,
                    row.target_calls, row.block_efficiency, row.acceptance, row.seconds)
                + (row.exact ? "" : "  not exact")
        }
        let title = "rule                  drafts lookah.   tokens    calls tokens/call acceptance   seconds"
        return ((rows.count == 1 ? [rows[0].text] : []) + [title] + table).joined(separator: "\n")
    }
}
