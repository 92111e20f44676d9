import Couplings

/// Protocol 1 (CWC, Section 2): coupling with communication. Also Algorithms 1 and 2 of DB25 on a finite set.
///
/// Alice draws a ~ p and sends it with p; Bob keeps it with probability min(1, q_a/p_a) and otherwise draws from
/// the residual max(0, q - p). The two agree with probability 1 - D_TV(p, q), the most any coupling can.
public struct MaximalCoupling: Sendable {
    /// p, from which the draft is drawn.
    public let draft: FiniteDistribution
    /// q, which the output must follow.
    public let target: FiniteDistribution
    /// The law ∝ max(0, q - p) of the output after a rejection; nil where nothing is ever rejected (p = q).
    public let residual: FiniteDistribution?

    /// - Throws: `CouplingError.lengthsDiffer`.
    public init(draft: FiniteDistribution, target: FiniteDistribution) throws(CouplingError) {
        try draft.requireSameVocabulary(as: target)
        self.draft = draft
        self.target = target
        let excess = zip(draft.probabilities, target.probabilities).map { max(0, $1 - $0) }
        residual = excess.contains { $0 > 0 } ? try FiniteDistribution(weights: excess, name: "residual") : nil
    }

    /// min(1, q_x/p_x), the probability with which a drafted token is kept.
    public func acceptance(of token: Int) -> Double {
        // A token the draft never proposes decides nothing; one proposed all the same is kept if the target allows it.
        guard draft[token] > 0 else { return target[token] > 0 ? 1 : 0 }
        return min(1, target[token] / draft[token])
    }

    /// Verifies one drafted token.
    /// - Throws: `CouplingError.tokenOutOfRange`.
    public func verify(
        _ token: Int, randomness: inout RandomStream
    ) throws(CouplingError) -> Selection {
        guard draft.probabilities.indices.contains(token) else {
            throw .tokenOutOfRange(name: "draft", token: token, vocabularySize: draft.count)
        }
        if randomness.uniform() < acceptance(of: token) { return Selection(token: token, isAccepted: true) }
        // Without a residual p equals q, and only rounding can have led here.
        guard let residual else { return Selection(token: token, isAccepted: true) }
        return Selection(token: residual.sample(randomness: &randomness), isAccepted: false)
    }

    /// P(a = b) = Σ min(p_i, q_i) = 1 - D_TV(p, q).
    public var matchProbability: Double {
        zip(draft.probabilities, target.probabilities).reduce(0) { $0 + min($1.0, $1.1) }
    }
}
