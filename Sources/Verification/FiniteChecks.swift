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
    static let draftCount = 3

    let vocabulary: Int
    let samples: Int
    let seed: UInt64

    /// The checks. A rule that refuses so large a vocabulary has none.
    /// - Parameter index: of the first, which keys the noise of each.
    func all(index: Int) throws -> [Check] {
        let (target, draft) = try laws()
        var checks: [Check] = []
        for (procedures, group) in [
            (try exact(target, draft), Check.Group.finite), (try wrong(target, draft), .control),
        ] {
            for procedure in procedures {
                checks.append(
                    lawCheck(of: procedure, target: target.probabilities, group: group, index: index + checks.count))
                if group == .finite, let acceptance = procedure.acceptance {
                    checks.append(rateCheck(of: procedure, acceptance, index: index + checks.count))
                }
            }
        }
        return checks
    }

    /// Two laws as language models have them: some tokens likely, most hardly, some impossible for one of the two.
    private func laws() throws -> (target: FiniteDistribution, draft: FiniteDistribution) {
        var stream = RandomSource(seed: seed).stream(sample: vocabulary, step: 0, purpose: .auxiliary)
        let logits = stream.normals(vocabulary).map { 2 * $0 }
        let moved = zip(logits, stream.normals(vocabulary)).map { $0 + 0.8 * $1 }
        func weights(_ logits: [Double], without remainder: Int) -> [Double] {
            logits.enumerated().map { $0 % 8 == remainder && vocabulary > 8 ? 0 : exp($1) }
        }
        return (
            try FiniteDistribution(weights: weights(logits, without: 1)),
            try FiniteDistribution(weights: weights(moved, without: 3))
        )
    }

    private func exact(_ target: FiniteDistribution, _ draft: FiniteDistribution) throws -> [Procedure] {
        let problem = try MultiDraftProblem(target: target, draft: draft, count: Self.draftCount)
        let rules: [(String, () throws -> any MultiDraftRule)] = [
            ("naive", { try NaiveRule(problem) }),
            ("K-SEQ", { try KSequentialRule(problem) }),
            ("recursive rejection", { try RecursiveRejectionRule(problem) }),
            ("importance", { try ImportanceWeightedRule(problem) }),
            ("importance, truncated", { try ImportanceWeightedRule(problem, method: .truncated(freeTokens: 2)) }),
            (
                "importance, likeliest",
                { try ImportanceWeightedRule(problem, method: .truncatedVocabulary(likeliest: 8, freeTokens: 4)) }
            ),
            (
                "hybrid",
                { try HybridRule(problem) { problem throws(CouplingError) in try RecursiveRejectionRule(problem) } }
            ),
            ("maximum flow", { try MaxFlowTransport(problem) }),
            ("linear program", { try LinearProgramTransport(problem, solver: PreferredSolver.make()) }),
            ("global resolution", { try GlobalResolution(problem) }),
        ]
        var procedures: [Procedure] = []
        for (name, make) in rules {
            do {
                let rule = try make()
                if rule.isExact { procedures.append(try Self.procedure(name, rule)) }
            } catch CouplingError.problemTooLarge {
                continue
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
        if vocabulary <= Self.mostNumbers / samples { procedures += try twoParties(target, draft) }
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
        return [
            Procedure(
                name: "the first draft, always",
                draw: { source, i in
                    var stream = source.stream(sample: i, step: 0, purpose: .verification)
                    return Selection(token: draft.sample(randomness: &stream), isAccepted: true)
                }, acceptance: nil),
            try Self.procedure("naive, redrawn from the target", ResamplingRule(problem)),
        ]
    }

    /// Pearson's χ² test of the tokens against the target's law.
    private func lawCheck(of procedure: Procedure, target: [Double], group: Check.Group, index: Int) -> Check {
        let (source, samples, vocabulary) = (RandomSource(seed: seed), samples, vocabulary)
        return Check(
            group: group, about: .finite, name: "\(procedure.name), \(vocabulary) tokens", test: "χ²", samples: samples
        ) {
            var counts = Array(repeating: 0, count: vocabulary)
            for i in 0..<samples {
                counts[try procedure.draw(source, NoiseRange.check(index).lowerBound + i).token] += 1
            }
            return ChiSquared.goodnessOfFit(counts: counts, probabilities: target)
        }
    }

    /// The number of drafts taken is binomial; z-test.
    private func rateCheck(of procedure: Procedure, _ acceptance: Double, index: Int) -> Check {
        let (source, samples) = (RandomSource(seed: seed), samples)
        return Check(
            group: .finite, name: "\(procedure.name), rate, \(vocabulary) tokens", test: "z, binomial", samples: samples
        ) {
            var accepted = 0
            for i in 0..<samples {
                accepted += try procedure.draw(source, NoiseRange.check(index).lowerBound + i).isAccepted ? 1 : 0
            }
            return NormalDistribution.binomial(successes: accepted, count: samples, probability: acceptance)
        }
    }
}
