import Couplings

/// Which part of a state the noise drives. What a step draws, `D_{k+1} = m_k(Y_k) + s_k Z_k`, is the driven part of the next
/// state; the rest of it follows from what was drawn and from the state before. Drafts and rules see the driven part alone: two
/// states that follow the same one are equal where their driven parts are.
public enum StateLayout: Sendable, Equatable {
    /// All of it: the next state is what was drawn.
    case whole
    /// A state `(Q, P)` of positions and as many momenta, with the noise on the momenta: the next one is `(Q + h P', P')`, `P'`
    /// what was drawn. Predictions are functions of `Q`, and as long.
    case positionAndMomentum(stepSize: Double)

    /// How many values are drawn for a state of so many.
    public func drawnDimension(ofState dimension: Int) -> Int {
        switch self {
        case .whole: dimension
        case .positionAndMomentum: dimension / 2
        }
    }

    /// The part that the noise drives: what was drawn to reach this state.
    public func driven(_ state: [Double]) -> [Double] {
        switch self {
        case .whole: state
        case .positionAndMomentum: Array(state[(state.count / 2)...])
        }
    }

    /// The part that predictions depend on.
    public func position(of state: [Double]) -> [Double] {
        switch self {
        case .whole: state
        case .positionAndMomentum: Array(state[..<(state.count / 2)])
        }
    }

    /// The state that follows `state` once its driven part is drawn.
    public func state(after state: [Double], drawn: [Double]) -> [Double] {
        switch self {
        case .whole: drawn
        case .positionAndMomentum(let stepSize): Vector.combine(1, position(of: state), stepSize, drawn) + drawn
        }
    }
}
