import Diffusion
import NeuralNetwork
import Statistics
import Testing

@testable import Models

/// A network of this file alone, whose answer at a pixel depends on the pixels around: what is kept is felt by the rest.
private struct NeighbourNetwork: ImageNetwork {
    static let className = "NeighbourNetwork"
    let inChannels = 1
    let outChannels = 1
    let trainedSize: (height: Int, width: Int)? = (2, 4)
    let labelCount = 0
    let parameters: [NetworkParameter] = []
    let parameterCount = 0
    let levels = ImageNetworkLevels(channels: [1])

    init() {}
    init(folder: String) {}

    func floatingPointOperations(height: Int, width: Int) -> Double { 0 }

    func predict(
        sample: [Float], batch: Int, height: Int, width: Int, timesteps: [Float], labels: [Int]?, threads: Int
    ) throws -> [Float] {
        sample.indices.map { index in
            let (row, pixel) = (index / (height * width), index % (height * width))
            let before = sample[row * height * width + (pixel + height * width - 1) % (height * width)]
            let sum = sample[index] + before
            return sum / (1 + abs(sum))
        }
    }
}

@Suite("Starting from a picture")
struct StartingPictureTests {
    static let picture: [Double] = [0.9, -0.9, 0.5, 0, -0.3, 0.7, -0.6, 0.2]
    static let isKept = [true, true, false, false, false, true, false, false]

    static func model(strength: Double, keeping: [Bool]? = isKept) throws -> ImageModel {
        let process = ImageProcess(
            noise: NoiseProcess(
                schedule: CosineSchedule(), scheduleName: "cosine", prediction: .sample, timeInput: .scaled(1)),
            picture: PictureShape(channels: 1, height: 2, width: 4))
        return try ImageModel(name: "own", network: NeighbourNetwork(), process: process)
            .starting(from: picture, strength: strength, keeping: keeping, threads: 1)
    }

    static func samples(
        _ model: ImageModel, _ range: Range<Int>, rule: RuleRecipe = .reflection, draft: DraftRecipe
    ) throws -> [[Double]] {
        var recipe = SamplingRecipe(chain: ChainRecipe(steps: 16, churn: 1), seed: 4)
        recipe.speculation = SpeculationRecipe(draft: draft, window: .fixed(5))
        recipe.speculation.rule = rule
        recipe.speculation.fallsBack = false
        var samples = [[Double]](repeating: [], count: range.count)
        try model.samples(range, by: recipe, lanes: 64, threads: 1) {
            samples[$0.index - range.lowerBound] = $0.values
        }
        return samples
    }

    /// The speculative chain with kept pixels has the law of the plain one; a rule that is not exact, a picture that is kept
    /// elsewhere and a chain that begins elsewhere are caught by the same test.
    @Test func speculationKeepsTheChainsLaw() throws {
        let count = 4000
        let model = try Self.model(strength: 0.75)
        let plain = try Self.samples(model, 0..<count, draft: .none)
        func pValue(_ other: [[Double]]) -> Double { MarginalTest.twoSample(plain, other).pValue }
        let others = count..<2 * count
        for draft in [DraftRecipe.recycled, .frozen] {
            #expect(pValue(try Self.samples(model, others, draft: draft)) > 0.001)
        }
        #expect(pValue(try Self.samples(model, others, rule: .temperature(100), draft: .frozen)) < 1e-6)
        #expect(pValue(try Self.samples(Self.model(strength: 0.4), others, draft: .recycled)) < 1e-6)
        #expect(pValue(try Self.samples(Self.model(strength: 0.75, keeping: nil), others, draft: .recycled)) < 1e-6)
    }

    /// The first state is the picture noised as far as the first of the last steps is; a kept pixel's mean then goes by the
    /// picture alone, whatever the network says.
    @Test func theChainIsTheOneThatIsDescribed() throws {
        let model = try Self.model(strength: 0.75)
        let chain = try model.chain(ChainRecipe(steps: 16, churn: 1), subjects: [], threads: 1)
        let whole = try Self.model(strength: 1).chain(ChainRecipe(steps: 16, churn: 1), subjects: [], threads: 1)
        #expect(chain.stepCount == 12 && chain.steps.map(\.time) == whole.steps.suffix(12).map(\.time))
        let time = chain.steps[0].time
        let noise = (0..<8).map { Double($0) / 4 - 1 }
        let first = chain.initialState(sample: 0, noise: noise)
        let (signal, deviation) = (CosineSchedule().signal(at: time), CosineSchedule().noise(at: time))
        for index in 0..<8 {
            #expect(abs(first[index] - (signal * Self.picture[index] + deviation * noise[index])) < 1e-12)
        }
        let prediction = try chain.predictions(for: [ChainQuery(sample: 0, step: 3, state: noise)])[0]
        for index in 0..<8 where Self.isKept[index] { #expect(prediction[index] == Self.picture[index]) }
        for index in 0..<8 where !Self.isKept[index] { #expect(prediction[index] != Self.picture[index]) }
    }

    /// A latent starts from the mean of the autoencoder's posterior, scaled as the pipeline does; a pixel of it is kept where all
    /// pixels of the picture are.
    @Test func aLatentStartsFromThePicture() throws {
        let folder = try LeRobotPolicyTests.fixtures.deletingLastPathComponent().path
        let model = try ImageModel(
            named: folder + "/pipelines/StableDiffusionPipeline", schedule: nil, prompts: Prompts(["a cat"]))
        let (shown, latent) = (model.shown, model.picture)
        let picture = (0..<shown.size).map { Double(($0 * 37) % 41) / 20 - 1 }
        // One pixel that is not kept takes its latent's pixel with it.
        var isKept = [Bool](repeating: true, count: shown.height * shown.width)
        isKept[0] = false
        let start = try #require(model.starting(from: picture, strength: 1, keeping: isKept, threads: 1).start)
        #expect(start.sample.count == latent.size)
        let kept = try #require(start.isKept)
        for (index, isKept) in kept.enumerated() { #expect(isKept == (index % (latent.height * latent.width) != 0)) }

        let autoencoder = try AutoencoderKL(folder: folder + "/pipelines/StableDiffusionPipeline/vae")
        let encoded = try autoencoder.encode(
            picture.map { Float($0) }, count: 1, height: shown.height, width: shown.width, threads: 1)
        let factor = autoencoder.configuration.base.scalingFactor
        let shift = autoencoder.configuration.shiftFactor
        for index in 0..<latent.size {
            #expect(abs(start.sample[index] - (Double(encoded[index]) - shift) * factor) < 1e-9)
        }
    }

    @Test func whatCannotBeIsRefused() throws {
        let model = try Self.model(strength: 1)
        for strength in [0, -1, 1.1, .nan] {
            #expect(throws: RecipeError.self) { try Self.model(strength: strength) }
        }
        #expect(throws: RecipeError.self) { try model.starting(from: [1], strength: 1, threads: 1) }
        #expect(throws: RecipeError.self) {
            try model.starting(
                from: Self.picture, strength: 1, keeping: [Bool](repeating: true, count: 8), threads: 1)
        }
        #expect(throws: RecipeError.self) {
            try Self.model(strength: 0.05).chain(ChainRecipe(steps: 16), subjects: [], threads: 1)
        }
    }
}
