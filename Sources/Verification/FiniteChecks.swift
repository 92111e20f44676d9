import Couplings
import FiniteAlphabets
import Foundation
import Statistics

/// Checks of the rules for tokens: whatever the drafts, the token that comes out has the target's law, and a draft is taken as often
/// as the rule says.
struct FiniteChecks {
    /// A procedure under its name: makes one token a call.
    private struct Procedure: Sendable {
        let name: String
        /// Draws the token of sample `i`; whether it is a draft, where the procedure says how often it will be.
        let draw: @Sendable (_ source: RandomSource, _ i: Int) throws -> Selection
        /// How often a draft is taken; nil where it is not said.
        let acceptance: Double?
    }

    /// Numbers drawn in all, above which a rule that draws some for each token of the vocabulary is left out.
    private static let mostNumbers = 100_000_000
    /// Tokens that all draws of a check may go through; above it the rules are tried on the likeliest tokens alone.
    private static let mostSteps = 3_000_000_000
    static let draftCount = 3
    /// k of the laws of the likeliest tokens.
    private static let likeliest = 50
    /// Small enough that the truncated weights leave something out of a small vocabulary.
    private let parameters = CouplingParameters(freeTokens: 4, likeliest: 8)

    let vocabulary: Int
    let samples: Int
    let seed: UInt64

    /// A target and a draft, and how their tokens are called in a check's name.
    private struct Laws {
        let target, draft: FiniteDistribution
        let name: String
    }

    /// The checks. A rule that refuses so large a vocabulary has none.
    /// - Parameter index: of the first, which keys the noise of each.
    func all(index: Int) throws -> [Check] {
        var checks: [Check] = []
        for laws in try families() {
            for (procedures, group) in [
                (try exact(laws.target, laws.draft), Check.Group.finite),
                (try wrong(laws.target, laws.draft), .control),
            ] {
                for procedure in procedures {
                    checks.append(lawCheck(of: procedure, laws, group: group, index: index + checks.count))
                    if group == .finite, let acceptance = procedure.acceptance {
                        checks.append(rateCheck(of: procedure, acceptance, laws, index: index + checks.count))
                    }
                }
            }
        }
        return checks
    }

    /// The laws as they are, and, of a large vocabulary, their likeliest tokens, on which the rules then work.
    private func families() throws -> [Laws] {
        let (target, draft) = try scores()
        func whole(_ scores: [Float]) throws -> FiniteDistribution {
            try FiniteDistribution(weights: scores.map { exp(Double($0)) })
        }
        let all = Laws(target: try whole(target), draft: try whole(draft), name: "\(vocabulary) tokens")
        guard vocabulary > 4 * Self.likeliest else { return [all] }
        var truncation = LogitsTruncation()
        truncation.topK = Self.likeliest
        let problem = try SparseProblem(
            target: truncation.law(ofLogits: target), drafts: [truncation.law(ofLogits: draft)]
        ).problem
        let top = Laws(
            target: problem.target, draft: problem.drafts[0], name: "top \(Self.likeliest) of \(vocabulary) tokens")
        // Each draw from a whole law goes through its tokens.
        return vocabulary <= Self.mostSteps / samples ? [all, top] : [top]
    }

    /// The scores of two laws as language models have them: some tokens likely, most hardly, some impossible for one of the two.
    private func scores() throws -> (target: [Float], draft: [Float]) {
        var stream = RandomSource(seed: seed).stream(sample: vocabulary, step: 0, purpose: .auxiliary)
        let logits = stream.normals(vocabulary).map { 2 * $0 }
        let moved = zip(logits, stream.normals(vocabulary)).map { $0 + 0.8 * $1 }
        func scores(_ logits: [Double], without remainder: Int) -> [Float] {
            logits.enumerated().map { $0 % 8 == remainder && vocabulary > 8 ? -.infinity : Float($1) }
        }
        return (scores(logits, without: 1), scores(moved, without: 3))
    }

    private func exact(_ target: FiniteDistribution, _ draft: FiniteDistribution) throws -> [Procedure] {
        var procedures: [Procedure] = []
        for scheme in DraftScheme.allCases {
            let problem = try MultiDraftProblem(target: target, draft: draft, count: Self.draftCount, scheme: scheme)
            for rule in CouplingRule.allCases where rule.choosesAmongDrafts && rule.accepts(scheme) {
                do {
                    guard let made = try parameters.multiDraftRule(rule, problem), made.isExact else { continue }
                    let how = scheme == .independent ? "" : ", \(scheme.rawValue)"
                    procedures.append(try Self.procedure(rule.rawValue + how, made))
                } catch CouplingError.problemTooLarge {
                    continue
                }
            }
        }
        let maximal = try MaximalCoupling(draft: draft, target: target)
        procedures.append(
            Procedure(
                name: "maximal coupling",
                draw: { source, i in
                    var stream = source.stream(sample: i, step: 0, purpose: .verification)
                    let drafted = draft.sample(randomness: &stream)
                    return try maximal.verify(drafted, randomness: &stream)
                }, acceptance: maximal.matchProbability))
        if target.count <= Self.mostNumbers / samples { procedures += try twoParties(target, draft) }
        return procedures
    }

