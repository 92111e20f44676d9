/// One step of a chain that denoises: where the network is asked, and what is made of its answer.
public struct DenoisingStep: Sendable {
    /// Noise time `t_k` of the state that enters the step.
    public let time: Double
    public let transition: GaussianTransition
    /// The same step of the deterministic sampler, churn `ε = 0`; nil where there is none. Drafts alone use it.
    public let flow: GaussianTransition?
    /// How much of its way to the chain's bounds `x̂0` is moved, 1 for all of it. A DDIM step clips only the sample that it
    /// returns to, and not the noise that it keeps.
    public let clippedShare: Double

    public init(
        time: Double, transition: GaussianTransition, flow: GaussianTransition? = nil, clippedShare: Double = 1
    ) {
        self.time = time
        self.transition = transition
        self.flow = flow
        self.clippedShare = clippedShare
    }
}
