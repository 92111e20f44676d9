import Couplings

/// Assisted: recycled answers, carried to the new path by what a small network says of the way there:
///
///     x̂0 = x̂0_i(ỹ_i) + x̂0^p_k(y_k) - x̂0^p_i(ỹ_i),        i ≤ k the newest step evaluated,
///
/// a control variate. The small network need not know the answer, only how it changes: it takes the place of the
/// recycled draft's scalar slope, and of its standing still beyond the last step evaluated. Before the target has been
/// asked at all the formula is the independent draft (6), so that the first call already scores a window.
public struct AssistedDraft<Model: GaussianChain>: Draft {
    /// The chain of the target with the small network in its place.
    public let model: Model

    /// - Throws: `DiffusionError` unless both chains have as many steps and dimensions.
    public init(model: Model, target: some GaussianChain) throws(DiffusionError) {
        try model.expectShape(of: target)
        self.model = model
    }

    public var recyclesTarget: Bool { true }
    public func canStart(sample: Int, chain: some GaussianChain) -> Bool { true }

    public func means(for windows: [DraftWindow], chain: some GaussianChain) throws -> [[Double]] {
        // The small network is asked at the new states and, where there is an old answer, at its state.
        let sources = windows.map(\.latestEvaluation)
        var queries = windows.map { ChainQuery(sample: $0.sample, step: $0.currentStep, state: $0.currentState) }
        for (window, source) in zip(windows, sources) {
            guard let (step, evaluation, _) = source else { continue }
            queries.append(ChainQuery(sample: window.sample, step: step, state: evaluation.state))
        }
        let answers = try model.predictions(for: queries)
        var old = answers[windows.count...]
        return windows.indices.map { i in
            let window = windows[i]
            var prediction = answers[i]
            if let evaluation = sources[i]?.evaluation, let reference = old.popFirst() {
                let change = Vector.combine(1, prediction, -1, reference)
                prediction = Vector.combine(1, evaluation.prediction, 1, change)
            }
            return chain.mean(step: window.currentStep, state: window.currentState, prediction: prediction)
        }
    }
}
