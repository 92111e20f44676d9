import Couplings

/// A target law q and n drafts drawn independently, the k-th from p_k: what every multi-draft rule is given.
///
/// Validated once here: at least one draft, one vocabulary.
public struct MultiDraftProblem: Equatable, Sendable {
    /// q, which the output must follow.
    public let target: FiniteDistribution
    /// p_1 … p_n, one for each draft.
    public let drafts: [FiniteDistribution]
    /// Whether all p_k are one distribution.
    public let isIdentical: Bool

    /// The upper end is far more drafts than any rule can use.
    public static let draftCounts = ParameterRange("the number of drafts", from: 1, to: 4096)

    /// n drafts from one distribution.
    /// - Throws: `CouplingError.parameterOutOfRange` for none or more than 4096, `.lengthsDiffer`.
    public init(target: FiniteDistribution, draft: FiniteDistribution, count: Int) throws(CouplingError) {
        try MultiDraftProblem.draftCounts.check(Double(count))
        try draft.requireSameVocabulary(as: target)
        self.target = target
        self.drafts = Array(repeating: draft, count: count)
        self.isIdentical = true
    }

    /// One draft from each of several distributions.
    /// - Throws: `CouplingError.parameterOutOfRange` for none or more than 4096, `.lengthsDiffer`.
    public init(target: FiniteDistribution, drafts: [FiniteDistribution]) throws(CouplingError) {
        try MultiDraftProblem.draftCounts.check(Double(drafts.count))
        for (index, draft) in drafts.enumerated() {
            try draft.requireSameVocabulary(as: target, name: "draft \(index)")
        }
        self.target = target
        self.drafts = drafts
        self.isIdentical = drafts.allSatisfy { $0 == drafts[0] }
    }

    /// n, the number of drafts.
    public var draftCount: Int { drafts.count }

    /// V, the size of the vocabulary.
    public var vocabularySize: Int { target.count }

    /// p, for rules that need identically distributed drafts.
    /// - Throws: `CouplingError.draftsNotIdentical`.
    public func identicalDraft(for rule: String) throws(CouplingError) -> FiniteDistribution {
        guard isIdentical else { throw .draftsNotIdentical(rule: rule) }
        return drafts[0]
    }

    /// Draws the n drafts.
    public func drawDrafts(randomness: inout RandomStream) -> [Int] {
        drafts.map { $0.sample(randomness: &randomness) }
    }

    /// Calls `body` with each n-tuple of positive probability and that probability.
    /// - Throws: `CouplingError.problemTooLarge` beyond `limit` tuples, or what `body` throws.
    func forEachTuple(
        limit: Double = 4e6, _ body: (_ tuple: [Int], _ probability: Double) throws -> Void
    ) throws {
        let supports = drafts.map { draft in draft.probabilities.indices.filter { draft[$0] > 0 } }
        let size = supports.reduce(1.0) { $0 * Double($1.count) }
        guard size <= limit else {
            throw CouplingError.problemTooLarge(what: "enumerating all draft tuples", size: size, limit: limit)
        }
        var tuple = Array(repeating: 0, count: draftCount)
        func descend(_ position: Int, _ probability: Double) throws {
            guard position < draftCount else { return try body(tuple, probability) }
            for token in supports[position] {
                tuple[position] = token
                try descend(position + 1, probability * drafts[position][token])
            }
        }
        try descend(0, 1)
    }
}
