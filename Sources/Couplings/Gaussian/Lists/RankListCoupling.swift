import Platform

/// Selection by rank: the drafts are put in order along `Δ`, one of them is picked by its rank with probabilities `λ_r` that
/// were chosen beforehand, and that one is coupled maximally with the target (PAWS, arXiv 2609.17691).
///
/// The r-th of n has the density `φ(t) n!/((r-1)!(n-r)!) Φ(t)^{r-1} (1 - Φ(t))^{n-r}`, so the one that is picked has a
/// mixture `g` of these, whatever the order of the list. It is accepted with `min(1, q/g)`, and `min(q, g)` is what
/// accepted drafts make up.
public struct RankListCoupling: ListRule {
    /// `λ_r`, from the draft farthest from the target to the nearest; nil for those that accept most.
    public let weights: [Double]?

    public init() { weights = nil }

    /// - Parameter weights: finite, none of them negative, with a positive sum. With other numbers of drafts than there are
    ///   weights, those that accept most are taken.
    public init(weights: [Double]) {
        precondition(weights.allSatisfy { $0 >= 0 && $0.isFinite } && weights.contains { $0 > 0 }, "weights of ranks")
        let sum = weights.reduce(0, +)
        self.weights = weights.map { $0 / sum }
    }

    public func onLine(distance: Double, drafts: Int) -> any LineCoupling {
        let own = weights.flatMap { $0.count == drafts ? $0 : nil }
        return RankLineCoupling(
            distance: distance, weights: own ?? Self.bestWeights(distance: distance, drafts: drafts))
    }

    /// The weights with the greatest overlap `∫ min(q, Σ λ_r g_r)`, on a grid: the overlap is concave and differentiable in
    /// `λ`, so that moving weight between two ranks at a time, as long as that helps, ends at its maximum. They decide how
    /// often a draft is accepted, and nothing else.
    static func bestWeights(distance: Double, drafts: Int) -> [Double] {
        let nearest = (1...drafts).map { $0 == drafts ? 1.0 : 0 }
        guard drafts > 1, distance < 12 else { return nearest }  // farther away hardly anything meets
        let count = 256
        let (low, high) = (min(0, distance) - 6, max(0, distance) + 6)
        let positions = (0..<count).map { low + (high - low) * (Double($0) + 0.5) / Double(count) }
        let target = positions.map { exp(-($0 - distance) * ($0 - distance) / 2) }
        let ranks = (1...drafts).map { rank in
            positions.map { exp(-$0 * $0 / 2 + RankLineCoupling.logFactor(rank: rank, of: drafts, at: $0)) }
        }
        var weights = [Double](repeating: 1 / Double(drafts), count: drafts)
        var mixture = positions.indices.map { i in ranks.reduce(0) { $0 + $1[i] } / Double(drafts) }
        for _ in 0..<(drafts == 2 ? 1 : 12) {
            for first in 0..<drafts {
                for second in first + 1..<drafts {
                    let direction = zip(ranks[second], ranks[first]).map { $0 - $1 }
                    // The slope of a concave function changes its sign once.
                    func slope(_ move: Double) -> Double {
                        var sum = 0.0
                        for i in positions.indices where mixture[i] + move * direction[i] < target[i] {
                            sum += direction[i]
                        }
                        return sum
                    }
                    var (least, most) = (-weights[second], weights[first])
                    for _ in 0..<30 {
                        let middle = (least + most) / 2
                        if slope(middle) > 0 { least = middle } else { most = middle }
                    }
                    let move = (least + most) / 2
                    weights[first] = max(0, weights[first] - move)
                    weights[second] = max(0, weights[second] + move)
                    for i in positions.indices { mixture[i] = max(0, mixture[i] + move * direction[i]) }
                }
            }
        }
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }
}

struct RankLineCoupling: LineCoupling {
    let distance: Double
    let weights: [Double]
    let acceptance: Double

    init(distance: Double, weights: [Double]) {
        (self.distance, self.weights) = (distance, weights)
        // A minimum of two smooth functions: the parts are short, so that its kinks cost little.
        let overlap = Quadrature.integral(from: -9, to: distance + 9, parts: 128) { t in
            let selected = exp(-t * t / 2) * Self.factor(weights: weights, at: t)
            return min(exp(-(t - distance) * (t - distance) / 2), selected)
        }
        acceptance = min(1, overlap / (2 * Double.pi).squareRoot())
    }

    /// `log (n!/((r-1)!(n-r)!) Φ(t)^{r-1} (1 - Φ(t))^{n-r})`
    static func logFactor(rank: Int, of count: Int, at position: Double) -> Double {
        let (below, above) = (Double(rank - 1), Double(count - rank))
        var log = lgamma(Double(count + 1)) - lgamma(below + 1) - lgamma(above + 1)
        if below > 0 { log += below * StandardNormal.logCumulative(position) }
        if above > 0 { log += above * StandardNormal.logCumulative(-position) }
        return log
    }

    /// `g(t)/φ(t)`
    private static func factor(weights: [Double], at position: Double) -> Double {
        weights.indices.reduce(0) { sum, i in
            weights[i] > 0
                ? sum + weights[i] * exp(logFactor(rank: i + 1, of: weights.count, at: position)) : sum
        }
    }

    func choose(from positions: [Double], randomness: inout RandomStream) -> Int? {
        let order = positions.indices.sorted { positions[$0] < positions[$1] }
        var rest = randomness.uniform()
        var rank = 0
        while rank < weights.count - 1, rest > weights[rank] {
            rest -= weights[rank]
            rank += 1
        }
        let chosen = order[min(rank, order.count - 1)]
        let selected = Self.factor(weights: weights, at: positions[chosen])
        return randomness.accepts(logProbability: logRatio(at: positions[chosen]) - log(selected)) ? chosen : nil
    }

    func acceptedShare(at position: Double) -> Double {
        min(1, Self.factor(weights: weights, at: position) * exp(-logRatio(at: position)))
    }
}
