import Platform

/// What is made of a language model's scores before a token is drawn from them: temperature, top-k, top-p and min-p, in the
/// order in which transformers' `generate` applies them, each to what the ones before have left.
public struct LogitsTruncation: Codable, Equatable, Sendable {
    /// Scores are divided by it; above 0.
    public var temperature = 1.0
    /// Only the tokens with the k highest scores are kept, and those that tie with the last of them; at least 1.
    public var topK: Int?
    /// Only the likeliest tokens are kept that together have at least this probability (Holtzman et al. 2020); above 0, at
    /// most 1.
    public var topP: Double?
    /// Only tokens are kept that have at least this share of the likeliest one's probability (Nguyen et al. 2024); 0 … 1.
    public var minP: Double?

    public static let temperatures = ParameterRange("the temperature", "a finite number above 0") {
        $0 > 0 && $0.isFinite
    }
    public static let topKs = ParameterRange("top-k", from: 1, to: 1 << 30)
    public static let topPs = ParameterRange("top-p", "above 0, at most 1") { $0 > 0 && $0 <= 1 }
    public static let minPs = ParameterRange("min-p", "from 0 to 1") { $0 >= 0 && $0 <= 1 }

    public init() {}

    /// - Throws: `CouplingError.parameterOutOfRange`.
    public func check() throws(CouplingError) {
        try Self.temperatures.check(temperature)
        if let topK { try Self.topKs.check(Double(topK)) }
        if let topP { try Self.topPs.check(topP) }
        if let minP { try Self.minPs.check(minP) }
    }

    /// The tokens that are kept, with their probabilities.
    /// - Parameters:
    ///   - logits: a score for each token of the vocabulary; -∞ for a token that cannot be.
    ///   - name: what errors call them.
    /// - Throws: `CouplingError` for settings out of range, for NaN or +∞ among the scores, and where all are -∞.
    /// - Complexity: one pass over the scores with top-k, without it a few; no sorting of the vocabulary.
    public func law(ofLogits logits: [Float], name: String = "logits") throws(CouplingError) -> SparseLaw {
        try check()
        guard !logits.isEmpty else { throw .emptyDistribution(name: name) }
        if topK == nil, topP ?? 1 == 1 { return try whole(logits, name: name) }
        var kept =
            if let topK { try Self.highest(topK, of: logits, name: name) } else {
                try Self.nucleus(of: logits, share: topP ?? 1, temperature: temperature, name: name)
            }
        guard let highest = kept.map(\.logit).max() else { throw .doesNotSumToOne(name: name, sum: 0) }
        // From differences, which neither overflow nor lose the digits of large scores.
        for index in kept.indices {
            kept[index].weight = exp((Double(kept[index].logit) - Double(highest)) / temperature)
        }
        // Without top-k these are the nucleus already.
        if topK != nil, let topP {
            kept = Self.likeliest(kept, sum: topP * kept.reduce(0) { $0 + $1.weight })
        }
        if let minP { kept.removeAll { $0.weight < minP } }
        kept.sort { $0.token < $1.token }
        let total = kept.reduce(0) { $0 + $1.weight }
        return SparseLaw(
            vocabularySize: logits.count, tokens: kept.map(\.token), probabilities: kept.map { $0.weight / total })
    }

    /// All tokens, but those that min-p leaves out: nothing is sorted.
    private func whole(_ logits: [Float], name: String) throws(CouplingError) -> SparseLaw {
        var highest = -Float.infinity
        for (token, logit) in logits.enumerated() {
            try Self.check(logit, at: token, name: name)
            highest = max(highest, logit)
        }
        guard highest > -.infinity else { throw .doesNotSumToOne(name: name, sum: 0) }
        var (tokens, weights) = ([Int](), [Double]())
        tokens.reserveCapacity(logits.count)
        weights.reserveCapacity(logits.count)
        let least = minP ?? 0
        for (token, logit) in logits.enumerated() where logit > -.infinity {
            let weight = exp((Double(logit) - Double(highest)) / temperature)
            guard weight > 0, weight >= least else { continue }
            tokens.append(token)
            weights.append(weight)
        }
        let total = weights.reduce(0, +)
        return SparseLaw(vocabularySize: logits.count, tokens: tokens, probabilities: weights.map { $0 / total })
    }