    /// Couplings of two parties who do not know each other's law; what counts is the second's token, and how often both have the same.
    private func twoParties(_ target: FiniteDistribution, _ draft: FiniteDistribution) throws -> [Procedure] {
        let low = try LowCommunicationCoupling(draft: draft, target: target)
        return [
            Procedure(
                name: "Gumbel",
                draw: { source, i in
                    var stream = source.stream(sample: i, step: 0, purpose: .verification)
                    let uniforms = GumbelCoupling.uniforms(count: target.count, randomness: &stream)
                    let token = try GumbelCoupling.token(of: target, uniforms: uniforms)
                    return Selection(
                        token: token, isAccepted: try GumbelCoupling.token(of: draft, uniforms: uniforms) == token)
                }, acceptance: try GumbelCoupling.matchProbability(draft: draft, target: target)),
            Procedure(
                name: "weighted MinHash",
                draw: { source, i in
                    let stream = source.stream(sample: i, step: 0, purpose: .verification)
                    let token = WeightedMinHashCoupling.token(of: target, darts: stream)
                    return Selection(
                        token: token, isAccepted: WeightedMinHashCoupling.token(of: draft, darts: stream) == token)
                }, acceptance: try WeightedMinHashCoupling.matchProbability(draft: draft, target: target)),
            Procedure(
                name: "low communication",
                draw: { source, i in
                    func stream(_ party: Int) -> RandomStream {
                        source.stream(sample: i, step: party, purpose: .verification)
                    }
                    var (shared, alice, bob) = (stream(0), stream(1), stream(2))
                    let found = try low.run(shared: &shared, alice: &alice, bob: &bob)
                    return Selection(token: found.targetToken, isAccepted: found.targetToken == found.draftToken)
                }, acceptance: low.matchProbability),
        ]
    }

    private static func procedure(_ name: String, _ rule: any MultiDraftRule) throws -> Procedure {
        // Where the rate takes too many tuples to work out, the law is tested alone.
        let acceptance: Double?
        do { acceptance = try rule.acceptance() } catch CouplingError.problemTooLarge { acceptance = nil }
        return Procedure(
            name: name,
            draw: { source, i in
                var stream = source.stream(sample: i, step: 0, purpose: .verification)
                return try rule.select(from: rule.problem.drawDrafts(randomness: &stream), randomness: &stream)
            }, acceptance: acceptance)
    }

    /// What the test must find out.
    private func wrong(_ target: FiniteDistribution, _ draft: FiniteDistribution) throws -> [Procedure] {
        let problem = try MultiDraftProblem(target: target, draft: draft, count: Self.draftCount)
        // Of a flat law hardly any token is drawn twice, so that nobody could tell the schemes apart.
        var peaked = draft
        while (peaked.probabilities.max() ?? 1) < 0.9 {
            peaked = try FiniteDistribution(weights: peaked.probabilities.map { $0.squareRoot() * $0 })
        }
        let distinct = try MultiDraftProblem(
            target: target, draft: peaked, count: Self.draftCount, scheme: .withoutReplacement)
        let independent = try RecursiveRejectionRule(
            MultiDraftProblem(target: target, draft: peaked, count: Self.draftCount))
        return [
            Procedure(
                name: "the first draft, always",
                draw: { source, i in
                    var stream = source.stream(sample: i, step: 0, purpose: .verification)
                    return Selection(token: draft.sample(randomness: &stream), isAccepted: true)
                }, acceptance: nil),
            try Self.procedure("naive, redrawn from the target", ResamplingRule(problem)),
            Procedure(
                name: "without replacement, verified as if independent",
                draw: { source, i in
                    var stream = source.stream(sample: i, step: 0, purpose: .verification)
                    return try independent.select(from: distinct.drawDrafts(randomness: &stream), randomness: &stream)
                }, acceptance: nil),
        ]
    }

    /// Pearson's χ² test of the tokens against the target's law.
    private func lawCheck(of procedure: Procedure, _ laws: Laws, group: Check.Group, index: Int) -> Check {
        let (source, samples) = (RandomSource(seed: seed), samples)
        return Check(
            group: group, about: .finite, name: "\(procedure.name), \(laws.name)", test: "χ²", samples: samples
        ) {
            var counts = Array(repeating: 0, count: laws.target.count)
            for i in 0..<samples {
                counts[try procedure.draw(source, NoiseRange.check(index).lowerBound + i).token] += 1
            }
            return ChiSquared.goodnessOfFit(counts: counts, probabilities: laws.target.probabilities)
        }
    }

    /// The number of drafts taken is binomial; z-test.
    private func rateCheck(of procedure: Procedure, _ acceptance: Double, _ laws: Laws, index: Int) -> Check {
        let (source, samples) = (RandomSource(seed: seed), samples)
        return Check(
            group: .finite, name: "\(procedure.name), rate, \(laws.name)", test: "z, binomial", samples: samples
        ) {
            var accepted = 0
            for i in 0..<samples {
                accepted += try procedure.draw(source, NoiseRange.check(index).lowerBound + i).isAccepted ? 1 : 0
            }
            return NormalDistribution.binomial(successes: accepted, count: samples, probability: acceptance)
        }
    }
}
