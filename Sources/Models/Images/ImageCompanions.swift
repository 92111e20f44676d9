import Diffusion

/// The networks that go with an image model, found by its name: `NAME-draft`, `NAME-correction`, and the weights of a
/// mixture in its folder.
public struct ImageCompanions: DraftCompanions {
    let target: ImageModel
    let chain: DenoisingChain
    let recipe: SamplingRecipe
    let threads: Int

    private static let smallSuffix = "-draft", correctionSuffix = "-correction"

    /// What the networks are called that go with a model.
    public static func names(of model: String) -> [String] {
        [smallSuffix, correctionSuffix].map { BundledModels.companion(of: model, $0) }
    }

    public func cheaperChain() throws -> DenoisingChain? {
        var network = try ImageModel(
            named: companion(Self.smallSuffix), schedule: recipe.model.schedule,
            prompts: recipe.model.prompts ?? Prompts(), precision: recipe.model.precision ?? .f32)
        network.start = target.start
        return try network.chain(recipe.chain, subjects: recipe.classes, threads: threads)
    }

    public func corrector() throws -> (any Corrector)? {
        let folder = try BundledModels.folder(companion(Self.correctionSuffix))
        return try CorrectionNetwork(folder: folder, target: target).corrector(for: chain, threads: threads)
    }

    public func learntMixture() throws -> LearntMixture? { try LearntMixture(folder: target.folder) }

    private func companion(_ suffix: String) -> String {
        recipe.speculation.draftModel ?? BundledModels.companion(of: target.name, suffix)
    }
}

extension ImageModel {
    /// What drafts need beside a chain of this model.
    /// - Parameters:
    ///   - chain: the target's.
    ///   - recipe: whose chain it is.
    ///   - threads: cores to use, at least 1; changes no result.
    public func companions(of chain: DenoisingChain, _ recipe: SamplingRecipe, threads: Int) -> ImageCompanions {
        ImageCompanions(target: self, chain: chain, recipe: recipe, threads: threads)
    }
}
