import Couplings
import Platform

/// What is known of acceptance and of windows by formula (DB25 §4, App. D and H; the law of the time to rejection itself is
/// `TimeToRejection`). What a window costs, (12) and (13), is `AdaptiveWindow`'s, which chooses by it.
public enum ClosedForms {
    /// (14): the steps `E[L̂]` that a window decides if each draft is accepted with probability `α`, independently of
    /// the others. The sum in (14) is `Σ_{j<L} α^j = (1 - α^L)/(1 - α)`; the closed form printed behind it,
    /// `1 - α^L + L α^{L+1}`, is smaller, and a lower bound only.
    /// - Parameters:
    ///   - acceptance: `α` in 0 … 1.
    ///   - window: `L ≥ 1`.
    public static func decidedSteps(acceptance: Double, window: Int) -> Double {
        // Near 1 the quotient loses its digits; log1p and expm1 keep them.
        guard acceptance < 1 else { return Double(window) }
        guard acceptance > 0 else { return 1 }
        return expm1(Double(window) * log(acceptance)) / (acceptance - 1)
    }

    /// The same for acceptances that differ: `E[L̂] = Σ_{j<L} Π_{i<j} α_i`.
    public static func decidedSteps(acceptances: some Sequence<Double>) -> Double {
        var (reached, expected) = (1.0, 0.0)
        for acceptance in acceptances {
            expected += reached
            reached *= acceptance
        }
        return expected
    }

    /// The least mean acceptance of drafts with a given mean squared distance, `2Φ(-√E‖Δ‖²/2)`: the acceptance
    /// `2Φ(-‖Δ‖/2)` is convex in `‖Δ‖`, so Jensen's inequality bounds its mean from below. (Lemma 4.2, (16), bounds the
    /// mean of the ratio before it is cut off at 1 by `exp(-½ E‖Δ‖²)`; the acceptance itself can be less than that.)
    /// - Parameter meanSquaredDistance: `E‖Δ‖² ≥ 0`.
    public static func leastAcceptance(meanSquaredDistance: Double) -> Double {
        maximalAcceptance(distance: meanSquaredDistance.squareRoot())
    }

    /// (15): `‖Δ‖² = ¼ γ (ε + 1/ε)² g² ‖s^p - s^q‖²`, for drafts that differ from the target in their score alone: it is
    /// least at churn `ε = 1`, and proportional to the length of a step.
    /// - Parameters:
    ///   - duration: `γ`.
    ///   - churn: `ε > 0`.
    ///   - squaredDiffusion: `g²`.
    ///   - squaredScoreError: `‖s^p - s^q‖²`.
    public static func squaredDistance(
        duration: Double, churn: Double, squaredDiffusion: Double, squaredScoreError: Double
    ) -> Double {
        let factor = churn + 1 / churn
        return duration * factor * factor * squaredDiffusion * squaredScoreError / 4
    }

    /// (75): the probability that `k` drafts in a row are accepted is at most `(2Φ(-√γ M/2))^k`, where the drifts of draft and
    /// target differ by `M` at least. With equality where they differ by `M` everywhere.
    /// - Parameters:
    ///   - duration: `γ`.
    ///   - leastGap: `M ≥ 0`, in units of the noise's own coefficient.
    ///   - steps: `k ≥ 0`.
    public static func survivalBound(duration: Double, leastGap: Double, steps: Int) -> Double {
        pow(maximalAcceptance(distance: duration.squareRoot() * leastGap), Double(steps))
    }

    /// `A(t) = g_t² ((1/σ_t - σ_t)² + α_t²)` of Theorem H.9 (Fig. 6), by which an error of the data's law enters the expected
    /// `log` of the acceptance ratio at noise time `t`: it is 0 at full noise, where a reverse chain starts, and grows without
    /// bound towards the data.
    /// - Parameter time: above 0 and below 1.
    public static func errorWeight(of schedule: some NoiseSchedule, at time: Double) -> Double {
        let (signal, noise) = (schedule.signal(at: time), schedule.noise(at: time))
        let gap = 1 / noise - noise
        return schedule.squaredDiffusion(at: time) * (gap * gap + signal * signal)
    }
}
