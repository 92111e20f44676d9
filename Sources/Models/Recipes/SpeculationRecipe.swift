import Couplings
import Diffusion

/// What is drafted, how far ahead, and how it is verified.
public struct SpeculationRecipe: Codable, Equatable, Sendable {
    public var draft = DraftRecipe.recycled
    /// The smaller network of the drafts that have one; nil for the network named after the target.
    public var draftModel: String?
    public var rule = RuleRecipe.reflection
    public var window = WindowRecipe.fixed(20)
    /// Whether a sample goes over to plain steps where almost every draft is rejected, see `FallbackWindow`.
    public var fallsBack = true

    public init(draft: DraftRecipe = .recycled, window: WindowRecipe = .fixed(20)) {
        (self.draft, self.window) = (draft, window)
    }

    /// Plain sampling.
    public static let plain = SpeculationRecipe(draft: .none)

    /// `τ`, for reports.
    public var temperature: Double { if case .temperature(let tau) = rule { tau } else { 1 } }

    /// Refuses to speculate on a chain that adds no noise.
    public func validate(for chain: ChainRecipe) throws(RecipeError) {
        guard chain.isDeterministic, draft != .none else { return }
        throw RecipeError(
            "draft",
            "can't help DDIM with --eta 0, whose steps have no noise to couple: add --draft none to sample it plainly, or take a larger --eta, 1 for the noise of --chain ddpm."
        )
    }

    /// - Parameters:
    ///   - chain: the target.
    ///   - lanes: samples whose rows share a call.
    ///   - callTimes: what `WindowRecipe.auto` goes by, if it was measured before.
    public func windowPolicy(
        for chain: some GaussianChain, lanes: Int, callTimes: CallTimes? = nil
    ) throws -> any WindowPolicy {
        let policy = try window.policy(for: chain, lanes: lanes, callTimes: callTimes)
        return fallsBack ? FallbackWindow(policy) : policy
    }

    /// The sampler of a chain: plain sampling where there is no draft.
    /// - Parameters:
    ///   - chain: the target.
    ///   - companions: what drafts need beside the chain.
    ///   - pictures: the shape of what the chain makes, for rules that look at pictures; nil for none.
    ///   - random: the keyed noise.
    ///   - lanes: samples whose rows share a call.
    ///   - threads: cores for a rule that has a network.
    ///   - callTimes: what `WindowRecipe.auto` goes by, if it was measured before.
    ///   - ownDraft: in place of the recipe's, one that has no name.
    public func sampler<Chain: GaussianChain>(
        over chain: Chain, companions: some DraftCompanions<Chain>, pictures: PictureShape? = nil,
        random: RandomSource, lanes: Int, threads: Int, callTimes: CallTimes? = nil, ownDraft: (any Draft)? = nil
    ) throws -> any Sampler<Chain> {
        guard let draft = try ownDraft ?? draft.draft(over: chain, companions: companions) else {
            return SequentialSampler(chain: chain, random: random)
        }
        return SpeculativeSampler(
            chain: chain, draft: draft, rule: try rule.rule(for: pictures, threads: threads),
            window: try windowPolicy(for: chain, lanes: lanes, callTimes: callTimes), random: random)
    }
}
