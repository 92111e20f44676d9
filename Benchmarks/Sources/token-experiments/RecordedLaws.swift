import FiniteAlphabets
import NeuralNetwork

/// What a target and a draft say of the next token along texts: the scores that `record_laws.py` writes.
struct RecordedLaws {
    /// Of each law, the target's and the draft's scores.
    let scores: [(target: [Float], draft: [Float])]
    let vocabularySize: Int

    init(path: String) throws {
        let file = try SafetensorsFile(path: path)
        let (target, draft) = (try file.floats(named: "target"), try file.floats(named: "draft"))
        guard let shape = file.shape(of: "target"), shape.count == 2, file.shape(of: "draft") == shape, shape[0] > 0,
            shape[1] > 0
        else { throw ExperimentError("\(path): expected tensors target and draft [laws, vocabulary] of one shape") }
        vocabularySize = shape[1]
        scores = (0..<shape[0]).map { law in
            let place = law * shape[1]..<(law + 1) * shape[1]
            return (Array(target[place]), Array(draft[place]))
        }
    }

    var count: Int { scores.count }

    /// The problem of one law: the target at a temperature, n drafts from the draft's top k.
    func problem(
        _ law: Int, temperature: Double = 1, topK: Int, drafts: Int, scheme: DraftScheme = .independent
    ) throws -> MultiDraftProblem {
        let (target, draft) = try laws(law, temperature: temperature, topK: topK)
        return try SparseProblem(
            target: target, drafts: Array(repeating: draft, count: drafts), scheme: scheme
        ).problem
    }

    /// The two laws, of the target at a temperature and of the draft's top k.
    func laws(_ law: Int, temperature: Double = 1, topK: Int? = nil, topP: Double? = nil) throws -> (
        target: SparseLaw, draft: SparseLaw
    ) {
        var (target, draft) = (LogitsTruncation(), LogitsTruncation())
        (target.temperature, target.topP) = (temperature, topP)
        (draft.topK, draft.topP) = (topK, topP)
        return (
            try target.law(ofLogits: scores[law].target, name: "target"),
            try draft.law(ofLogits: scores[law].draft, name: "draft")
        )
    }
}

struct ExperimentError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// A mean with its standard error.
struct Mean {
    let value, error: Double
    let count: Int

    init(_ values: [Double]) {
        count = values.count
        let mean = values.reduce(0, +) / Double(max(1, values.count))
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        value = mean
        error = values.count > 1 ? (squares / Double(values.count - 1) / Double(values.count)).squareRoot() : 0
    }
}
