import FiniteAlphabets
import Models
import NeuralNetwork
import Platform

/// The JSON that says how drafted tokens are verified; its keys stand in `diffspec.h`.
struct TokenRecipe: Decodable {
    private static let source = RecipeText.source

    enum CodingKeys: String, CodingKey, CaseIterable {
        case rule, temperature, tolerance, likeliest
        case topK = "top_k"
        case topP = "top_p"
        case minP = "min_p"
        case freeTokens = "free_tokens"
        case draftScheme = "draft_scheme"
    }

    let verification: TokenVerification
    /// Of target and drafts alike.
    let truncation: LogitsTruncation

    /// - Throws: `ModelError` naming the key, `RecipeError` or `CouplingError` for a setting that cannot be.
    init(json text: UnsafePointer<CChar>?) throws {
        self = try JSONFile.decode(
            TokenRecipe.self, from: RecipeText.object(text, keys: CodingKeys.allCases.map(\.rawValue)),
            path: Self.source)
        try truncation.check()
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        let rule = try values.decodeIfPresent(String.self, forKey: .rule) ?? CouplingRule.specinfer.rawValue
        var parameters = CouplingParameters()
        parameters.tolerance = try values.decodeIfPresent(Double.self, forKey: .tolerance) ?? parameters.tolerance
        parameters.freeTokens = try values.decodeIfPresent(Int.self, forKey: .freeTokens) ?? parameters.freeTokens
        parameters.likeliest = try values.decodeIfPresent(Int.self, forKey: .likeliest) ?? parameters.likeliest
        let scheme =
            try values.decodeIfPresent(String.self, forKey: .draftScheme) ?? DraftScheme.independent.rawValue
        verification = try TokenVerification(
            rule: JSONFile.value(rule, key: CodingKeys.rule.rawValue, file: Self.source), parameters: parameters,
            scheme: JSONFile.value(scheme, key: CodingKeys.draftScheme.rawValue, file: Self.source))
        var truncation = LogitsTruncation()
        truncation.temperature =
            try values.decodeIfPresent(Double.self, forKey: .temperature) ?? truncation.temperature
        // transformers takes 0 for none.
        truncation.topK = try values.decodeIfPresent(Int.self, forKey: .topK).flatMap { $0 == 0 ? nil : $0 }
        truncation.topP = try values.decodeIfPresent(Double.self, forKey: .topP)
        truncation.minP = try values.decodeIfPresent(Double.self, forKey: .minP)
        self.truncation = truncation
    }
}
