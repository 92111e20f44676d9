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

    /// Far more drafts than any rule can use.
    private static let maximumDrafts = 4096

    /// n drafts from one distribution.
    /// - Throws: `CouplingError.noDrafts`, `.problemTooLarge` beyond 4096 of them, `.lengthsDiffer`.
    public init(target: FiniteDistribution, draft: FiniteDistribution, count: Int) throws(CouplingError) {
        guard count >= 1 else { throw .noDrafts(count: count) }
        guard count <= MultiDraftProblem.maximumDrafts else {
            throw .problemTooLarge(
                what: "drafting", size: Double(count), limit: Double(MultiDraftProblem.maximumDrafts))
        }
        try draft.requireSameVocabulary(as: target)
        self.target = target
        self.drafts = Array(repeating: draft, count: count)
        self.isIdentical = true
    }

    /// One draft from each of several distributions.
    /// - Throws: `CouplingError.noDrafts`, `.problemTooLarge` beyond 4096 of them, `.lengthsDiffer`.
    public init(target: FiniteDistribution, drafts: [FiniteDistribution]) throws(CouplingError) {
        guard let first = drafts.first else { throw .noDrafts(count: 0) }
        for (index, draft) in drafts.enumerated() {
            try draft.requireSameVocabulary(as: target, name: "draft \(index)")
        }
        self.target = target
        self.drafts = drafts
        self.isIdentical = drafts.allSatisfy { $0 == first }
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
    public func drawDrafts(using generator: inout some RandomNumberGenerator) -> [Int] {
        drafts.map { $0.sample(using: &generator) }
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
