/// Importance-weighted selection of one of two drafts (IW, Appendix B): the weights w_{i,j} with which Y = i is
/// chosen from {i, j}, and the law p_I of the token chosen.
///
/// One form serves the exact program, the truncated one (Algorithm 1 there), the truncated vocabulary (Algorithm 2)
/// and both together: among the `free` tokens the weights are optimised, every other pair goes to the token that
/// comes first in an order. The two drafts may have different laws (Appendix J); both orders of a pair share one
/// weight, which loses nothing.
struct PairSelection: Sendable {
    /// Which pairs are optimised.
    enum Scope: Sendable {
        /// All of those that the target and a draft have: optimal.
        case all
        /// The first s of those by decreasing q_i - p_{1,i} p_{2,i} (Algorithm 1).
        case truncated(freeTokens: Int)
        /// The tokens among the k likeliest under q or under a draft (Algorithm 2), of them at most s by the same
        /// order.
        case truncatedVocabulary(likeliest: Int, freeTokens: Int)
    }

    /// p_I, the law of Y.
    let chosenLaw: FiniteDistribution
    /// The place of each token in the order of preference.
    private let rank: [Int]
    /// w for pairs of free tokens, by rank: entry a·s + b is the probability of choosing a from {a, b}.
    private let freeWeights: [Double]
    private let freeCount: Int
    /// Set where choosing one draft always is better than the weights found: 0 or 1.
    private let alwaysChosen: Int?

    init(
        target: FiniteDistribution, first: FiniteDistribution, second: FiniteDistribution, scope: Scope
    ) throws(CouplingError) {
        let q = target.probabilities
        let p1 = first.probabilities
        let p2 = second.probabilities
        let (order, freeCount) = PairSelection.order(q: q, p1: p1, p2: p2, scope: scope)
        let pairCount = Double(freeCount) * Double(freeCount - 1) / 2
        guard pairCount <= 1e6 else {
            throw .problemTooLarge(what: "importance weights of all pairs of tokens", size: pairCount, limit: 1e6)
        }

        // What each token is sure of, (9): its own repetitions and the pairs with tokens it always precedes.
        var law = Array(repeating: 0.0, count: q.count)
        var firstTail = 0.0
        var secondTail = 0.0
        for (place, token) in order.enumerated().reversed() {
            if place < freeCount - 1 {
                law[token] = p1[token] * p2[token]
            } else {
                law[token] = p1[token] * (p2[token] + secondTail) + p2[token] * firstTail
            }
            firstTail += p1[token]
            secondTail += p2[token]
        }
        let freeFirst = order.prefix(freeCount).reduce(0.0) { $0 + p1[$1] }
        let freeSecond = order.prefix(freeCount).reduce(0.0) { $0 + p2[$1] }
        let outsideFirst = max(0, firstTail - freeFirst)
        let outsideSecond = max(0, secondTail - freeSecond)
        for (place, token) in order.enumerated() where place < freeCount - 1 {
            law[token] += p1[token] * outsideSecond + p2[token] * outsideFirst
        }

        // max Σ min(q_i, p_I(i)) over the free weights is a maximum flow: pair → either token → what q still allows it.
        let source = freeCount
        let sink = freeCount + 1
        var network = MaximumFlow(nodeCount: freeCount + 2 + Int(pairCount))
        for (place, token) in order.prefix(freeCount).enumerated() {
            network.addEdge(from: place, to: sink, capacity: max(0, q[token] - law[token]))
        }
        var pairs: [(a: Int, b: Int, mass: Double, toA: Int, toB: Int)] = []
        for a in 0..<freeCount {
            for b in (a + 1)..<max(a + 1, freeCount) {
                let i = order[a]
                let j = order[b]
                let mass = p1[i] * p2[j] + p1[j] * p2[i]
                guard mass > 0 else { continue }
                let node = freeCount + 2 + pairs.count
                network.addEdge(from: source, to: node, capacity: mass)
                pairs.append(
                    (
                        a, b, mass, network.addEdge(from: node, to: a, capacity: mass),
                        network.addEdge(from: node, to: b, capacity: mass)
                    ))
            }
        }
        network.maximise(from: source, to: sink)
        var weights = Array(repeating: 0.5, count: freeCount * freeCount)
        for pair in pairs {
            let toA = network.flow(on: pair.toA)
            let toB = network.flow(on: pair.toB)
            let weight = min(1, max(0, (toA + max(0, pair.mass - toA - toB) / 2) / pair.mass))
            weights[pair.a * freeCount + pair.b] = weight
            weights[pair.b * freeCount + pair.a] = 1 - weight
            law[order[pair.a]] += pair.mass * weight
            law[order[pair.b]] += pair.mass * (1 - weight)
        }

        // Truncated weights can do worse than a single draft (p = q uniform, s = 1: 7/9 on three tokens); then take
        // that one.
        func accepted(_ law: [Double]) -> Double { zip(law, q).reduce(0) { $0 + min($1.0, $1.1) } }
        let byWeights = accepted(law)
        let byFirst = accepted(p1)
        let bySecond = accepted(p2)
        alwaysChosen = byWeights >= max(byFirst, bySecond) ? nil : (byFirst >= bySecond ? 0 : 1)
        switch alwaysChosen {
        case .none: chosenLaw = try FiniteDistribution(weights: law, name: "law of the chosen draft")
        case .some(let position): chosenLaw = position == 0 ? first : second
        }
        var rank = Array(repeating: 0, count: q.count)
        for (place, token) in order.enumerated() { rank[token] = place }
        self.rank = rank
        self.freeWeights = weights
        self.freeCount = freeCount
    }

    /// The probability of choosing the first of two drafted tokens.
    func probabilityOfFirst(_ i: Int, _ j: Int) -> Double {
        if let alwaysChosen { return alwaysChosen == 0 ? 1 : 0 }
        if i == j { return 1 }
        let a = rank[i]
        let b = rank[j]
        if a < freeCount, b < freeCount { return freeWeights[a * freeCount + b] }
        return a < b ? 1 : 0
    }

    /// The order of preference, and how many of its first tokens are free. A token that is never drafted is in no pair, and one
    /// that the target lacks gives way to any other: both come last and have no weights.
    private static func order(q: [Double], p1: [Double], p2: [Double], scope: Scope) -> ([Int], Int) {
        let need = q.indices.map { q[$0] - p1[$0] * p2[$0] }
        let byNeed = q.indices.sorted { need[$0] != need[$1] ? need[$0] > need[$1] : $0 < $1 }
        func isUseful(_ token: Int) -> Bool { q[token] > 0 && (p1[token] > 0 || p2[token] > 0) }
        let useful = byNeed.filter(isUseful)
        let useless = byNeed.filter { !isUseful($0) }
        switch scope {
        case .all:
            return (useful + useless, useful.count)
        case .truncated(let count):
            return (useful + useless, min(max(0, count), useful.count))
        case .truncatedVocabulary(let likeliest, let count):
            var isLikely = Array(repeating: false, count: q.count)
            for law in [q, p1, p2] {
                let tokens = q.indices.sorted { law[$0] != law[$1] ? law[$0] > law[$1] : $0 < $1 }
                for token in tokens.prefix(max(0, likeliest)) { isLikely[token] = true }
            }
            let inside = useful.filter { isLikely[$0] }
            return (inside + useful.filter { !isLikely[$0] } + useless, min(max(0, count), inside.count))
        }
    }
}
