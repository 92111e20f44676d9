import Couplings
import Diffusion
import Foundation
import Testing

@Suite("Second-order Langevin dynamics")
struct UnderdampedLangevinTests {
    typealias Scheme = UnderdampedLangevinChain.Scheme

    /// A bumpy bowl in two dimensions.
    static let bowl = Energy(
        dimension: 2,
        value: { x in (x[0] * x[0] + x[1] * x[1] + x[0] * x[1]) / 2 - (cos(2 * x[0]) + cos(2 * x[1])) / 4 },
        gradient: { x in [x[0] + sin(2 * x[0]) / 2 + x[1] / 2, x[1] + sin(2 * x[1]) / 2 + x[0] / 2] },
        hessianProduct: { x, v in
            [(1 + cos(2 * x[0])) * v[0] + v[1] / 2, (1 + cos(2 * x[1])) * v[1] + v[0] / 2]
        })

    /// The schemes as they are written, step by step: ABOBA as it stands, OBABO with the two half O merged where steps meet.
    private static func published(
        _ scheme: Scheme, stepSize h: Double, friction: Double, position: [Double], momentum: [Double],
        noises: [[Double]]
    ) throws -> [[Double]] {
        var (q, p) = (position, momentum)
        func drift(_ time: Double) { q = zip(q, p).map { $0 + time * $1 } }
        func kick(_ time: Double) throws { p = zip(p, try bowl.gradients([q])[0]).map { $0 - time * $1 } }
        func refresh(_ time: Double, _ noise: [Double]) {
            let c = exp(-friction * time)
            p = zip(p, noise).map { c * $0 + (1 - c * c).squareRoot() * $1 }
        }
        return try noises.enumerated().map { step, noise in
            switch scheme {
            case .aboba:
                drift(h / 2)
                try kick(h / 2)
                refresh(h, noise)
                try kick(h / 2)
                drift(h / 2)
            case .obabo:
                refresh(step == 0 ? h / 2 : h, noise)
                try kick(h / 2)
                drift(h)
                try kick(h / 2)
            }
            return q
        }
    }

    @Test(arguments: Scheme.allCases)
    func theMergedChainIsThePublishedOne(scheme: Scheme) throws {
        let (h, friction, steps) = (0.3, 1.4, 40)
        let chain = try UnderdampedLangevinChain(
            scheme, energy: Self.bowl, stepCount: steps, stepSize: h, friction: friction,
            start: { _, noise in noise.map { 2 + 0.1 * $0 } })
        let random = RandomSource(seed: 5)
        let sampler = SequentialSampler(chain: chain, random: random)
        var samples = [sampler.start(sample: 3)]
        var stream = random.stream(sample: 3, step: 0, purpose: .initialState)
        let start = stream.normals(4)
        var observed: [[Double]] = []
        for _ in 0..<steps {
            _ = try sampler.step(&samples)
            observed.append(chain.observedPosition(of: samples[0].state))
        }
        let expected = try Self.published(
            scheme, stepSize: h, friction: friction, position: start[..<2].map { 2 + 0.1 * $0 },
            momentum: Array(start[2...]),
            noises: (0..<steps).map { random.increment(sample: 3, step: $0, dimension: 2) })
        for (k, (a, b)) in zip(observed, expected).enumerated() {
            #expect(zip(a, b).allSatisfy { abs($0 - $1) < 1e-12 }, "step \(k): \(a), \(b)")
        }
    }

