import FiniteAlphabets
import Models

/// One coupling of a target with its drafts, and how many samples of it to draw.
public struct CouplingRequest: Codable, Sendable {
    /// Files with the probabilities q of the target and p of the draft.
    public var target, draft: String
    /// Drafts, drawn independently from p.
    public var drafts: Int
    public var rule: CouplingRule
    public var parameters: CouplingParameters
    /// Samples to draw; with none the empirical law is not reported.
    public var count: Int
    public var seed: UInt64

    public init(
        target: String, draft: String, drafts: Int = 1, rule: CouplingRule,
        parameters: CouplingParameters = CouplingParameters(), count: Int = 0, seed: UInt64 = 0
    ) {
        (self.target, self.draft, self.drafts, self.rule) = (target, draft, drafts, rule)
        (self.parameters, self.count, self.seed) = (parameters, count, seed)
    }

    /// Finds out what cannot be before any file is read.
    public func check() throws(RecipeError) {
        guard count >= 0 else { throw RecipeError("count", "must be at least 0, found \(count).") }
        try MultiDraftProblem.draftCounts.check(Double(drafts), setting: "drafts")
        try parameters.check()
    }
}
