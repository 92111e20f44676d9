import FiniteAlphabets

/// The couplings of finite alphabets, by their names on the command line.
public enum CouplingRule: String, CaseIterable, Codable, Sendable {
    case maximal, gumbel, minhash
    case lowCommunication = "low-communication"
    case naive, kseq, specinfer, importance
    case importanceTruncated = "importance-truncated"
    case importanceVocabulary = "importance-vocabulary"
    case hybrid
    case linearProgram = "lp"
    case maxFlow = "max-flow"
    case globalResolution = "global-resolution"

    /// Those that choose one of the drafted tokens or another: all but couplings of two parties without common knowledge.
    public var choosesAmongDrafts: Bool { self != .gumbel && self != .minhash && self != .lowCommunication }

    /// Those that `decode` can follow: all but couplings of two parties that are no decoder.
    public var isForDecoding: Bool { self != .minhash && self != .lowCommunication }

    public static var names: String { names(of: allCases) }
    public static var namesForDecoding: String { names(of: allCases.filter(\.isForDecoding)) }

    private static func names(of rules: [CouplingRule]) -> String {
        rules.map(\.rawValue).joined(separator: ", ")
    }
}
