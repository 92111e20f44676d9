import Couplings

/// A guess of the target's means. Drafts share the chain's `s_k` and its map from prediction to mean.
///
/// Rule R1: `m^p_k` may depend on decided states and on target outputs at states that are functions of `Z_{<k}`, and
/// on nothing else; the window holds just that.
public protocol Draft: Sendable {
    /// Whether it draws on the target's answers: the last state of each window is then scored for the next one's sake.
    var recyclesTarget: Bool { get }
    /// Whether it can draft a sample's first window before the target has been asked at all. Otherwise the first call
    /// evaluates `Y_0` alone.
    func canStart(sample: Int, chain: some GaussianChain) -> Bool
    /// Extra target calls; after each of them the window is drafted again.
    var refinements: [ScoredRows] { get }
    /// How many secant pairs of each step it wants remembered: two vectors each, so none unless it asks.
    var secantPairs: Int { get }

    /// `m^p_k` at each window's current step and state, in order.
    func means(for windows: [DraftWindow], chain: some GaussianChain) throws -> [[Double]]
}

/// Which states of a window a target call evaluates, each more than the one before.
public enum ScoredRows: Int, Comparable, Sendable {
    /// `Ỹ_n` only.
    case first
    /// All states that a step is taken from, of a window that is drafted without noise: `DraftWindow.iterate` tells the
    /// draft. What the target answers is then a function of what was known before the window.
    case allWithoutNoise
    case all

    public static func < (first: ScoredRows, second: ScoredRows) -> Bool { first.rawValue < second.rawValue }
}

extension Draft {
    public func canStart(sample: Int, chain: some GaussianChain) -> Bool { !recyclesTarget }
    public var refinements: [ScoredRows] { [] }
    public var secantPairs: Int { 0 }

    /// Data and noise have a size of some tens.
    private static var largestState: Double { 1e9 }

    /// `means`, or an error that names the draft: what isn't finite would be rejected, and the states after it asked for all
    /// the same.
    func finiteMeans(for windows: [DraftWindow], chain: some GaussianChain) throws -> [[Double]] {
        let means = try means(for: windows, chain: chain)
        for (window, mean) in zip(windows, means) where !Vector.squaredNorm(mean).isFinite {
            // A draft without a network of its own adds up what the target answered: from a state that has grown beyond all
            // measure the chain's own numbers lead to no other.
            let largest = window.currentState.reduce(0) { max($0, abs($1)) }
            guard self is any RecyclingDraft, !(largest < Self.largestState) else {
                throw DiffusionError(
                    "draft of sample \(window.sample) at step \(window.currentStep)", expected: "finite numbers",
                    found: "an infinity or NaN", remedy: "take another draft, or check the weights of its network")
            }
            throw DiffusionError(
                "sample \(window.sample) at step \(window.currentStep)", expected: "states that stay finite",
                found: "an infinity or NaN after one of size \(largest)",
                remedy: "take a smaller churn, guidance or step size, or more steps")
        }
        return means
    }
}

/// A draft that costs no call of any network: each mean is a formula in what the window knows.
public protocol RecyclingDraft: Draft {
    func mean(in window: DraftWindow, chain: some GaussianChain) -> [Double]
}

extension RecyclingDraft {
    public var recyclesTarget: Bool { true }

    public func means(for windows: [DraftWindow], chain: some GaussianChain) -> [[Double]] {
        windows.map { mean(in: $0, chain: chain) }
    }
}
