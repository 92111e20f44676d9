import Couplings
import Diffusion
import Foundation
import NeuralNetwork
import Models
import Testing

@Suite("Policies")
struct PolicyModelTests {
    static let fixture = ImageModelTests.weights.deletingLastPathComponent()
        .appendingPathComponent("Tests/NeuralNetworkTests/Fixtures/policies/pusht-narrow")

    /// A policy folder: a network of random weights, 16 actions of 2 numbers from 2 states of 5, with a scheduler and
    /// statistics. The third number of an observation never changed in training.
    static func inFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("diffspec-\(UUID())")
        try FileManager.default.copyItem(at: fixture, to: folder)
        defer { try? FileManager.default.removeItem(at: folder) }
        try write(scheduler: [:], to: folder)
        try write(
            statistics: [
                ("observation_minimum", [0, -1, 7, 0, 0]), ("observation_maximum", [10, 1, 7, 100, 1]),
                ("action_minimum", [-5, 100]), ("action_maximum", [5, 300]),
            ], to: folder)
        return try body(folder)
    }

    static func write(scheduler changes: [String: Any], to folder: URL) throws {
        let scheduler: [String: Any] = [
            "_class_name": "DDPMScheduler", "num_train_timesteps": 100, "beta_schedule": "squaredcos_cap_v2",
            "clip_sample": true, "prediction_type": "epsilon", "variance_type": "fixed_small",
        ].merging(changes) { $1 }
        try JSONSerialization.data(withJSONObject: scheduler)
            .write(to: folder.appendingPathComponent("scheduler_config.json"))
    }

    static func write(statistics: [(String, [Float])], to folder: URL) throws {
        let writer = try SafetensorsWriter(
            path: folder.appendingPathComponent("statistics.safetensors").path,
            tensors: statistics.map { (name: $0.0, shape: [$0.1.count]) })
        for (_, values) in statistics { try writer.append(values) }
        try writer.finish()
    }

    static func recipe(_ steps: Int, _ spacing: AncestralDDPM.Spacing? = nil) -> ChainRecipe {
        var recipe = ChainRecipe(kind: .ddpm, steps: steps)
        recipe.trainingSpacing = spacing
        return recipe
    }

    static let observation = [2.5, 0.5, 7, 50, 0, 5, 0, 7, 100, 1]

    @Test func isDescribed() throws {
        try Self.inFolder { folder in
            let model = try PolicyModel(named: folder.path)
            #expect(model.horizon == 16 && model.actionDimension == 2)
            #expect(model.observer.steps == 2 && model.observer.features.map(\.count) == [5])
            #expect(model.noise.scheduleName == "squaredcos_cap_v2" && model.noise.prediction == .noise)
        }
    }

    /// The denoiser's `x̂0` is `(x - σ ε̂)/α` of the network's own output, given the observation mapped to [-1, 1].
    @Test func denoisedActionsFollowFromTheNetwork() throws {
        try Self.inFolder { folder in
            let model = try PolicyModel(named: folder.path)
            let chain = try model.chain(Self.recipe(100), subjects: [PolicyObservation(Self.observation)], threads: 1)
            let state = (0..<32).map { sin(Double($0)) }
            let step = 40  // timestep 59
            let found = try chain.predictions(for: [ChainQuery(sample: 0, step: step, state: state)])[0]

            let normalised: [Float] = [-0.5, 0.5, 0, 0, -1, 0, 0, 0, 1, 1]
            let output = try model.network(
                sample: state.map { Float($0) }, batch: 1, positions: 16, timesteps: [59], condition: normalised,
                threads: 1)
            let betas = try BetaSchedule(family: .squaredCosine, trainingSteps: 100)
            let product = betas.cumulativeProduct(59)
            for index in state.indices {
                let expected =
                    (state[index] - (1 - product).squareRoot() * Double(output[index])) / product.squareRoot()
                // The coefficients alone differ, in the last places.
                #expect(abs(found[index] - expected) < 1e-9 * max(1, abs(expected)))
            }
        }
    }

    /// The chain is the scheduler's: `x̂0` clipped, the last step without noise, fewer steps by its spacing or another.
    @Test func theChainIsTheSchedulersOwn() throws {
        try Self.inFolder { folder in
            let model = try PolicyModel(named: folder.path)
            func times(_ steps: Int, _ spacing: AncestralDDPM.Spacing? = nil) throws -> [Double] {
                try model.chain(
                    Self.recipe(steps, spacing), subjects: [PolicyObservation(Self.observation)], threads: 1
                ).steps.map(\.time)
            }
            let chain = try model.chain(Self.recipe(100), subjects: [PolicyObservation(Self.observation)], threads: 1)
            #expect(chain.stepCount == 100 && chain.dimension == 32 && chain.predictionBounds == -1...1)
            #expect(chain.transition(at: 99).standardDeviation == 0 && chain.transition(at: 98).standardDeviation > 0)
            #expect(try times(5) == [0.81, 0.61, 0.41, 0.21, 0.01])
            #expect(try times(5, .trailing) == [1, 0.8, 0.6, 0.4, 0.2])
            #expect(throws: DiffusionError.self) { try times(101) }
            #expect(throws: RecipeError.self) { try times(0) }
        }
    }

    @Test func actionsAreMappedBack() throws {
        try Self.inFolder { folder in
            let model = try PolicyModel(named: folder.path)
            let actions = model.actions([-1, -1, 0, 0, 1, 1] + [Double](repeating: 0.5, count: 26))
            #expect(Array(actions.prefix(4)) == [[-5, 100], [0, 200], [5, 300], [2.5, 250]])
            #expect(actions.count == 16)
        }
    }

    /// A range below 1e-4 is a constant with the noise of its sensor, as for the public LinearNormalizer: `x - minimum`.
    /// Expected values are that normaliser's, worked out by hand.
    @Test func nearlyConstantDimensionsAreOnlyShifted() throws {
        try Self.inFolder { folder in
            try Self.write(
                statistics: [
                    ("observation_minimum", [0, 3, 7, 0, 0]), ("observation_maximum", [10, 3.00001, 7, 2e-4, 1]),
                    ("action_minimum", [-5, 100]), ("action_maximum", [-4.99999, 300]),
                ], to: folder)
            let model = try PolicyModel(named: folder.path)
            let observation = [2.5, 3.000005, 7.5, 1e-4, 0]
            let chain = try model.chain(
                Self.recipe(100), subjects: [PolicyObservation(observation + observation)], threads: 1)
            let state = (0..<32).map { sin(Double($0)) }
            let found = try chain.predictions(for: [ChainQuery(sample: 0, step: 40, state: state)])[0]
            let row: [Float] = [-0.5, 5e-6, 0.5, 0, -1]
            let output = try model.network(
                sample: state.map { Float($0) }, batch: 1, positions: 16, timesteps: [59], condition: row + row,
                threads: 1)
            let product = try BetaSchedule(family: .squaredCosine, trainingSteps: 100).cumulativeProduct(59)
            for index in state.indices {
                let expected =
                    (state[index] - (1 - product).squareRoot() * Double(output[index])) / product.squareRoot()
                // The statistics are single-precision: 3.000005 - 3 holds to 1e-8, 2e-4 to 1e-11.
                #expect(abs(found[index] - expected) < 1e-5 * max(1, abs(expected)))
            }
            // The first action is restored by its minimum alone.
            let actions = model.actions([0.25, -1, 0, 1] + [Double](repeating: 0, count: 28))
            #expect(actions[0] == [-4.75, 100] && actions[1] == [-5, 300])
            #expect(model.notes.count == 2)
            #expect(model.notes[0].contains("observation number 1 ") && model.notes[1].contains("action number 0 "))
        }
        // Dimensions that never changed at all are no news.
        #expect(try Self.inFolder { try PolicyModel(named: $0.path).notes }.isEmpty)
    }

    /// Any exact draft plans with the law of plain sampling (tested on chains with a known law); here, that each works on
    /// this chain, saves calls, and plans the same whatever stands beside it.
    @Test func everyDraftWorks() throws {
        try Self.inFolder { folder in
            let model = try PolicyModel(named: folder.path)
            let other = [Double](repeating: 1, count: 10)
            let drafts: [any Draft] = [
                RecycledDraft(), RecycledDraft(order: .zeroth), FrozenDraft(), FrozenDenoiserDraft(),
                try PicardDraft(iterations: 1),
            ]
            for draft in drafts {
                func plans(_ observations: [[Double]], seeds: [UInt64]) throws -> [SampleState] {
                    let sampler = try SpeculativeSampler(
                        chain: model.chain(
                            Self.recipe(30), subjects: observations.map { PolicyObservation($0) }, threads: 1),
                        draft: draft,
                        window: 10,
                        random: RandomSource(seeds: seeds))
                    var finished: [SampleState] = []
                    try sampler.run(samples: 0..<seeds.count, lanes: seeds.count) { finished.append($0) }
                    return finished.sorted { $0.sample < $1.sample }
                }
                let alone = try plans([Self.observation], seeds: [5])[0]
                let beside = try plans([other, Self.observation, other], seeds: [1, 5, 5])
                #expect(beside[1].state == alone.state && beside[1].cost == alone.cost)
                #expect(alone.cost.calls < 30)
                #expect(alone.state.allSatisfy { abs($0) <= 1 })
            }
        }
    }

    /// The linear prior is what the first window is drafted from, so that already the first call decides steps.
    @Test func aPriorSavesTheFirstCall() throws {
        try Self.inFolder { folder in
            func firstRows() throws -> (rows: Int, step: Int) {
                let sampler = try SpeculativeSampler(
                    chain: PolicyModel(named: folder.path).chain(
                        Self.recipe(100), subjects: [PolicyObservation(Self.observation)], threads: 1),
                    draft: RecycledDraft(), window: 10, random: RandomSource(seed: 1))
                var samples = [sampler.start(sample: 0)]
                let rows = try sampler.step(&samples).rows
                return (rows, samples[0].step)
            }
            let without = try firstRows()
            #expect(without.rows == 1 && without.step == 0)

            let path = folder.appendingPathComponent("prior.safetensors").path
            func write(rows: Int) throws {
                let writer = try SafetensorsWriter(path: path, tensors: [("weight", [rows, 10]), ("bias", [rows])])
                // Row r holds r + 1 in its column r mod 10.
                for row in 0..<rows {
                    var values = [Float](repeating: 0, count: 10)
                    values[row % 10] = Float(row + 1)
                    try writer.append(values)
                }
                for row in 0..<rows { try writer.append([Float(row) / 8]) }
                try writer.finish()
            }
            try write(rows: 32)
            let chain = try PolicyModel(named: folder.path).chain(
                Self.recipe(100), subjects: [PolicyObservation(Self.observation)], threads: 1)
            let normalised: [Double] = [-0.5, 0.5, 0, 0, -1, 0, 0, 0, 1, 1]
            let expected = (0..<32).map { row -> Double in
                Double(row) / 8 + Double(row + 1) * normalised[row % 10]
            }
            #expect(chain.priorPrediction(sample: 0) == expected)
            let with = try firstRows()
            #expect(with.rows == 11 && with.step > 0)

            try write(rows: 31)
            #expect(throws: CheckpointError.self) { try PolicyModel(named: folder.path) }
        }
    }

    @Test(arguments: ["horizon", "scheduler_config.json", "statistics.safetensors"])
    func whatIsMissingIsNamed(_ what: String) throws {
        try Self.inFolder { folder in
            if what == "horizon" {
                let file = folder.appendingPathComponent("config.json")
                try String(contentsOf: file, encoding: .utf8).replacingOccurrences(of: "\"horizon\"", with: "\"h\"")
                    .write(to: file, atomically: true, encoding: .utf8)
            } else {
                try FileManager.default.removeItem(at: folder.appendingPathComponent(what))
            }
            let error = #expect(throws: ModelError.self) { try PolicyModel(named: folder.path) }
            #expect(error?.description.contains(what) == true && error?.remedy != nil)
        }
    }

    static let badStatistics: [(String, [(String, [Float])])] = [
        ("observation_minimum", [("observation_minimum", [0, 0, 0]), ("observation_maximum", [1, 1, 1])]),
        (
            "observation_maximum",
            [("observation_minimum", [0, 0, 0, 0, 2]), ("observation_maximum", [1, 1, 1, 1, 1])]
        ),
        (
            "observation_maximum",
            [("observation_minimum", [0, 0, 0, 0, 0]), ("observation_maximum", [1, 1, 1, 1, .infinity])]
        ),
        ("observation_maximum", [("observation_minimum", [0, 0, 0, 0, 0]), ("observation_maximum", [1, 1])]),
    ]

    @Test(arguments: badStatistics.indices) func badStatisticsAreRefused(_ index: Int) throws {
        let (word, observation) = Self.badStatistics[index]
        try Self.inFolder { folder in
            try Self.write(
                statistics: observation + [("action_minimum", [0, 0]), ("action_maximum", [1, 1])], to: folder)
            let error = #expect(throws: (any Error).self) { try PolicyModel(named: folder.path) }
            #expect("\(error.map { "\($0)" } ?? "")".contains(word))
        }
    }

    @Test func badActionsAreRefused() throws {
        try Self.inFolder { folder in
            try Self.write(
                statistics: [
                    ("observation_minimum", [0, 0, 0, 0, 0]), ("observation_maximum", [1, 1, 1, 1, 1]),
                    ("action_minimum", [0]),
                    ("action_maximum", [1]),
                ], to: folder)
            let error = #expect(throws: ModelError.self) { try PolicyModel(named: folder.path) }
            #expect(error?.key == "action_minimum")
        }
    }

    @Test func aSchedulerWithoutBetasIsRefused() throws {
        try Self.inFolder { folder in
            try Data("{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\"}".utf8)
                .write(to: folder.appendingPathComponent("scheduler_config.json"))
            #expect(throws: ModelError.self) { try PolicyModel(named: folder.path) }
        }
    }

    @Test func imageModelsAndPoliciesAreToldApart() throws {
        try Self.inFolder { folder in
            let kind = try ModelKind.of(folder: folder.path)
            #expect(kind is PolicyModel.Type)
            let error = #expect(throws: ModelError.self) { try ImageModel(named: folder.path) }
            #expect(error?.remedy?.contains("policy") == true)
        }
        let image = try BundledModels.folder(BundledModels.defaultModel)
        let imageKind = try ModelKind.of(folder: image)
        #expect(imageKind is ImageModel.Type)
        #expect(throws: ModelError.self) { try PolicyModel(named: image) }
    }

    @Test func unusableObservationsAreRefused() throws {
        try Self.inFolder { folder in
            let model = try PolicyModel(named: folder.path)
            for observation in [[1.0], [Double](repeating: 1e300, count: 10), [Double](repeating: .nan, count: 10)] {
                #expect(throws: DiffusionError.self) {
                    try model.chain(Self.recipe(10), subjects: [PolicyObservation(observation)], threads: 1)
                }
            }
        }
    }
}
