import Couplings

/// A rule that turns n drafted tokens into one output token: the token-level selection rule of IW (Section 2), the
/// optimal-transport slice π(·|ω) of GR (Section 3.1).
public protocol MultiDraftRule: Sendable {
    /// The target and the drafts the rule was built for.
    var problem: MultiDraftProblem { get }

    /// What comes out for given drafts: the probability with which each of them is taken, one number for each position with sum
    /// at most one; and the law of the output where none is, nil where some draft always is.
    ///
    /// `drafts` holds n tokens of the vocabulary; `select` has checked it.
    func outcome(for drafts: [Int]) throws(CouplingError) -> SelectionLaw

    /// P(some draft is taken), exactly.
    /// - Throws: `CouplingError.problemTooLarge` where it is not known without enumerating too many tuples.
    func acceptance() throws -> Double

    /// Σ_ω p(ω) π(·|ω), the law of the output, exactly.
    /// - Throws: `CouplingError.problemTooLarge` where it takes enumeration of too many tuples.
    func outputLaw() throws -> [Double]

    /// Whether the output has the target's law, but for rounding.
    var isExact: Bool { get }

    /// Why the rule gave up and follows a simpler one, if it did; only global resolution ever does.
    var earlyTermination: GlobalResolution.EarlyTermination? { get }
}

/// π(·|ω): what comes out for given drafts.
public struct SelectionLaw: Sendable {
    /// The probability with which the draft at each position is taken.
    public let taking: [Double]
    /// The law of the output where none is taken; nil where one always is.
    public let residual: FiniteDistribution?

    public init(taking: [Double], residual: FiniteDistribution?) {
        (self.taking, self.residual) = (taking, residual)
    }
}

extension MultiDraftRule {
    public var earlyTermination: GlobalResolution.EarlyTermination? { nil }

    /// Chooses the output for the given drafts.
    /// - Throws: `CouplingError.wrongDraftCount`, `.tokenOutOfRange`.
    public func select(
        from drafts: [Int], randomness: inout RandomStream
    ) throws(CouplingError) -> Selection {
        guard drafts.count == problem.draftCount else {
            throw .wrongDraftCount(expected: problem.draftCount, found: drafts.count)
        }
        for (position, token) in drafts.enumerated() where !(0..<problem.vocabularySize).contains(token) {
            throw .tokenOutOfRange(name: "draft \(position)", token: token, vocabularySize: problem.vocabularySize)
        }
        let law = try outcome(for: drafts)
        var remaining = randomness.uniform()
        for (token, probability) in zip(drafts, law.taking) {
            if remaining < probability { return Selection(token: token, isAccepted: true) }
            remaining -= probability
        }
        if let residual = law.residual {
            return Selection(token: residual.sample(randomness: &randomness), isAccepted: false)
        }
        // Some draft is always taken; rounding alone leads here.
        let best = law.taking.indices.max { law.taking[$0] < law.taking[$1] } ?? 0
        return Selection(token: drafts[best], isAccepted: true)
    }

    /// By enumerating the draft tuples.
    /// - Complexity: O(Vⁿ⁺¹), or O(Vⁿ) for a `FixedResidualRule`.
    public func outputLaw() throws -> [Double] {
        var law = Array(repeating: 0.0, count: problem.vocabularySize)
        try problem.forEachTuple { tuple, probability throws(CouplingError) in
            let outcome = try outcome(for: tuple)
            for (token, taking) in zip(tuple, outcome.taking) { law[token] += probability * taking }
            guard let residual = outcome.residual else { return }
            let left = probability * max(0, 1 - outcome.taking.reduce(0, +))
            if left > 0 { for (token, share) in residual.probabilities.enumerated() { law[token] += left * share } }
        }
        return law
    }

    /// By enumeration; rules with a closed form have their own.
    public func acceptance() throws -> Double { try enumeratedAcceptance() }

    /// P(some draft is taken) by enumeration, whatever closed form the rule has.
    public func enumeratedAcceptance() throws -> Double {
        var accepted = 0.0
        try problem.forEachTuple { tuple, probability throws(CouplingError) in
            accepted += probability * (try outcome(for: tuple).taking.reduce(0, +))
        }
        return accepted
    }
}
