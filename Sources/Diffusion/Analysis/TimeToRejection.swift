import Couplings
import Platform

/// The law of the time to rejection (DB25 App. D): `P(τ > k)`, the probability that the first `k` drafts from a state
/// on are all accepted, is the Feynman–Kac expectation
///
///     P(τ > k) = E_p[Π_{i ≤ k} α_i(Ỹ_{i-1}, Ỹ_i)],      α_i = min(1, q/p),                                    (71)
///
/// over paths of the draft alone. A particle filter estimates it without a single rejection ever being sampled.
public struct TimeToRejection: Sendable {
    /// `P(τ > k)` for `k = 0, 1, …`, from 1 at 0 on, falling.
    public let survival: [Double]

    /// `E[L̂(W)] = Σ_{k<W} P(τ > k)`, the steps that a window decides.
    /// - Parameter window: `W` in 1 … horizon.
    public func decidedSteps(window: Int) -> Double { survival.prefix(window).reduce(0, +) }

    /// The particle filter: particles move by the draft, are weighted by `α`, and drawn again by systematic resampling
    /// whenever their effective number falls below half.
    /// - Parameters:
    ///   - chain: the target.
    ///   - draft: drafts from one evaluation at the start, as in a sample's first window; without calls of its own.
    ///   - horizon: the largest `k`.
    ///   - start: plain steps before the first draft; 0 starts from `Y_0`.
    ///   - particles: their number; particle `i` starts as sample `i` of `random` does, and is conditioned as it is.
    ///   - random: the keyed noise.
    /// - Throws: `DiffusionError` for a horizon beyond the chain's end, no particles, or a draft that refines its windows by
    ///   further calls; what chain and draft throw.
    /// - Complexity: `particles · (start + horizon)` evaluations of the target.
    public static func particleFilter(
        chain: some GaussianChain, draft: some Draft, horizon: Int, start: Int = 0, particles: Int,
        random: RandomSource
    ) throws -> TimeToRejection {
        try expect(count: particles, named: "particles")
        try expect(horizon: horizon, start: start, within: chain)
        try expectNoRefinements(draft)
        var windows = try startingSamples(chain, start: start, count: particles, random)
            .map { $0.window(length: horizon) }
        var logWeights = [Double](repeating: -log(Double(particles)), count: particles)
        var logSurvival = 0.0
        var survival = [1.0]
        for k in start..<start + horizon {
            // Ỹ_{k+1} ~ p(· | Ỹ_k), noise keyed by the particle's place, not by its ancestor
            let means = try draft.finiteMeans(for: windows, chain: chain)
            let queries = windows.map { ChainQuery(sample: $0.sample, step: k, state: $0.currentState) }
            let predictions = try chain.predictions(for: queries)
            let standardDeviation = chain.transition(at: k).standardDeviation
            for i in windows.indices {
                var stream = random.stream(sample: i, step: k, purpose: .auxiliary)
                let noise = stream.normals(chain.drawnDimension)
                let state = windows[i].currentState
                let targetMean = chain.mean(step: k, state: state, prediction: predictions[i])
                logWeights[i] += logAcceptance(means[i], targetMean, standardDeviation, noise)
                windows[i].means.append(means[i])
                windows[i].noises.append(noise)
                let drawn = Vector.combine(1, means[i], standardDeviation, noise)
                windows[i].states.append(chain.layout.state(after: state, drawn: drawn))
            }
            // P(τ > k) grows by the mean weight; then the weights are normalised.
            let highest = logWeights.reduce(-Double.infinity, max)
            guard highest > -.infinity else {
                survival += [Double](repeating: 0, count: start + horizon - k)
                break
            }
            let logTotal = highest + log(logWeights.reduce(0) { $0 + exp($1 - highest) })
            logSurvival += logTotal
            survival.append(exp(logSurvival))
            for i in logWeights.indices { logWeights[i] -= logTotal }
            let effectiveCount = 1 / logWeights.reduce(0) { $0 + exp(2 * $1) }
            if effectiveCount < Double(particles) / 2 {
                var stream = random.stream(sample: particles, step: k, purpose: .auxiliary)
                windows = resampled(windows, logWeights, offset: stream.uniform())
                logWeights = [Double](repeating: -log(Double(particles)), count: particles)
            }
        }
        return TimeToRejection(survival: survival)
    }

