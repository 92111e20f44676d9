/// A rule whose output, where no draft is taken, has one law, whatever was drafted. Most rules are of this form: the residual of GR
/// (3) belongs to the target alone.
public protocol FixedResidualRule: MultiDraftRule {
    /// The law of the output where no draft is taken; nil where some draft always is.
    var residual: FiniteDistribution? { get }

    /// The probability with which each of the drafts is taken: one number for each position, with sum at most one.
    ///
    /// `drafts` holds n tokens of the vocabulary.
    func takingProbabilities(of drafts: [Int]) -> [Double]
}

extension FixedResidualRule {
    public func outcome(for drafts: [Int]) -> SelectionLaw {
        SelectionLaw(taking: takingProbabilities(of: drafts), residual: residual)
    }

    /// By enumerating the draft tuples; the residual is added once.
    /// - Complexity: O(Vⁿ).
    public func outputLaw() throws -> [Double] {
        var law = Array(repeating: 0.0, count: problem.vocabularySize)
        var accepted = 0.0
        try problem.forEachTuple { tuple, probability in
            for (token, taking) in zip(tuple, takingProbabilities(of: tuple)) {
                law[token] += probability * taking
                accepted += probability * taking
            }
        }
        if let residual {
            for (token, share) in residual.probabilities.enumerated() { law[token] += (1 - accepted) * share }
        }
        return law
    }
}
