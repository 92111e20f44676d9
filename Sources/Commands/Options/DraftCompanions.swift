import Diffusion
import Models

/// What some drafts need beside the chain that they draft for: networks that go with the target, found by name.
struct DraftCompanions {
    let target: PretrainedModel
    let chain: DenoisingChain
    let options: ModelOptions
    /// `--draft-model`; nil for the networks named after the target.
    let model: String?
    let threads: Int

    private static let smallSuffix = "-draft", correctionSuffix = "-correction"

    /// What the networks are called that go with a model.
    static func names(of model: String) -> [String] {
        [smallSuffix, correctionSuffix].map { BundledModels.companion(of: model, $0) }
    }

    /// The same chain over a smaller network of the same data.
    func smallChain() throws -> DenoisingChain {
        let network = try PretrainedModel(folder: folder(Self.smallSuffix), schedule: options.schedule)
        return try options.chain(over: network, threads: threads)
    }

    /// A network that was trained to correct the target's old answers.
    func corrector() throws -> any Corrector {
        try CorrectionNetwork(folder: folder(Self.correctionSuffix), target: target).corrector(
            for: chain, threads: threads)
    }

    private func folder(_ suffix: String) throws -> String {
        try BundledModels.folder(model ?? BundledModels.companion(of: options.model, suffix))
    }
}

extension ModelOptions {
    func companions(
        of target: PretrainedModel, _ chain: DenoisingChain, named model: String?, threads: Int
    ) -> DraftCompanions {
        DraftCompanions(target: target, chain: chain, options: self, model: model, threads: threads)
    }
}
