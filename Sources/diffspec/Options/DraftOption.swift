import ArgumentParser
import Diffusion
import Pretrained

/// `--draft NAME`.
enum DraftOption: String, CaseIterable, ExpressibleByArgument {
    case recycled
    case recycledZeroth = "recycled-zeroth"
    case frozenDenoiser = "frozen-denoiser"
    case frozen, independent, none

    static var help: ArgumentHelp {
        """
        What proposes the window: recycled (the best: everything old windows computed, to first order), \
        recycled-zeroth (without slopes), frozen-denoiser, frozen (the published method), independent (a smaller \
        network, --draft-model), none (plain sampling).
        """
    }

    /// nil for plain sampling.
    func draft(model: String, options: ModelOptions, target: DenoisingChain, threads: Int) throws -> (any Draft)? {
        switch self {
        case .recycled: RecycledDraft()
        case .recycledZeroth: RecycledDraft(order: .zeroth)
        case .frozenDenoiser: FrozenDenoiserDraft()
        case .frozen: FrozenDraft()
        case .none: nil
        case .independent:
            try IndependentDraft(
                model: options.chain(
                    over: PretrainedModel(folder: BundledModels.folder(model), schedule: options.schedule),
                    threads: threads),
                target: target)
        }
    }
}
