/// One step of a chain that denoises: where the network is asked, and what is made of its answer.
public struct DenoisingStep: Sendable {
    /// Noise time `t_k` of the state that enters the step.
    public let time: Double
    public let transition: GaussianTransition

    public init(time: Double, transition: GaussianTransition) {
        self.time = time
        self.transition = transition
    }
}
