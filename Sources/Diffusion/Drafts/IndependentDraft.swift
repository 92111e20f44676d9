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
        guard shape == target.shape else {
            throw DiffusionError(
                "draft model", expected: "\(target.shape), as the target has", found: shape,
                remedy: "give a draft trained on images of the target's size")
        }
    }

    private var shape: String {
        let driven = drawnDimension == dimension ? "" : ", \(drawnDimension) of them driven by noise,"
        return "\(dimension) values\(driven) in \(stepCount) steps"
    }
}
