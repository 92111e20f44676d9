import Diffusion

/// A draft by its name: the one vocabulary of all commands and files. A draft without a name is handed to the sampler
/// itself, see `SpeculationRecipe.sampler`.
public indirect enum DraftRecipe: Equatable, Sendable, Codable {
    case recycled
    case recycledZeroth
    case broyden(pairs: Int)
    case assisted, corrected
    case frozenDenoiser
    case frozen, frozenFresh, frozenPrevious
    case independent
    case hessian
    case picard(iterations: Int)
    case deterministicPicard(iterations: Int)
    case mixture([Share])
    case learntMixture
    /// Plain sampling.
    case none

    public struct Share: Equatable, Sendable {
        public let draft: DraftRecipe
        public let weight: Double

        public init(draft: DraftRecipe, weight: Double) { (self.draft, self.weight) = (draft, weight) }
    }

    /// The names without parameters.
    private static let named: KeyValuePairs<String, DraftRecipe> = [
        "recycled": .recycled, "recycled-zeroth": .recycledZeroth, "assisted": .assisted,
        "corrected": .corrected,
        "frozen-denoiser": .frozenDenoiser, "frozen": .frozen, "frozen-fresh": .frozenFresh,
        "frozen-previous": .frozenPrevious, "independent": .independent,
        "hessian": .hessian,
        "mixture:learnt": .learntMixture, "none": .none,
    ]

    /// All that can be written, for help and errors.
    public static var names: [String] {
        named.map(\.key) + ["broyden:M", "picard:M", "picard-deterministic:M", "mixture:NAME=WEIGHT,NAME=WEIGHT,…"]
    }

    /// nil for what is no draft's name.
    public init?(_ name: String) {
        if let match = Self.named.first(where: { $0.key == name }) {
            self = match.value
            return
        }
        // langevin's former name for it.
        if name == "proxy" { self = .independent; return }
        let parts = name.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        switch parts[0] {
        case "broyden":
            guard let pairs = Int(parts[1]), BroydenDraft.possiblePairs.contains(pairs) else { return nil }
            self = .broyden(pairs: pairs)
        case "picard", "picard-deterministic":
            guard let iterations = Int(parts[1]), (1...1000).contains(iterations) else { return nil }
            self = parts[0] == "picard" ? .picard(iterations: iterations) : .deterministicPicard(iterations: iterations)
        case "mixture":
            var shares: [Share] = []
            for item in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
                let pair = item.split(separator: "=", omittingEmptySubsequences: false)
                guard pair.count == 2, let draft = DraftRecipe(String(pair[0])),
                    // What was learnt may be a mixture with this one in it.
                    draft != .none, draft != .learntMixture, let weight = Double(pair[1]), weight >= 0, weight.isFinite
                else { return nil }
                shares.append(Share(draft: draft, weight: weight))
            }
            guard shares.contains(where: { $0.weight > 0 }) else { return nil }
            self = .mixture(shares)
        default: return nil
        }
    }

    /// As it is written.
    public var name: String {
        switch self {
        case .broyden(let pairs): "broyden:\(pairs)"
        case .picard(let iterations): "picard:\(iterations)"
        case .deterministicPicard(let iterations): "picard-deterministic:\(iterations)"
        case .mixture(let shares):
            "mixture:" + shares.map { "\($0.draft.name)=\($0.weight)" }.joined(separator: ",")
        default: Self.named.first { $0.value == self }?.key ?? ""
        }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let name = try container.decode(String.self)
        guard let draft = DraftRecipe(name) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(name)\" is no draft")
        }
        self = draft
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(name)
    }

    /// nil for plain sampling.
    /// - Throws: `RecipeError` for a draft that needs what the target hasn't got.
    public func draft<Chain: GaussianChain>(
        over chain: Chain, companions: some DraftCompanions<Chain>
    ) throws -> (any Draft)? {
        func needed<Value>(_ value: Value?, _ what: String) throws -> Value {
            guard let value else { throw RecipeError("draft", "\(name) needs \(what); try recycled.") }
            return value
        }
        let cheaper = "a smaller network or a cheaper model of the same data, which this target does not have"
        switch self {
        case .recycled: return RecycledDraft()
        case .recycledZeroth: return RecycledDraft(order: .zeroth)
        case .broyden(let pairs): return try BroydenDraft(pairs: pairs)
        case .assisted: return try AssistedDraft(model: needed(companions.cheaperChain(), cheaper), target: chain)
        case .corrected:
            let corrector = try needed(
                companions.corrector(), "a network trained to correct the target, and this target can have none")
            return CorrectedDraft(corrector: corrector)
        case .frozenDenoiser: return FrozenDenoiserDraft()
        case .frozen: return FrozenDraft()
        case .frozenFresh: return FrozenDraft(.fresh)
        case .frozenPrevious: return FrozenDraft(.previous)
        case .independent: return try IndependentDraft(model: needed(companions.cheaperChain(), cheaper), target: chain)
        case .hessian:
            return try needed(
                companions.hessianDraft(), "the second derivatives of an energy, which this target does not have")
        case .picard(let iterations): return try PicardDraft(iterations: iterations)
        case .deterministicPicard(let iterations): return try DeterministicPicardDraft(iterations: iterations)
        case .mixture(let shares):
            let components = try shares.compactMap { share in
                try share.draft.draft(over: chain, companions: companions).map { (weight: share.weight, draft: $0) }
            }
            return try MixtureDraft(components)
        case .learntMixture:
            let mixture = try needed(
                companions.learntMixture(), "weights that were learnt for the target, and this target can have none")
            let components = try mixture.recipes().compactMap { try $0.draft(over: chain, companions: companions) }
            return try MixtureDraft(components, weights: mixture.weights())
        case .none: return nil
        }
    }
}
