/// Independent (DB25 (6)): a cheaper model of the same data, run through the same chain:
/// `m^p_k = m_k(y_k; x̂0^p(y_k))`, at one call of the small network a step.
public struct IndependentDraft<Model: GaussianChain>: Draft {
    /// The chain of the target with the small network in its place.
    public let model: Model

    /// - Throws: `DiffusionError` unless both chains have as many steps and dimensions.
    public init(model: Model, target: some GaussianChain) throws(DiffusionError) {
        try model.expectShape(of: target)
        self.model = model
    }

    public var recyclesTarget: Bool { false }

    public func means(for windows: [DraftWindow], chain: some GaussianChain) throws -> [[Double]] {
        let queries = windows.map {
            ChainQuery(sample: $0.sample, step: $0.currentStep, state: $0.currentState)
        }
        let predictions = try model.predictions(for: queries)
        return zip(queries, predictions).map { query, prediction in
            chain.mean(step: query.step, state: query.state, prediction: prediction)
        }
    }
}

extension GaussianChain {
    /// - Throws: `DiffusionError` unless this chain, a draft's, has the steps and dimensions of its target.
    func expectShape(of target: some GaussianChain) throws(DiffusionError) {
        guard dimension == target.dimension, stepCount == target.stepCount else {
            throw DiffusionError(
                "draft model", expected: "\(target.dimension) values in \(target.stepCount) steps, as the target has",
                found: "\(dimension) values in \(stepCount) steps",
                remedy: "give a draft trained on images of the target's size")
        }
    }
}
