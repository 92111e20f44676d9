import Couplings
import FiniteAlphabets
import Foundation
import TokenModels

/// How often two parties match without communication along a text of the target's own, and the bounds (CWC, Figure 2).
public struct TokenLawPairs: RunResult {
    /// The match probabilities of one pair of next-token laws.
    struct Row: Encodable {
        let total_variation, maximal, gumbel, minhash, bound: Double
    }

    let rows: [Row]

    public static func run(_ request: DecodingRequest) throws -> TokenLawPairs {
        try request.check()
        return TokenLawPairs(
            rows: try request.checkpoint.map { try rows(request.checkpointModels($0), request) }
                ?? rows(request.textModels(), request))
    }

    private static func rows(
        _ models: DecodingModels<some TokenModel, some TokenModel>, _ request: DecodingRequest
    ) throws -> [Row] {
        var (target, draft, context) = (models.target, models.draft, models.prompt)
        var randomness = RandomSource(seed: request.seed).stream(sample: 0, step: 0, purpose: .verification)
        return try (0..<request.pairs).map { _ in
            let q = try target.nextDistribution(after: context)
            let p = try draft.nextDistribution(after: context)
            let distance = try p.totalVariation(to: q)
            context.append(q.sample(randomness: &randomness))
            return Row(
                total_variation: distance, maximal: 1 - distance,
                gumbel: try GumbelCoupling.matchProbability(draft: p, target: q),
                minhash: try WeightedMinHashCoupling.matchProbability(draft: p, target: q),
                bound: CommunicationFreeBound.matchProbability(totalVariation: distance))
        }
    }

    public func encode(to encoder: any Encoder) throws { try rows.encode(to: encoder) }

    public var text: String {
        (["  distance    1 - D   Gumbel  MinHash    bound"]
            + rows.map {
                String(
                    format: "%10.4f %8.4f %8.4f %8.4f %8.4f", $0.total_variation, $0.maximal, $0.gumbel, $0.minhash,
                    $0.bound)
            }).joined(separator: "\n")
    }
}
