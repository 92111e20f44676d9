import Couplings
import Diffusion
import Models
import Statistics
import Synchronization

/// Samples of a Gaussian mixture, and how far they are from its data.
public struct MixtureRequest: Sendable {
    public var mixture = MixtureRecipe()
    /// Its `draftModel` is a smaller network trained for the same mixture; nil for a single Gaussian.
    public var speculation = SpeculationRecipe()
    public var count = 2000
    public var seed: UInt64 = 0
    public var threads = Processors.available
    /// Whether a scatter plot is to be made, which takes two dimensions.
    public var isPlotted = false

    public init() {}

    /// Beyond it the exact distance takes too long.
    private static let largestAssignment = 2000
    private static let slices = 200

    public func validate() throws(RecipeError) {
        try mixture.validate()
        try speculation.validate(for: mixture.chain)
        guard (1...10_000_000).contains(count) else {
            throw RecipeError("count", "must be from 1 to 10000000, found \(count).")
        }
        guard (1...1024).contains(threads) else {
            throw RecipeError("threads", "must be from 1 to 1024, found \(threads).")
        }
        if speculation.draftModel != nil, mixture.model == nil {
            throw RecipeError(
                "draft-model", "needs --model: it is trained with labels, which the exact score doesn't take.")
        }
    }

    public func run(monitor: any RunMonitor = NoMonitor()) throws -> MixtureResult {
        try validate()
        let target = try mixture.load()
        if isPlotted, target.dimension < 2 { throw RecipeError("out", "needs at least two dimensions.") }
        let draftModel = try speculation.draftModel.map { try MixtureModel(named: $0) }
        let run = MixtureRun(
            target: target, draftModel: draftModel, chain: mixture.chain, speculation: speculation, count: count,
            seed: seed, threads: threads)
        monitor.begin("mixture", total: Double(count * mixture.chain.steps))
        let done = Atomic<Int>(0)
        defer { monitor.end() }
        let samples = try run.run { steps in
            try monitor.check()
            let done = done.wrappingAdd(steps, ordering: .relaxed).newValue
            monitor.update(done: Double(done)) { "\((Double(done) / $0).formatted(digits: 0)) steps/s" }
        }
        monitor.end()
        monitor.begin("distance to data", total: 0)
        let random = RandomSource(seed: seed)
        let data = target.law.data(samples: 0..<count, random: random)
        return MixtureResult(
            self, target, samples, data: data,
            distance: distance(samples.states, data),
            distanceOfData: distance(target.law.data(samples: count..<2 * count, random: random), data),
            method: count <= Self.largestAssignment ? "exact assignment" : "sliced, \(Self.slices) directions")
    }

    private func distance(_ samples: [[Double]], _ data: [[Double]]) -> Double {
        if count <= Self.largestAssignment { return Wasserstein.exact(samples, data) }
        // Beyond every sample's own index, so that the directions share no draw with the data.
        var stream = RandomSource(seed: seed).stream(sample: 1 << 50, step: 0, purpose: .auxiliary)
        return Wasserstein.sliced(
            samples, data, directions: (0..<Self.slices).map { _ in stream.normals(samples[0].count) })
    }
}
