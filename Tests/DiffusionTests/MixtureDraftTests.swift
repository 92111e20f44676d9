import Couplings
import Diffusion
import Testing

@Suite("Mixtures of drafts")
struct MixtureDraftTests {
    /// Knows the drift, and errs by a shift that may change half way.
    struct ShiftedDraft: Draft {
        let drift: [Double]
        let shifts: (early: Double, late: Double)
        var recyclesTarget: Bool { false }
        func means(for windows: [DraftWindow], chain: some GaussianChain) -> [[Double]] {
            windows.map { window in
                let k = window.currentStep
                let shift = k < chain.stepCount / 2 ? shifts.early : shifts.late
                return chain.mean(step: k, state: window.currentState, prediction: [drift[k] + shift])
            }
        }
    }

    static let walk = DriftingWalk(drift: [0.2, -0.4, 0.1, 0.7, -0.3, 0.5])

    static func recorded(_ components: [any Draft], chain: some GaussianChain, samples: Int) throws -> MixtureFit {
        var fit = MixtureFit(components: components, stepCount: chain.stepCount)
        let sampler = try SpeculativeSampler(
            chain: chain, draft: MixtureDraft(components.map { (1, $0) }), window: 3, random: RandomSource(seed: 3))
        try sampler.run(samples: 0..<samples, lanes: 16) { info, _ in
            try fit.record(info.scored, chain: chain)
        } onFinished: { _ in
        }
        return fit
    }

    /// Errors a and -b cancel at weights b : a, whatever the rows.
    @Test func oppositeErrorsCancel() throws {
        let drafts = [
            ShiftedDraft(drift: Self.walk.drift, shifts: (1, 0.5)),
            ShiftedDraft(drift: Self.walk.drift, shifts: (-3, -0.5)),
        ]
        let fit = try Self.recorded(drafts, chain: Self.walk, samples: 8)
        let weights = try fit.weights(parts: 2)
        #expect(abs(weights.byProgress[0][0] - 0.75) < 1e-3 && abs(weights.byProgress[1][0] - 0.5) < 1e-3)
        #expect(fit.rejection(with: weights) < 1e-3)
        // One pair of weights for both halves cannot cancel both.
        #expect(fit.rejection(with: try fit.weights(parts: 1)) > 0.01)
    }

    /// On a diffusion model the fit is as good as the best of a fine grid of weights, which are all that there are.
    @Test func theFitIsTheMinimum() throws {
        let chain = try SamplerTests.counted(steps: 8, churn: 1).1
        let fit = try Self.recorded([FrozenDraft(), FrozenDenoiserDraft()], chain: chain, samples: 64)
        #expect(fit.rowCount > 64 * 8)
        let best = fit.rejection(with: try fit.weights(parts: 1))
        let grid = try (0...100).map { i in
            fit.rejection(with: try MixtureWeights(byProgress: [[Double(i) / 100, 1 - Double(i) / 100]]))
        }
        let least = try #require(grid.min())
        #expect(best <= least + 1e-6)
        #expect(grid[0] > least + 0.001 || grid[100] > least + 0.001, "a grid without a slope shows nothing")
        #expect(fit.rejection(with: try fit.weights(parts: 4)) <= best + 1e-9)
    }

    @Test func weightsFollowProgress() throws {
        let weights = try MixtureWeights(byProgress: [[1, 0], [1, 1], [0, 5]])
        #expect(weights.at(step: 0, of: 9) == [1, 0] && weights.at(step: 2, of: 9) == [1, 0])
        #expect(weights.at(step: 3, of: 9) == [0.5, 0.5] && weights.at(step: 8, of: 9) == [0, 1])
        #expect(weights.at(step: 0, of: 1) == [1, 0] && weights.at(step: 99, of: 100) == [0, 1])
    }

    @Test func impossibleWeightsAreRefused() throws {
        for rows in [[], [[]], [[0, 0]], [[1, -1]], [[1, .nan]], [[.infinity, 1]], [[1, 2], [1]]] as [[[Double]]] {
            #expect(throws: DiffusionError.self) { try MixtureWeights(byProgress: rows) }
        }
        #expect(throws: DiffusionError.self) {
            try MixtureDraft([FrozenDraft()], weights: MixtureWeights(byProgress: [[1, 1]]))
        }
    }
}
