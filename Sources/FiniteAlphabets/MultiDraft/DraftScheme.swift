/// How n tokens are drafted from one law p, by the names of the command line.
public enum DraftScheme: String, CaseIterable, Codable, Sendable {
    /// Each from p, whatever the others are.
    case independent
    /// One after another, each from p restricted to the tokens that were not drafted before.
    case withoutReplacement = "without-replacement"
    /// The n - 1 likeliest tokens of p, and one drawn from p restricted to the others (Hu et al. 2025; GR, Section 5).
    case greedy

    public static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

/// A law of n drafted tokens together, whatever depends on whatever: p_draft, a probability for each tuple.
public struct JointDraftLaw: Equatable, Sendable {
    /// The tuples that can be, each once.
    public let tuples: [[Int]]
    /// Of each of them, above 0, with sum 1.
    public let probabilities: [Double]

    /// - Parameters:
    ///   - pairs: tuples of equally many tokens each, with their probabilities; those of equal tuples are added up.
    ///   - vocabularySize: V.
    /// - Throws: `CouplingError` for probabilities that are no law, tuples of different lengths and tokens out of range.
    public init(
        _ pairs: [(tuple: [Int], probability: Double)], vocabularySize: Int, name: String = "joint law of the drafts"
    ) throws(CouplingError) {
        let law = try FiniteDistribution(pairs.map(\.probability), name: name)
        let length = pairs[0].tuple.count
        try MultiDraftProblem.draftCounts.check(Double(length))
        var masses: [[Int]: Double] = [:]
        for (pair, probability) in zip(pairs, law.probabilities) {
            guard pair.tuple.count == length else {
                throw .wrongDraftCount(expected: length, found: pair.tuple.count)
            }
            for token in pair.tuple where !(0..<vocabularySize).contains(token) {
                throw .tokenOutOfRange(name: name, token: token, vocabularySize: vocabularySize)
            }
            if probability > 0 { masses[pair.tuple, default: 0] += probability }
        }
        // In an order of their own, so that equal laws are equal.
        tuples = masses.keys.sorted { $0.lexicographicallyPrecedes($1) }
        probabilities = tuples.map { masses[$0] ?? 0 }
    }

    /// n.
    public var draftCount: Int { tuples[0].count }

    /// The law of the token that follows the first ones of a tuple; nil after tokens that cannot be its beginning.
    func next(after earlier: [Int], vocabularySize: Int) throws(CouplingError) -> FiniteDistribution? {
        var weights = Array(repeating: 0.0, count: vocabularySize)
        var isPossible = false
        for (tuple, probability) in zip(tuples, probabilities) where tuple.starts(with: earlier) {
            weights[tuple[earlier.count]] += probability
            isPossible = true
        }
        return isPossible ? try FiniteDistribution(weights: weights, name: "next draft") : nil
    }
}
