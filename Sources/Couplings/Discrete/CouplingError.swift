/// What can be wrong with the input of a finite coupling, or with a computation on it.
///
/// One error type for the whole boundary: every case says which distribution or option is at fault, where in
/// it, what was found and what was expected.
public enum CouplingError: Error, Equatable, Sendable {
    /// A distribution has no entries (V = 0).
    case emptyDistribution(name: String)
    /// An entry is NaN or infinite.
    case notFinite(name: String, index: Int)
    /// An entry is below zero.
    case negativeProbability(name: String, index: Int, value: Double)
    /// The entries do not sum to one.
    case doesNotSumToOne(name: String, sum: Double)
    /// Two distributions that must share one vocabulary do not.
    case lengthsDiffer(name: String, count: Int, otherName: String, otherCount: Int)
    /// Fewer than one draft was asked for.
    case noDrafts(count: Int)
    /// The number of drafted tokens handed to a rule is not the number it was built for.
    case wrongDraftCount(expected: Int, found: Int)
    /// A token is outside 0 ..< V.
    case tokenOutOfRange(name: String, token: Int, vocabularySize: Int)
    /// A rule for identically distributed drafts was given different ones.
    case draftsNotIdentical(rule: String)
    /// A parameter is outside its range.
    case parameterOutOfRange(name: String, value: Double, expected: String)
    /// An exact computation would not fit: `size` items against a limit of `limit`.
    case problemTooLarge(what: String, size: Double, limit: Double)
    /// A solver gave up, or its answer failed the check made on it.
    case solverFailed(solver: String, reason: String)
}

extension CouplingError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .emptyDistribution(let name):
            return "\(name): no probabilities (V = 0); at least one is needed"
        case .notFinite(let name, let index):
            return "\(name): the probability at index \(index) is not a finite number"
        case .negativeProbability(let name, let index, let value):
            return "\(name): the probability at index \(index) is negative (\(value))"
        case .doesNotSumToOne(let name, let sum):
            return "\(name): the probabilities sum to \(sum), not to 1 (within \(FiniteDistribution.sumTolerance))"
        case .lengthsDiffer(let name, let count, let otherName, let otherCount):
            return "\(name) has \(count) entries but \(otherName) has \(otherCount); they must have the same length"
        case .noDrafts(let count):
            return "the number of drafts is \(count); at least 1 is needed"
        case .wrongDraftCount(let expected, let found):
            return "\(found) drafted tokens were given to a rule for \(expected)"
        case .tokenOutOfRange(let name, let token, let size):
            return "\(name): token \(token) is outside the vocabulary 0 ..< \(size)"
        case .draftsNotIdentical(let rule):
            return "\(rule) needs drafts from one distribution, but several were given"
        case .parameterOutOfRange(let name, let value, let expected):
            return "\(name) is \(CouplingError.count(value)); expected \(expected)"
        case .problemTooLarge(let what, let size, let limit):
            return
                "\(what) would need \(CouplingError.count(size)) items, above the limit of \(CouplingError.count(limit))"
        case .solverFailed(let solver, let reason):
            return "\(solver) failed: \(reason)"
        }
    }

    /// A whole number without a decimal point where it fits.
    private static func count(_ value: Double) -> String {
        Int(exactly: value).map(String.init) ?? "\(value)"
    }
}