    /// For `E = λ q²/2` a step is linear, `Y' = M Y + s (h, 1) Z`. The covariance that solves Lyapunov's equation
    /// `C = M C Mᵀ + s² (h, 1)(h, 1)ᵀ`, by iteration to rounding, gives both readings' variances, which the chain's comment states;
    /// and the chain, speculatively, has them: within 5 of the standard errors √(2/n) of 4,000 chains.
    @Test(arguments: Scheme.allCases, [1.0, 9])
    func aQuadraticEnergyHasTheKnownVariance(scheme: Scheme, curvature: Double) throws {
        let (h, friction) = (0.5, 1.0)
        let c = exp(-friction * h)
        let kick = (1 + c) * h / 2 * curvature
        let m = [[1 - h * kick, h * c], [-kick, c]]
        let noise = 1 - c * c
        var covariance = [[0.0, 0], [0, 0]]
        for _ in 0..<2000 {
            var next = [[noise * h * h, noise * h], [noise * h, noise]]
            for i in 0..<2 {
                for j in 0..<2 {
                    for k in 0..<2 { for l in 0..<2 { next[i][j] += m[i][k] * covariance[k][l] * m[j][l] } }
                }
            }
            covariance = next
        }
        let reading = scheme == .obabo ? 0 : -h / 2
        let variance =
            covariance[0][0] + 2 * reading * covariance[0][1] + reading * reading * covariance[1][1]
        let stated = scheme == .obabo ? 1 / (curvature * (1 - h * h * curvature / 4)) : 1 / curvature
        #expect(abs(variance / stated - 1) < 1e-10)

        let energy = try Energy.gaussian(precisions: [curvature])
        let chain = try UnderdampedLangevinChain(
            scheme, energy: energy, stepCount: 80, stepSize: h, friction: friction)
        let count = 4000
        let sampler = try SpeculativeSampler(
            chain: chain, draft: RecycledDraft(), window: 5, random: RandomSource(seed: 8))
        let finals = try sampler.runConcurrently(samples: 0..<count, lanes: 16, threads: 2)
        let positions = finals.map { chain.observedPosition(of: $0.state)[0] }
        let empirical = positions.reduce(0) { $0 + $1 * $1 } / Double(count)
        #expect(abs(empirical / stated - 1) < 5 * (2 / Double(count)).squareRoot())
    }

    /// ABOBA's positions are not where the chain asks for gradients: read there, they have OBABO's variance, which the test above
    /// would not let pass.
    @Test func theReadingMatters() throws {
        let chain = try UnderdampedLangevinChain(
            .aboba, energy: .gaussian(precisions: [9]), stepCount: 80, stepSize: 0.5, friction: 1)
        let sampler = SequentialSampler(chain: chain, random: RandomSource(seed: 8))
        let finals = try sampler.runConcurrently(samples: 0..<4000, lanes: 16, threads: 2)
        let wrong = finals.reduce(0) { $0 + $1.state[0] * $1.state[0] } / 4000
        #expect(abs(wrong * 9 - 1) > 5 * (2 / 4000.0).squareRoot())
        #expect(abs(wrong * 9 * (1 - 9 * 0.25 / 4) - 1) < 5 * (2 / 4000.0).squareRoot())
    }

