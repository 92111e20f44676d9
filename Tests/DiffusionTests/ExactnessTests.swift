import Couplings
import Diffusion
import Foundation
import Statistics
import Testing

/// Speculative against plain sampling on chains of few large steps, where many drafts are rejected: the result of every
/// exact draft must pass a two-sample test, and what is deliberately wrong must fail the same test.
@Suite("Speculative samples have the target's law")
struct ExactnessTests {
    static let count = 20_000
    static let directions = [[1, 1], [1, -1], [2, 1], [1, -2]].map { $0.map(Double.init) }
    /// Rules and windows that are tried with every draft. Rows are dear in the second adaptive policy, so that it often
    /// takes plain steps; and the fallback asks for so much acceptance that it keeps going over to them and back.
    static func cells() throws -> [(name: String, rule: any VerificationRule, window: any WindowPolicy)] {
        let reflection = ReflectionCoupling()
        // Shears are invertible, so that the projection sees everything.
        let projection = ProjectionCoupling(try RowSpaceProjector(matrix: [1, 3, 0, 1], columns: 2))
        let adaptive = try AdaptiveWindow(cost: .perRow(0.1), longest: 8)
        let dear = try AdaptiveWindow(cost: .measured([(1, 1), (2, 1.2), (4, 2)]).inLanes(2), longest: 8)
        return [
            ("reflection, 1", reflection, try FixedWindow(1)), ("reflection, 3", reflection, try FixedWindow(3)),
            ("reflection, 8", reflection, try FixedWindow(8)),
            ("reflection, adaptive", reflection, adaptive), ("reflection, auto", reflection, dear),
            ("reflection, fallback", reflection, FallbackWindow(try FixedWindow(3), leastAcceptance: 0.6)),
            ("rejection, 3", RejectionCoupling(), try FixedWindow(3)),
            ("rejection, adaptive", RejectionCoupling(), adaptive),
            ("projection, 8", projection, try FixedWindow(8)),
        ]
    }
    /// Bonferroni over 3 chains, 5 drafts and 9 rules with windows, at a family-wise level of 1 %.
    static let level = 0.01 / 135

    /// A diffusion model of a two-dimensional mixture, K = 8; or its first steps only, whose result still has most of
    /// its noise and with it the traces of every error.
    static func mixture(stopAfter count: Int = 8) throws -> DenoisingChain {
        let schedule = CosineSchedule()
        let mixture = try GaussianMixture(
            components: [
                .init(mean: [1.5, 0], standardDeviation: 0.2), .init(mean: [-1, 1], standardDeviation: 0.15),
                .init(mean: [0, -1.2], standardDeviation: 0.1),
            ], schedule: schedule)
        let grid = try TimeGrid(.uniform, steps: 8, schedule: schedule)
        return try DenoisingChain(
            denoiser: mixture,
            steps: Array(ReverseDiffusion.steps(schedule: schedule, grid: grid, churn: 1).prefix(count)))
    }

    /// Langevin dynamics down into a bumpy bowl, K = 8 large steps from far out: the gradient falls all the way, so
    /// that every stale draft errs to the same side, moderately, and an error of the rule adds up.
    static func langevin() throws -> LangevinChain {
        try LangevinChain(dimension: 2, stepCount: 8, stepSize: 0.15, start: { [3 + $1[0] / 2, 3 + $1[1] / 2] }) {
            states in
            states.map { x in [x[0] + sin(2 * x[0]) / 2 + x[1] / 4, x[1] + sin(2 * x[1]) / 2 + x[0] / 4] }
        }
    }

    static func drafts(for chain: DenoisingChain) throws -> [(String, any Draft)] {
        let coarse = try GaussianMixture(
            components: [.init(mean: [0.2, 0], standardDeviation: 1)], schedule: CosineSchedule())
        let model = try DenoisingChain(denoiser: coarse, steps: chain.steps)
        return recyclingDrafts + [("independent", try IndependentDraft(model: model, target: chain))]
    }

    static func drafts(for chain: LangevinChain) throws -> [(String, any Draft)] {
        let quadratic = try LangevinChain(dimension: 2, stepCount: 8, stepSize: 0.15) { states in
            states.map { x in [x[0] / 2, x[1] / 2] }
        }
        return recyclingDrafts + [("proxy energy", try IndependentDraft(model: quadratic, target: chain))]
    }

    static let recyclingDrafts: [(String, any Draft)] = [
        ("frozen", FrozenDraft()), ("frozen-denoiser", FrozenDenoiserDraft()),
        ("recycled-zeroth", RecycledDraft(order: .zeroth)), ("recycled", RecycledDraft()),
    ]

