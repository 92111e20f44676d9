import Couplings
import Diffusion
import Foundation
import Models
import Testing

@Suite("Recipes")
struct RecipeTests {
    @Test(arguments: [
        "recycled", "recycled-zeroth", "assisted", "corrected", "frozen-denoiser", "frozen", "frozen-fresh",
        "frozen-previous", "independent", "broyden:1", "broyden:16", "picard:3", "picard-deterministic:3",
        "mixture:frozen=0.25,recycled=0.75", "mixture:learnt", "hessian", "none",
    ])
    func draftsAreTheirNames(name: String) throws {
        let draft = try #require(DraftRecipe(name))
        #expect(draft.name == name)
        #expect(try JSONDecoder().decode(DraftRecipe.self, from: JSONEncoder().encode(draft)) == draft)
    }

    @Test(arguments: [
        "", "recycle", "picard:0", "picard:x", "picard-deterministic:0", "picard-deterministic", "mixture:",
        "broyden", "broyden:0", "broyden:17", "mixture:none=1", "mixture:frozen=-1", "none:1",
    ])
    func whatIsNoDraftIsNil(name: String) { #expect(DraftRecipe(name) == nil) }

    @Test func aRecipeIsTheSameAfterJSON() throws {
        var recipe = SamplingRecipe(
            model: ModelRecipe("x", schedule: .flow), chain: ChainRecipe(kind: .ddpm, steps: 7, churn: 0.5),
            classes: ["Bag"], seed: .max)
        recipe.chain.trainingSpacing = .trailing
        recipe.speculation = SpeculationRecipe(draft: .picard(iterations: 2), window: .adaptive)
        recipe.speculation.rule = .typical(density: .infinity, entropy: 0.5)
        recipe.speculation.fallsBack = false
        let data = try JSONEncoder().encode(recipe)
        #expect(try JSONDecoder().decode(SamplingRecipe.self, from: data) == recipe)
    }

    /// Whoever makes a rule without a text may put numbers in that trap further down.
    @Test(arguments: [
        RuleRecipe.temperature(0), .temperature(-.infinity), .typical(density: -1, entropy: 1), .pooling(factor: 0),
    ])
    func impossibleRulesAreErrors(rule: RuleRecipe) {
        let picture = PictureShape(channels: 1, height: 4, width: 4)
        #expect(throws: RecipeError.self) { try rule.rule(for: picture, threads: 1) }
    }

    /// Rules of a single name are read as they are written, and are what they are called.
    @Test func rulesAreReadAsTheyAreWritten() throws {
        #expect(try RuleRecipe("monotone").rule(for: nil, threads: 1) is MonotoneResidualCoupling)
        for name in ["reflection", "monotone", "rejection"] { #expect(try RuleRecipe(name).name == name) }
        #expect(throws: RecipeError.self) { try RuleRecipe("monotone:1") }
    }

    @Test func rulesThatLookAtPicturesNeedThem() {
        #expect(throws: RecipeError.self) { try RuleRecipe.pooling(factor: 2).rule(for: nil, threads: 1) }
    }

    /// The same name is the same draft on every kind of chain, and what a target lacks is said.
    @Test func draftsSayWhatTheyNeed() throws {
        let energy = try EnergyRecipe().load()
        let chain = try LangevinChain(energy: energy, stepCount: 4, stepSize: 1e-3)
        for name in ["frozen", "frozen-fresh", "recycled", "frozen-denoiser", "picard:1"] {
            let draft = try #require(DraftRecipe(name)).draft(over: chain, companions: NoCompanions())
            #expect(draft != nil, "\(name)")
        }
        for recipe in [DraftRecipe.independent, .assisted, .corrected, .hessian, .learntMixture] {
            #expect(throws: RecipeError.self) { try recipe.draft(over: chain, companions: NoCompanions()) }
        }
        let companions = EnergyCompanions(chain: chain, energy: energy)
        for recipe in [DraftRecipe.independent, .assisted, .hessian] {
            #expect(try recipe.draft(over: chain, companions: companions) != nil, "\(recipe.name)")
        }
        #expect(try DraftRecipe.none.draft(over: chain, companions: NoCompanions()) == nil)
    }

    @Test func impossibleChainsAreErrors() throws {
        let model = try ImageModel(named: "fashion-mnist-draft")
        for recipe in [
            ChainRecipe(steps: 0), ChainRecipe(steps: 1_000_001), ChainRecipe(churn: -1), ChainRecipe(churn: .nan),
            ChainRecipe(kind: .ddpm),
        ] {
            #expect(throws: RecipeError.self) { try model.chain(recipe, subjects: [], threads: 1) }
        }
        #expect(throws: RecipeError.self) { try model.chain(ChainRecipe(), subjects: ["Spoon"], threads: 1) }
    }

    /// The grid of a file with these words; nil where it is refused.
    private static func grid(_ text: String) throws -> GridRecipe? {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).json")
        defer { try? FileManager.default.removeItem(at: file) }
        try Data(text.utf8).write(to: file)
        return try? GridRecipe(file: file.path)
    }

    @Test func gridsAreReadFromFiles() throws {
        #expect(try Self.grid(#"{"times": [0.9, 0.4, 0]}"#)?.stepCount == 2)
        #expect(try Self.grid(#"{"sigmas": [3, 1e-1]}"#)?.stepCount == 2)
        #expect(try Self.grid(#"{"timesteps": [999, 400, 0]}"#)?.stepCount == 3)
        for text in [
            "", "[]", "{}", "[1, 0]", #"{"times": []}"#, #"{"times": [0]}"#, #"{"times": [0.1, 0.2]}"#,
            #"{"times": [0.5], "sigmas": [0.5]}"#, #"{"levels": [1]}"#, #"{"times": ["a"]}"#, #"{"times": [1, -1]}"#,
            #"{"times": null}"#, #"{"sigmas": [2, 2]}"#,
        ] {
            #expect(try Self.grid(text) == nil, "\(text)")
        }
    }

    @Test func gridsTakeThePlaceOfSpacingAndSteps() throws {
        let noise = NoiseProcess(
            schedule: try BetaSchedule(family: .linear, trainingSteps: 100), scheduleName: "linear", prediction: .noise,
            timeInput: .timestep(trainingSteps: 100))
        var recipe = ChainRecipe()
        recipe.take(GridRecipe(file: "x", unit: .timesteps, values: [99, 49, 0]))
        let steps = try noise.steps(recipe).steps
        #expect(steps.map(\.time) == [1, 0.5, 0.01] && recipe.steps == 3)
        recipe.steps = 4
        #expect(throws: RecipeError.self) { try recipe.validate() }
        recipe.steps = 3
        recipe.spacing = .edm
        #expect(throws: RecipeError.self) { try recipe.validate() }
        recipe.spacing = nil
        recipe.rho = 3
        #expect(throws: RecipeError.self) { try recipe.validate() }
        recipe.rho = nil
        recipe.kind = .ddpm
        recipe.take(GridRecipe(file: "x", unit: .timesteps, values: [99.5, 3]))
        #expect(throws: (any Error).self) { try noise.steps(recipe) }
        recipe.kind = .sde
        recipe.take(GridRecipe(file: "x", unit: .times, values: [1.5]))
        #expect(throws: DiffusionError.self) { try noise.steps(recipe) }
    }

    @Test func optionsOfOtherChainsAreRefused() throws {
        var recipe = ChainRecipe(kind: .sde)
        recipe.eta = 0.5
        #expect(throws: RecipeError.self) { try recipe.validate() }
        recipe.kind = .ddim
        try recipe.validate()
        #expect(!recipe.isDeterministic)
        try SpeculationRecipe().validate(for: recipe)
        recipe.eta = 0
        #expect(throws: RecipeError.self) { try SpeculationRecipe().validate(for: recipe) }
        recipe.rho = 3
        #expect(throws: RecipeError.self) { try recipe.validate() }
        recipe = ChainRecipe(kind: .exponential)
        recipe.rho = 3
        try recipe.validate()
        recipe.spacing = .uniform
        #expect(throws: RecipeError.self) { try recipe.validate() }
    }
}
