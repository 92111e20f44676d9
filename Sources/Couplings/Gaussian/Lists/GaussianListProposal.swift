/// Several drafts of one step, and the target that one of them, or a repair, must be made to follow: `Ỹ_i = m^p + s Z_i` are
/// independent draws from `N(m^p, s² I)`, the target is `N(m^q, s² I)`.
public struct GaussianListProposal: Sendable {
    /// `m^p`
    public let draftMean: [Double]
    /// `m^q`
    public let targetMean: [Double]
    /// `s`
    public let standardDeviation: Double
    /// `Z_i`
    public let noises: [[Double]]
    /// `Ỹ_i`
    public let states: [[Double]]

    public init(
        draftMean: [Double], targetMean: [Double], standardDeviation: Double, noises: [[Double]], states: [[Double]]
    ) {
        precondition(standardDeviation > 0, "a deterministic step has nothing to verify")
        precondition(!noises.isEmpty && noises.count == states.count, "a draft has one noise and one state")
        self.draftMean = draftMean
        self.targetMean = targetMean
        self.standardDeviation = standardDeviation
        self.noises = noises
        self.states = states
    }

    /// A draft of the list by itself.
    public func proposal(_ index: Int) -> GaussianProposal {
        GaussianProposal(
            draftMean: draftMean, targetMean: targetMean, standardDeviation: standardDeviation, noise: noises[index],
            state: states[index])
    }
}

/// What a rule made of several drafts.
public struct ListVerdict: Sendable {
    /// `Y`: one of the drafts, or a repair.
    public let state: [Double]
    /// Which draft was accepted; nil for a repair.
    public let accepted: Int?
    /// `‖Δ‖`, the distance of the two means in standard deviations.
    public let distance: Double
    /// The probability that some draft is accepted at this `Δ`.
    public let acceptance: Double
}
