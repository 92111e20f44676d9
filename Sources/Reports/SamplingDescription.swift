import Models

/// How samples are made, as far as a report tells it.
package struct SamplingDescription: Codable, Equatable {
    package let model: String
    /// Of the network's large products; nil for a network that is not the program's own.
    package let precision: String?
    package let steps: Int
    package let window: WindowRecipe
    /// "none" for plain sampling.
    package let draft: String
    package let churn: Double
    package let temperature: Double
    package let rule: String
    package let fallback: Bool
    package let exact: Bool
    package let seed: UInt64
    /// What samples start from, if not from noise alone.
    package let start: StartRecipe?
    /// What of the model's files is not followed as another program might; nil if all is.
    package let notes: [String]?

    package init(_ recipe: SamplingRecipe, isExact: Bool, notes: [String]) {
        let speculation = recipe.speculation
        let isPlain = speculation.draft == .none
        model = recipe.model.name
        precision = recipe.model.precision?.rawValue
        steps = recipe.stepCount
        window = speculation.window
        draft = speculation.draft.name
        churn = recipe.chain.churn
        temperature = speculation.temperature
        rule = isPlain ? "none" : speculation.rule.name
        fallback = speculation.fallsBack && !isPlain
        exact = isExact
        seed = recipe.seed
        start = recipe.start
        self.notes = notes.isEmpty ? nil : notes
    }
}
