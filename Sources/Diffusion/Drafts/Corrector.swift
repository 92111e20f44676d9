/// What corrects a guess of the target's answer.
public protocol Corrector: Sendable {
    /// What to add to each guess. A row must not depend on the others.
    func corrections(for queries: [CorrectionQuery]) throws -> [[Double]]
}

/// A guess of the target's answer, and what it stems from.
public struct CorrectionQuery: Sendable {
    /// Where an answer was given.
    public struct Source: Sendable {
        /// `i`
        public let step: Int
        /// `ỹ_i`, the part of it that predictions depend on.
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
    /// `a`
    public let answer: [Double]

    public init(query: ChainQuery, source: Source?, answer: [Double]) {
        self.query = query
        self.source = source
        self.answer = answer
    }

    /// What the corrected draft asks at the window's current step.
    public init(of window: DraftWindow, chain: some GaussianChain) {
        self.init(
            query: ChainQuery(sample: window.sample, step: window.currentStep, state: window.currentState),
            source: window.latestEvaluation.map {
                .init(
                    step: $0.step, state: chain.layout.position(of: $0.evaluation.state),
                    movedState: chain.layout.position(of: $0.pathState))
            },
            answer: CorrectedDraft.base.prediction(in: window, chain: chain))
    }
}
