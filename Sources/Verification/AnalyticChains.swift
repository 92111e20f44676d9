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
    /// Whether errors show well enough in its result for the controls to be tried on it.
    public let isForControls: Bool

    /// - Parameter directions: each of the chain's dimension.
    public init(
        _ name: String, chain: any GaussianChain, drafts: [DraftCase], directions: [[Double]] = [],
        isForControls: Bool = true
    ) {
        self.name = name
        self.chain = chain
        self.drafts = drafts
        self.directions = directions
        self.isForControls = isForControls
    }
}

/// A draft under its name.
public struct DraftCase: Sendable {
    public let name: String
    public let draft: any Draft
    /// The windows it is tried with.
    public let windows: [Int]
    /// Whether the controls are tried with it too.
    public let isForControls: Bool

    /// - Parameter windows: each at least 1.
    public init(
        _ name: String, _ draft: any Draft, windows: [Int] = [1, 2, 3, 8], isForControls: Bool = true
    ) {
        self.name = name
        self.draft = draft
        self.windows = windows
        self.isForControls = isForControls
    }
}

/// The chains of the suite: two-dimensional, with few large steps, so that many drafts are rejected.
public enum AnalyticChains {
    /// Every exact draft that works on any chain. A new one is a line here.
    public static let drafts = [
        DraftCase("frozen", FrozenDraft()),
        DraftCase("frozen-denoiser", FrozenDenoiserDraft()),
        DraftCase("recycled-zeroth", RecycledDraft(order: .zeroth)),
        DraftCase("recycled", RecycledDraft()),
    ]

    /// Variants and combinations of those, which one window stands for.
    static func variants() throws(DiffusionError) -> [DraftCase] {
        let drafts: [(String, any Draft)] = [
            ("frozen-fresh", FrozenDraft(.fresh)),
            ("frozen-previous", FrozenDraft(.previous)),
            ("Picard 1", try PicardDraft(iterations: 1)),
            ("frozen + recycled", try MixtureDraft([(0.5, FrozenDraft()), (0.5, RecycledDraft())])),
        ]
        return drafts.map { DraftCase($0.0, $0.1, windows: [3], isForControls: false) }
    }

    static let directions = [[1.0, 1], [1, -1], [2, 1], [1, -2]]

    public static func all() throws(DiffusionError) -> [ChainCase] {
        let (mixture, truncated) = (try mixture(), try mixture(stopAfter: 6))
        return [
            ChainCase(
                "mixture", chain: mixture, drafts: drafts + [try independent(of: mixture)] + (try variants()),
                directions: directions,
                isForControls: false),
            // Its first steps only: the result still has most of its noise, and with it the traces of every error.
            ChainCase(
                "truncated mixture", chain: truncated, drafts: drafts + [try independent(of: truncated)] + (try variants()),
                directions: directions),
            try langevin(),
        ]
    }

    /// A diffusion model of a two-dimensional mixture, K = 8.
    public static func mixture(stopAfter count: Int = 8) throws(DiffusionError) -> DenoisingChain {
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

    /// A draft that knows of the mixture little more than where its middle is.
    private static func independent(of chain: DenoisingChain) throws(DiffusionError) -> DraftCase {
        let coarse = try GaussianMixture(
            components: [.init(mean: [0.2, 0], standardDeviation: 1)], schedule: CosineSchedule())
        let model = try DenoisingChain(denoiser: coarse, steps: chain.steps)
        return DraftCase("independent", try IndependentDraft(model: model, target: chain))
    }

    /// Langevin dynamics down into a bumpy bowl, K = 8 large steps from far out: the gradient falls all the way, so
    /// that every stale draft errs to the same side, moderately, and an error of the rule adds up.
    private static func langevin() throws(DiffusionError) -> ChainCase {
        let chain = try LangevinChain(
            dimension: 2, stepCount: 8, stepSize: 0.15, start: { [3 + $1[0] / 2, 3 + $1[1] / 2] }
        ) { states in
            states.map { x in [x[0] + sin(2 * x[0]) / 2 + x[1] / 4, x[1] + sin(2 * x[1]) / 2 + x[0] / 4] }
        }
        let quadratic = try LangevinChain(dimension: 2, stepCount: 8, stepSize: 0.15) { states in
            states.map { x in [x[0] / 2, x[1] / 2] }
        }
        let proxy = DraftCase("independent", try IndependentDraft(model: quadratic, target: chain))
        return ChainCase("Langevin", chain: chain, drafts: drafts + [proxy] + (try variants()), directions: directions)
    }
}
