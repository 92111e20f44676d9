/// What a sample has cost, and how its drafts fared.
public struct SamplingCost: Sendable, Equatable {
    /// Target calls it took part in, whatever their batch: the NFE of DB25 §7.
    public internal(set) var calls = 0
    /// Of these calls those that verified drafts, which the paper's Table 2 counts.
    public internal(set) var windows = 0
    /// Rows of those calls that were its own.
    public internal(set) var evaluations = 0
    /// Decided drafts that were accepted.
    public internal(set) var accepted = 0
    /// Decided drafts that were rejected.
    public internal(set) var rejected = 0
    /// Steps taken without a draft, because the window policy asked for none.
    public internal(set) var plainSteps = 0
    /// States drawn from the target upon rejections, where the rule needs any.
    public internal(set) var extraDraws = 0

    public init() {}

    /// A cost that was found elsewhere, in another process or at another time.
    public init(
        calls: Int, windows: Int, evaluations: Int, accepted: Int, rejected: Int, plainSteps: Int, extraDraws: Int
    ) {
        self.calls = calls
        self.windows = windows
        self.evaluations = evaluations
        self.accepted = accepted
        self.rejected = rejected
        self.plainSteps = plainSteps
        self.extraDraws = extraDraws
    }
}

extension Collection<SamplingCost> {
    /// Accepted of all decided drafts; 0 where nothing was drafted.
    public var acceptance: Double {
        let (accepted, rejected) = reduce((0, 0)) { ($0.0 + $1.accepted, $0.1 + $1.rejected) }
        return accepted + rejected > 0 ? Double(accepted) / Double(accepted + rejected) : 0
    }
}
