import Couplings
import Diffusion
import Statistics
import Testing

/// Chains with a full covariance of their noise: Algorithm 8 by whitening.
@Suite("Preconditioned Langevin chains")
struct PreconditionerTests {
    private static let covariance = [[4.0, 1.2, 0], [1.2, 1, -0.3], [0, -0.3, 0.25]]

    /// `E(y) = ½ yᵀ A y` with `A = M⁻¹`, so that the chain is isotropic in its own coordinates: `N(0, I/(1 - γ/2))`, whatever `M`.
    private static func bowl(_ metric: Preconditioner) -> Energy {
        // A y = L⁻ᵀ L⁻¹ y; a solve against Lᵀ by its columns.
        let columns = (0..<metric.dimension).map { axis in
            metric.whitened((0..<metric.dimension).map { $0 == axis ? 1 : 0 })
        }
        return Energy(
            dimension: metric.dimension, value: { y in metric.whitened(y).reduce(0) { $0 + $1 * $1 } / 2 },
            gradient: { y in
                let white = metric.whitened(y)
                return columns.map { column in zip(column, white).reduce(0) { $0 + $1.0 * $1.1 } }
            })
    }

    @Test func coordinatesAreThereAndBack() throws {
        for metric in [
            try Preconditioner(covariance: Self.covariance), try Preconditioner(variances: [4, 1, 0.25]),
        ] {
            let state = [0.3, -1.2, 2]
            #expect(zip(metric.whitened(metric.coloured(state)), state).allSatisfy { abs($0 - $1) < 1e-14 })
        }
        // L Lᵀ = M, column by column.
        let metric = try Preconditioner(covariance: Self.covariance)
        let factor = (0..<3).map { axis in metric.coloured((0..<3).map { $0 == axis ? 1 : 0 }) }
        for i in 0..<3 {
            for j in 0..<3 {
                let product = (0..<3).reduce(0) { $0 + factor[$1][i] * factor[$1][j] }
                #expect(abs(product - Self.covariance[i][j]) < 1e-14)
            }
        }
    }

    @Test func badMatricesAreRefused() throws {
        for matrix in [[], [[1, 2]], [[1, 2], [2, 1]], [[1, 0.5], [0.4, 1]], [[.nan]], [[-1]]] as [[[Double]]] {
            #expect(throws: DiffusionError.self) { try Preconditioner(covariance: matrix) }
        }
        for variances in [[], [0], [1, -1], [.infinity]] as [[Double]] {
            #expect(throws: DiffusionError.self) { try Preconditioner(variances: variances) }
        }
        let metric = try Preconditioner(variances: [1, 2])
        #expect(throws: DiffusionError.self) {
            try LangevinChain(
                energy: .gaussian(precisions: [1]), preconditioner: metric, stepCount: 2, stepSize: 0.1)
        }
    }

    /// Speculative states follow the known law in every coordinate, and reflection accepts as Algorithm 8 says: `2Φ(-‖Δ_A‖/2)`
    /// with the distance in the metric of the covariance. The control: at another step size the law is another.
    @Test func speculationHasTheKnownLaw() throws {
        let (gamma, count) = (0.4, 8000)
        let metric = try Preconditioner(covariance: Self.covariance)
        let chain = try LangevinChain(
            energy: Self.bowl(metric), preconditioner: metric, stepCount: 30, stepSize: gamma)
        let sampler = try SpeculativeSampler(
            chain: chain, draft: FrozenDraft(), window: 6, random: RandomSource(seed: 51))
        let states = try sampler.runConcurrently(samples: 0..<count, lanes: 64, threads: 1).map {
            metric.coloured($0.state)
        }
        // After 30 steps what is left of the start is 0.6³⁰ = 2e-7 of it.
        func pValue(_ axis: Int, gamma: Double) -> Double {
            let deviation = (Self.covariance[axis][axis] / (1 - gamma / 2)).squareRoot()
            return KolmogorovSmirnov.oneSample(
                states.map { $0[axis] / deviation }, cumulative: NormalDistribution.cumulative
            )
            .pValue
        }
        for axis in 0..<3 {
            #expect(pValue(axis, gamma: gamma) > 1e-3)
            #expect(pValue(axis, gamma: 0.8) < 1e-6)
        }
        // The covariance of two coordinates, within 5 standard errors: √((c_ii c_jj + c_ij²)/N).
        let scale = 1 / (1 - gamma / 2)
        let product = states.reduce(0) { $0 + $1[0] * $1[1] } / Double(count)
        let error = scale * ((4.0 * 1 + 1.2 * 1.2) / Double(count)).squareRoot()
        #expect(abs(product - 1.2 * scale) < 5 * error)

        // One step from known means: the distance that the rule sees is that of Algorithm 8.
        let (draft, target) = ([1.0, 0.2, -0.3], [0.7, 0.5, -0.1])
        let white = zip(metric.whitened(draft), metric.whitened(target)).map { $0 - $1 }
        let proposal = GaussianProposal(
            draftMean: metric.whitened(draft), targetMean: metric.whitened(target),
            standardDeviation: (2 * gamma).squareRoot(), noise: [0, 0, 0], state: metric.whitened(draft))
        var stream = RandomSource(seed: 1).stream(sample: 0, step: 0, purpose: .verification)
        let distance = ReflectionCoupling().verify(proposal, randomness: &stream).distance
        #expect(abs(distance - (white.reduce(0) { $0 + $1 * $1 } / (2 * gamma)).squareRoot()) < 1e-12)
    }

    /// What it is for: a bowl of condition 400 needs tiny steps without it. With its own covariance a step is 200 times longer,
    /// and a window of frozen drafts is accepted as in an isotropic bowl.
    @Test func badlyScaledBowlsTakeLongSteps() throws {
        let energy = try Energy.gaussian(precisions: [1, 400])
        let metric = try Preconditioner(variances: [1, 1 / 400.0])
        func calls(_ chain: LangevinChain) throws -> Double {
            let sampler = try SpeculativeSampler(
                chain: chain, draft: FrozenDraft(), window: 8, random: RandomSource(seed: 53))
            let finished = try sampler.runConcurrently(samples: 0..<20, lanes: 20, threads: 1)
            return finished.reduce(0) { $0 + Double($1.cost.calls) } / 20
        }
        let long = try calls(
            LangevinChain(energy: energy, preconditioner: metric, stepCount: 100, stepSize: 0.1))
        let isotropic = try calls(
            LangevinChain(energy: .gaussian(precisions: [1, 1]), stepCount: 100, stepSize: 0.1))
        // The same chain in other coordinates, but for rounding.
        #expect(abs(long - isotropic) < 1)
        #expect(long < 90)
    }
}
