/// What a denoised sample is to show.
public enum Condition: Hashable, Sendable {
    /// Nothing in particular: the network has no such input, or is asked as it was trained for "no class".
    case none
    /// A class label that the network has learnt an embedding for.
    case label(Int)
    /// The number of something that was prepared for the denoiser beforehand, a robot's observation for example.
    case prepared(Int)
}
