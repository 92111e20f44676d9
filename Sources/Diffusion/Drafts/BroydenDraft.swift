import Couplings

/// Limited-memory Broyden: the recycled draft with a matrix in place of its slope. The newest answer at the largest step
/// `i ≤ k` is carried to the new path by
///
///     x̂0 = x̂0_i(ỹ_i) + B_i (ỹ'_i - ỹ_i),
///
/// where `B_i` starts as `c_i I`, with the recycled draft's own slope, and learns from the newest `M` secant pairs
/// `(Δỹ, Δx̂)` of answers of step `i` that replaced each other, one by one from the oldest to the newest:
/// `B ← B + (Δx̂ - B Δỹ) Δỹᵀ/‖Δỹ‖²`, the least change that explains the pair (C. G. Broyden, Math. Comp. 19, 1965). A path that
/// rejections have moved along a few directions is then followed along each of them with its own slope.
///
/// It gains little (Benchmarks/results/drafts.md). The secant slope is right along the last move and errs across it, so that the
/// next rejection moves the path in a direction of which no pair tells. Pairs of the steps below gained nothing more.
///
/// The pairs are of step `i ≤ k`, as slopes are of steps up to it (rule R1, see `EvaluationMemory.slope`). The matrix is never
/// written out: a product with it costs about `M²` operations on vectors, and memory is `2M` vectors a step.
public struct BroydenDraft: RecyclingDraft {
    /// `M`
    public let secantPairs: Int
    /// What is refined, and what is drafted where there are no pairs.
    private let base = RecycledDraft()

    /// More would cost more memory than the states themselves, for directions that old windows hardly moved along.
    public static let possiblePairs = 1...16

    /// - Parameter pairs: `M`, from 1 to 16.
    /// - Throws: `DiffusionError` for another number.
    public init(pairs: Int) throws(DiffusionError) {
        guard Self.possiblePairs.contains(pairs) else {
            throw DiffusionError(
                "secant pairs of a Broyden draft", expected: "a number from 1 to 16", found: "\(pairs)")
        }
        secantPairs = pairs
    }

    public func canStart(sample: Int, chain: some GaussianChain) -> Bool {
        base.canStart(sample: sample, chain: chain)
    }

    public func mean(in window: DraftWindow, chain: some GaussianChain) -> [Double] {
        chain.mean(
            step: window.currentStep, state: window.currentState, prediction: prediction(in: window, chain: chain))
    }

    /// `x̂0`, what the target is expected to say of the window's current state.
    public func prediction(in window: DraftWindow, chain: some GaussianChain) -> [Double] {
        guard let (i, evaluation, pathState) = window.latestEvaluation,
            let slope = base.slope(upTo: i, in: window, chain: chain)
        else { return base.prediction(in: window, chain: chain) }
        let pairs = evaluation.pairs.suffix(secantPairs)
        let move = Vector.combine(
            1, chain.layout.position(of: pathState), -1, chain.layout.position(of: evaluation.state))
        let squaredMove = Vector.squaredNorm(move)
        guard !pairs.isEmpty, squaredMove > 0 else { return base.prediction(in: window, chain: chain) }

        let change = Self.product(of: slope, pairs, with: move)
        let squaredChange = Vector.squaredNorm(change)
        guard squaredChange.isFinite else { return base.prediction(in: window, chain: chain) }
        // Pairs that contradict each other may blow up; no slope that the chain allows changes an answer by more than this.
        let bounds = chain.transition(at: i).slopeBounds
        let largest = max(abs(bounds.lowerBound), abs(bounds.upperBound))
        let share = largest.isFinite ? min(1, largest * (squaredMove / squaredChange).squareRoot()) : 1
        return Vector.combine(1, evaluation.prediction, squaredChange > 0 ? share : 0, change)
    }

    /// `B v`. With `B_m` the matrix before pair `m`, `B v = c v + Σ_m u_m ⟨Δỹ_m, v⟩/‖Δỹ_m‖²` and `u_m = Δx̂_m - B_m Δỹ_m`.
    private static func product(
        of slope: Double, _ pairs: ArraySlice<EvaluationMemory.SecantPair>, with vector: [Double]
    ) -> [Double] {
        var residuals: [[Double]] = []
        func applied(_ vector: [Double]) -> [Double] {
            zip(residuals, pairs).reduce(Vector.combine(slope, vector, 0, vector)) { sum, term in
                Vector.combine(1, sum, Vector.dot(term.1.move, vector) / term.1.squaredMove, term.0)
            }
        }
        for pair in pairs { residuals.append(Vector.combine(1, pair.change, -1, applied(pair.move))) }
        return applied(vector)
    }
}
