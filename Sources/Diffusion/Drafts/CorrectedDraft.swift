import Couplings

/// Corrected (DB25 App. B, "Medusa-like", (55)–(58)): the newest answer of the target, and what a small network has
/// learnt to add to it,
///
///     x̂0 = x̂0_i(ỹ_i) + c(t_i, t_k, ỹ_i, ỹ'_i, y_k),        i ≤ k the newest step evaluated.
///
/// The paper corrects the drift frozen at the window's first step; here the answer is the recycled draft's, the linear
/// part of the drift stays exact, and the network also sees the answer that it corrects and how far the path has moved
/// from the state it was given for, `ỹ'_i - ỹ_i`.
public struct CorrectedDraft: Draft {
    public let corrector: any Corrector

    public init(corrector: any Corrector) { self.corrector = corrector }

    public var recyclesTarget: Bool { true }
    /// From the prior: the network then has only the state to go by.
    public func canStart(sample: Int, chain: some GaussianChain) -> Bool {
        chain.priorPrediction(sample: sample) != nil
    }

    public func means(for windows: [DraftWindow], chain: some GaussianChain) throws -> [[Double]] {
        let queries = windows.map { window in
            let (sample, k, state) = (window.sample, window.currentStep, window.currentState)
            let source = window.memory.latestEvaluation(upTo: k)
            let prior = chain.priorPrediction(sample: sample) ?? [Double](repeating: 0, count: state.count)
            return CorrectionQuery(
                query: ChainQuery(sample: sample, step: k, state: state),
                source: source.map {
                    .init(step: $0.step, state: $0.evaluation.state, movedState: window.state(at: $0.step))
                },
                answer: source?.evaluation.prediction ?? prior)
        }
        let corrections = try corrector.corrections(for: queries)
        return zip(queries, corrections).map { query, correction in
            chain.mean(
                step: query.query.step, state: query.query.state,
                prediction: Vector.combine(1, query.answer, 1, correction))
        }
    }
}

/// What corrects an old answer of the target for a new state.
public protocol Corrector: Sendable {
    /// What to add to each answer. A row must not depend on the others.
    func corrections(for queries: [CorrectionQuery]) throws -> [[Double]]
}

/// An old answer of the target, and the state for which one is wanted.
public struct CorrectionQuery: Sendable {
    /// Where an answer was given.
    public struct Source: Sendable {
        /// `i`
        public let step: Int
        /// `ỹ_i`
        public let state: [Double]
        /// `ỹ'_i`, where the path now drafted passes at that step.
        public let movedState: [Double]

        public init(step: Int, state: [Double], movedState: [Double]) {
            self.step = step
            self.state = state
            self.movedState = movedState
        }
    }

    /// `k` and `y_k`
    public let query: ChainQuery
    /// nil where the target has not been asked yet.
    public let source: Source?
    /// `x̂0_i(ỹ_i)`, or the chain's prior.
    public let answer: [Double]

    public init(query: ChainQuery, source: Source?, answer: [Double]) {
        self.query = query
        self.source = source
        self.answer = answer
    }
}
