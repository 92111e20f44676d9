import Couplings
import Diffusion
import Models
import NeuralNetwork
import Platform

/// The JSON that a sampler is made from; its keys stand in `diffspec.h`.
struct SamplerRecipe: Decodable {
    static let source = RecipeText.source

    enum CodingKeys: String, CodingKey, CaseIterable {
        case name, shape, schedule, scheduler, coefficients, langevin, prediction, chain, steps, churn, spacing,
            rho, times, eta, guidance
        case timeScale = "time_scale"
        case betaMin = "beta_min"
        case betaMax = "beta_max"
        case sigmaMax = "sigma_max"
        case denoisesLastStep = "denoise_last_step"
        case trainingSpacing = "training_spacing"
        case bounds, draft, rule, window, fallback, seed, seeds, count, first, batch, classes
    }

    let name: String
    let shape: [Int]
    let schedule: NamedSchedule
    let betaMin: Double?
    let betaMax: Double?
    let sigmaMax: Double?
    let coefficients: Coefficients?
    let langevin: Langevin?
    /// nil if it is not said: a scheduler says it itself.
    let prediction: PredictionKind?
    let timeScale: Double
    let bounds: [Double]?
    /// Read as a file of diffusers' would be.
    private(set) var scheduler: JSON?
    let sampling: SamplingRecipe
    /// Of samples that have one each: sample i draws what sample 0 draws under `seeds[i]`.
    let seeds: [UInt64]?
    let count: Int
    let first: Int
    /// Samples under way at a time; nil for as many as suit the network.
    let batch: Int?
    /// The keys that were there.
    private let given: Set<String>

    /// Steps that the caller has worked out: `y ↦ a_k y + b_k x̂ + s_k Z` with `x̂` the network's own answer.
    struct Coefficients: Decodable {
        private enum CodingKeys: String, CodingKey {
            case times
            case state, prediction
            case deviation
            case initialDeviation = "initial_deviation"
        }
        let times, state, prediction, deviation: [Double]
        let initialDeviation: Double?
    }

    /// An energy's gradient in place of a network.
    struct Langevin: Decodable {
        private enum CodingKeys: String, CodingKey { case stepSize = "step_size" }
        let stepSize: Double
    }

