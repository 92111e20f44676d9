import Couplings
import Diffusion
import Foundation

/// A chain that costs next to nothing, with the drafts to be tried on it.
public struct ChainCase: Sendable {
    public let name: String
    public let chain: any GaussianChain
    public let drafts: [DraftCase]
    /// Projections that are tested besides the axes.
    public let directions: [[Double]]
    /// Whether errors show well enough in its result for the controls of every draft to be tried on it.
    public let isForControls: Bool
    /// Whether each draft and rule is tried with one window only, in turn, where not the whole product is wanted.
    public let isThinned: Bool

    /// - Parameters:
    ///   - name: in the names of the checks.
    ///   - chain: the target.
    ///   - drafts: to be tried on it.
    ///   - directions: each of the chain's dimension.
    ///   - isForControls: whether errors show well enough in its result for the controls of every draft.
    ///   - isThinned: whether each draft and rule is tried with one window only, in turn.
    public init(
        _ name: String, chain: any GaussianChain, drafts: [DraftCase], directions: [[Double]] = [],
        isForControls: Bool = true, isThinned: Bool = false
    ) {
        self.name = name
        self.chain = chain
        self.drafts = drafts
        self.directions = directions
        self.isForControls = isForControls
        self.isThinned = isThinned
    }
}

/// A draft under its name.
public struct DraftCase: Sendable {
    public let name: String
    public let draft: any Draft
    /// Whether wrong rules are tried with it too. A very good draft leaves too little to get wrong.
    public let isForControls: Bool
    /// Whether enough of its drafts are doubtful for their rate of acceptance to be tested.
    public let isDoubtful: Bool

    public init(_ name: String, _ draft: any Draft, isForControls: Bool = true, isDoubtful: Bool = true) {
        self.name = name
        self.draft = draft
        self.isForControls = isForControls
        self.isDoubtful = isDoubtful
    }
}

/// A window policy under its name.
public struct WindowCase: Sendable {
    public let name: String
    public let policy: any WindowPolicy

    public init(_ name: String, _ policy: any WindowPolicy) {
        self.name = name
        self.policy = policy
    }

    /// Fixed ones; two adaptive ones, with rows so dear in the second that it often takes plain steps; and a fallback
    /// that asks for so much acceptance that it keeps going over to plain steps and back.
    public static func all() throws(DiffusionError) -> [WindowCase] {
        var cases: [WindowCase] = []
        for length in [1, 2, 3, 8] { cases.append(WindowCase("\(length)", try FixedWindow(length))) }
        let dear = try CallCost.measured([(1, 1), (2, 1.2), (4, 2)]).inLanes(2)
        return cases + [
            WindowCase("adaptive", try AdaptiveWindow(cost: .perRow(0.1), longest: 8)),
            WindowCase("auto", try AdaptiveWindow(cost: dear, longest: 8)),
            WindowCase("fallback", FallbackWindow(try FixedWindow(3), leastAcceptance: 0.6)),
        ]
    }
}

/// The chains of the suite: two-dimensional, with few large steps, so that many drafts are rejected.
public enum AnalyticChains {
    /// Every exact draft that works on any chain. A new one is a line here.
    public static func drafts() throws(DiffusionError) -> [DraftCase] {
        [
            DraftCase("frozen", FrozenDraft()),
            DraftCase("frozen-fresh", FrozenDraft(.fresh)),
            DraftCase("frozen-previous", FrozenDraft(.previous)),
            DraftCase("frozen-denoiser", FrozenDenoiserDraft()),
            DraftCase("recycled-zeroth", RecycledDraft(order: .zeroth)),
            DraftCase("recycled", RecycledDraft()),
            DraftCase("broyden:4", try BroydenDraft(pairs: 4)),
            DraftCase("picard:1", try PicardDraft(iterations: 1)),
            DraftCase("picard:2", try PicardDraft(iterations: 2), isForControls: false, isDoubtful: false),
            DraftCase("picard:3", try PicardDraft(iterations: 3), isForControls: false, isDoubtful: false),
            DraftCase("picard-deterministic:2", try DeterministicPicardDraft(iterations: 2)),
            DraftCase("corrected", CorrectedDraft(corrector: HabitualCorrector())),
            DraftCase("mixture", try MixtureDraft([(0.3, FrozenDraft()), (0.7, RecycledDraft())])),
            DraftCase(
                "mixture by step",
                try MixtureDraft(
                    [FrozenDraft(), FrozenDenoiserDraft()],
                    weights: MixtureWeights(byProgress: [[1, 0], [0.5, 0.5], [0.2, 0.8]]))),
        ]
    }

    static let directions = [[1.0, 1], [1, -1], [2, 1], [1, -2]]

    public static func all() throws(DiffusionError) -> [ChainCase] {
        let (mixture, truncated) = (try mixture(prior: [0.2, 0]), try mixture(stopAfter: 6))
        let basic = [
            ChainCase(
                "mixture", chain: mixture, drafts: try drafts() + independent(of: mixture), directions: directions,
                isForControls: false),
            // Its first steps only: the result still has most of its noise, and with it the traces of every error.
            ChainCase(
                "truncated mixture", chain: truncated, drafts: try drafts() + independent(of: truncated),
                directions: directions),
            try langevin(),
            try secondOrderLangevin(),
        ]
        return try basic + TableChains.all()
    }

