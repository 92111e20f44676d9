import Couplings

/// A law on the tokens 0 ..< V of which few have any probability.
public struct SparseLaw: Equatable, Sendable {
    /// V
    public let vocabularySize: Int
    /// The tokens that can be, ascending.
    public let tokens: [Int]
    /// Of each of them, above 0, with sum 1.
    public let probabilities: [Double]

    /// No vocabulary is larger.
    public static let vocabularySizes = ParameterRange("the vocabulary size", from: 1, to: 1 << 40)

    /// - Parameters: sound already.
    init(vocabularySize: Int, tokens: [Int], probabilities: [Double]) {
        (self.vocabularySize, self.tokens, self.probabilities) = (vocabularySize, tokens, probabilities)
    }

    /// Tokens with their probabilities, in any order.
    /// - Throws: `CouplingError` for a token that is out of range or given twice, and for probabilities that are no law.
    public init(
        vocabularySize: Int, pairs: [(token: Int, probability: Double)], name: String = "law"
    ) throws(CouplingError) {
        try Self.vocabularySizes.check(Double(vocabularySize))
        let law = try FiniteDistribution(pairs.map(\.probability), name: name)
        let sorted = zip(pairs.map(\.token), law.probabilities).sorted { $0.0 < $1.0 }
        for (index, pair) in sorted.enumerated() {
            guard (0..<vocabularySize).contains(pair.0) else {
                throw .tokenOutOfRange(name: name, token: pair.0, vocabularySize: vocabularySize)
            }
            guard index == 0 || sorted[index - 1].0 != pair.0 else {
                throw .tokenGivenTwice(name: name, token: pair.0)
            }
        }
        let possible = sorted.filter { $0.1 > 0 }
        self.init(vocabularySize: vocabularySize, tokens: possible.map(\.0), probabilities: possible.map(\.1))
    }

    public init(_ law: FiniteDistribution) {
        let tokens = law.probabilities.indices.filter { law[$0] > 0 }
        self.init(vocabularySize: law.count, tokens: tokens, probabilities: tokens.map { law[$0] })
    }

    /// Draws a token by inverting the distribution function.
    public func sample(randomness: inout RandomStream) -> Int {
        let quantile = randomness.uniform()
        var cumulative = 0.0
        for (token, probability) in zip(tokens, probabilities) {
            cumulative += probability
            if quantile < cumulative { return token }
        }
        return tokens[tokens.count - 1]
    }
}

/// A target and its drafts on the tokens that any of them can be: what a rule does there it does on the whole vocabulary, in
/// time that depends on these tokens alone.
public struct SparseProblem: Sendable {
    /// The tokens that any of the laws can be, ascending.
    public let tokens: [Int]
    /// The same laws on 0 ..< tokens.count.
    public let problem: MultiDraftProblem

    /// - Parameters:
    ///   - drafts: the law that each draft is drawn from.
    ///   - scheme: how; all but independent drafts have one law.
    /// - Throws: `CouplingError.lengthsDiffer` for laws of different vocabularies, `.draftsNotIdentical`, and as
    ///   `MultiDraftProblem` does.
    public init(
        target: SparseLaw, drafts: [SparseLaw], scheme: DraftScheme = .independent
    ) throws(CouplingError) {
        for (index, draft) in drafts.enumerated() where draft.vocabularySize != target.vocabularySize {
            throw .lengthsDiffer(
                name: "draft \(index)", count: draft.vocabularySize, otherName: "target",
                otherCount: target.vocabularySize)
        }
        // Drafts of one law, as they often are, need not be looked at again.
        var different = [target]
        for draft in drafts where !different.contains(draft) { different.append(draft) }
        var tokens = different.flatMap(\.tokens)
        tokens.sort()
        var count = 0
        for token in tokens where count == 0 || tokens[count - 1] != token {
            tokens[count] = token
            count += 1
        }
        tokens.removeLast(tokens.count - count)
        self.tokens = tokens
        var laws: [FiniteDistribution] = []
        for law in different { laws.append(try Self.law(law, on: tokens)) }
        func compact(_ law: SparseLaw) -> FiniteDistribution { laws[different.firstIndex(of: law) ?? 0] }
        guard scheme != .independent, let draft = drafts.first else {
            problem = try MultiDraftProblem(target: compact(target), drafts: drafts.map(compact))
            return
        }
        guard different.count <= 2, drafts.allSatisfy({ $0 == draft }) else {
            throw .draftsNotIdentical(rule: scheme.rawValue)
        }
        problem = try MultiDraftProblem(
            target: compact(target), draft: compact(draft), count: drafts.count, scheme: scheme)
    }

    private static func law(_ law: SparseLaw, on tokens: [Int]) throws(CouplingError) -> FiniteDistribution {
        var probabilities = [Double](repeating: 0, count: tokens.count)
        var place = 0
        for (token, probability) in zip(law.tokens, law.probabilities) {
            while tokens[place] < token { place += 1 }
            probabilities[place] = probability
        }
        return try FiniteDistribution(probabilities)
    }

    /// The place of a token among `tokens`; nil for one that none of the laws can be.
    public func index(of token: Int) -> Int? {
        var (low, high) = (0, tokens.count)
        while low < high {
            let middle = (low + high) / 2
            if tokens[middle] < token { low = middle + 1 } else { high = middle }
        }
        return low < tokens.count && tokens[low] == token ? low : nil
    }
}
