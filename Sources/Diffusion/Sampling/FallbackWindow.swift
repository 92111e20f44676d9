import Platform

/// Another policy's window as long as drafts have a chance, and plain steps where they have none: models with few large
/// steps reject almost everything, and each of their windows would be wasted rows. A doubtful window is a short one.
///
/// Whether speculation can pay is thus predicted for every sample from its own decided drafts, by the acceptance that
/// their `Δ` implies rather than by their flags alone, so that a few drafts are enough; no pilot run is needed, the law is
/// the target's as under every policy, and a sample does not depend on how others fared.
public struct FallbackWindow: WindowPolicy {
    public let base: any WindowPolicy
    /// Mean acceptance below which speculation rests: with 0.2 a call decides at most 1/(1 - 0.2) = 1.25 steps, a fifth
    /// of calls saved even if rows were free.
    public let leastAcceptance: Double

    /// Below this mean acceptance, and after plain steps, no more is drafted than could come to be decided.
    private static let doubtfulAcceptance = 0.35

    public init(_ base: any WindowPolicy, leastAcceptance: Double = 0.2) {
        self.base = base
        self.leastAcceptance = leastAcceptance
    }

    public func length(after decided: DecidedSteps) -> Int {
        if decided.isInPlainStretch { return 0 }
        // A draft that was right by construction tells nothing.
        let recent = decided.drafts.filter { $0.distance > 0 }.suffix(8)
        // Two imagined drafts of acceptance ½ beside them: it takes four failures in a row, for two are nothing unusual.
        let mean = recent.reduce(1) { $0 + $1.acceptance } / Double(recent.count + 2)
        if mean < leastAcceptance { return 0 }
        let isDoubtful = mean < Self.doubtfulAcceptance || recent.isEmpty && decided.plainSteps > 0
        let length = base.length(after: decided)
        // Four times the expected run of acceptances.
        return isDoubtful ? min(length, Int((4 / (1 - min(mean, 0.5))).rounded(.up))) : length
    }
}
