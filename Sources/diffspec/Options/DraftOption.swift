import ArgumentParser
import Diffusion
import Pretrained

/// `--draft NAME`.
indirect enum DraftOption: ExpressibleByArgument, Equatable, Sendable {
    case recycled
    case recycledZeroth
    case assisted
    case frozenDenoiser
    case frozen, frozenFresh, frozenPrevious
    case independent
    case picard(iterations: Int)
    case mixture([Share])
    case none

    struct Share: Equatable, Sendable {
        let draft: DraftOption
        let weight: Double
    }

    /// The names without parameters.
    private static let named: KeyValuePairs<String, DraftOption> = [
        "recycled": .recycled, "recycled-zeroth": .recycledZeroth, "assisted": .assisted,
        "frozen-denoiser": .frozenDenoiser, "frozen": .frozen, "frozen-fresh": .frozenFresh,
        "frozen-previous": .frozenPrevious, "independent": .independent, "none": .none,
    ]

    static var allValueStrings: [String] { named.map(\.key) + ["picard:M", "mixture:NAME=WEIGHT,NAME=WEIGHT,…"] }

    static var help: ArgumentHelp {
        .init(
            """
            What proposes the window. recycled: everything old windows computed, to first order (the best without \
            another network); recycled-zeroth: without slopes; assisted: recycled, carried along by a smaller network \
            (--draft-model); frozen-denoiser; frozen: the published method, also as frozen-fresh and frozen-previous; \
            independent: the smaller network alone; picard:M: M more calls a window; mixture:frozen=0.3,recycled=0.7: \
            of their means; none: plain sampling.
            """, valueName: "name")
    }

    init?(argument: String) {
        if let match = Self.named.first(where: { $0.key == argument }) {
            self = match.value
            return
        }
        let parts = argument.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        switch parts[0] {
        case "picard":
            guard let iterations = Int(parts[1]), (1...1000).contains(iterations) else { return nil }
            self = .picard(iterations: iterations)
        case "mixture":
            var shares: [Share] = []
            for item in parts[1].split(separator: ",", omittingEmptySubsequences: false) {
                let pair = item.split(separator: "=", omittingEmptySubsequences: false)
                guard pair.count == 2, let draft = DraftOption(argument: String(pair[0])), draft != .none,
                    let weight = Double(pair[1]), weight >= 0, weight.isFinite
                else { return nil }
                shares.append(Share(draft: draft, weight: weight))
            }
            guard shares.contains(where: { $0.weight > 0 }) else { return nil }
            self = .mixture(shares)
        default: return nil
        }
    }

    /// As it is written on the command line.
    var name: String {
        switch self {
        case .picard(let iterations): "picard:\(iterations)"
        case .mixture(let shares):
            "mixture:" + shares.map { "\($0.draft.name)=\($0.weight)" }.joined(separator: ",")
        default: Self.named.first { $0.value == self }?.key ?? ""
        }
    }

    /// nil for plain sampling.
    /// - Parameter small: makes the chain of a smaller network, for those drafts that have one.
    func draft(target: DenoisingChain, small: () throws -> DenoisingChain) throws -> (any Draft)? {
        switch self {
        case .recycled: return RecycledDraft()
        case .recycledZeroth: return RecycledDraft(order: .zeroth)
        case .assisted: return try AssistedDraft(model: small(), target: target)
        case .frozenDenoiser: return FrozenDenoiserDraft()
        case .frozen: return FrozenDraft()
        case .frozenFresh: return FrozenDraft(.fresh)
        case .frozenPrevious: return FrozenDraft(.previous)
        case .independent: return try IndependentDraft(model: small(), target: target)
        case .picard(let iterations): return try PicardDraft(iterations: iterations)
        case .mixture(let shares):
            let components = try shares.compactMap { share in
                try share.draft.draft(target: target, small: small)
                    .map { (weight: share.weight, draft: $0) }
            }
            return try MixtureDraft(components)
        case .none: return nil
        }
    }
}
