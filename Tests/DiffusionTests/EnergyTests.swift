import Couplings
import Diffusion
import Foundation
import Testing

@Suite("Energies and their Langevin chains")
struct EnergyTests {
    static func energies() throws -> [(String, Energy)] {
        [
            ("phi4", try .phi4(side: 4, coupling: 3)),
            ("gaussian", try .gaussian(dimension: 5, condition: 100)),
            ("mixture", try .mixture(GaussianMixture.randomComponents(count: 3, dimension: 3, seed: 1))),
            ("logistic", try .logisticRegression(#require(LabelledTable.synthetic))),
        ]
    }

    static func states(_ dimension: Int, count: Int = 4, scale: Double = 0.7) -> [[Double]] {
        (0..<count).map { i in
            RandomSource(seed: 1).increment(sample: i, step: 0, dimension: dimension).map { $0 * scale }
        }
    }

    /// Central differences of width 1e-5: an error of h²/6 E‴ and of rounding 1e-16·|E|/h, together below 1e-5 of scale.
    @Test func gradientsAreDerivatives() throws {
        for (name, energy) in try Self.energies() {
            let states = Self.states(energy.dimension)
            for (state, gradient) in zip(states, try energy.gradients(states)) {
                let scale = 1 + gradient.map(abs).reduce(0, max)
                for i in state.indices {
                    let ends = [1e-5, -1e-5].map { shift in
                        var moved = state
                        moved[i] += shift
                        return moved
                    }
                    let values = try energy.values(ends)
                    #expect(abs((values[0] - values[1]) / 2e-5 - gradient[i]) < 1e-5 * scale, "\(name), \(i)")
                }
            }
        }
    }

    /// Every pair of neighbours counts in both orders, across the lattice's edge too.
    @Test func phi4ByHand() throws {
        let energy = try Energy.phi4(side: 3, coupling: 100)
        var state = [Double](repeating: 1, count: 9)
        #expect(try energy.values([state]) == [0])
        state[0] = 2
        // Four neighbours at distance 1, β/2 · 4 · 2 = 400, and (4 - 1)² = 9.
        #expect(try energy.values([state]) == [409])
        let gradient = try energy.gradients([state])[0]
        #expect(gradient[0] == 2 * 100 * 4 + 4 * 2 * 3)
        #expect(gradient[1] == -200 && gradient[2] == -200 && gradient[3] == -200 && gradient[6] == -200)
        #expect(gradient[4] == 0)
    }

    /// `∇E = A x + r(x)`, to rounding; and the chain that keeps them apart takes the steps of the one that doesn't.
    @Test func theQuadraticPartChangesNothing() throws {
        let energy = try Energy.phi4(side: 4, coupling: 100)
        let part = try #require(energy.quadraticPart)
        let states = Self.states(16)
        for ((whole, rest), state) in zip(zip(try energy.gradients(states), try part.remainder(states)), states) {
            for ((g, r), a) in zip(zip(whole, rest), part.force(state)) { #expect(abs(g - r - a) < 1e-10) }
        }
        let apart = try LangevinChain(energy: energy, stepCount: 5, stepSize: 1e-3)
        let whole = try LangevinChain(dimension: 16, stepCount: 5, stepSize: 1e-3, gradient: energy.gradients)
        func final(_ chain: LangevinChain) throws -> [Double] {
            var state: [Double] = []
            try SequentialSampler(chain: chain, random: RandomSource(seed: 2))
                .run(samples: 0..<1, lanes: 1) { state = $0.state }
            return state
        }
        for (a, b) in zip(try final(apart), try final(whole)) { #expect(abs(a - b) < 1e-9) }
    }

    /// The chain's own stationary variance `1/(λ (1 - γλ/2))`, discretisation and all, speculatively. 2,000 chains of
    /// 200 steps of γλ ≥ 0.1, a relaxation of 20 times: the variance within 5 of its standard errors √(2/n).
    @Test(arguments: ["recycled", "frozen", "proxy"])
    func aGaussianIsSampledExactly(name: String) throws {
        let precisions = [1.0, 4, 16]
        let energy = try Energy.gaussian(precisions: precisions)
        let chain = try LangevinChain(energy: energy, stepCount: 200, stepSize: 0.1)
        let proxy = try chain.proxyChain(of: energy)
        let draft: any Draft =
            switch name {
            case "recycled": RecycledDraft()
            case "frozen": FrozenDenoiserDraft()
            default: try IndependentDraft(model: #require(proxy), target: chain)
            }
        let sampler = try SpeculativeSampler(chain: chain, draft: draft, window: 4, random: RandomSource(seed: 3))
        let count = 2000
        let finals = try sampler.runConcurrently(samples: 0..<count, lanes: 16, threads: 2).map(\.state)
        for (i, precision) in precisions.enumerated() {
            let expected = 1 / (precision * (1 - 0.1 * precision / 2))
            let variance = finals.reduce(0) { $0 + $1[i] * $1[i] } / Double(count)
            #expect(abs(variance / expected - 1) < 5 * (2 / Double(count)).squareRoot(), "\(name), λ = \(precision)")
        }
    }

    /// Small enough steps of a stiff lattice: freezing the remainder alone saves most calls, and the energies agree
    /// with plain ones within 5 standard errors.
    @Test func phi4IsFasterAndTheSame() throws {
        let energy = try Energy.phi4(side: 4, coupling: 100)
        let chain = try LangevinChain(
            energy: energy, stepCount: 600, stepSize: 1e-3,
            start: { _, noise in
                noise.map { 1 + 0.05 * $0 }
            })
        func run(_ sampler: some Sampler<LangevinChain>, seed: Int) throws -> (
            mean: Double, error: Double, calls: Double
        ) {
            let observations = try sampler.observe(
                energy, chains: seed * 1000..<seed * 1000 + 100, tail: 200, traceStride: 100, lanes: 4, threads: 2)
            #expect(observations.allSatisfy { $0.tail.count == 200 && $0.trace.count == 7 })
            let means = observations.map { $0.tail.reduce(0, +) / 200 }
            let mean = means.reduce(0, +) / 100
            let variance = means.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 99
            return (mean, (variance / 100).squareRoot(), observations.reduce(0) { $0 + Double($1.cost.calls) } / 100)
        }
        let random = RandomSource(seed: 4)
        let plain = try run(SequentialSampler(chain: chain, random: random), seed: 1)
        for draft in [FrozenDenoiserDraft(), RecycledDraft()] as [any Draft] {
            let sampler = try SpeculativeSampler(chain: chain, draft: draft, window: 20, random: random)
            let speculative = try run(sampler, seed: 2)
            let error = (plain.error * plain.error + speculative.error * speculative.error).squareRoot()
            #expect(abs(speculative.mean - plain.mean) < 5 * error)
            #expect(speculative.calls < plain.calls / 4)
        }
    }

    @Test func impossibleEnergiesAreRefused() throws {
        #expect(throws: DiffusionError.self) { try Energy.phi4(side: 2, coupling: 1) }
        #expect(throws: DiffusionError.self) { try Energy.phi4(side: 8, coupling: .nan) }
        #expect(throws: DiffusionError.self) { try Energy.gaussian(precisions: [1, 0]) }
        #expect(throws: DiffusionError.self) { try Energy.gaussian(dimension: 2, condition: 0.5) }
        #expect(throws: DiffusionError.self) { try Energy.mixture([]) }
        #expect(throws: DiffusionError.self) { try LabelledTable(features: [[1], [2, 3]], labels: [true, false]) }
        let bare = Energy(dimension: 1, value: { $0[0] * $0[0] / 2 }, gradient: { $0 })
        let chain = try LangevinChain(energy: bare, stepCount: 3, stepSize: 0.1)
        #expect(try chain.proxyChain(of: bare).map(\.stepCount) == nil)
    }
}
