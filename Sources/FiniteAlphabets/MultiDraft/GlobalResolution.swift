import Platform

/// Algorithm 1 (GR, Section 6): global resolution, the optimal transport for n i.i.d. drafts by two convex
/// minimisations.
///
/// The output deviates from q by at most 15τ in L1, the acceptance from α* by at most 10τ. Three things differ from the
/// printed algorithm:
///
/// - It stops at ‖∇‖₁ ≤ 5τ, which with the truncation's 3ε_T makes a deviation of 8τ in a system and not the 5τ the
///   guarantee counts with. Here a system stops at ‖∇‖₁ ≤ 5τ - 3ε_T.
/// - It solves only the system the drafts fall in and samples from q if that fails. The output then follows q only if
///   both systems fail together. Here both are solved, and where either fails the whole rule is another, which is exact: of
///   those that take little time the one that accepts most.
/// - The gradient says what every token receives, so what is too much can be returned: a draft is kept with probability
///   share/received, and what is not kept or was never received goes to the residual, as in Protocol 1 of CWC. Where one
///   gradient over all tokens is affordable the output so follows q exactly, and only the acceptance is approximate.
public struct GlobalResolution: FixedResidualRule {
    /// Accuracy, and when to give up.
    public struct Configuration: Sendable {
        /// τ.
        public var tolerance: Double
        /// Gives up on a system whose gradient takes more quotients than this (the paper limits |T|).
        public var maximumWork: Double
        /// Gives up after so many L-BFGS iterations.
        public var maximumIterations: Int

        public init(tolerance: Double = 1e-4, maximumWork: Double = 1.3e6, maximumIterations: Int = 200) {
            self.tolerance = tolerance
            self.maximumWork = maximumWork
            self.maximumIterations = maximumIterations
        }
    }

    /// What τ may be.
    public static let tolerances = ParameterRange("the tolerance", "above 0 and below 1") { $0 > 0 && $0 < 1 }

    /// Why global resolution gave up.
    public enum EarlyTermination: Equatable, Sendable, CustomStringConvertible {
        /// The truncated system is too large.
        case tooLarge(tokens: Int)
        /// The gradient did not become small enough.
        case notConverged(gradientNorm: Double)

        public var description: String {
            switch self {
            case .tooLarge(let tokens): "the truncated system has \(tokens) tokens"
            case .notConverged(let norm): "the gradient stopped at \(norm)"
            }
        }
    }

    public let problem: MultiDraftProblem
    /// α*.
    public let optimum: Double
    /// Nil on success; else the rule behaves as the best exact one that takes little time.
    public let earlyTermination: EarlyTermination?
    /// Whether the output follows q exactly; else within 15τ.
    public let isExact: Bool
    public let residual: FiniteDistribution?
    private let isInner: [Bool]
    private let odds: Odds
    private let substitute: (any FixedResidualRule)?

    /// - Throws: `CouplingError.draftsNotIdentical`, or `.parameterOutOfRange` unless 0 < τ < 1.
    public init(
        _ problem: MultiDraftProblem, configuration: Configuration = Configuration()
    ) throws(CouplingError) {
        let tau = configuration.tolerance
        try GlobalResolution.tolerances.check(tau)
        let p = try problem.identicalDraft(for: "global resolution")
        let q = problem.target
        // Lines 1 and 2: H* and the shares p_i.
        let residuals = try OuterResiduals(target: q, draft: p, problem: problem)
        let isInner = residuals.optimum.isInMinimiser
        // Lines 3 to 8, for both systems.
        let inner = System(tokens: isInner.indices.filter { isInner[$0] }, slack: 1, alwaysInside: 0)
        let outer = System(
            tokens: isInner.indices.filter { !isInner[$0] }, slack: 0,
            alwaysInside: inner.tokens.reduce(0) { $0 + p[$1] })
        var odds = Odds(count: q.count, shares: residuals.shares)
        var failure: EarlyTermination?
        for system in [inner, outer] where failure == nil {
            failure = system.solve(p, residuals.shares, problem.draftCount, configuration, into: &odds)
        }
        self.problem = problem
        self.isInner = isInner
        self.odds = odds
        optimum = residuals.optimum.value
        earlyTermination = failure
        isExact = failure != nil || odds.isExact
        substitute = try GlobalResolution.substitute(for: problem, failed: failure != nil, odds)
        if let substitute {
            residual = substitute.residual
        } else {
            // (18): what no token takes goes to those that lack it, outside H* in proportion to q_i - p_i.
            let left = zip(q.probabilities, odds.taken).map { max(0, $0 - $1) }
            residual = left.reduce(0, +) > 1e-15 ? try FiniteDistribution(weights: left, name: "residual") : nil
        }
    }

    /// The rule to follow instead: the best of the quick exact ones after a failure, and a single draft where it accepts more
    /// than the approximate solution, as with p = q.
    private static func substitute(
        for problem: MultiDraftProblem, failed: Bool, _ odds: Odds
    ) throws(CouplingError) -> (any FixedResidualRule)? {
        let naive = try NaiveRule(problem)
        guard failed else { return odds.isExact && odds.taken.reduce(0, +) < naive.acceptance() ? naive : nil }
        let (sequential, recursive) = (try KSequentialRule(problem), try RecursiveRejectionRule(problem))
        let weighted = try ImportanceWeightedRule(problem, method: .truncated(freeTokens: freeTokens))
        let rules: [(rule: any FixedResidualRule, acceptance: Double)] = [
            (naive, naive.acceptance()), (sequential, sequential.acceptance()), (recursive, recursive.acceptance()),
            (weighted, weighted.acceptance()),
        ]
        return rules.max { $0.acceptance < $1.acceptance }?.rule
    }

