import Couplings

/// Protocol 4 with Algorithm 1 (CWC, Section 6, Theorem 4): a coupling with few bits of communication.
///
/// Both parties round their laws to multiples of ε/(4V), run Protocol 4 on the rounded laws, and each corrects its
/// own token by a maximal coupling from its rounded law to its true one. Tokens follow p and q exactly and
/// agree with probability at least 1 - D_TV(p, q) - ε, for 2 rounds and O(log(V/ε)) bits in the mean.
public struct LowCommunicationCoupling: Sendable {
    /// One run of the protocol.
    public struct Transcript: Equatable, Sendable {
        /// a ~ p, Alice's token.
        public let draftToken: Int
        /// b ~ q, Bob's token.
        public let targetToken: Int
        /// Rounds: Alice's first message, and each dart of Bob's.
        public let rounds: Int
        /// Bits sent by both: an index and a probability a round, and an answer.
        public let bits: Int
    }

    /// From p to its rounded p′, and back.
    private let draftCorrection: MaximalCoupling
    /// From q′ to q.
    private let targetCorrection: MaximalCoupling
    /// Protocol 1 on the rounded laws, whose outcome Protocol 4 reproduces.
    private let roundedCoupling: MaximalCoupling
    private let bitsPerRound: Int

    /// - Parameters:
    ///   - draft: P, Alice's law.
    ///   - target: Q, Bob's law.
    ///   - epsilon: ε, what the match probability may lose against the maximal coupling.
    /// - Throws: `CouplingError` where lengths differ or 0 < ε ≤ 1 fails.
    public init(
        draft: FiniteDistribution, target: FiniteDistribution, precision epsilon: Double = 1e-3
    ) throws(CouplingError) {
        try draft.requireSameVocabulary(as: target)
        let roundedDraft = try DistributionDiscretization(draft, precision: epsilon / 4)
        let roundedTarget = try DistributionDiscretization(target, precision: epsilon / 4)
        draftCorrection = try MaximalCoupling(draft: roundedDraft.rounded, target: draft)
        targetCorrection = try MaximalCoupling(draft: roundedTarget.rounded, target: target)
        roundedCoupling = try MaximalCoupling(draft: roundedDraft.rounded, target: roundedTarget.rounded)
        bitsPerRound = bitWidth(draft.count - 1) + bitWidth(roundedDraft.unitCount) + 1
    }

    /// Runs the protocol.
    /// - Parameters:
    ///   - shared: the public random numbers u_0, u_1, ….
    ///   - alice: her private randomness.
    ///   - bob: his private randomness.
    public func run(
        shared: inout RandomStream, alice: inout RandomStream,
        bob: inout RandomStream
    ) throws(CouplingError) -> Transcript {
        let p = roundedCoupling.draft
        let q = roundedCoupling.target
        let a = p.sample(randomness: &alice)
        var b = a
        var rounds = 1
        if shared.uniform() >= roundedCoupling.acceptance(of: a), roundedCoupling.residual != nil {
            var approved = false
            while !approved {
                // Bob finds where the dart falls among his intervals and sends (j, w), w the start of j's interval.
                rounds += 1
                let dart = shared.uniform()
                var start = 0.0
                b = q.count - 1
                for (token, probability) in q.probabilities.enumerated() {
                    if dart < start + probability {
                        b = token
                        break
                    }
                    start += probability
                }
                // Alice approves if the dart lies above her own probability.
                approved = p[b] < dart - start
            }
        }
        return Transcript(
            draftToken: try draftCorrection.verify(a, randomness: &alice).token,
            targetToken: try targetCorrection.verify(b, randomness: &bob).token,
            rounds: rounds, bits: rounds * bitsPerRound)
    }

    /// P(a = b) in closed form: the rounded pair (a′, b′) is equal or independent, and each correction keeps its token
    /// or draws from a fixed residual.
    /// - Complexity: O(V).
    public var matchProbability: Double {
        let count = roundedCoupling.draft.count
        let keepDraft = (0..<count).map { draftCorrection.acceptance(of: $0) }
        let keepTarget = (0..<count).map { targetCorrection.acceptance(of: $0) }
        let moveDraft = draftCorrection.residual?.probabilities ?? Array(repeating: 0, count: count)
        let moveTarget = targetCorrection.residual?.probabilities ?? Array(repeating: 0, count: count)
        let bothMove = zip(moveDraft, moveTarget).reduce(0) { $0 + $1.0 * $1.1 }

        var total = 0.0
        var draftLeft = Array(repeating: 0.0, count: count)
        var targetLeft = draftLeft
        var draftMoved = 0.0
        var targetMoved = 0.0
        for i in 0..<count {
            let p = roundedCoupling.draft[i]
            let q = roundedCoupling.target[i]
            let equal = min(p, q)
            total += equal * keepDraft[i] * keepTarget[i]
            total += equal * keepDraft[i] * (1 - keepTarget[i]) * moveTarget[i]
            total += equal * (1 - keepDraft[i]) * keepTarget[i] * moveDraft[i]
            total += equal * (1 - keepDraft[i]) * (1 - keepTarget[i]) * bothMove
            draftLeft[i] = (p - equal) * keepDraft[i]
            targetLeft[i] = (q - equal) * keepTarget[i]
            draftMoved += (p - equal) * (1 - keepDraft[i])
            targetMoved += (q - equal) * (1 - keepTarget[i])
        }
        let distance = 1 - roundedCoupling.matchProbability
        guard distance > 0 else { return total }
        let unequal = (0..<count).reduce(0.0) { sum, i in
            sum + (draftLeft[i] + draftMoved * moveDraft[i]) * (targetLeft[i] + targetMoved * moveTarget[i])
        }
        return total + unequal / distance
    }

    /// The mean number of rounds: 1 + D · 1/D = 2, or 1 where the rounded laws are equal (Claim 7).
    public var expectedRounds: Double { roundedCoupling.residual == nil ? 1 : 2 }

    /// The mean number of bits.
    public var expectedBits: Double { expectedRounds * Double(bitsPerRound) }
}

/// ⌈log₂(n + 1)⌉: the bits that tell one of 0 … n.
private func bitWidth(_ n: Int) -> Int {
    Int.bitWidth - max(0, n).leadingZeroBitCount
}
