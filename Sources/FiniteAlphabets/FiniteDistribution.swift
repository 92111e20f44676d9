import Couplings

/// A probability distribution on the tokens 0 ..< V: entries finite, not negative, summing to one.
///
/// Validation happens here and nowhere else, so every algorithm below may rely on it.
public struct FiniteDistribution: Equatable, Sendable {
    /// The probabilities p_i.
    public let probabilities: [Double]

    /// How far from one the sum may be: what single precision, or a few digits in a file, make of large vocabularies. The sum
    /// is then divided out.
    public static let sumTolerance = 1e-3

    /// Checks `probabilities` and divides out what rounding left of their sum.
    /// - Parameters:
    ///   - probabilities: one for each token.
    ///   - name: what errors call this distribution, such as a file's name.
    /// - Throws: `CouplingError` naming the first entry at fault, or the sum.
    public init(_ probabilities: [Double], name: String = "distribution") throws(CouplingError) {
        let sum = try FiniteDistribution.checkedSum(probabilities, name: name)
        guard abs(sum - 1) <= FiniteDistribution.sumTolerance else {
            throw .doesNotSumToOne(name: name, sum: sum)
        }
        self.probabilities = sum == 1 ? probabilities : probabilities.map { $0 / sum }
    }

    /// The distribution proportional to `weights`.
    /// - Throws: `CouplingError` where a weight is negative or not finite, or where all are zero.
    public init(weights: [Double], name: String = "distribution") throws(CouplingError) {
        let sum = try FiniteDistribution.checkedSum(weights, name: name)
        guard sum > 0, sum.isFinite else { throw .doesNotSumToOne(name: name, sum: sum) }
        self.probabilities = weights.map { $0 / sum }
    }

    /// The uniform distribution on `count` tokens.
    public init(uniformOver count: Int) throws(CouplingError) {
        guard count > 0 else { throw .emptyDistribution(name: "uniform distribution") }
        self.probabilities = Array(repeating: 1 / Double(count), count: count)
    }

    /// V, the number of tokens.
    public var count: Int { probabilities.count }

    public subscript(token: Int) -> Double { probabilities[token] }

    /// Draws a token by inverting the distribution function.
    public func sample(randomness: inout RandomStream) -> Int {
        token(atQuantile: randomness.uniform())
    }

    /// The token whose interval of the distribution function holds `quantile`, never one of probability zero.
    public func token(atQuantile quantile: Double) -> Int {
        var cumulative = 0.0
        var last = 0
        for (token, probability) in probabilities.enumerated() where probability > 0 {
            cumulative += probability
            last = token
            if quantile < cumulative { return token }
        }
        return last
    }

    /// D_TV(self, other) = ½ Σ |p_i - q_i|.
    /// - Throws: `CouplingError.lengthsDiffer`.
    public func totalVariation(to other: FiniteDistribution) throws(CouplingError) -> Double {
        try requireSameVocabulary(as: other)
        return zip(probabilities, other.probabilities).reduce(0) { $0 + abs($1.0 - $1.1) } / 2
    }

    /// Throws `CouplingError.lengthsDiffer` unless both have the same number of tokens.
    public func requireSameVocabulary(
        as other: FiniteDistribution, name: String = "draft", otherName: String = "target"
    ) throws(CouplingError) {
        guard count == other.count else {
            throw .lengthsDiffer(name: name, count: count, otherName: otherName, otherCount: other.count)
        }
    }

    private static func checkedSum(_ values: [Double], name: String) throws(CouplingError) -> Double {
        guard !values.isEmpty else { throw .emptyDistribution(name: name) }
        for (index, value) in values.enumerated() {
            guard value.isFinite else { throw .notFinite(name: name, index: index) }
            guard value >= 0 else { throw .negativeProbability(name: name, index: index, value: value) }
        }
        return values.reduce(0, +)
    }
}
