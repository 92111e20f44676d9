import Couplings

/// A target law q and n drafted tokens: what every multi-draft rule is given.
///
/// Validated once here: at least one draft, one vocabulary.
public struct MultiDraftProblem: Equatable, Sendable {
    /// What the drafts have to do with each other.
    public enum Dependence: Equatable, Sendable {
        /// Nothing: the k-th is drawn from p_k.
        case independent
        /// All are from one law, and none is drawn twice.
        case withoutReplacement
        /// They have a law together.
        case joint(JointDraftLaw)
    }

    /// q, which the output must follow.
    public let target: FiniteDistribution
    /// The laws that the drafts are drawn from: p_1 … p_n. Without replacement all are p, of which the later drafts have a
    /// restriction; of a joint law they are its margins.
    public let drafts: [FiniteDistribution]
    public let dependence: Dependence
    /// Whether the drafts are independent and all p_k are one distribution.
    public let isIdentical: Bool

    /// The upper end is far more drafts than any rule can use.
    public static let draftCounts = ParameterRange("the number of drafts", from: 1, to: 4096)

    /// n drafts from one distribution.
    ///
    /// Where none is drawn twice there are at most as many as the law has tokens: `draftCount` says how many there are.
    /// - Throws: `CouplingError.parameterOutOfRange` for none or more than 4096, `.lengthsDiffer`.
    public init(
        target: FiniteDistribution, draft: FiniteDistribution, count: Int, scheme: DraftScheme = .independent
    ) throws(CouplingError) {
        try MultiDraftProblem.draftCounts.check(Double(count))
        try draft.requireSameVocabulary(as: target)
        switch scheme {
        case .independent:
            self.init(target: target, drafts: Array(repeating: draft, count: count), isIdentical: true)
        case .withoutReplacement:
            let possible = draft.probabilities.count { $0 > 0 }
            self.init(
                target: target, drafts: Array(repeating: draft, count: min(count, possible)), isIdentical: false,
                dependence: .withoutReplacement)
        case .greedy:
            let laws = try MultiDraftProblem.greedyLaws(draft, count: count)
            self.init(target: target, drafts: laws, isIdentical: laws.count == 1)
        }
    }

    /// One draft from each of several distributions.
    /// - Throws: `CouplingError.parameterOutOfRange` for none or more than 4096, `.lengthsDiffer`.
    public init(target: FiniteDistribution, drafts: [FiniteDistribution]) throws(CouplingError) {
        try MultiDraftProblem.draftCounts.check(Double(drafts.count))
        for (index, draft) in drafts.enumerated() {
            try draft.requireSameVocabulary(as: target, name: "draft \(index)")
        }
        self.init(target: target, drafts: drafts, isIdentical: drafts.allSatisfy { $0 == drafts[0] })
    }

    /// Drafts that have a law together.
    /// - Throws: `CouplingError.lengthsDiffer`, or `.tokenOutOfRange` for a law of a larger vocabulary.
    public init(target: FiniteDistribution, joint law: JointDraftLaw) throws(CouplingError) {
        var margins = Array(repeating: Array(repeating: 0.0, count: target.count), count: law.draftCount)
        for (tuple, probability) in zip(law.tuples, law.probabilities) {
            for (position, token) in tuple.enumerated() {
                guard token < target.count else {
                    throw .tokenOutOfRange(name: "joint law", token: token, vocabularySize: target.count)
                }
                margins[position][token] += probability
            }
        }
        var drafts: [FiniteDistribution] = []
        for margin in margins { drafts.append(try FiniteDistribution(margin, name: "margin of the joint law")) }
        self.init(target: target, drafts: drafts, isIdentical: false, dependence: .joint(law))
    }

    private init(
        target: FiniteDistribution, drafts: [FiniteDistribution], isIdentical: Bool,
        dependence: Dependence = .independent
    ) {
        (self.target, self.drafts, self.dependence, self.isIdentical) = (target, drafts, dependence, isIdentical)
    }

