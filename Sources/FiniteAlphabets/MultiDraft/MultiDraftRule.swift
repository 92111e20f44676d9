import Couplings

/// A rule that turns n drafted tokens into one output token: the token-level selection rule of IW (Section 2), the
/// optimal-transport slice π(·|ω) of GR (Section 3.1).
///
/// Every rule here has the same form: it takes the k-th draft with a probability that depends on all of them, and
/// otherwise draws from one residual law that does not. So a rule states those two, and sampling, the exact law of
/// the output and the exact acceptance follow.
public protocol MultiDraftRule: Sendable {
    /// The target and the drafts the rule was built for.
    var problem: MultiDraftProblem { get }

    /// The law of the output where no draft is taken; nil where some draft always is.
    var residual: FiniteDistribution? { get }

    /// The probability with which each of the drafts is taken: one number for each position, with sum at most one.
    ///
    /// `drafts` holds n tokens of the vocabulary; `select` has checked it.
    func takingProbabilities(of drafts: [Int]) -> [Double]

    /// P(some draft is taken), exactly.
    /// - Throws: `CouplingError.problemTooLarge` where it is not known without enumerating too many tuples.
    func acceptance() throws -> Double

    /// Whether the output has the target's law, but for rounding.
    var isExact: Bool { get }

    /// Why the rule gave up and follows a simpler one, if it did; only global resolution ever does.
    var earlyTermination: GlobalResolution.EarlyTermination? { get }
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
        let taking = takingProbabilities(of: drafts)
        var remaining = randomness.uniform()
        for (token, probability) in zip(drafts, taking) {
            if remaining < probability { return Selection(token: token, isAccepted: true) }
            remaining -= probability
        }
        if let residual { return Selection(token: residual.sample(randomness: &randomness), isAccepted: false) }
        // Some draft is always taken; rounding alone leads here.
        let best = taking.indices.max { taking[$0] < taking[$1] } ?? 0
        return Selection(token: drafts[best], isAccepted: true)
    }

    /// The law of the output, Σ_ω p(ω) π(·|ω), by enumerating the draft tuples ω.
    /// - Complexity: O(Vⁿ).
    /// - Throws: `CouplingError.problemTooLarge`.
    public func outputLaw() throws -> [Double] {
        try enumerated().law
    }

    /// By enumeration; rules with a closed form have their own.
    public func acceptance() throws -> Double { try enumeratedAcceptance() }

    /// P(some draft is taken) by enumeration, whatever closed form the rule has.
    public func enumeratedAcceptance() throws -> Double { try enumerated().acceptance }

    private func enumerated() throws -> (law: [Double], acceptance: Double) {
        var law = Array(repeating: 0.0, count: problem.vocabularySize)
        var accepted = 0.0
        try problem.forEachTuple { tuple, probability in
            for (token, taking) in zip(tuple, takingProbabilities(of: tuple)) {
                law[token] += probability * taking
                accepted += probability * taking
            }
        }
        if let residual {
            for (token, share) in residual.probabilities.enumerated() { law[token] += (1 - accepted) * share }
        }
        return (law, accepted)
    }
}
