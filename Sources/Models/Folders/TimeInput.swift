import Platform

/// What a network's time input is, as a function of noise time `t`.
public enum TimeInput: Sendable {
    /// `scale · t`
    case scaled(Double)
    /// The DDPM timestep `i = T t - 1`.
    case timestep(trainingSteps: Int)
    /// `¼ ln(scale · t)`, `c_noise` of Karras et al. 2022, where `scale · t` is `σ`.
    case quarterLogarithm(scale: Double)

    package func callAsFunction(_ time: Double) -> Double {
        switch self {
        case .scaled(let scale): scale * time
        case .timestep(let trainingSteps): max(0, Double(trainingSteps) * time - 1)
        case .quarterLogarithm(let scale): log(scale * time) / 4
        }
    }
}
