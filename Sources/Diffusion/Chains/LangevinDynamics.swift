/// A chain that samples the law `exp(-E)` of an energy: its prediction is the gradient `∇E`.
public protocol LangevinDynamics: GaussianChain {
    /// Where the energy is to be observed when the chain is in a state. For a chain with momenta this need not be the position
    /// at which it asks for gradients.
    func observedPosition(of state: [Double]) -> [Double]
    /// The same chain with the energy's cheap proxy in its place, which Algorithm 11 drafts from; nil if the energy has none.
    func proxyChain(of energy: Energy) throws(DiffusionError) -> Self?
}

extension LangevinDynamics {
    public func observedPosition(of state: [Double]) -> [Double] { layout.position(of: state) }
}
