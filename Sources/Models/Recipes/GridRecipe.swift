import Diffusion
import NeuralNetwork

/// A time grid of one's own, as a file says it: an object with one list, strictly descending, whose end 0 may be left out:
///
///     {"times": [0.995, 0.8, …]}        noise times t
///     {"sigmas": [14.6, 6.5, …]}        noise levels σ/α, as diffusers' samplers with sigmas count them
///     {"timesteps": [999, 850, …]}      training steps, of a model with betas
public struct GridRecipe: Codable, Equatable, Sendable {
    public enum Unit: String, CaseIterable, Codable, Sendable { case times, sigmas, timesteps }

    /// Where it was read, for messages and commands; decides nothing.
    public let file: String
    public let unit: Unit
    public let values: [Double]

    public init(file: String, unit: Unit, values: [Double]) {
        (self.file, self.unit, self.values) = (file, unit, values)
    }

    /// - Throws: `ModelError` for a file that is no such object.
    public init(file: String) throws(ModelError) {
        try self.init(
            lists: JSONFile.decode([String: [Double]].self, from: JSONFile.read(path: file), path: file), file: file)
    }

    /// - Parameters:
    ///   - lists: the object.
    ///   - file: what messages call it.
    public init(lists: [String: [Double]], file: String) throws(ModelError) {
        guard lists.count == 1, let (key, values) = lists.first, let unit = Unit(rawValue: key) else {
            throw ModelError(
                file, expected: "one list, \"times\", \"sigmas\" or \"timesteps\"",
                found: lists.isEmpty ? "none" : lists.keys.sorted().joined(separator: ", "))
        }
        for (k, (value, next)) in zip(values, values.dropFirst()).enumerated() where !(value > next) {
            throw ModelError(
                file, key: key, expected: "strictly descending numbers", found: "\(value), then \(next), at \(k)")
        }
        self.init(file: file, unit: unit, values: values)
        guard let last = values.last, last >= 0, stepCount >= 1 else {
            throw ModelError(
                file, key: key, expected: "at least one number above 0, and none below",
                found: values.isEmpty ? "none" : "\(values.suffix(3))")
        }
    }

    /// `K`. The timestep 0 is a step, time 0 and level 0 are the end.
    public var stepCount: Int { values.count - (unit != .timesteps && values.last == 0 ? 1 : 0) }

    /// The training steps that it is made of.
    func trainingSteps() throws(RecipeError) -> [Int] {
        guard unit == .timesteps else {
            throw RecipeError("times", "must be \"timesteps\" for the steps of the model's own scheduler: \(file).")
        }
        return try values.map { value throws(RecipeError) in
            guard let step = Int(exactly: value) else {
                throw RecipeError("times", "must be whole numbers where they are timesteps, found \(value): \(file).")
            }
            return step
        }
    }

    func grid(of process: NoiseProcess) throws -> TimeGrid {
        switch unit {
        case .times: return try TimeGrid(times: values, schedule: process.schedule)
        case .sigmas: return try TimeGrid(noiseRatios: values, schedule: process.schedule)
        case .timesteps:
            guard let betas = process.schedule as? BetaSchedule else {
                throw RecipeError(
                    "times", "can be \"timesteps\" for a model with betas only, take \"times\" or \"sigmas\": \(file).")
            }
            return try TimeGrid(
                times: trainingSteps().map { betas.time(ofTimestep: $0) }, schedule: process.schedule)
        }
    }
}
