import Platform

/// The sets of tokens that n drafts can form, with their probabilities (GR, Appendix K).
///
/// Whether a token may be accepted depends only on the set of the drafted tokens, so the Vⁿ tuples of the transport
/// problem shrink to Σ_{k≤n} C(V, k) ≈ Vⁿ/n! sets.
struct DraftSets: Sendable {
    /// The tokens of all sets, each set's ascending, one after another.
    private(set) var members: [Int32] = []
    /// Where each set begins in `members`, and one past the last.
    private(set) var starts: [Int] = [0]
    /// P(set(ω) = A) for each set A.
    private(set) var probabilities: [Double] = []

    var count: Int { probabilities.count }

    /// The tokens of one set.
    func tokens(of set: Int) -> ArraySlice<Int32> { members[starts[set]..<starts[set + 1]] }

    /// The number of the set with these ascending tokens, by bisection: the sets are enumerated in lexicographic order.
    func index(of set: [Int32]) -> Int? {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if tokens(of: middle).lexicographicallyPrecedes(set) { low = middle + 1 } else { high = middle }
        }
        return low < count && tokens(of: low).elementsEqual(set) ? low : nil
    }

    /// Enumerates the sets of positive probability.
    /// - Throws: `CouplingError.problemTooLarge` beyond `limit` sets.
    init(_ problem: MultiDraftProblem, limit: Double = 2e6) throws(CouplingError) {
        if problem.dependence == .independent {
            try self.init(independent: problem, limit: limit)
        } else {
            try self.init(dependent: problem, limit: limit)
        }
    }

    /// By descending through the sets themselves.
    private init(independent problem: MultiDraftProblem, limit: Double) throws(CouplingError) {
        let support = (0..<problem.vocabularySize).filter { token in problem.drafts.contains { $0[token] > 0 } }
        let n = problem.draftCount
        let size = (1...n).reduce(0.0) { $0 + DraftSets.binomial(support.count, $1) }
        guard size <= limit else {
            throw .problemTooLarge(what: "the network of all draft sets", size: size, limit: limit)
        }
        var chosen: [Int] = []
        func descend(from index: Int, _ series: SurjectionSeries) {
            for next in index..<max(index, support.count) {
                chosen.append(support[next])
                let extended = problem.isIdentical ? series.extended(by: problem.drafts[0][support[next]]) : series
                let probability =
                    problem.isIdentical ? extended.probability : DraftSets.coverProbability(of: chosen, in: problem)
                if probability > 0 {
                    for token in chosen { members.append(Int32(token)) }
                    starts.append(members.count)
                    probabilities.append(probability)
                }
                if chosen.count < n { descend(from: next + 1, extended) }
                chosen.removeLast()
            }
        }
        descend(from: 0, SurjectionSeries(order: n))
    }

    /// By enumerating the tuples of drafts that depend on each other.
    private init(dependent problem: MultiDraftProblem, limit: Double) throws(CouplingError) {
        var masses: [[Int32]: Double] = [:]
        try problem.forEachTuple(limit: limit) { tuple, probability in
            masses[Set(tuple.map(Int32.init)).sorted(), default: 0] += probability
        }
        for set in masses.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
            members += set
            starts.append(members.count)
            probabilities.append(masses[set] ?? 0)
        }
    }

    /// P(the drafts, of different laws, are exactly this set): the set is covered draft by draft, a sum of positive
    /// terms.
    private static func coverProbability(of set: [Int], in problem: MultiDraftProblem) -> Double {
        // covered[mask] = P(the drafts so far lie in the set and have covered exactly mask).
        var covered = Array(repeating: 0.0, count: 1 << set.count)
        covered[0] = 1
        for draft in problem.drafts {
            var next = Array(repeating: 0.0, count: covered.count)
            for (mask, mass) in covered.enumerated() where mass > 0 {
                for (bit, token) in set.enumerated() { next[mask | (1 << bit)] += mass * draft[token] }
            }
            covered = next
        }
        return covered[covered.count - 1]
    }

    static func binomial(_ n: Int, _ k: Int) -> Double {
        guard k <= n else { return 0 }
        // The smaller of the two sides: the products on the way grow no larger than the result.
        return (0..<min(k, n - k)).reduce(1.0) { $0 * Double(n - $1) / Double($1 + 1) }
    }
}

/// n! [tⁿ] e^{ht} ∏_{i∈A} (e^{p_i t} - 1): the probability that n i.i.d. drafts lie in H ∪ A and cover A, h = p(H).
///
/// Every term is positive; the inclusion–exclusion of (118) and (120) loses its digits where probabilities are small.
struct SurjectionSeries {
    /// Coefficients of t⁰ … tⁿ, the k-th multiplied by k!.
    private var coefficients: [Double]

    /// - Parameter outside: h, the mass of tokens that may but need not be drafted.
    init(order: Int, outside: Double = 0) {
        coefficients = (0...order).map { $0 == 0 ? 1 : pow(outside, Double($0)) }
    }

    /// The series with the factor of one more token.
    func extended(by mass: Double) -> SurjectionSeries {
        var series = self
        series.multiply(by: mass)
        return series
    }

    /// (fg)_k = Σ_j C(k, j) f_{k-j} m^j over j ≥ 1, exponential generating functions multiplied.
    private mutating func multiply(by mass: Double) {
        for k in stride(from: coefficients.count - 1, through: 0, by: -1) {
            var sum = 0.0
            var weight = 1.0
            for j in stride(from: 1, through: k, by: 1) {
                weight *= mass * Double(k - j + 1) / Double(j)
                sum += coefficients[k - j] * weight
            }
            coefficients[k] = sum
        }
    }

    var probability: Double { coefficients[coefficients.count - 1] }
}