    private struct Candidate {
        let token: Int
        let logit: Float
        /// Relative to the likeliest token's.
        var weight = 0.0
    }

    private static func check(_ logit: Float, at token: Int, name: String) throws(CouplingError) {
        guard logit < .infinity else { throw .notFinite(name: name, index: token) }
    }

    /// Those with the k highest scores, and with scores like the last of them.
    private static func highest(
        _ k: Int, of logits: [Float], name: String
    ) throws(CouplingError) -> [Candidate] {
        var kept: [Candidate] = []
        // What has come so far may hold up to so many more than k, and is cut back then.
        let room = 2 * min(k, logits.count) + 64
        var least = -Float.infinity
        func cut() {
            guard kept.count > k else { return }
            kept.sort { $0.logit > $1.logit }
            least = kept[k - 1].logit
            kept.removeLast(kept.count - (kept.firstIndex { $0.logit < least } ?? kept.count))
        }
        for (token, logit) in logits.enumerated() {
            // NaN is not less than anything.
            if logit < least { continue }
            try check(logit, at: token, name: name)
            if logit == -.infinity { continue }
            kept.append(Candidate(token: token, logit: logit))
            if kept.count >= room, kept.count >= 2 * k { cut() }
        }
        cut()
        return kept
    }

    /// The likeliest tokens that together have at least `share` of all probability.
    private static func nucleus(
        of logits: [Float], share: Double, temperature: Double, name: String
    ) throws(CouplingError) -> [Candidate] {
        var highest = -Float.infinity
        for (token, logit) in logits.enumerated() {
            try check(logit, at: token, name: name)
            highest = max(highest, logit)
        }
        guard highest > -.infinity else { return [] }
        var weighted: [Candidate] = []
        weighted.reserveCapacity(logits.count)
        var sum = 0.0
        for (token, logit) in logits.enumerated() {
            let weight = exp((Double(logit) - Double(highest)) / temperature)
            if weight > 0 { weighted.append(Candidate(token: token, logit: logit, weight: weight)) }
            sum += weight
        }
        return likeliest(weighted, sum: share * sum)
    }

    /// The likeliest that together have at least so much weight, in their order; of equal ones the first.
    ///
    /// A large vocabulary is not sorted: the weights are counted by their leading bits, which order them, and only those that
    /// share the last one's bits are.
    private static func likeliest(_ candidates: [Candidate], sum wanted: Double) -> [Candidate] {
        func bin(_ candidate: Candidate) -> Int { Int(candidate.weight.bitPattern >> binShift) }
        var sums = [Double](repeating: 0, count: bin(Candidate(token: 0, logit: 0, weight: 1)) + 1)
        for candidate in candidates { sums[bin(candidate)] += candidate.weight }
        var (last, sum) = (sums.count, 0.0)
        while last > 0, sum < wanted {
            last -= 1
            sum += sums[last]
        }
        guard last < sums.count else { return Array(candidates.prefix(1)) }
        sum -= sums[last]
        // Of the last bin only the likeliest are needed.
        let ties = candidates.filter { bin($0) == last }
            .sorted { $0.weight != $1.weight ? $0.weight > $1.weight : $0.token < $1.token }
        var end: Candidate?
        for tie in ties where end == nil {
            sum += tie.weight
            if sum >= wanted { end = tie }
        }
        return candidates.filter { candidate in
            let place = bin(candidate)
            if place != last { return place > last }
            guard let end else { return true }
            return candidate.weight != end.weight ? candidate.weight > end.weight : candidate.token <= end.token
        }
    }

    /// Leaves the sign, the exponent and five bits of the mantissa of a number.
    private static let binShift = 47
}
