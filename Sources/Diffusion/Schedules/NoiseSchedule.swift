/// How an interpolant `X_t = α_t X_0 + σ_t X_1` mixes data with noise (DB25 §2.2): `α_0 = 1`, `σ_0 = 0`, and noise
/// time `t` runs from 0 (data) up to `maximalTime ≤ 1` (noise), where a reverse chain starts.
public protocol NoiseSchedule: Sendable {
    /// Where a reverse chain starts unless told otherwise, in (0, 1].
    var maximalTime: Double { get }
    /// `α_t`
    func signal(at time: Double) -> Double
    /// `σ_t`
    func noise(at time: Double) -> Double
    /// `∂_t α_t`
    func signalDerivative(at time: Double) -> Double
    /// `∂_t σ_t`
    func noiseDerivative(at time: Double) -> Double
    /// The deviation of the noise that a chain from this time on starts with: 1, where data of variance 1 are about as wide
    /// under all noise; `σ_t` where it explodes.
    func startDeviation(at time: Double) -> Double
}

extension NoiseSchedule {
    public func startDeviation(at time: Double) -> Double { 1 }

    /// `g_t² = 2 α_t σ_t ∂_t(σ_t/α_t)` (DB25 237), the squared diffusion coefficient at churn 1.
    public func squaredDiffusion(at time: Double) -> Double {
        let (signal, noise) = (signal(at: time), noise(at: time))
        return 2 * noise * (noiseDerivative(at: time) - noise * signalDerivative(at: time) / signal)
    }

    /// `σ_t/α_t`, which grows with `t`.
    public func noiseRatio(at time: Double) -> Double { noise(at: time) / signal(at: time) }

    /// The time at which `σ_t/α_t` equals `ratio`, by bisection to the last bit.
    func time(atNoiseRatio ratio: Double) -> Double {
        var (low, high) = (0.0, maximalTime)
        while true {
            let middle = (low + high) / 2
            guard low < middle, middle < high else { return high }
            if noiseRatio(at: middle) < ratio { low = middle } else { high = middle }
        }
    }
}
