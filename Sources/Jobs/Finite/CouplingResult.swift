import Couplings
import FiniteAlphabets
import Foundation
import Models
import Statistics

/// What a coupling does: its exact acceptance and law, and samples of it.
public struct CouplingResult: RunResult {
    let rule: CouplingRule
    /// How many there are: without replacement at most as many as the law has tokens.
    let drafts: Int
    let draft_scheme: DraftScheme
    /// P(the output is a draft the rule took); for gumbel, minhash and low-communication P(both tokens are equal).
    /// Nil where global resolution is within its tolerance only and the vocabulary is too large to enumerate.
    @Nullable private(set) var acceptance: Double?
    /// α* of all drafts; nil where it takes too many sets of them.
    @Nullable private(set) var optimum: Double?
    /// Whether the output's law is the target's, but for rounding; global resolution may be within its tolerance only.
    private(set) var exact = true
    /// Nil where the vocabulary is too large to enumerate, and for gumbel, minhash and low-communication, where each party's
    /// token has its own law by construction: only the samples can tell, `empirical_l1`.
    @Nullable private(set) var output_law_l1: Double?
    private(set) var empirical_l1: Double?
    /// Building the rule, without samples and exact laws.
    private(set) var seconds = 0.0
    /// Bits and rounds in the mean, for low-communication.
    private(set) var expected_bits, expected_rounds: Double?
    /// Why global resolution fell back to a simpler rule, if it did.
    private(set) var early_termination: String?

    public static func run(_ request: CouplingRequest) throws -> CouplingResult {
        try request.check()
        let (q, laws) = try LawFile.laws(target: request.target, drafts: request.draftLaws)
        let problem =
            laws.count == 1
            ? try MultiDraftProblem(target: q, draft: laws[0], count: request.drafts, scheme: request.scheme)
            : try MultiDraftProblem(target: q, drafts: laws)
        var result = CouplingResult(
            request, drafts: problem.draftCount,
            optimum: try Self.unlessTooLarge { try OptimalAcceptance(problem).value })
        let rule = try result.timed { try request.parameters.multiDraftRule(request.rule, problem) }
        if let rule {
            try result.describe(rule, request)
        } else {
            try result.describeTwoParties(laws[0], q, request)
        }
        return result
    }

    private init(_ request: CouplingRequest, drafts: Int, optimum: Double?) {
        (rule, draft_scheme, self.drafts) = (request.rule, request.scheme, drafts)
        self.optimum = optimum
    }

    private mutating func describe(_ rule: any MultiDraftRule, _ request: CouplingRequest) throws {
        acceptance = try Self.unlessTooLarge { try rule.acceptance() }
        exact = rule.isExact
        output_law_l1 = try Self.unlessTooLarge { Self.distance(try rule.outputLaw(), rule.problem.target) }
        early_termination = rule.earlyTermination?.description
        var randomness = request.stream()
        empirical_l1 = try request.empiricalDistance(rule.problem.target) {
            try rule.select(from: rule.problem.drawDrafts(randomness: &randomness), randomness: &randomness).token
        }
    }

    /// Nil where it would take too much.
    private static func unlessTooLarge(_ value: () throws -> Double) throws -> Double? {
        do { return try value() } catch CouplingError.problemTooLarge { return nil }
    }

    /// The couplings without a common view of both laws: each party's token follows its own law by construction.
    private mutating func describeTwoParties(
        _ p: FiniteDistribution, _ q: FiniteDistribution, _ request: CouplingRequest
    ) throws {
        switch rule {
        case .gumbel:
            acceptance = try timed { try GumbelCoupling.matchProbability(draft: p, target: q) }
            var randomness = request.stream()
            empirical_l1 = try request.empiricalDistance(q) {
                try GumbelCoupling.token(
                    of: q, uniforms: GumbelCoupling.uniforms(count: q.count, randomness: &randomness))
            }
        case .minhash:
            acceptance = try timed { try WeightedMinHashCoupling.matchProbability(draft: p, target: q) }
            var draw = 0
            empirical_l1 = request.empiricalDistance(q) {
                draw += 1
                return WeightedMinHashCoupling.token(of: q, darts: request.stream(draw))
            }
        default:
            let coupling = try timed {
                try LowCommunicationCoupling(draft: p, target: q, precision: request.parameters.precision)
            }
            acceptance = coupling.matchProbability
            expected_bits = coupling.expectedBits
            expected_rounds = coupling.expectedRounds
            var (shared, alice, bob) = (request.stream(0), request.stream(1), request.stream(2))
            empirical_l1 = try request.empiricalDistance(q) {
                try coupling.run(shared: &shared, alice: &alice, bob: &bob).targetToken
            }
        }
    }

    /// What `body` makes; the time it took becomes `seconds`.
    private mutating func timed<Value>(_ body: () throws -> Value) rethrows -> Value {
        let begun = ContinuousClock.now
        let value = try body()
        seconds = (ContinuousClock.now - begun) / .seconds(1)
        return value
    }

    fileprivate static func distance(_ law: [Double], _ target: FiniteDistribution) -> Double {
        zip(law, target.probabilities).reduce(0) { $0 + abs($1.0 - $1.1) }
    }

    public var text: String {
        func number(_ value: Double?) -> String { value.map { String(format: "%.6g", $0) } ?? "not computed" }
        var lines = [
            "rule           \(rule.rawValue)",
            "drafts         \(drafts)\(draft_scheme == .independent ? "" : ", \(draft_scheme.rawValue)")",
            "acceptance     \(number(acceptance))", "optimum        \(number(optimum))",
            "output law L1  \(number(output_law_l1))", "exact          \(exact ? "yes" : "no, within 15τ")",
        ]
        if let empirical_l1 { lines.append("empirical L1   \(number(empirical_l1))") }
        if let expected_bits { lines.append("expected bits  \(number(expected_bits))") }
        if let early_termination { lines.append("fell back      \(early_termination)") }
        lines.append("seconds        \(number(seconds))")
        return lines.joined(separator: "\n")
    }
}

extension CouplingRequest {
    /// The randomness of a sample, or of one party.
    fileprivate func stream(_ sample: Int = 0) -> RandomStream {
        RandomSource(seed: seed).stream(sample: sample, step: 0, purpose: .auxiliary)
    }

    /// How far the law of the samples is from `law` in L1; nil without samples.
    fileprivate func empiricalDistance(_ law: FiniteDistribution, _ draw: () throws -> Int) rethrows -> Double? {
        guard count > 0 else { return nil }
        var shares = Array(repeating: 0.0, count: law.count)
        for _ in 0..<count { shares[try draw()] += 1 / Double(count) }
        return CouplingResult.distance(shares, law)
    }
}
