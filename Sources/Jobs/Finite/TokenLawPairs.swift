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
        guard let checkpoint = request.checkpoint else {
            return TokenLawPairs(rows: try rows(request.textModels(), request))
        }
        guard let draft = request.draftCheckpoint else {
            return TokenLawPairs(rows: try rows(request.checkpointModels(checkpoint), request))
        }
        return TokenLawPairs(rows: try rows(request.checkpointModels(checkpoint, draft: draft), request))
    }

    private static func rows(
        _ models: DecodingModels<some TokenModel, some TokenModel>, _ request: DecodingRequest
    ) throws -> [Row] {
        var (target, draft, context) = (models.target, models.draft, models.prompt)
        var randomness = RandomSource(seed: request.seed).stream(sample: 0, step: 0, purpose: .verification)
        return try (0..<request.pairs).map { _ in
            let law = try target.law(after: context, truncation: request.truncation)
            let draftLaw = try draft.law(after: context, truncation: request.draftTruncation)
            let problem = try SparseProblem(target: law, drafts: [draftLaw]).problem
            let (q, p) = (problem.target, problem.drafts[0])
            let distance = try p.totalVariation(to: q)
            context.append(law.sample(randomness: &randomness))
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
