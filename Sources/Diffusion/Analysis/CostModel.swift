import Couplings
import Platform

/// What speculation saves, by formula (DB25 §4; Appendix D's law of the time to rejection is `TimeToRejection`).
public enum CostModel {
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

    /// (12): `E[C_plain/C_spec] = E[L̂]/(1 + L C_p/C_q)`, how many times less a window costs than its decided steps
    /// one by one, where a call costs the same whatever its rows.
    /// - Parameters:
    ///   - decidedSteps: `E[L̂]`, the steps that a window decides.
    ///   - window: `L ≥ 1`.
    ///   - draftCost: `C_p/C_q`, the draft's cost of a step relative to a target call.
    public static func costRatio(decidedSteps: Double, window: Int, draftCost: Double) -> Double {
        decidedSteps / (1 + Double(window) * draftCost)
    }

    /// (13): whether speculation pays under (12), `E[L̂]/L ≥ C_p/C_q + 1/L`.
    public static func pays(decidedSteps: Double, window: Int, draftCost: Double) -> Bool {
        costRatio(decidedSteps: decidedSteps, window: window, draftCost: draftCost) >= 1
    }

    /// Likewise where a call of `r` rows costs `c(r)`: a window of `W` drafts pays if `E[L̂] > c(W + 1)`.
    public static func pays(decidedSteps: Double, window: Int, cost: CallCost) -> Bool {
        decidedSteps > cost(rows: window + 1)
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
}