    /// With enough friction that `c` vanishes, OBABO is the overdamped chain with `γ = h²/2`, but for its start.
    @Test func muchFrictionIsOverdamped() throws {
        let h = 0.2
        let kinetic = try UnderdampedLangevinChain(
            .obabo, energy: Self.bowl, stepCount: 3, stepSize: h, friction: 1e4)
        let plain = try LangevinChain(energy: Self.bowl, stepCount: 3, stepSize: h * h / 2)
        let (q, p, z) = ([0.3, -0.8], [5.0, 7], [0.4, 1.1])
        let gradient = try Self.bowl.gradients([q])[0]
        let mean = kinetic.mean(step: 1, state: q + p, prediction: gradient)
        let drawn = zip(mean, z).map { $0 + kinetic.transition(at: 1).standardDeviation * $1 }
        let next = kinetic.layout.position(of: kinetic.layout.state(after: q + p, drawn: drawn))
        let expected = zip(plain.mean(step: 1, state: q, prediction: gradient), z).map { $0 + h * $1 }
        for (a, b) in zip(next, expected) { #expect(abs(a - b) < 1e-12) }
    }

    /// Every draft gives the lattice the energy that plain sampling gives it, within 5 standard errors, and saves calls.
    @Test(arguments: Scheme.allCases)
    func phi4IsFasterAndTheSame(scheme: Scheme) throws {
        let energy = try Energy.phi4(side: 4, coupling: 100)
        let chain = try UnderdampedLangevinChain(
            scheme, energy: energy, stepCount: 400, stepSize: 0.03, friction: 6,
            start: { _, noise in noise.map { 1 + 0.05 * $0 } })
        func run(_ sampler: some Sampler<UnderdampedLangevinChain>, seed: Int) throws -> (
            mean: Double, error: Double, calls: Double
        ) {
            let observations = try sampler.observe(
                energy, chains: seed * 1000..<seed * 1000 + 100, tail: 200, traceStride: 100, lanes: 4, threads: 2)
            let means = observations.map { $0.tail.reduce(0, +) / 200 }
            let mean = means.reduce(0, +) / 100
            let variance = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 99
            return (mean, (variance / 100).squareRoot(), observations.reduce(0) { $0 + Double($1.cost.calls) } / 100)
        }
        let random = RandomSource(seed: 4)
        let plain = try run(SequentialSampler(chain: chain, random: random), seed: 1)
        let proxy = try #require(try chain.proxyChain(of: energy))
        let drafts: [any Draft] = [
            FrozenDenoiserDraft(), RecycledDraft(), try HessianDraft(energy: energy),
            try IndependentDraft(model: proxy, target: chain),
        ]
        for draft in drafts {
            let sampler = try SpeculativeSampler(chain: chain, draft: draft, window: 10, random: random)
            let speculative = try run(sampler, seed: 2)
            let error = (plain.error * plain.error + speculative.error * speculative.error).squareRoot()
            #expect(abs(speculative.mean - plain.mean) < 5 * error, "\(type(of: draft))")
            #expect(speculative.calls < plain.calls / 2, "\(type(of: draft)): \(speculative.calls)")
        }
    }

    /// The particle filter moves momenta and positions as the sampler does: what it says of the time to rejection is what is seen,
    /// within 5 standard errors of two proportions of 4,000.
    @Test func theTimeToRejectionIsForetold() throws {
        let chain = try UnderdampedLangevinChain(
            .obabo, energy: Self.bowl, stepCount: 12, stepSize: 0.3, friction: 2)
        func survival(_ random: RandomSource, isFiltered: Bool) throws -> [Double] {
            let count = 4000
            let law =
                isFiltered
                ? try TimeToRejection.particleFilter(
                    chain: chain, draft: FrozenDenoiserDraft(), horizon: 6, start: 3, particles: count, random: random)
                : try TimeToRejection.observed(
                    chain: chain, draft: FrozenDenoiserDraft(), horizon: 6, start: 3, samples: count, random: random)
            return law.survival
        }
        let foretold = try survival(RandomSource(seed: 1), isFiltered: true)
        let seen = try survival(RandomSource(seed: 2), isFiltered: false)
        #expect(foretold.last.map { $0 > 0.05 && $0 < 0.95 } == true, "\(foretold)")
        for (a, b) in zip(foretold, seen) {
            #expect(abs(a - b) <= 5 * (2 * b * (1 - b) / 4000).squareRoot() + 1e-12, "\(foretold), \(seen)")
        }
    }

    @Test func whatCannotBeIsRefused() throws {
        func chain(_ h: Double, _ friction: Double, steps: Int = 3) throws -> UnderdampedLangevinChain {
            try UnderdampedLangevinChain(
                .aboba, energy: Self.bowl, stepCount: steps, stepSize: h, friction: friction)
        }
        #expect(throws: DiffusionError.self) { try chain(0, 1) }
        #expect(throws: DiffusionError.self) { try chain(.infinity, 1) }
        #expect(throws: DiffusionError.self) { try chain(1, 0) }
        #expect(throws: DiffusionError.self) { try chain(1, .nan) }
        #expect(throws: DiffusionError.self) { try chain(1, 1, steps: 0) }
        // A model without momenta has as many values as the target, but others of them driven.
        let overdamped = try LangevinChain(
            dimension: 4, stepCount: 3, stepSize: 1, gradient: { $0 })
        #expect(throws: DiffusionError.self) { try IndependentDraft(model: overdamped, target: chain(1, 1)) }
    }
}
