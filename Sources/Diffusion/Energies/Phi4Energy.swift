import Platform

extension Energy {
    /// The φ⁴ model on a periodic square lattice (DB25 App. K; Milchev, Heermann & Binder 1986; Guth et al. 2022):
    ///
    ///     E(x) = (β/2) Σ_{|i-j|=1} (x_i - x_j)² + Σ_i (x_i² - 1)²,
    ///
    /// where the first sum has each neighbouring pair in both orders; this is how the paper's mean energy of 62.27 at
    /// β = 100 on 8 × 8 sites comes out. A state is the lattice row by row. For large β neighbours agree and the whole
    /// lattice sits near +1 or near -1.
    ///
    /// The quadratic part that drafts keep exact is the coupling: at the paper's `γ = 10⁻³` its stiffest mode has
    /// `γ λ = 1.6`. The proxy is quadratic but for the choice of the well: it has each site's potential replaced by its parabola
    /// `4 (x ∓ 1)²` about the nearer minimum.
    /// - Parameters:
    ///   - side: sites a side, at least 3 (with 2 both neighbours of a site would be the same).
    ///   - coupling: `β ≥ 0`.
    /// - Throws: `DiffusionError` for others.
    public static func phi4(side: Int, coupling: Double) throws(DiffusionError) -> Energy {
        guard (3...4096).contains(side) else {
            throw DiffusionError("lattice", expected: "a side of 3 to 4096 sites", found: "\(side)")
        }
        guard coupling >= 0, coupling.isFinite else {
            throw DiffusionError("coupling beta", expected: "a finite number ≥ 0", found: "\(coupling)")
        }
        let lattice = PeriodicLattice(side: side, coupling: coupling)
        return Energy(
            dimension: side * side,
            value: { x in
                lattice.couplingEnergy(x) + x.reduce(0) { $0 + ($1 * $1 - 1) * ($1 * $1 - 1) }
            },
            gradient: { x in lattice.gradient(x) { 4 * $0 * ($0 * $0 - 1) } },
            proxyGradient: { x in lattice.gradient(x) { 8 * ($0 - ($0 < 0 ? -1.0 : 1.0)) } },
            quadraticPart: QuadraticPart(
                force: { x in lattice.gradient(x) { _ in 0 } },
                remainder: { states in states.map { x in x.map { 4 * $0 * ($0 * $0 - 1) } } }),
            hessianProduct: { x, v in zip(x, v).map { (12 * $0 * $0 - 4) * $1 } })
    }
}

/// Sites that pull at their four neighbours.
struct PeriodicLattice: Sendable {
    let side: Int
    let coupling: Double

    /// `(β/2) Σ_{|i-j|=1} (x_i - x_j)²`, both orders of a pair: `β` times the sum over the pairs.
    func couplingEnergy(_ x: [Double]) -> Double {
        precondition(x.count == side * side, "a state of another size")
        var sum = 0.0
        for row in 0..<side {
            let below = (row + 1) % side
            for column in 0..<side {
                let value = x[row * side + column]
                let right = x[row * side + (column + 1) % side] - value
                let down = x[below * side + column] - value
                sum += right * right + down * down
            }
        }
        return coupling * sum
    }

    /// `2β Σ_{j ~ i} (x_i - x_j) + V'(x_i)`, in one pass over the rows; only the two ends of a row need care.
    @inline(__always)
    func gradient(_ x: [Double], sitePotentialDerivative derivative: (Double) -> Double) -> [Double] {
        precondition(x.count == side * side, "a state of another size")
        let (n, strength) = (side, 2 * coupling)
        return [Double](unsafeUninitializedCapacity: x.count) { result, count in
            x.withUnsafeBufferPointer { x in
                for row in 0..<n {
                    let start = row * n
                    let above = (row == 0 ? n - 1 : row - 1) * n
                    let below = (row == n - 1 ? 0 : row + 1) * n
                    func site(_ column: Int, left: Int, right: Int) {
                        let value = x[start + column]
                        let neighbours = x[above + column] + x[below + column] + x[start + left] + x[start + right]
                        result.initializeElement(
                            at: start + column, to: strength * (4 * value - neighbours) + derivative(value))
                    }
                    site(0, left: n - 1, right: 1)
                    for column in 1..<n - 1 { site(column, left: column - 1, right: column + 1) }
                    site(n - 1, left: n - 2, right: 0)
                }
            }
            count = x.count
        }
    }
}
