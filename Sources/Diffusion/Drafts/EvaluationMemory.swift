import Couplings

/// What the target has answered along one sample's path: the newest evaluation of each step from the sample's own
/// step up to the last one that any window reached. Every draft that costs no call draws on it.
public struct EvaluationMemory: Sendable {
    public struct Evaluation: Sendable {
        /// The state `ỹ_i` at which the target was asked.
        public let state: [Double]
        /// Its prediction `x̂_i(ỹ_i)`.
        public let prediction: [Double]
        /// The secant slope `⟨Δx̂, Δỹ⟩/‖Δỹ‖²` against the evaluation that this one replaced; nil for the first.
        public let slope: Double?
        /// How this answer and those before it differed from the ones that they replaced, the oldest first: the newest
        /// few, as many as the draft asks for. A mean of step `k` may look at those of steps up to `k` alone, see `slope`.
        public let pairs: [SecantPair]
    }

    /// How an answer changed as its state did.
    public struct SecantPair: Sendable {
        /// `Δỹ`, not 0.
        public let move: [Double]
        /// `Δx̂`
        public let change: [Double]
        /// `‖Δỹ‖²`
        let squaredMove: Double
    }

    private var firstStep = 0
    private var evaluations: [Evaluation] = []

    public init() {}

    public var isEmpty: Bool { evaluations.isEmpty }
    /// The largest step that has an evaluation.
    public var lastStep: Int { firstStep + evaluations.count - 1 }

    public func evaluation(at step: Int) -> Evaluation? {
        evaluations.indices.contains(step - firstStep) ? evaluations[step - firstStep] : nil
    }

    /// The evaluation at the largest step known that is at most `step`.
    public func latestEvaluation(upTo step: Int) -> (step: Int, evaluation: Evaluation)? {
        let latest = min(step, lastStep)
        return evaluation(at: latest).map { (latest, $0) }
    }

    /// The mean of the slopes known at the `count` steps up to `step`; nil if there are none.
    ///
    /// Not from the steps beyond: their states were reached through `Z_step`, and a draft of `step` that knew them would
    /// know its own noise, against rule R1.
    public func slope(upTo step: Int, count: Int) -> Double? {
        var (sum, known) = (0.0, 0.0)
        let end = max(0, min(evaluations.count, step + 1 - firstStep))
        for i in max(0, end - count)..<end {
            guard let slope = evaluations[i].slope else { continue }
            sum += slope
            known += 1
        }
        return known > 0 ? sum / known : nil
    }

    /// Takes in an evaluation. What is kept has no gaps: a step that is neither known nor the next after the last
    /// starts a new record.
    /// - Parameters:
    ///   - layout: which part of a state predictions depend on.
    ///   - pairCount: how many secant pairs are kept of each step, two vectors each.
    mutating func record(
        step: Int, state: [Double], prediction: [Double], layout: StateLayout, keepingPairs pairCount: Int = 0
    ) {
        if !(firstStep...firstStep + evaluations.count).contains(step) { evaluations = [] }
        if evaluations.isEmpty { firstStep = step }
        let index = step - firstStep
        guard index < evaluations.count else {
            evaluations.append(Evaluation(state: state, prediction: prediction, slope: nil, pairs: []))
            return
        }
        let older = evaluations[index]
        let slope = Self.secantSlope(from: older, toState: state, prediction: prediction, layout) ?? older.slope
        var pairs: [SecantPair] = []
        if pairCount > 0 {
            pairs = Array(
                (older.pairs + Self.pair(from: older, toState: state, prediction: prediction, layout)).suffix(
                    pairCount))
        }
        evaluations[index] = Evaluation(state: state, prediction: prediction, slope: slope, pairs: pairs)
    }

    /// Empty where the state is the same.
    private static func pair(
        from older: Evaluation, toState state: [Double], prediction: [Double], _ layout: StateLayout
    ) -> [SecantPair] {
        let move = Vector.combine(1, layout.position(of: state), -1, layout.position(of: older.state))
        let squaredMove = Vector.squaredNorm(move)
        guard squaredMove > 0 else { return [] }
        return [
            SecantPair(
                move: move, change: Vector.combine(1, prediction, -1, older.prediction), squaredMove: squaredMove)
        ]
    }

    /// `⟨Δx̂, Δỹ⟩/‖Δỹ‖²`, of the part of a state that predictions depend on; nil where it is the same.
    private static func secantSlope(
        from older: Evaluation, toState state: [Double], prediction: [Double], _ layout: StateLayout
    ) -> Double? {
        let (product, squaredMove) = Vector.differences(
            prediction, less: older.prediction, layout.position(of: state), less: layout.position(of: older.state))
        return squaredMove > 0 ? product / squaredMove : nil
    }

    /// Drops what no draft from `step` on can use: everything earlier but the step just before.
    mutating func forget(before step: Int) {
        let count = min(max(0, step - 1 - firstStep), evaluations.count)
        evaluations.removeFirst(count)
        firstStep += count
    }
}