    /// The likeliest n - 1 tokens for certain, then p on the others: independent drafts, for all but one of them are certain.
    private static func greedyLaws(
        _ draft: FiniteDistribution, count: Int
    ) throws(CouplingError) -> [FiniteDistribution] {
        let possible = draft.probabilities.indices.filter { draft[$0] > 0 }
        let certain = possible.sorted { draft[$0] != draft[$1] ? draft[$0] > draft[$1] : $0 < $1 }
            .prefix(min(count, possible.count) - 1)
        var laws: [FiniteDistribution] = []
        var rest = draft.probabilities
        for token in certain {
            var point = Array(repeating: 0.0, count: draft.count)
            point[token] = 1
            laws.append(try FiniteDistribution(point))
            rest[token] = 0
        }
        laws.append(try FiniteDistribution(weights: rest, name: "the draft's law without its likeliest tokens"))
        return laws
    }

    /// n, the number of drafts.
    public var draftCount: Int { drafts.count }

    /// V, the size of the vocabulary.
    public var vocabularySize: Int { target.count }

    /// p, for rules that need independent drafts from one distribution.
    /// - Throws: `CouplingError.draftsNotIdentical`.
    public func identicalDraft(for rule: String) throws(CouplingError) -> FiniteDistribution {
        guard isIdentical else { throw .draftsNotIdentical(rule: rule) }
        return drafts[0]
    }

    /// p_1 … p_n, for rules that need independent drafts.
    /// - Throws: `CouplingError.draftsDependent`.
    public func independentDrafts(for rule: String) throws(CouplingError) -> [FiniteDistribution] {
        guard dependence == .independent else { throw .draftsDependent(rule: rule) }
        return drafts
    }

    /// The law of the draft that follows others; nil after drafts that cannot be.
    /// - Parameter earlier: fewer than n tokens of the vocabulary.
    public func nextDraft(after earlier: [Int]) throws(CouplingError) -> FiniteDistribution? {
        switch dependence {
        case .independent: return drafts[earlier.count]
        case .withoutReplacement:
            if earlier.isEmpty { return drafts[0] }
            var rest = drafts[0].probabilities
            for token in earlier {
                guard rest[token] > 0 else { return nil }
                rest[token] = 0
            }
            return try FiniteDistribution(weights: rest, name: "the draft's law without the tokens drafted before")
        case .joint(let law): return try law.next(after: earlier, vocabularySize: vocabularySize)
        }
    }

    /// Draws the n drafts.
    public func drawDrafts(randomness: inout RandomStream) -> [Int] {
        switch dependence {
        case .independent: return drafts.map { $0.sample(randomness: &randomness) }
        case .withoutReplacement:
            var rest = drafts[0].probabilities
            return (0..<draftCount).map { _ in
                let token = Self.token(of: rest, quantile: randomness.uniform())
                rest[token] = 0
                return token
            }
        case .joint(let law): return law.tuples[Self.token(of: law.probabilities, quantile: randomness.uniform())]
        }
    }

    /// The index whose share of all weights holds the quantile, never one without weight.
    private static func token(of weights: [Double], quantile: Double) -> Int {
        var left = quantile * weights.reduce(0, +)
        var last = 0
        for (token, weight) in weights.enumerated() where weight > 0 {
            last = token
            left -= weight
            if left < 0 { break }
        }
        return last
    }

    /// Calls `body` with each n-tuple of positive probability and that probability.
    /// - Throws: `CouplingError.problemTooLarge` beyond `limit` tuples, or what `body` throws.
    func forEachTuple(
        limit: Double = 4e6, _ body: (_ tuple: [Int], _ probability: Double) throws(CouplingError) -> Void
    ) throws(CouplingError) {
        if case .joint(let law) = dependence {
            for (tuple, probability) in zip(law.tuples, law.probabilities) { try body(tuple, probability) }
            return
        }
        let supports = drafts.map { draft in draft.probabilities.indices.filter { draft[$0] > 0 } }
        let size = supports.reduce(1.0) { $0 * Double($1.count) }
        guard size <= limit else {
            throw CouplingError.problemTooLarge(what: "enumerating all draft tuples", size: size, limit: limit)
        }
        var tuple: [Int] = []
        func descend(_ probability: Double) throws(CouplingError) {
            guard tuple.count < draftCount, let law = try nextDraft(after: tuple) else {
                return try body(tuple, probability)
            }
            for token in supports[tuple.count] where law[token] > 0 {
                tuple.append(token)
                try descend(probability * law[token])
                tuple.removeLast()
            }
        }
        try descend(1)
    }
}
