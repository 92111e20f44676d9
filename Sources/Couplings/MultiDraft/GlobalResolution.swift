import Foundation

/// Algorithm 1 (GR, Section 6): global resolution, the optimal transport for n i.i.d. drafts by two convex minimisations.
///
/// The output deviates from q by at most 15τ in L1, the acceptance from α* by at most 10τ. Two things differ from the printed algorithm:
///
/// - It stops at ‖∇‖₁ ≤ 5τ, which with the truncation's 3ε_T makes a deviation of 8τ in a system and not the 5τ the guarantee
///   counts with. Here a system stops at ‖∇‖₁ ≤ 5τ - 3ε_T.
/// - It solves only the system the drafts fall in and samples from q if that fails. The output then follows q only if both systems
///   fail together. Here both are solved, and where either fails the whole rule is K-SEQ, which is exact.
public struct GlobalResolution: MultiDraftRule {
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

    /// Why global resolution gave up.
    public enum EarlyTermination: Equatable, Sendable {
        /// The truncated system is too large.
        case tooLarge(tokens: Int)
        /// The gradient did not become small enough.
        case notConverged(gradientNorm: Double)
    }

    public let problem: MultiDraftProblem
    /// α*.
    public let optimum: Double
    /// Nil on success; else the rule behaves as K-SEQ.
    public let earlyTermination: EarlyTermination?
    public let residual: FiniteDistribution?
    private let isInner: [Bool]
    /// exp(α_i) of every token in its system.
    private let odds: [Double]
    private let fallback: KSequentialRule?

    /// - Throws: `CouplingError.draftsNotIdentical`, or `.parameterOutOfRange` unless 0 < τ < 1.
    public init(
        _ problem: MultiDraftProblem, configuration: Configuration = Configuration()
    ) throws(CouplingError) {
        let tau = configuration.tolerance
        guard tau > 0, tau < 1 else {
            throw .parameterOutOfRange(name: "tolerance", value: tau, expected: "0 < τ < 1")
        }
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
        var odds = Array(repeating: 0.0, count: q.count)
        var failure: EarlyTermination?
        for system in [inner, outer] where failure == nil {
            failure = system.solve(p, residuals.shares, problem.draftCount, configuration, into: &odds)
        }
        self.problem = problem
        self.isInner = isInner
        self.odds = odds
        optimum = residuals.optimum.value
        earlyTermination = failure
        if failure == nil {
            // (18): what is left of a set within H* goes to the tokens outside it, in proportion to q_i - p_i.
            let left = zip(q.probabilities, residuals.shares).map { max(0, $0 - $1) }
            residual = left.contains { $0 > 0 } ? try FiniteDistribution(weights: left, name: "residual") : nil
            fallback = nil
        } else {
            let rule = try KSequentialRule(problem)
            residual = rule.residual
            fallback = rule
        }
    }

    /// (14) and (17).
    public func takingProbabilities(of drafts: [Int]) -> [Double] {
        if let fallback { return fallback.takingProbabilities(of: drafts) }
        let isOuter = drafts.contains { !isInner[$0] }
        let eligible = drafts.indices.filter { place in
            isInner[drafts[place]] != isOuter && drafts.firstIndex(of: drafts[place]) == place
        }
        var taking = Array(repeating: 0.0, count: drafts.count)
        let sum = eligible.reduce(isOuter ? 0.0 : 1.0) { $0 + odds[drafts[$1]] }
        for place in eligible {
            // A set none of whose tokens has a share has probability zero but for rounding.
            taking[place] = sum > 0 ? odds[drafts[place]] / sum : 1 / Double(eligible.count)
        }
        return taking
    }

    /// By enumeration for small vocabularies; else the optimum, from which it deviates by at most 10τ.
    public func acceptance() throws -> Double {
        if let fallback { return fallback.acceptance() }
        do {
            return try enumeratedAcceptance()
        } catch CouplingError.problemTooLarge {
            return optimum
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
            into odds: inout [Double]
        ) -> EarlyTermination? {
            // A token that shall receive nothing, or is never drafted, has no variable.
            let active = tokens.filter { shares[$0] > 0 && p[$0] > 0 }.sorted { p[$0] != p[$1] ? p[$0] > p[$1] : $0 < $1 }
            let outside = alwaysInside + tokens.filter { shares[$0] <= 0 }.reduce(0) { $0 + p[$1] }
            let whole = pow(outside + active.reduce(0) { $0 + p[$1] }, Double(n))
            // The smallest T with ε_T or γ_T ≤ τ.
            var kept = 0
            var inside = outside
            var missing = max(0, whole - pow(inside, Double(n)))
            while kept < active.count, missing > configuration.tolerance {
                inside += p[active[kept]]
                kept += 1
                missing = kept == active.count ? 0 : max(0, whole - pow(inside, Double(n)))
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
            // Outside T any exponent will do: their sets are rarer than the tolerance.
            for token in active.dropFirst(kept) { odds[token] = shares[token] / p[token] }
            for (token, exponent) in zip(truncated, solution.exponents) { odds[token] = exp(exponent) }
            return nil
        }
    }
}
