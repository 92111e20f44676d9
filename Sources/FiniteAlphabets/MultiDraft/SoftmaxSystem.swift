import Platform

/// Theorems 6.4 and 6.5 (GR, Section 6.2, Appendix K): the outer or the inner system as one convex minimisation.
///
/// A draft set gives token i the part x_i/(c + Σ_{j in the set} x_j), x_i = exp(α_i), with c = 1 in the inner system,
/// whose sets may keep a rest, and c = 0 in the outer. The gradient of Φ_T or Θ_T in α is what the tokens so receive,
/// less what they shall receive.
struct SoftmaxSystem {
    /// The tokens with a variable: T, less those that shall receive nothing.
    let tokens: [Int]
    /// What they shall receive.
    private let shares: [Double]
    /// Their draft probabilities.
    private let masses: [Double]
    /// c.
    private let slack: Double
    private let draftCount: Int
    /// All sets of fewer than n tokens: members one after another, and p(set), by size.
    private var smallerSets: [(members: [Int32], probabilities: [Double])] = []
    /// The draft probabilities, padded with zeros, for sets of exactly n tokens.
    private let maskedMasses: [SIMD8<Double>]

    /// - Parameter outside: the draft mass of tokens that a set of the system may hold and that receive nothing of it.
    init(tokens: [Int], shares: [Double], masses: [Double], outside: Double, slack: Double, draftCount: Int) {
        self.tokens = tokens
        self.shares = shares
        self.masses = masses
        self.slack = slack
        self.draftCount = draftCount
        maskedMasses = SoftmaxSystem.blocks(masses, padding: 0)
        // A single draft has no sets of fewer tokens; its sets of one are listed too.
        let largestListed = max(1, draftCount - 1)
        smallerSets = Array(repeating: ([], []), count: largestListed)
        var chosen: [Int32] = []
        func descend(from index: Int, _ series: SurjectionSeries) {
            for next in index..<max(index, masses.count) {
                chosen.append(Int32(next))
                let extended = series.extended(by: masses[next])
                smallerSets[chosen.count - 1].members.append(contentsOf: chosen)
                smallerSets[chosen.count - 1].probabilities.append(extended.probability)
                if chosen.count < largestListed { descend(from: next + 1, extended) }
                chosen.removeLast()
            }
        }
        descend(from: 0, SurjectionSeries(order: draftCount, outside: outside))
    }

    /// The number of quotients one gradient takes: one for each smaller set and token of it, and the whole vocabulary
    /// for each n-1 tokens.
    static func work(tokenCount: Int, draftCount: Int) -> Double {
        let largest = max(1, draftCount - 1)
        let smaller = (1...largest).reduce(0.0) { $0 + DraftSets.binomial(tokenCount, $1) * Double($1) }
        return smaller + DraftSets.binomial(tokenCount, largest) * Double(tokenCount)
    }

    /// ∇Φ_T or ∇Θ_T at α.
    func gradient(at exponents: [Double]) -> [Double] {
        zip(received(at: exponents), shares).map { $0 - $1 }
    }

    /// What each token receives at α.
    func received(at exponents: [Double]) -> [Double] {
        let x = exponents.map { exp($0) }
        var received = Array(repeating: 0.0, count: x.count)
        for (index, sets) in smallerSets.enumerated() {
            let size = index + 1
            for (number, probability) in sets.probabilities.enumerated() {
                let members = (number * size)..<((number + 1) * size)
                var sum = slack
                for place in members { sum += x[Int(sets.members[place])] }
                guard sum > 0 else { continue }
                let scale = probability / sum
                for place in members { received[Int(sets.members[place])] += x[Int(sets.members[place])] * scale }
            }
        }
        if draftCount > 1 { addFullSets(x, to: &received) }
        return received
    }

    /// The sets of n different tokens, p = n! ∏ p_i: for each n-1 of them the last runs over the whole vocabulary in
    /// blocks, so a set is met once for each of its tokens as the last, n-1 times with a given token not the last.
    private func addFullSets(_ x: [Double], to received: inout [Double]) {
        let blocks = SoftmaxSystem.blocks(x, padding: 1)
        let prefixSize = draftCount - 1
        guard x.count > prefixSize else { return }
        let weight = (1...draftCount).reduce(1.0) { $0 * Double($1) } / Double(prefixSize)
        var prefix = Array(0..<prefixSize)
        while true {
            var sum = slack
            var product = weight
            for i in prefix {
                sum += x[i]
                product *= masses[i]
            }
            var quotients = SIMD8<Double>(repeating: 0)
            for block in blocks.indices { quotients += maskedMasses[block] / (blocks[block] + sum) }
            var total = quotients.sum()
            for i in prefix { total -= masses[i] / (x[i] + sum) }
            let scale = product * max(0, total)
            for i in prefix { received[i] += x[i] * scale }
            // The next ascending prefix.
            var place = prefixSize - 1
            while place >= 0, prefix[place] == x.count - prefixSize + place { place -= 1 }
            if place < 0 { return }
            prefix[place] += 1
            for later in (place + 1)..<max(place + 1, prefixSize) { prefix[later] = prefix[later - 1] + 1 }
        }
    }

    /// The outcome of a minimisation.
    struct Solution {
        /// α, one for each of `tokens`.
        let exponents: [Double]
        /// ‖∇‖₁ there.
        let gradientNorm: Double
        let iterations: Int
    }

    /// Minimises until ‖∇‖₁ ≤ tolerance or the iterations are used up.
    func minimise(tolerance: Double, maximumIterations: Int) -> Solution {
        // At α = log(share / chance of being drafted) every set would give about what its tokens shall receive; for a
        // single draft, just that.
        let highest = slack == 0 ? 1e12 : draftCount == 1 ? 1 - 1e-13 : 0.95
        let start = zip(shares, masses).map { share, mass in
            let chance = 1 - pow(1 - mass, Double(draftCount))
            let ratio = min(share / max(chance, 1e-300), highest)
            return log(max(ratio, 1e-12)) - (slack > 0 ? log(1 - ratio) : 0)
        }
        let minimiser = GradientMinimiser(scale: shares.map { 1 / max($0, 1e-12) })
        return minimiser.minimise(
            from: start, tolerance: tolerance, maximumIterations: maximumIterations, gradient: gradient(at:))
    }

    private static func blocks(_ values: [Double], padding: Double) -> [SIMD8<Double>] {
        stride(from: 0, to: values.count, by: 8).map { start in
            var block = SIMD8<Double>(repeating: padding)
            for lane in 0..<min(8, values.count - start) { block[lane] = values[start + lane] }
            return block
        }
    }
}
