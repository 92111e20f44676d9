/// What a network's time input is, as a function of noise time `t`.
public enum TimeInput: Sendable {
    /// `scale · t`
    case scaled(Double)
    /// The DDPM timestep `i = T t - 1`.
    case timestep(trainingSteps: Int)

    package func callAsFunction(_ time: Double) -> Double {
        switch self {
        case .scaled(let scale): scale * time
        case .timestep(let trainingSteps): max(0, Double(trainingSteps) * time - 1)
        }
    }
}
