/// Frozen drift, fresh: DB25 (7) as it is written, with `b_{t_n}(Y_n)` evaluated anew before each window unless the window
/// before happened to end there. Costs a second call a window.
public struct FreshFrozenDraft: RecyclingDraft {
    public init() {}

    public var refinements: [ScoredRows] { [.first] }

    public func mean(in window: DraftWindow, chain: some GaussianChain) -> [Double] {
        FrozenDraft().mean(in: window, chain: chain)
    }
}
