import Couplings

/// A covariance `M = L Lᵀ` for the noise of a chain, as preconditioned Langevin dynamics has,
///
///     Y_{k+1} = Y_k - γ M ∇E(Y_k) + √(2γ) L Z_k.
///
/// In the coordinates `X = L⁻¹ Y` that is a chain with noise `√(2γ) I`: it is sampled there, and its reflection coupling is there
/// what Algorithm 8 (DB25 App. G) is for the covariance `2γ M`: the means' distance is `‖L⁻¹ (m^p - m^q)‖/√(2γ)`.
public struct Preconditioner: Sendable {
    public let dimension: Int
    /// The lower triangle of `L` by rows, `L_{00}, L_{10}, L_{11}, …`; of a diagonal `M` the diagonal alone.
    private let factor: [Double]
    private let isDiagonal: Bool

    /// A diagonal `M`.
    /// - Parameter variances: its diagonal, all positive and finite.
    /// - Throws: `DiffusionError` for others, or none.
    public init(variances: [Double]) throws(DiffusionError) {
        guard !variances.isEmpty, variances.allSatisfy({ $0 > 0 && $0.isFinite }) else {
            throw DiffusionError(
                "preconditioner", expected: "variances that are positive and finite", found: "\(variances.prefix(8))")
        }
        (dimension, factor, isDiagonal) = (variances.count, variances.map { $0.squareRoot() }, true)
    }

    /// A full `M`, factored by Cholesky's method.
    /// - Parameter covariance: its rows; symmetric and positive definite.
    /// - Throws: `DiffusionError` for a matrix that is not.
    public init(covariance: [[Double]]) throws(DiffusionError) {
        let count = covariance.count
        func refused(_ found: String) -> DiffusionError {
            DiffusionError("preconditioner", expected: "a symmetric positive definite matrix", found: found)
        }
        guard count > 0, covariance.allSatisfy({ $0.count == count }) else { throw refused("rows of other lengths") }
        var factor: [Double] = []
        func entry(_ i: Int, _ j: Int) -> Double { factor[i * (i + 1) / 2 + j] }
        for i in 0..<count {
            for j in 0...i {
                // The same but for rounding.
                let (below, above) = (covariance[i][j], covariance[j][i])
                guard abs(below - above) <= 1e-12 * max(abs(below), abs(above)) else {
                    throw refused("\(below) and \(above) in places \(i), \(j) and \(j), \(i)")
                }
                let rest = (0..<j).reduce(below) { $0 - entry(i, $1) * entry(j, $1) }
                guard i == j else {
                    factor.append(rest / entry(j, j))
                    continue
                }
                guard rest > 0, rest.isFinite else { throw refused("a pivot of \(rest) in row \(i)") }
                factor.append(rest.squareRoot())
            }
        }
        (dimension, self.factor, isDiagonal) = (count, factor, false)
    }

    /// `Y = L X`, from the chain's coordinates to the energy's.
    public func coloured(_ state: [Double]) -> [Double] {
        if isDiagonal { return zip(factor, state).map { $0 * $1 } }
        return (0..<dimension).map { i in
            let row = i * (i + 1) / 2
            var sum = 0.0
            for j in 0...i { sum += factor[row + j] * state[j] }
            return sum
        }
    }

    /// `X = L⁻¹ Y`, from the energy's coordinates to the chain's.
    public func whitened(_ state: [Double]) -> [Double] {
        if isDiagonal { return zip(state, factor).map { $0 / $1 } }
        var result: [Double] = []
        for i in 0..<dimension {
            let row = i * (i + 1) / 2
            var rest = state[i]
            for j in 0..<i { rest -= factor[row + j] * result[j] }
            result.append(rest / factor[row + i])
        }
        return result
    }

    /// `Lᵀ ∇E`, what a gradient is in the chain's coordinates.
    func pulledBack(_ gradient: [Double]) -> [Double] {
        if isDiagonal { return zip(factor, gradient).map { $0 * $1 } }
        return (0..<dimension).map { j in
            var sum = 0.0
            for i in j..<dimension { sum += factor[i * (i + 1) / 2 + j] * gradient[i] }
            return sum
        }
    }
}

extension LangevinChain {
    /// The preconditioned Langevin chain of an energy, in the coordinates `X = L⁻¹ Y`: what is sampled becomes a state of the
    /// energy by ``Preconditioner/coloured(_:)``.
    ///
    /// ```swift
    /// let metric = try Preconditioner(variances: precisions.map { 1 / $0 })
    /// let chain = try LangevinChain(energy: bowl, preconditioner: metric, stepCount: 1000, stepSize: 0.1)
    /// for sample in try sampler.samples(…) { print(metric.coloured(sample.state)) }
    /// ```
    /// - Parameters:
    ///   - energy: of the preconditioner's dimension.
    ///   - preconditioner: `M`; the inverse of the energy's typical curvature makes all directions equally fast.
    ///   - stepCount: `K`, positive.
    ///   - stepSize: `γ`, positive and finite.
    ///   - start: `Y_0` of a sample from as many standard normals, in the energy's coordinates; by default `L Z`.
    /// - Throws: `DiffusionError` for sizes that are not positive or do not match.
    public init(
        energy: Energy, preconditioner: Preconditioner, stepCount: Int, stepSize: Double,
        start: (@Sendable (_ sample: Int, _ noise: [Double]) -> [Double])? = nil
    ) throws(DiffusionError) {
        guard energy.dimension == preconditioner.dimension else {
            throw DiffusionError(
                "preconditioner", expected: "the energy's dimension \(energy.dimension)",
                found: "\(preconditioner.dimension)")
        }
        let metric = preconditioner
        let gradients = energy.quadraticPart?.remainder ?? energy.gradients
        var linearForce: (@Sendable ([Double]) -> [Double])?
        if let force = energy.quadraticPart?.force {
            linearForce = { metric.pulledBack(force(metric.coloured($0))) }
        }
        try self.init(
            dimension: energy.dimension, stepCount: stepCount, stepSize: stepSize,
            start: { sample, noise in
                guard let start else { return noise }
                return metric.whitened(start(sample, noise))
            }, linearForce: linearForce,
            gradient: { states in try gradients(states.map(metric.coloured)).map(metric.pulledBack) })
    }
}
