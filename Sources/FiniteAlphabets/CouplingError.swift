/// What can be wrong with the input of a finite coupling, or with a computation on it.
///
/// One error type for the whole module: every case says which distribution or parameter is at fault, where in it, what
/// was expected, what was found, and what to do where that is not plain.
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
    /// The number of drafted tokens handed to a rule is not the number it was built for.
    case wrongDraftCount(expected: Int, found: Int)
    /// A token is outside 0 ..< V.
    case tokenOutOfRange(name: String, token: Int, vocabularySize: Int)
    /// A law names a token more than once.
    case tokenGivenTwice(name: String, token: Int)
    /// A rule for identically distributed drafts was given different ones.
    case draftsNotIdentical(rule: String)
    /// A rule for independent drafts was given others.
    case draftsDependent(rule: String)
    /// A rule for drafts all but one of which are certain was given others.
    case draftsNotCertain(rule: String)
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
            return "\(name): expected at least one probability, found none"
        case .notFinite(let name, let index):
            return "\(name): expected a finite probability at index \(index), found a number that is not"
        case .negativeProbability(let name, let index, let value):
            return "\(name): expected a probability of at least 0 at index \(index), found \(value)"
        case .doesNotSumToOne(let name, let sum):
            return
                "\(name): expected probabilities that sum to 1 within \(FiniteDistribution.sumTolerance), found \(sum)"
        case .lengthsDiffer(let name, let count, let otherName, let otherCount):
            return "\(name): expected \(otherCount) entries, as \(otherName) has, found \(count)"
        case .wrongDraftCount(let expected, let found):
            return "the rule: expected \(expected) drafted tokens, found \(found)"
        case .tokenOutOfRange(let name, let token, let size):
            return "\(name): expected a token of 0 ..< \(size), found \(token)"
        case .tokenGivenTwice(let name, let token):
            return "\(name): expected each token once, found \(token) again"
        case .draftsNotIdentical(let rule):
            return
                "\(rule): expected independent drafts from one distribution, found others; use another rule for these"
        case .draftsDependent(let rule):
            return
                "\(rule): expected independent drafts, found drafts that depend on each other; use naive, specinfer, lp, max-flow "
                + "or canonical for these"
        case .draftsNotCertain(let rule):
            return
                "\(rule): expected drafts all but one of which are certain, found several that are drawn; draft greedily, or "
                + "use another rule for these"
        case .parameterOutOfRange(let name, let value, let expected):
            return "\(name) must be \(expected), found \(CouplingError.count(value))"
        case .problemTooLarge(let what, let size, let limit):
            return "\(what): expected at most \(CouplingError.count(limit)) items, found \(CouplingError.count(size)); "
                + "take fewer drafts or a smaller vocabulary, or another rule"
        case .solverFailed(let solver, let reason):
            return "\(solver) failed: \(reason)"
        }
    }

    /// A whole number without a decimal point where it fits.
    private static func count(_ value: Double) -> String {
        Int(exactly: value).map(String.init) ?? "\(value)"
    }
}