    /// s of the importance weights among the rules that take its place: pairs of so many tokens take some milliseconds.
    private static let freeTokens = 64

    /// (14) and (17), less what a token would receive beyond its share.
    public func takingProbabilities(of drafts: [Int]) -> [Double] {
        if let substitute { return substitute.takingProbabilities(of: drafts) }
        let isOuter = drafts.contains { !isInner[$0] }
        let eligible = drafts.indices.filter { place in
            isInner[drafts[place]] != isOuter && drafts.firstIndex(of: drafts[place]) == place
        }
        var taking = Array(repeating: 0.0, count: drafts.count)
        let sum = eligible.reduce(isOuter ? 0.0 : 1.0) { $0 + odds.values[drafts[$1]] }
        // A set none of whose tokens has a share has probability zero but for rounding.
        guard sum > 0 else { return taking }
        for place in eligible { taking[place] = odds.values[drafts[place]] / sum * odds.keeping[drafts[place]] }
        return taking
    }

    /// What all tokens take; where that is known only within the tolerance, by enumeration. It deviates from α* by at most 10τ.
    /// - Throws: `CouplingError.problemTooLarge` where it would take enumeration of too many tuples.
    public func acceptance() throws -> Double {
        if let substitute { return try substitute.acceptance() }
        return min(1, isExact ? odds.taken.reduce(0, +) : try enumeratedAcceptance())
    }

    /// The solution of both systems, by token.
    private struct Odds {
        /// exp(α_i).
        var values: [Double]
        /// The probability of keeping a token that the system gives: share/received where that is below one.
        var keeping: [Double]
        /// What each token takes in all.
        var taken: [Double]
        var isExact = true

        init(count: Int, shares: [Double]) {
            values = Array(repeating: 0, count: count)
            keeping = Array(repeating: 1, count: count)
            taken = shares
        }
    }

    /// One of the two systems.
    private struct System {
        let tokens: [Int]
        let slack: Double
        /// The draft mass that every set of the system may hold besides its own tokens: p(H*) in the outer.
        let alwaysInside: Double

        /// Chooses T, minimises, and writes exp(α_i) of the system's tokens; returns why not, if not.
        func solve(
            _ p: FiniteDistribution, _ shares: [Double], _ n: Int, _ configuration: Configuration,
            into odds: inout Odds
        ) -> EarlyTermination? {
            // A token that shall receive nothing, or is never drafted, has no variable.
            let active = tokens.filter { shares[$0] > 0 && p[$0] > 0 }.sorted {
                p[$0] != p[$1] ? p[$0] > p[$1] : $0 < $1
            }
            let outside = alwaysInside + tokens.filter { shares[$0] <= 0 }.reduce(0) { $0 + p[$1] }
            let wholeMass = pow(outside + active.reduce(0) { $0 + p[$1] }, Double(n))
            // The smallest T with ε_T or γ_T ≤ τ.
            var kept = 0
            var inside = outside
            var missing = max(0, wholeMass - pow(inside, Double(n)))
            while kept < active.count, missing > configuration.tolerance {
                inside += p[active[kept]]
                kept += 1
                missing = kept == active.count ? 0 : max(0, wholeMass - pow(inside, Double(n)))
            }
            guard SoftmaxSystem.work(tokenCount: kept, draftCount: n) <= configuration.maximumWork else {
                return .tooLarge(tokens: kept)
            }
            let truncated = Array(active.prefix(kept))
            let system = SoftmaxSystem(
                tokens: truncated, shares: truncated.map { shares[$0] }, masses: truncated.map { p[$0] },
                outside: outside, slack: slack, draftCount: n)
            let tolerance = 5 * configuration.tolerance - 3 * missing
            let solution = system.minimise(tolerance: tolerance, maximumIterations: configuration.maximumIterations)
            guard solution.gradientNorm <= tolerance else {
                return .notConverged(gradientNorm: solution.gradientNorm)
            }
            for (token, exponent) in zip(truncated, solution.exponents) { odds.values[token] = exp(exponent) }
            // Outside T any exponent will do: their sets are rarer than the tolerance.
            for token in active.dropFirst(kept) { odds.values[token] = shares[token] / p[token] }
            for token in tokens where odds.values[token] == 0 { odds.taken[token] = 0 }
            guard SoftmaxSystem.work(tokenCount: active.count, draftCount: n) <= configuration.maximumWork else {
                odds.isExact = false
                for token in tokens { odds.taken[token] = shares[token] }
                return nil
            }
            let whole =
                kept == active.count
                ? system
                : SoftmaxSystem(
                    tokens: active, shares: active.map { shares[$0] }, masses: active.map { p[$0] },
                    outside: outside, slack: slack, draftCount: n)
            let received = whole.received(at: active.map { log(odds.values[$0]) })
            for (token, received) in zip(active, received) {
                odds.keeping[token] = received > shares[token] ? shares[token] / received : 1
                odds.taken[token] = min(received, shares[token])
            }
            return nil
        }
    }
}
