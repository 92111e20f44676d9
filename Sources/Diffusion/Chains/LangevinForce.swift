import Couplings

/// `∇E` as a Langevin chain takes it: what the target is called for, and a linear part `A y` that costs next to nothing.
struct LangevinForce: Sendable {
    /// `∇E` less the linear part, at many positions at once. Rows must not influence each other (R5).
    let gradient: @Sendable ([[Double]]) throws -> [[Double]]
    /// `A y`; nil for none.
    let linear: (@Sendable ([Double]) -> [Double])?

    /// What every chain of an energy needs.
    /// - Throws: `DiffusionError` unless both counts, and the numbers that are named, are positive and finite.
    static func check(
        dimension: Int, stepCount: Int, positive numbers: KeyValuePairs<String, Double>
    ) throws(DiffusionError) {
        guard dimension > 0, stepCount > 0 else {
            throw DiffusionError(
                "Langevin chain", expected: "a positive dimension and number of steps",
                found: "\(dimension) and \(stepCount)")
        }
        for (name, value) in numbers where !(value > 0 && value.isFinite) {
            throw DiffusionError(name, expected: "a positive finite number", found: "\(value)")
        }
    }

    /// The whole of `∇E`, given what the target has answered.
    func whole(at position: [Double], prediction: [Double]) -> [Double] {
        linear.map { Vector.combine(1, $0(position), 1, prediction) } ?? prediction
    }

    /// One call of the target.
    func predictions(for queries: [ChainQuery], layout: StateLayout) throws -> [[Double]] {
        let gradients = try gradient(queries.map { layout.position(of: $0.state) })
        for (gradient, query) in zip(gradients, queries) where !Vector.squaredNorm(gradient).isFinite {
            throw DiffusionError(
                "gradient for chain \(query.sample) at step \(query.step)", expected: "finite numbers",
                found: "an infinity or NaN", remedy: "take a smaller step size")
        }
        return gradients
    }

    /// The same chain's, of the energy's cheap proxy: `∇Ê` less the linear part; nil if the energy has none.
    static func proxy(of energy: Energy) -> (@Sendable ([[Double]]) throws -> [[Double]])? {
        guard let gradients = energy.proxyGradients else { return nil }
        guard let force = energy.quadraticPart?.force else { return gradients }
        return { states in try zip(states, gradients(states)).map { Vector.combine(1, $1, -1, force($0)) } }
    }
}
