import Couplings
import Diffusion
import Foundation
import Models
import NeuralNetwork
import Platform

/// Stores with a model what drafts can start from: for each class the mean of what the network denoises pure noise to.
public struct PriorCalibration: RunResult {
    let model: String
    let file: String

    public var text: String { "\(model): wrote \(file)" }

    /// Rows a call.
    private static let batch = 64

    /// - Parameters:
    ///   - name: of a bundled model, or the path of a folder.
    ///   - count: draws of noise for each class.
    ///   - seed: all randomness is a function of it.
    ///   - threads: cores to use, at least 1; changes no result.
    ///   - monitor: is told how far the run is, and may end it.
    public static func run(
        model name: String, count: Int, seed: UInt64, threads: Int, monitor: any RunMonitor = NoMonitor()
    ) throws -> PriorCalibration {
        let folder = try BundledModels.folder(name)
        let path = URL(fileURLWithPath: folder).appendingPathComponent(ModelFolder.priorFile).path
        try OutputError.checkWritable(file: path)
        let model = try ImageModel(named: name)
        let (picture, denoiser) = (model.picture, model.denoiser(threads: threads))
        let conditions: [Condition] = model.labelCount == 0 ? [.none] : (0..<model.labelCount).map { .label($0) }
        let random = RandomSource(seed: seed)

        let writer = try SafetensorsWriter(
            path: path,
            tensors: [("denoised", [conditions.count, picture.channels, picture.height, picture.width])])
        defer { writer.cancel() }
        monitor.begin("calibrating", total: Double(conditions.count * count))
        defer { monitor.end() }
        for (done, condition) in conditions.enumerated() {
            var mean = [Double](repeating: 0, count: denoiser.dimension)
            for first in stride(from: 0, to: count, by: batch) {
                try monitor.check()
                let queries = (first..<min(first + batch, count)).map { draw in
                    var stream = random.stream(sample: draw, step: 0, purpose: .auxiliary)
                    return DenoiserQuery(
                        state: stream.normals(denoiser.dimension), time: model.noise.schedule.maximalTime,
                        condition: condition)
                }
                for denoised in try denoiser.denoised(queries) {
                    for i in mean.indices { mean[i] += denoised[i] / Double(count) }
                }
                monitor.update(done: Double(done * count + first)) { _ in "class \(done + 1) of \(conditions.count)" }
            }
            try writer.append(mean.map { Float($0) })
        }
        try writer.finish()
        return PriorCalibration(model: name, file: path)
    }
}
