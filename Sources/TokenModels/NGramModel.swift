import FiniteAlphabets

/// An interpolated n-gram model (Witten and Bell 1991, method C).
///
/// P(w | h) = (c(hw) + N(h) P(w | h′)) / (c(h) + N(h)), with c the counts, N(h) the number of different tokens seen
/// after h, and h′ the context h without its first token; below the shortest context stands the uniform law. Every
/// token keeps some probability.
public struct NGramModel: DistributionModel, Sendable {
    /// What n may be.
    public static let orders = ParameterRange("the order", from: 1, to: 64)

    /// n: the model looks back n - 1 tokens.
    public let order: Int
    public let vocabularySize: Int
    /// What followed each context of up to n - 1 tokens.
    private let followers: [ArraySlice<Int>: [Int: Int]]

    /// Learns from `tokens`.
    /// - Throws: `TokenModelError.parameterOutOfRange` for an order outside 1 … 64 or an empty vocabulary, `.emptyText`,
    ///   `.outsideVocabulary`.
    public init(
        order: Int, vocabularySize: Int, trainedOn tokens: [Int], source: String = "text"
    ) throws(TokenModelError) {
        try NGramModel.orders.checkForModel(Double(order))
        guard !tokens.isEmpty else { throw .emptyText(file: source) }
        guard vocabularySize >= 1 else {
            throw .parameterOutOfRange(name: "vocabulary size", value: Double(vocabularySize), expected: "at least 1")
        }
        if let position = tokens.firstIndex(where: { !(0..<vocabularySize).contains($0) }) {
            throw .outsideVocabulary(what: "token \(tokens[position]) of \(source)", position: position)
        }
        var followers: [ArraySlice<Int>: [Int: Int]] = [:]
        for (position, token) in tokens.enumerated() {
            for length in 0..<min(order, position + 1) {
                followers[tokens[(position - length)..<position], default: [:]][token, default: 0] += 1
            }
        }
        self.order = order
        self.vocabularySize = vocabularySize
        self.followers = followers
    }

    public func nextDistribution(after context: [Int]) throws -> FiniteDistribution {
        var law = Array(repeating: 1 / Double(vocabularySize), count: vocabularySize)
        for length in 0..<min(order, context.count + 1) {
            guard let counts = followers[context[(context.count - length)...]] else { break }
            let different = Double(counts.count)
            let total = different + Double(counts.values.reduce(0, +))
            for token in law.indices { law[token] *= different / total }
            for (token, count) in counts { law[token] += Double(count) / total }
        }
        return try FiniteDistribution(weights: law, name: "n-gram law")
    }
}