    /// - Throws: `ModelError` naming the key.
    init(json text: UnsafePointer<CChar>?) throws {
        let given = try RecipeText.object(text, keys: CodingKeys.allCases.map(\.rawValue))
        self = try JSONFile.decode(SamplerRecipe.self, from: given, path: Self.source)
        scheduler = given["scheduler"]
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func word<Value: RawRepresentable<String> & CaseIterable>(_ key: CodingKeys, else usual: Value) throws -> Value
        {
            guard let text = try values.decodeIfPresent(String.self, forKey: key) else { return usual }
            return try JSONFile.value(text, key: key.rawValue, file: Self.source)
        }
        name = try values.decodeIfPresent(String.self, forKey: .name) ?? "network"
        shape = try values.decodeIfPresent([Int].self, forKey: .shape) ?? []
        schedule = try word(.schedule, else: .cosine)
        betaMin = try values.decodeIfPresent(Double.self, forKey: .betaMin)
        betaMax = try values.decodeIfPresent(Double.self, forKey: .betaMax)
        sigmaMax = try values.decodeIfPresent(Double.self, forKey: .sigmaMax)
        coefficients = try values.decodeIfPresent(Coefficients.self, forKey: .coefficients)
        langevin = try values.decodeIfPresent(Langevin.self, forKey: .langevin)
        prediction = values.contains(.prediction) ? try word(.prediction, else: .noise) : nil
        timeScale = try values.decodeIfPresent(Double.self, forKey: .timeScale) ?? 1
        bounds = try values.decodeIfPresent([Double].self, forKey: .bounds)

        var chain = ChainRecipe()
        chain.kind = try word(.chain, else: .sde)
        chain.steps = try values.decodeIfPresent(Int.self, forKey: .steps) ?? chain.steps
        chain.churn = try values.decodeIfPresent(Double.self, forKey: .churn) ?? chain.churn
        if values.contains(.spacing) { chain.spacing = try word(.spacing, else: .uniform) }
        chain.rho = try values.decodeIfPresent(Double.self, forKey: .rho)
        chain.eta = try values.decodeIfPresent(Double.self, forKey: .eta) ?? 0
        if let lists = try values.decodeIfPresent([String: [Double]].self, forKey: .times) {
            let grid = try GridRecipe(lists: lists, file: "times")
            guard !values.contains(.steps) || chain.steps == grid.stepCount else {
                throw RecipeError("steps", "must be those of the times, \(grid.stepCount), found \(chain.steps).")
            }
            chain.take(grid)
        }
        chain.guidance = try values.decodeIfPresent(Double.self, forKey: .guidance) ?? 0
        chain.denoisesLastStep = try values.decodeIfPresent(Bool.self, forKey: .denoisesLastStep) ?? false
        if values.contains(.trainingSpacing) { chain.trainingSpacing = try word(.trainingSpacing, else: .leading) }

        var speculation = SpeculationRecipe()
        speculation.draft = try values.decodeIfPresent(DraftRecipe.self, forKey: .draft) ?? speculation.draft
        speculation.rule = try values.decodeIfPresent(RuleRecipe.self, forKey: .rule) ?? speculation.rule
        speculation.window = try values.decodeIfPresent(WindowRecipe.self, forKey: .window) ?? speculation.window
        speculation.fallsBack = try values.decodeIfPresent(Bool.self, forKey: .fallback) ?? true

        seeds = try values.decodeIfPresent([UInt64].self, forKey: .seeds)
        let seed = try values.decodeIfPresent(UInt64.self, forKey: .seed) ?? 0
        let classes = try values.decodeIfPresent([String].self, forKey: .classes) ?? []
        var sampling = SamplingRecipe(model: ModelRecipe(name), chain: chain, classes: classes, seed: seed)
        sampling.speculation = speculation
        self.sampling = sampling
        count = try values.decodeIfPresent(Int.self, forKey: .count) ?? 1
        first = try values.decodeIfPresent(Int.self, forKey: .first) ?? 0
        batch = try values.decodeIfPresent(Int.self, forKey: .batch)
        given = Set(values.allKeys.map(\.rawValue))
    }

    func isGiven(_ key: CodingKeys) -> Bool { given.contains(key.rawValue) }

    /// Refuses settings that would be without effect.
    /// - Parameter other: what decides in their place.
    func refuse(_ keys: [CodingKeys], beside other: String) throws(RecipeError) {
        guard let key = keys.first(where: isGiven) else { return }
        throw RecipeError(key.rawValue, "has no effect beside \(other): leave it away.")
    }

    /// The samples that are to be made.
    /// - Throws: `RecipeError` for numbers that cannot be.
    func samples() throws -> Range<Int> {
        guard (1...100_000_000).contains(count) else {
            throw RecipeError("count", "must be from 1 to 100000000, found \(count).")
        }
        guard (0...1 << 48).contains(first) else {
            throw RecipeError("first", "must be from 0 to 2⁴⁸, found \(first).")
        }
        guard batch ?? 1 >= 1 else { throw RecipeError("batch", "must be at least 1, found \(batch ?? 1).") }
        if let seeds, seeds.count != count || first != 0 {
            throw RecipeError("seeds", "must be as many as count, from first 0 on: \(count), found \(seeds.count).")
        }
        return first..<first + count
    }

    var random: RandomSource { seeds.map { RandomSource(seeds: $0) } ?? RandomSource(seed: sampling.seed) }

    /// Length of a state.
    func dimension() throws -> Int {
        var dimension = 1
        for length in shape {
            let (product, overflows) = dimension.multipliedReportingOverflow(by: length)
            guard length >= 1, !overflows, product <= 1 << 28 else {
                throw RecipeError("shape", "must hold positive lengths whose product is at most 2²⁸, found \(shape).")
            }
            dimension = product
        }
        guard !shape.isEmpty else { throw RecipeError("shape", "must be given: the lengths of one sample.") }
        return dimension
    }

    /// Of samples `[channels, height, width]`, for rules that look at pictures.
    var pictures: PictureShape? {
        shape.count == 3 ? PictureShape(channels: shape[0], height: shape[1], width: shape[2]) : nil
    }
}
