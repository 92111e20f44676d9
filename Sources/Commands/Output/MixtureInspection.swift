import Foundation
import NeuralNetwork
import Models

/// What `diffspec inspect` says of a network for a mixture.
struct MixtureInspection: Encodable {
    let model: String
    let architecture: String
    let dimension: Int
    let components: Int
    let preprocessing: [Int]
    let postprocessing: [Int]
    let parameters: Int
    let flops_per_row: Double
    let prediction: String
    let kernels: String
    let checked_tensors: Int
    let tensors: [InspectedTensor]

    init(model: String, folder: String) throws {
        let loaded = try MixtureModel(folder: folder)
        let network = loaded.network
        self.model = model
        architecture = VelocityMLPConfiguration.className
        dimension = loaded.dimension
        components = loaded.mixture.components.count
        preprocessing = network.configuration.preprocessing
        postprocessing = network.configuration.postprocessing
        parameters = network.parameterCount
        flops_per_row = network.floatingPointOperations
        prediction = loaded.prediction.rawValue
        kernels = LinearAlgebra.kernelName
        checked_tensors = network.parameters.count
        tensors = network.parameters.map(InspectedTensor.init)
    }

    func show(json: Bool) throws {
        if json { return print(try jsonText()) }
        func list(_ items: [Int]) -> String { items.map(String.init).joined(separator: ", ") }
        var lines = ["\(model): \(architecture)"]
        lines.append("  data         a mixture of \(components) Gaussians in dimension \(dimension)")
        lines.append("  layers       \(list(preprocessing)) before, \(list(postprocessing)) after")
        lines.append("  parameters   \(parameters)")
        lines.append("  a row        \((flops_per_row / 1e6).formatted(digits: 2)) MFLOP")
        lines.append("  predicts     \(prediction)")
        lines.append("  kernels      \(kernels)")
        lines.append("  tensors      \(checked_tensors), each with its shape, all numbers finite:")
        lines += InspectedTensor.lines(tensors)
        print(lines.joined(separator: "\n"))
    }
}
