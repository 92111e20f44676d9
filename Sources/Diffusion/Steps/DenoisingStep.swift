/// One step of a chain that denoises: where the network is asked, and what is made of its answer.
public struct DenoisingStep: Sendable {
    /// Noise time `t_k` of the state that enters the step.
    public let time: Double
    public let transition: GaussianTransition
    /// The same step of the deterministic sampler, churn `ε = 0`; nil where there is none. Drafts alone use it.
    public let flow: GaussianTransition?

    public init(time: Double, transition: GaussianTransition, flow: GaussianTransition? = nil) {
        self.time = time
        self.transition = transition
        self.flow = flow
    }
}
