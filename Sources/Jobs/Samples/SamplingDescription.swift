import Models

/// How samples are made, as far as a report tells it.
struct SamplingDescription: Codable, Equatable {
    let model: String
    let steps: Int
    let window: WindowRecipe
    /// "none" for plain sampling.
    let draft: String
    let churn: Double
    let temperature: Double
    let rule: String
    let fallback: Bool
    let exact: Bool
    let seed: UInt64
    /// What of the model's files is not followed as another program might; nil if all is.
    let notes: [String]?

    init(_ recipe: SamplingRecipe, isExact: Bool, notes: [String]) {
        let speculation = recipe.speculation
        let isPlain = speculation.draft == .none
        model = recipe.model.name
        steps = recipe.chain.steps
        window = speculation.window
        draft = speculation.draft.name
        churn = recipe.chain.churn
        temperature = speculation.temperature
        rule = isPlain ? "none" : speculation.rule.name
        fallback = speculation.fallsBack && !isPlain
        exact = isExact
        seed = recipe.seed
        self.notes = notes.isEmpty ? nil : notes
    }
}
