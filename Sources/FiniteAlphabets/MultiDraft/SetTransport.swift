/// An optimal transport given by how much each draft set sends to each of its tokens: S* of GR (2), on sets in place
/// of tuples.
///
/// The max-flow and the linear-programming rules differ only in how they find S; what follows from it is here. By the
/// residuals of (3) the output follows q whatever S is; only the acceptance depends on its being optimal.
struct SetTransport: Sendable {
    private let sets: DraftSets
    /// S_{i,A}/p(A), in the order of `sets.members`.
    private let shares: [Double]
    /// The law ∝ p^res of the output where no draft is taken; nil if nothing is left.
    let residual: FiniteDistribution?
    /// Σ S, the acceptance.
    let acceptance: Double

    /// - Parameter flows: S, in the order of `sets.members`.
    init(target: FiniteDistribution, sets: DraftSets, flows: [Double]) throws(CouplingError) {
        var left = target.probabilities
        var shares = flows
        var total = 0.0
        for set in 0..<sets.count {
            let pairs = sets.starts[set]..<sets.starts[set + 1]
            // A solver's rounding must neither go below zero nor take more than the set has.
            let sent = pairs.reduce(0.0) { $0 + max(0, flows[$1]) }
            let divisor = max(sent, sets.probabilities[set])
            for pair in pairs {
                shares[pair] = max(0, flows[pair]) / divisor
                left[Int(sets.members[pair])] -= shares[pair] * sets.probabilities[set]
                total += shares[pair] * sets.probabilities[set]
            }
        }
        self.sets = sets
        self.shares = shares
        acceptance = total
        let residues = left.map { max(0, $0) }
        residual = residues.reduce(0, +) > 1e-14 ? try FiniteDistribution(weights: residues, name: "residual") : nil
    }

    /// β(i|ω) of GR (5), given to a token's first position: a choice among the drafts, with sum 1 for tuples that can be drafted.
    func weights(of drafts: [Int]) -> [Double] {
        let shares = takingProbabilities(of: drafts)
        let sum = shares.reduce(0, +)
        if sum > 0 { return shares.map { $0 / sum } }
        let different = drafts.indices.filter { drafts.firstIndex(of: drafts[$0]) == $0 }
        return drafts.indices.map { different.contains($0) ? 1 / Double(different.count) : 0 }
    }

    /// p_I(i) = Σ_A β(i|A) p(A), the law of the draft that the weights choose.
    func chosenLaw(vocabularySize: Int) throws(CouplingError) -> FiniteDistribution {
        var law = Array(repeating: 0.0, count: vocabularySize)
        for set in 0..<sets.count {
            let pairs = sets.starts[set]..<sets.starts[set + 1]
            let sum = pairs.reduce(0.0) { $0 + shares[$1] }
            for pair in pairs {
                law[Int(sets.members[pair])] +=
                    sets.probabilities[set] * (sum > 0 ? shares[pair] / sum : 1 / Double(pairs.count))
            }
        }
        return try FiniteDistribution(law, name: "law of the chosen draft")
    }

    /// The probability of taking each draft: a token's share, given to its first position.
    func takingProbabilities(of drafts: [Int]) -> [Double] {
        var taking = Array(repeating: 0.0, count: drafts.count)
        let tokens = Set(drafts.map(Int32.init)).sorted()
        guard let set = sets.index(of: tokens) else { return taking }
        for (token, share) in zip(tokens, shares[sets.starts[set]..<sets.starts[set + 1]]) {
            if let position = drafts.firstIndex(of: Int(token)) { taking[position] = share }
        }
        return taking
    }
}
