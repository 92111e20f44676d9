/// Picard iteration (after DB25 (61)–(66)): before a window is scored, `M` further target calls evaluate the states drafted so
/// far, and the window is drafted again from these answers. With pinned noise (rule R2) the iterates keep their noise, and
/// a step's mean still depends on `Z_{<k}` alone (R1). The published variant, without noise until the last iterate, is
/// `DeterministicPicardDraft`.
///
/// Each call decides nothing and improves everything: it pays where windows are long and rejections early. Combined with
/// recycling, the first iterate starts from what older windows know.
public struct PicardDraft: Draft {
    /// `M ≥ 1`
    public let iterations: Int
    public let base: any Draft

    static let possibleIterations = 1...1000

    /// - Throws: `DiffusionError` for no iterations, or more than 1000.
    public init(iterations: Int, base: any Draft = RecycledDraft()) throws(DiffusionError) {
        guard Self.possibleIterations.contains(iterations) else {
            throw DiffusionError("Picard iterations", expected: "a number from 1 to 1000", found: "\(iterations)")
        }
        self.iterations = iterations
        self.base = base
    }

    public var recyclesTarget: Bool { true }
    public func canStart(sample: Int, chain: some GaussianChain) -> Bool { base.canStart(sample: sample, chain: chain) }
    public var refinements: [ScoredRows] {
        base.refinements + [ScoredRows](repeating: .all, count: iterations)
    }
    public var secantPairs: Int { base.secantPairs }

    public func means(for windows: [DraftWindow], chain: some GaussianChain) throws -> [[Double]] {
        try base.means(for: windows, chain: chain)
    }
}
