import Diffusion
import Foundation
import NeuralNetwork
import Models
import Testing

@Suite("The corrected draft's network")
struct CorrectionNetworkTests {
    /// Rows that the training script kept with its own answers: the recycled draft's guess and the correction. To 1e-4 of the
    /// corrections' deviation, as networks are compared; an input of the wrong scale or sign shows above 1e-1.
    @Test func answersAreThoseOfTheTrainingScript() throws {
        let target = try ImageModel(named: "fashion-mnist")
        let folder = try BundledModels.folder("fashion-mnist-correction")
        let file = try SafetensorsFile(path: folder + "/correction-case.safetensors")
        let times = try file.floats(named: "time").map { Double($0) }
        let sourceTimes = try file.floats(named: "source_time").map { Double($0) }
        let labels = try file.floats(named: "label").map { $0 < 0 ? Condition.none : .label(Int($0)) }
        let size = target.picture.size
        func rows(_ name: String) throws -> [[Double]] {
            let values = try file.floats(
                named: name, shape: [times.count, 1, target.picture.height, target.picture.width])
            return times.indices.map { values[$0 * size..<($0 + 1) * size].map { Double($0) } }
        }
        let (states, moved, sources) = (try rows("state"), try rows("moved_state"), try rows("source_state"))
        let (guesses, expected) = (try rows("answer"), try rows("output"))
        #expect(sourceTimes.contains { $0 >= 0 } && sourceTimes.contains { $0 < 0 })

        // Row r is sample r of a chain whose steps 2r and 2r + 1 are at the times of its source and its state.
        let still = GaussianTransition(
            stateCoefficient: 1, predictionCoefficient: 0, standardDeviation: 1, duration: 1, slopeBounds: 0...1)
        let chain = try DenoisingChain(
            denoiser: target.denoiser(threads: 1),
            steps: zip(sourceTimes, times).flatMap { [$0, $1] }.map { DenoisingStep(time: $0, transition: still) },
            conditions: labels)
        let corrector = try CorrectionNetwork(folder: folder, target: target).corrector(for: chain, threads: 2)
        let corrections = try corrector.corrections(
            for: times.indices.map { row in
                CorrectionQuery(
                    query: ChainQuery(sample: row, step: 2 * row + 1, state: states[row]),
                    source: sourceTimes[row] < 0
                        ? nil : .init(step: 2 * row, state: sources[row], movedState: moved[row]),
                    answer: guesses[row])
            })
        for row in times.indices {
            let wanted = zip(expected[row], guesses[row]).map { $0 - $1 }
            let scale = (wanted.reduce(0) { $0 + $1 * $1 } / Double(size)).squareRoot()
            let error = zip(corrections[row], wanted).map { abs($0 - $1) }.max() ?? .infinity
            #expect(error < 1e-4 * scale, "row \(row): \(error) of \(scale)")
        }
    }
}
