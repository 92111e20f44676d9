import Couplings
import Diffusion
import NeuralNetwork
import Platform

/// The network of the corrected draft: a U-Net that corrects the recycled draft's guess `a` of the target's answer at `x_t`,
/// which stems from an answer at `x_s`, on a path that now passes through `x'_s`,
///
///     x̂0_t ≈ a + σ_t c.
///
/// Beside the time and the class it sees, as channels,
///
///     a,   n_t = (x_t - α_t a) / σ_t,   4 (x'_s - x_s) / σ_s,   4 (n_t - n_s),   5 (s - t)
///
/// with `n_s = (x'_s - α_s a) / σ_s`: the noises that `a` implies. `weights/training/train_correction.py` trains it.
public struct CorrectionNetwork: Sendable {
    public let network: UNet2D
    private let process: ImageProcess

    private static let gapScale = 5.0, differenceScale = 4.0

    /// - Parameters:
    ///   - folder: of the network.
    ///   - target: the model whose answers it corrects.
    /// - Throws: `CheckpointError` or `ModelError`, also where the folder belongs to no correction or to another target's.
    public init(folder: String, target: ImageModel) throws {
        let file = URL(fileURLWithPath: folder).appendingPathComponent("process.json").path
        let process = try JSONFile.decode(ProcessDescription.self, path: file)
        guard process.prediction == Self.predictionName else {
            throw ModelError(
                file, key: "prediction", expected: "\"\(Self.predictionName)\"", found: "\"\(process.prediction)\"",
                remedy: "name a network that train_correction.py made")
        }
        network = try UNet2D(folder: folder)
        let (channels, labels) = (target.network.inChannels, target.labelCount)
        let configuration = network.configuration
        guard configuration.inChannels == 4 * channels + 1, configuration.outChannels == channels,
            network.labelCount == labels, process.image.height == target.picture.height,
            process.image.width == target.picture.width
        else {
            throw ModelError(
                folder + "/config.json",
                expected: "in_channels \(4 * channels + 1), out_channels \(channels), \(labels) labels and images of "
                    + "\(target.picture.height)×\(target.picture.width), for this target",
                found: "in_channels \(configuration.inChannels), out_channels \(configuration.outChannels), "
                    + "\(network.labelCount) labels and images of \(process.image.height)×\(process.image.width)",
                remedy: "train one on rows recorded from this model")
        }
        self.process = target.process
    }

    /// Whether a model folder says that it holds such a network.
    public static func isOne(folder: String) -> Bool {
        let file = URL(fileURLWithPath: folder).appendingPathComponent("process.json").path
        return (try? JSONFile.decode(ProcessDescription.self, path: file))?.prediction == predictionName
    }

    /// What `process.json` of such a folder says that its network predicts.
    static let predictionName = "correction"

    /// The network for a chain, whose steps say the times.
    public func corrector(for chain: DenoisingChain, threads: Int) -> some Corrector {
        ChainCorrector(network: network, process: process, chain: chain, threads: threads)
    }

    private struct ChainCorrector: Corrector {
        let network: UNet2D
        let process: ImageProcess
        let chain: DenoisingChain
        let threads: Int

        func corrections(for queries: [CorrectionQuery]) throws -> [[Double]] {
            var input: [Float] = []
            input.reserveCapacity(
                queries.count * network.configuration.inChannels * process.picture.height * process.picture.width)
            for query in queries { append(query, to: &input) }
            let times = queries.map { chain.steps[$0.query.step].time }
            let output = try network(
                sample: input, batch: queries.count, height: process.picture.height, width: process.picture.width,
                timesteps: times.map { Float(process.noise.timeInput($0)) },
                classLabels: try process.labels(
                    of: queries.map { chain.condition(ofSample: $0.query.sample) }, count: network.labelCount),
                threads: threads)
            return times.enumerated().map { row, time in
                let sigma = process.schedule.noise(at: time)
                return output[row * chain.dimension..<(row + 1) * chain.dimension].map { sigma * Double($0) }
            }
        }

        private func append(_ query: CorrectionQuery, to input: inout [Float]) {
            let answer = query.answer
            let time = chain.steps[query.query.step].time
            let noise = impliedNoise(query.query.state, answer: answer, time: time)
            input.append(contentsOf: answer.lazy.map { Float($0) })
            input.append(contentsOf: noise.lazy.map { Float($0) })
            var gap = 1 - time
            if let source = query.source {
                let sourceTime = chain.steps[source.step].time
                let scale = CorrectionNetwork.differenceScale
                let shiftScale = scale / coefficients(at: sourceTime).sigma
                let shift = Vector.combine(shiftScale, source.movedState, -shiftScale, source.state)
                let fresh = Vector.combine(
                    scale, noise, -scale, impliedNoise(source.movedState, answer: answer, time: sourceTime))
                input.append(contentsOf: shift.lazy.map { Float($0) })
                input.append(contentsOf: fresh.lazy.map { Float($0) })
                gap = sourceTime - time
            } else {
                input.append(contentsOf: repeatElement(0, count: 2 * noise.count))
            }
            input.append(
                contentsOf: repeatElement(
                    Float(CorrectionNetwork.gapScale * gap), count: process.picture.height * process.picture.width))
        }

        /// `(x - α a) / σ`
        private func impliedNoise(_ state: [Double], answer: [Double], time: Double) -> [Double] {
            let (alpha, sigma) = coefficients(at: time)
            return Vector.combine(1 / sigma, state, -alpha / sigma, answer)
        }

        private func coefficients(at time: Double) -> (alpha: Double, sigma: Double) {
            (process.schedule.signal(at: time), process.schedule.noise(at: time))
        }
    }
}