    /// A diffusion model of a two-dimensional mixture, K = 8.
    /// - Parameters:
    ///   - count: how many of the eight steps are taken.
    ///   - prior: what drafts take the target's first answer to be, if they are to start without it.
    public static func mixture(
        stopAfter count: Int = 8, prior: [Double]? = nil
    ) throws(DiffusionError) -> DenoisingChain {
        let schedule = CosineSchedule()
        let mixture = try GaussianMixture(
            components: [
                .init(mean: [1.5, 0], standardDeviation: 0.2), .init(mean: [-1, 1], standardDeviation: 0.15),
                .init(mean: [0, -1.2], standardDeviation: 0.1),
            ], schedule: schedule)
        let grid = try TimeGrid(.uniform, steps: 8, schedule: schedule)
        return try DenoisingChain(
            denoiser: mixture,
            steps: Array(ReverseDiffusion.steps(schedule: schedule, grid: grid, churn: 1).prefix(count)),
            priors: prior.map { [.none: $0] } ?? [:])
    }

    /// A draft that knows of the mixture little more than where its middle is.
    private static func independent(of chain: DenoisingChain) throws(DiffusionError) -> [DraftCase] {
        let coarse = try GaussianMixture(
            components: [.init(mean: [0.2, 0], standardDeviation: 1)], schedule: CosineSchedule())
        let model = try DenoisingChain(denoiser: coarse, steps: chain.steps)
        return [
            DraftCase("independent", try IndependentDraft(model: model, target: chain)),
            DraftCase("assisted", try AssistedDraft(model: model, target: chain), isForControls: false),
        ]
    }

    /// Langevin dynamics down into a bumpy bowl, K = 8 large steps from far out: the gradient falls all the way, so
    /// that every stale draft errs to the same side, moderately, and an error of the rule adds up.
    private static func langevin() throws(DiffusionError) -> ChainCase {
        let chain = try LangevinChain(
            energy: bumpyBowl, stepCount: 8, stepSize: 0.15, start: { [3 + $1[0] / 2, 3 + $1[1] / 2] })
        let quadratic = try LangevinChain(dimension: 2, stepCount: 8, stepSize: 0.15) { states in
            states.map { x in [x[0] / 2, x[1] / 2] }
        }
        let proxies = [
            DraftCase("independent", try IndependentDraft(model: quadratic, target: chain)),
            DraftCase("assisted", try AssistedDraft(model: quadratic, target: chain), isForControls: false),
            DraftCase("hessian", try HessianDraft(energy: bumpyBowl)),
        ]
        return ChainCase("Langevin", chain: chain, drafts: try drafts() + proxies, directions: directions)
    }

    private static let bumpyBowl = Energy(
        dimension: 2,
        value: { x in
            (x[0] * x[0] + x[1] * x[1]) / 2 - (cos(2 * x[0]) + cos(2 * x[1])) / 4 + x[0] * x[1] / 4
        },
        gradient: { x in [x[0] + sin(2 * x[0]) / 2 + x[1] / 4, x[1] + sin(2 * x[1]) / 2 + x[0] / 4] },
        hessianProduct: { x, v in
            [(1 + cos(2 * x[0])) * v[0] + v[1] / 4, (1 + cos(2 * x[1])) * v[1] + v[0] / 4]
        })

    /// The same bowl with momenta: what is drawn is half of a state. OBABO, whose first step differs from the others.
    private static func secondOrderLangevin() throws(DiffusionError) -> ChainCase {
        func chain(_ energy: Energy) throws(DiffusionError) -> UnderdampedLangevinChain {
            try UnderdampedLangevinChain(
                .obabo, energy: energy, stepCount: 8, stepSize: 0.5, friction: 1,
                start: { [3 + $1[0] / 2, 3 + $1[1] / 2] })
        }
        let target = try chain(bumpyBowl)
        let quadratic = try chain(
            Energy(
                dimension: 2, value: { x in (x[0] * x[0] + x[1] * x[1]) / 4 },
                gradient: { x in [x[0] / 2, x[1] / 2] }))
        let proxies = [
            DraftCase("independent", try IndependentDraft(model: quadratic, target: target)),
            DraftCase("assisted", try AssistedDraft(model: quadratic, target: target), isForControls: false),
            DraftCase("hessian", try HessianDraft(energy: bumpyBowl)),
        ]
        // Positions, momenta, and positions with momenta.
        let directions = [
            [1.0, 1, 0, 0], [1, -1, 0, 0], [0, 0, 1, 1], [0, 0, 1, -1], [1, 0, 1, 0], [0, 1, 0, -1],
        ]
        return ChainCase(
            "second-order Langevin", chain: target, drafts: try drafts() + proxies, directions: directions)
    }
}

/// Stands for a network that has learnt how answers change: by a part of how far the state has moved.
private struct HabitualCorrector: Corrector {
    func corrections(for queries: [CorrectionQuery]) -> [[Double]] {
        queries.map { query in
            guard let source = query.source else { return query.answer.map { _ in 0 } }
            return zip(source.movedState, source.state).map { 0.2 * ($0 - $1) }
        }
    }
}
