import Couplings
import Diffusion
import Testing

@Suite("Drafts with an energy's Hessian")
struct HessianDraftTests {
    /// Central differences of the gradient (the remainder's where there is a quadratic part) of width 1e-5: an error of h²/6 of
    /// its third derivative and of rounding 1e-16·|∇E|/h, together below 1e-6 of scale.
    @Test func productsAreDerivatives() throws {
        for (name, energy) in try EnergyTests.energies() {
            let product = try #require(energy.hessianProduct, "\(name)")
            let gradients = energy.quadraticPart?.remainder ?? energy.gradients
            let states = EnergyTests.states(energy.dimension)
            for (state, direction) in zip(states, states.reversed()) {
                let ends = [1e-5, -1e-5].map { Vector.combine(1, state, $0, direction) }
                let values = try gradients(ends)
                let expected = Vector.combine(0.5e5, values[0], -0.5e5, values[1])
                let scale = 1 + (try gradients([state])[0] + expected).map(abs).reduce(0, max)
                for (a, b) in zip(product(state, direction), expected) {
                    #expect(abs(a - b) < 1e-6 * scale, "\(name): \(a), \(b)")
                }
            }
        }
    }

    /// A quadratic energy's gradient is what the draft says that it is: of the chain's steps all drafts are accepted, and after the
    /// first call, which only evaluates the start, each call decides a whole window.
    @Test func aQuadraticEnergyIsDraftedExactly() throws {
        let energy = try Energy.gaussian(dimension: 5, condition: 20)
        let draft = try HessianDraft(energy: energy)
        func check(_ chain: some GaussianChain) throws {
            let sampler = try SpeculativeSampler(
                chain: chain, draft: draft, window: 10, random: RandomSource(seed: 2))
            for state in try sampler.runConcurrently(samples: 0..<8, lanes: 8, threads: 1) {
                #expect(state.cost.rejected == 0 && state.cost.accepted == 100)
                #expect(state.cost.calls == 11)
            }
        }
        try check(LangevinChain(energy: energy, stepCount: 100, stepSize: 0.04))
        for scheme in UnderdampedLangevinChain.Scheme.allCases {
            try check(
                UnderdampedLangevinChain(scheme, energy: energy, stepCount: 100, stepSize: 0.2, friction: 2))
        }
        // In the preconditioner's coordinates too.
        let metric = try Preconditioner(
            covariance: (0..<5).map { i in (0..<5).map { j in (i == j ? 1 : 0) + 0.1 } })
        let chain = try LangevinChain(energy: energy, preconditioner: metric, stepCount: 100, stepSize: 0.03)
        let sampler = try SpeculativeSampler(
            chain: chain, draft: HessianDraft(energy: energy, preconditioner: metric), window: 10,
            random: RandomSource(seed: 2))
        for state in try sampler.runConcurrently(samples: 0..<8, lanes: 8, threads: 1) {
            #expect(state.cost.rejected == 0)
        }
    }

    /// Where the curvature changes along the path, the Hessian at the old state is the better the shorter the window, and better
    /// than none.
    @Test func itRejectsLessThanAFrozenGradient() throws {
        let energy = UnderdampedLangevinTests.bowl
        let chain = try UnderdampedLangevinChain(.obabo, energy: energy, stepCount: 400, stepSize: 0.1, friction: 2)
        func rejected(_ draft: some Draft) throws -> Int {
            try SpeculativeSampler(chain: chain, draft: draft, window: 10, random: RandomSource(seed: 1))
                .runConcurrently(samples: 0..<16, lanes: 16, threads: 1).reduce(0) { $0 + $1.cost.rejected }
        }
        #expect(try rejected(HessianDraft(energy: energy)) < rejected(FrozenDenoiserDraft()) / 2)
    }

    @Test func anEnergyWithoutOneIsRefused() {
        let bare = Energy(dimension: 1, value: { $0[0] * $0[0] / 2 }, gradient: { $0 })
        #expect(throws: DiffusionError.self) { try HessianDraft(energy: bare) }
    }
}
