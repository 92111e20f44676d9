/// The couplings of finite alphabets, by their names on the command line: the one list of them.
public enum CouplingRule: String, CaseIterable, Codable, Sendable {
    case maximal, gumbel, minhash
    case lowCommunication = "low-communication"
    case naive, kseq, specinfer, importance
    case importanceTruncated = "importance-truncated"
    case importanceVocabulary = "importance-vocabulary"
    case hybrid, greedy
    case linearProgram = "lp"
    case maxFlow = "max-flow"
    case canonical
    case globalResolution = "global-resolution"

    /// Those that choose one of the drafted tokens or another: all but couplings of two parties without common knowledge.
    public var choosesAmongDrafts: Bool { self != .gumbel && self != .minhash && self != .lowCommunication }

    /// Those that `decode` can follow: all but couplings of two parties that are no decoder.
    public var isForDecoding: Bool { self != .minhash && self != .lowCommunication }

    /// Whether it has a law for several drafts of such a scheme. Of a single draft every rule has one.
    public func accepts(_ scheme: DraftScheme) -> Bool {
        switch self {
        case .gumbel, .minhash, .lowCommunication: scheme == .independent
        case .maximal, .naive, .specinfer, .linearProgram, .maxFlow, .canonical: true
        case .importance, .importanceTruncated, .importanceVocabulary, .hybrid: scheme != .withoutReplacement
        case .greedy: scheme == .greedy
        case .kseq, .globalResolution: scheme == .independent
        }
    }

    public static var names: String { names(of: allCases) }
    public static var namesForDecoding: String { names(of: allCases.filter(\.isForDecoding)) }

    private static func names(of rules: [CouplingRule]) -> String {
        rules.map(\.rawValue).joined(separator: ", ")
    }
}
