import Diffusion
import Models
import NeuralNetwork
import Reports

/// A model folder of pictures, run by this library's own network.
final class BundledNetwork: Sendable {
    let model: ImageModel

    init(_ name: String) throws { model = try ImageModel(named: name) }

    /// What a caller has to know of it.
    private struct Description: Encodable {
        let name: String
        let shape: [Int]
        let range: [Double]
        let classes: [String]
        let class_count: Int
        let null_class: Int?
        let schedule: String
        let prediction: String
        let parameters: Int
    }

    func description() throws -> String {
        let (picture, process) = (model.picture, model.process)
        return try Description(
            name: model.name, shape: [picture.channels, picture.height, picture.width],
            range: [process.range.lowerBound, process.range.upperBound], classes: process.classNames,
            class_count: model.classCount, null_class: process.nullClass, schedule: process.scheduleName,
            prediction: model.noise.prediction.rawValue, parameters: model.network.parameterCount
        ).jsonText()
    }

    /// One call: what the network itself answers.
    /// - Parameters:
    ///   - states: `[rows, channels, height, width]`
    ///   - times: noise times in (0, 1].
    ///   - labels: negative for "no class"; nil for a model without classes.
    func predict(states: [Float], times: [Double], labels: [Int]?, threads: Int) throws -> [Float] {
        let conditions = times.indices.map { row in
            labels.map { $0[row] < 0 ? Condition.none : .label($0[row]) } ?? .none
        }
        let (scales, size) = (times.map { model.noise.inputScale(at: $0) }, model.picture.size)
        let isScaled = scales.contains { $0 != 1 }
        let inputs = isScaled ? states.indices.map { Float(scales[$0 / size] * Double(states[$0])) } : states
        return try model.network.predict(
            sample: inputs, batch: times.count, height: model.picture.height, width: model.picture.width,
            timesteps: times.map { Float(model.noise.timeInput($0)) },
            labels: try model.process.labels(of: conditions, count: model.labelCount), threads: threads)
    }

    /// A run of the model itself.
    /// - Throws: `RecipeError` for a setting that the model's folder decides.
    func session(_ recipe: SamplerRecipe, threads: Int) throws -> SamplingSession {
        try recipe.refuse(
            [
                .schedule, .scheduler, .coefficients, .langevin, .prediction, .timeScale, .betaMin, .betaMax,
                .sigmaMax, .bounds,
                .seeds,
            ], beside: "a model folder, which has its own")
        let samples = try recipe.samples()
        let lanes = min(recipe.batch ?? 16, samples.count)
        var sampling = recipe.sampling
        sampling.model.name = model.name
        return SamplingSession(
            try model.sampler(sampling, lanes: lanes, threads: threads), recipe: sampling, samples: samples,
            lanes: lanes, threads: threads, notes: model.notes, cancellation: Cancellation())
    }
}