    /// The same law as seen: one window of `horizon` drafts for each of many samples, verified by Algorithm 4.
    /// - Parameters: as of `particleFilter`; the number of samples is at least 1.
    /// - Complexity: `samples · (start + horizon)` evaluations of the target.
    public static func observed(
        chain: some GaussianChain, draft: some Draft, horizon: Int, start: Int = 0, samples count: Int,
        random: RandomSource
    ) throws -> TimeToRejection {
        try expect(count: count, named: "samples")
        try expect(horizon: horizon, start: start, within: chain)
        try expectNoRefinements(draft)
        guard horizon > 0 else { return TimeToRejection(survival: [1]) }
        var samples = try startingSamples(chain, start: start, count: count, random)
        let sampler = try SpeculativeSampler(chain: chain, draft: draft, window: horizon, random: random)
        var survivors = [Int](repeating: count, count: horizon + 1)
        _ = try sampler.step(&samples)
        for sample in samples {
            guard let last = sample.decided.drafts.last, !last.isAccepted else { continue }
            for k in last.step - start + 1...horizon { survivors[k] -= 1 }
        }
        return TimeToRejection(survival: survivors.map { Double($0) / Double(count) })
    }

    private static func expect(count: Int, named name: String) throws(DiffusionError) {
        guard count >= 1 else { throw DiffusionError(name, expected: "a number ≥ 1", found: "\(count)") }
    }

    private static func expectNoRefinements(_ draft: some Draft) throws(DiffusionError) {
        guard draft.refinements.isEmpty else {
            throw DiffusionError(
                "time to rejection", expected: "a draft of one call a window",
                found: "one that refines its windows by further calls")
        }
    }

    private static func expect(horizon: Int, start: Int, within chain: some GaussianChain) throws(DiffusionError) {
        guard start >= 0, horizon >= 0, start + horizon <= chain.stepCount else {
            throw DiffusionError(
                "time to rejection", expected: "steps within the chain's \(chain.stepCount)",
                found: "\(horizon) from step \(start) on")
        }
    }

    /// Every sample at step `start`, with the target's answer there.
    private static func startingSamples(
        _ chain: some GaussianChain, start: Int, count: Int, _ random: RandomSource
    ) throws -> [SampleState] {
        let sampler = SequentialSampler(chain: chain, random: random)
        var samples = (0..<count).map { sampler.start(sample: $0) }
        for _ in 0..<start { _ = try sampler.step(&samples) }
        guard start < chain.stepCount else { return samples }
        let queries = samples.map { ChainQuery(sample: $0.sample, step: start, state: $0.state) }
        let predictions = try chain.predictions(for: queries)
        for i in samples.indices {
            samples[i].memory.record(
                step: start, state: samples[i].state, prediction: predictions[i], layout: chain.layout)
        }
        return samples
    }

    /// `log α`; a deterministic step is accepted if the draft has hit the target's mean.
    private static func logAcceptance(
        _ draftMean: [Double], _ targetMean: [Double], _ standardDeviation: Double, _ noise: [Double]
    ) -> Double {
        guard standardDeviation > 0 else { return draftMean == targetMean ? 0 : -.infinity }
        let delta = Vector.combine(1 / standardDeviation, draftMean, -1 / standardDeviation, targetMean)
        return min(0, -(Vector.squaredNorm(delta) / 2 + Vector.dot(delta, noise)))
    }

    /// Systematic resampling: one uniform places a comb of equal teeth on the weights.
    private static func resampled(_ windows: [DraftWindow], _ logWeights: [Double], offset: Double) -> [DraftWindow] {
        let count = Double(windows.count)
        var (ancestor, below) = (0, 0.0)
        return windows.indices.map { i in
            let tooth = (Double(i) + offset) / count
            while ancestor < windows.count - 1, below + exp(logWeights[ancestor]) < tooth {
                below += exp(logWeights[ancestor])
                ancestor += 1
            }
            return windows[ancestor]
        }
    }
}