    static func finals(_ sampler: some Sampler) throws -> [[Double]] {
        var states: [[Double]] = []
        try sampler.run(samples: 0..<count, lanes: 256) { states.append($0.state) }
        return states
    }

    static func pValue(
        _ chain: some GaussianChain, _ draft: any Draft, window: any WindowPolicy, rule: any VerificationRule,
        plain: [[Double]]
    ) throws -> Double {
        let sampler = SpeculativeSampler(
            chain: chain, draft: draft, rule: rule, window: window, random: RandomSource(seed: 12))
        return try MarginalTest.twoSample(finals(sampler), plain, directions: directions).pValue
    }

    static func plain(_ chain: some GaussianChain) throws -> [[Double]] {
        try finals(SequentialSampler(chain: chain, random: RandomSource(seed: 11)))
    }

    @Test(arguments: [6, 8])
    func everyDraftOnTheMixture(stopAfter count: Int) throws {
        let chain = try Self.mixture(stopAfter: count)
        try Self.expectExactness(chain, Self.drafts(for: chain))
    }

    @Test func everyDraftOnLangevinDynamics() throws {
        let chain = try Self.langevin()
        try Self.expectExactness(chain, Self.drafts(for: chain))
    }

    static func expectExactness(_ chain: some GaussianChain, _ drafts: [(String, any Draft)]) throws {
        let plain = try plain(chain)
        for (name, draft) in drafts {
            for cell in try cells() {
                let pValue = try pValue(chain, draft, window: cell.window, rule: cell.rule, plain: plain)
                #expect(cell.rule.isExact && pValue > level, "\(name), \(cell.name)")
            }
        }
    }

    /// The controls: with every draft, each wrong rule must be caught on one of the chains at least. (The better a
    /// draft, the less there is to get wrong.)
    @Test func wrongRulesAreCaught() throws {
        let (mixture, langevin) = (try Self.mixture(stopAfter: 6), try Self.langevin())
        let (plainMixture, plainLangevin) = (try Self.plain(mixture), try Self.plain(langevin))
        let wrong: [any VerificationRule] = [IncorrectRejection(), AcceptEverything(), ReflectionCoupling(temperature: 4)]
        let window = try FixedWindow(8)
        for ((name, onMixture), (_, onLangevin)) in try zip(Self.drafts(for: mixture), Self.drafts(for: langevin)) {
            for rule in wrong {
                let first = try Self.pValue(mixture, onMixture, window: window, rule: rule, plain: plainMixture)
                let second = try Self.pValue(langevin, onLangevin, window: window, rule: rule, plain: plainLangevin)
                #expect(min(first, second) < 1e-6, "\(name), \(rule)")
            }
        }
    }

    /// The other controls break the loop instead of the rule; the same loop without a fault must pass. On chains that
    /// contract, the first of them hardly shows; on a walk nothing is forgotten.
    @Test(arguments: BareLoop<DriftingWalk>.Fault.allCases)
    func wrongLoopsAreCaught(fault: BareLoop<DriftingWalk>.Fault) throws {
        let chain = DriftingWalk(drift: (0..<12).map { 0.4 * Double($0) })
        let loop = BareLoop(chain: chain, random: RandomSource(seed: 14), fault: fault)
        let states = try (0..<Self.count).map { try loop.final(sample: $0) }
        let pValue = try MarginalTest.twoSample(states, Self.plain(chain)).pValue
        switch fault {
        case .none: #expect(pValue > Self.level)
        case .windowFromUndecidedFlags, .noiseRedrawnAfterALook: #expect(pValue < 1e-6)
        }
    }

    /// P(reject) is 2Φ(‖Δ‖/2) - 1, step by step: the accepted drafts less the sum of the probabilities known
    /// beforehand has mean 0 and variance Σ p(1-p); 5 of its deviations.
    @Test func rejectionsAreAsPredicted() throws {
        let chain = try Self.mixture()
        for (name, draft) in try Self.drafts(for: chain) {
            let sampler = try SpeculativeSampler(
                chain: chain, draft: draft, window: 4, random: RandomSource(seed: 13))
            var (excess, variance) = (0.0, 0.0)
            try sampler.run(samples: 0..<5000, lanes: 256) { info, _ in
                for decision in info.decisions {
                    let probability = maximalAcceptance(distance: decision.distance)
                    excess += (decision.isAccepted ? 1 : 0) - probability
                    variance += probability * (1 - probability)
                }
            } onFinished: { _ in }
            #expect(variance > 100, "\(name): too few doubtful drafts to tell")
            #expect(abs(excess) < 5 * variance.squareRoot(), "\(name)")
        }
    }
}
