import FiniteAlphabets
import Models

/// One coupling of a target with its drafts, and how many samples of it to draw.
public struct CouplingRequest: Codable, Sendable {
    /// The file with the law q of the target.
    public var target: String
    /// The file with the law p of all drafts, or one for each draft.
    public var draftLaws: [String]
    /// Drafts from p.
    public var drafts: Int
    public var scheme: DraftScheme
    public var rule: CouplingRule
    public var parameters: CouplingParameters
    /// Samples to draw; with none the empirical law is not reported.
    public var count: Int
    public var seed: UInt64

    public init(
        target: String, draftLaws: [String], drafts: Int = 1, scheme: DraftScheme = .independent, rule: CouplingRule,
        parameters: CouplingParameters = CouplingParameters(), count: Int = 0, seed: UInt64 = 0
    ) {
        (self.target, self.draftLaws, self.drafts, self.scheme) = (target, draftLaws, drafts, scheme)
        self.rule = rule
        (self.parameters, self.count, self.seed) = (parameters, count, seed)
    }

    /// Finds out what cannot be before any file is read.
    public func check() throws(RecipeError) {
        guard count >= 0 else { throw RecipeError("count", "must be at least 0, found \(count).") }
        try MultiDraftProblem.draftCounts.check(Double(drafts), setting: "drafts")
        guard draftLaws.count <= 1 || draftLaws.count == drafts else {
            throw RecipeError("drafts", "must be \(draftLaws.count), as many as there are laws, found \(drafts).")
        }
        guard draftLaws.count <= 1 || scheme == .independent else {
            throw RecipeError("draft-scheme", "\(scheme.rawValue) drafts from one law, found \(draftLaws.count).")
        }
        try parameters.check()
        try rule.check(scheme)
    }
}
