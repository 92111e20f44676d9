import Couplings
import Platform

/// Learns the weights of a mixture (DB25 (59)): for each part of the chain those that minimise the rejections to be
/// expected on recorded windows,
///
///     Σ_rows 2Φ(‖Δ(w)‖/2) - 1,      Δ(w) = Σ_j w_j (m^{p_j} - m^q) / s,      w ≥ 0, Σ_j w_j = 1.
///
/// `‖Δ(w)‖² = wᵀ G w` needs of a row only its Gram matrix `G`, so that recording keeps a few numbers of each. The
/// probability is concave in `‖Δ‖²`, hence below its tangents: minimising their sum, a quadratic form, in its place
/// (majorisation, as Hunter & Lange 2004 survey) lowers the probability at every round.
public struct MixtureFit: Sendable {
    public let components: [any Draft]
    /// The Gram matrices, row-major, by step.
    private var gramsByStep: [[[Double]]]

    /// - Parameters:
    ///   - components: at least one.
    ///   - stepCount: `K` of the chain.
    public init(components: [any Draft], stepCount: Int) {
        self.components = components
        gramsByStep = [[[Double]]](repeating: [], count: stepCount)
    }

    /// Rows recorded so far.
    public var rowCount: Int { gramsByStep.reduce(0) { $0 + $1.count } }

    /// Takes in what a round of a sampler of `chain` scored. Steps without noise are left out: nothing is coupled there.
    public mutating func record(_ scored: [StepInfo.ScoredWindow], chain: some GaussianChain) throws {
        var windows: [DraftWindow] = []
        var targets: [[Double]] = []
        for (window, answers) in scored.map({ ($0.window, $0.answers) }) {
            for (step, prediction) in answers where step < window.firstStep + window.length {
                guard chain.transition(at: step).standardDeviation > 0 else { continue }
                windows.append(window.cut(at: step))
                targets.append(chain.mean(step: step, state: window.state(at: step), prediction: prediction))
            }
        }
        guard !windows.isEmpty else { return }
        let means = try components.map { try $0.means(for: windows, chain: chain) }
        for (row, window) in windows.enumerated() {
            let scale = 1 / chain.transition(at: window.currentStep).standardDeviation
            let errors = means.map { Vector.combine(scale, $0[row], -scale, targets[row]) }
            let gram = errors.flatMap { a in errors.map { Vector.dot(a, $0) } }
            gramsByStep[window.currentStep].append(gram)
        }
    }

    /// The weights with the fewest rejections to be expected.
    /// - Parameter parts: how many equal parts of the chain get weights of their own, at least 1. A part without rows
    ///   gets equal weights.
    public func weights(parts: Int) throws(DiffusionError) -> MixtureWeights {
        let parts = max(1, parts)
        return try MixtureWeights(
            byProgress: (0..<parts).map { part in
                let steps = gramsByStep.indices.filter { $0 * parts / gramsByStep.count == part }
                return Self.minimiser(of: steps.flatMap { gramsByStep[$0] }, count: components.count)
            })
    }

    /// The mean probability of rejection over the recorded rows, with given weights; 0 without rows.
    public func rejection(with weights: MixtureWeights) -> Double {
        let sum = gramsByStep.enumerated().reduce(0) { sum, entry in
            sum + Self.rejections(entry.element, weights.at(step: entry.offset, of: gramsByStep.count))
        }
        return sum / Double(max(1, rowCount))
    }

    /// `Σ 2Φ(√(wᵀGw)/2) - 1`
    private static func rejections(_ grams: [[Double]], _ weights: [Double]) -> Double {
        grams.reduce(0) { $0 + 1 - maximalAcceptance(distance: quadratic($1, weights).squareRoot()) }
    }

    private static func quadratic(_ gram: [Double], _ weights: [Double]) -> Double {
        let count = weights.count
        var sum = 0.0
        for i in 0..<count {
            for j in 0..<count { sum += weights[i] * gram[i * count + j] * weights[j] }
        }
        return max(0, sum)
    }

    private static func minimiser(of grams: [[Double]], count: Int) -> [Double] {
        var weights = [Double](repeating: 1 / Double(count), count: count)
        guard !grams.isEmpty else { return weights }
        for _ in 0..<200 {
            // The tangent's slope in u = ‖Δ‖²: φ(√u/2) / (2√u).
            var form = [Double](repeating: 0, count: count * count)
            for gram in grams {
                let squared = max(quadratic(gram, weights), 1e-12)
                let slope = exp(-squared / 8) / squared.squareRoot()
                for i in form.indices { form[i] += slope * gram[i] }
            }
            let next = simplexMinimiser(of: form, from: weights)
            let change = zip(next, weights).reduce(0) { max($0, abs($1.0 - $1.1)) }
            weights = next
            if change < 1e-6 { break }
        }
        return weights
    }

    /// Minimises `wᵀ F w` over the simplex: weight is moved between two components at a time, as far as is best.
    private static func simplexMinimiser(of form: [Double], from start: [Double]) -> [Double] {
        var weights = start
        let count = weights.count
        for _ in 0..<1000 {
            var change = 0.0
            for i in 0..<count {
                for j in 0..<i {
                    let curvature = form[i * count + i] + form[j * count + j] - 2 * form[i * count + j]
                    guard curvature > 0 else { continue }
                    var slope = 0.0
                    for l in 0..<count { slope += (form[i * count + l] - form[j * count + l]) * weights[l] }
                    let move = min(max(-slope / curvature, -weights[i]), weights[j])
                    weights[i] += move
                    weights[j] -= move
                    change = max(change, abs(move))
                }
            }
            if change < 1e-9 { break }
        }
        return weights
    }
}
