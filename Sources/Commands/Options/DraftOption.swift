import ArgumentParser
import Diffusion
import Models

/// `--draft NAME`.
indirect enum DraftOption: ExpressibleByArgument, Equatable, Sendable {
    case recycled
    case recycledZeroth
    case assisted, corrected
    case frozenDenoiser
    case frozen, frozenFresh, frozenPrevious
    case independent
    case picard(iterations: Int)
    case mixture([Share])
    case learntMixture
    case none

    struct Share: Equatable, Sendable {
        let draft: DraftOption
        let weight: Double
    }

    /// The names without parameters.
    private static let named: KeyValuePairs<String, DraftOption> = [
        "recycled": .recycled, "recycled-zeroth": .recycledZeroth, "assisted": .assisted,
        "corrected": .corrected,
        "frozen-denoiser": .frozenDenoiser, "frozen": .frozen, "frozen-fresh": .frozenFresh,
        "frozen-previous": .frozenPrevious, "independent": .independent,
        "mixture:learnt": .learntMixture, "none": .none,
    ]

    static var allValueStrings: [String] { named.map(\.key) + ["picard:M", "mixture:NAME=WEIGHT,NAME=WEIGHT,…"] }

    static var help: ArgumentHelp {
        .init(
            """
            What proposes the window. recycled: everything old windows computed, to first order (the best without \
            another network); recycled-zeroth: without slopes; assisted: recycled, carried along by a smaller network \
            (--draft-model); corrected: recycled, and corrected by a network trained for it; frozen-denoiser; frozen: the published method, also as frozen-fresh and frozen-previous; \
            independent: the smaller network alone; picard:M: M more calls a window; mixture:frozen=0.3,recycled=0.7: \
            of their means; mixture:learnt: with the weights that diffspec calibrate mixture stored; none: plain sampling.
            """, valueName: "name")
    }

    static var modelHelp: ArgumentHelp {
        .init(
            """
            The smaller network of the drafts that have one (default: the model's own name with -draft, for independent \
            and assisted, or -correction, for corrected).
            """, valueName: "dir|name")
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
                guard pair.count == 2, let draft = DraftOption(argument: String(pair[0])),
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
    /// - Parameter companions: what drafts with a network of their own need; nil where there is none of it.
    func draft(over chain: DenoisingChain, companions: DraftCompanions?) throws -> (any Draft)? {
        func own() throws -> DraftCompanions {
            guard let companions else {
                throw ValidationError("--draft \(name) needs a smaller network, and policies have none; try recycled.")
            }
            return companions
        }
        switch self {
        case .recycled: return RecycledDraft()
        case .recycledZeroth: return RecycledDraft(order: .zeroth)
        case .assisted: return try AssistedDraft(model: own().smallChain(), target: chain)
        case .corrected: return try CorrectedDraft(corrector: own().corrector())
        case .frozenDenoiser: return FrozenDenoiserDraft()
        case .frozen: return FrozenDraft()
        case .frozenFresh: return FrozenDraft(.fresh)
        case .frozenPrevious: return FrozenDraft(.previous)
        case .independent: return try IndependentDraft(model: own().smallChain(), target: chain)
        case .picard(let iterations): return try PicardDraft(iterations: iterations)
        case .mixture(let shares):
            let components = try shares.compactMap { share in
                try share.draft.draft(over: chain, companions: companions)
                    .map { (weight: share.weight, draft: $0) }
            }
            return try MixtureDraft(components)
        case .learntMixture:
            let mixture = try LearntMixture(folder: own().target.folder)
            let components = try mixture.options().compactMap { try $0.draft(over: chain, companions: companions) }
            return try MixtureDraft(components, weights: mixture.weights())
        case .none: return nil
        }
    }
}
