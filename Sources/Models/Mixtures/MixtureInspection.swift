import NeuralNetwork
import Statistics

/// What the folder of a network for a mixture holds.
struct MixtureInspection: Inspection {
    let model: String
    let architecture = VelocityMLPConfiguration.className
    let dimension: Int
    let components: Int
    let preprocessing: [Int]
    let postprocessing: [Int]
    let parameters: Int
    let flops_per_row: Double
    let prediction: String
    let kernels = LinearAlgebra.kernelName
    let checked_tensors: Int
    let tensors: [InspectedTensor]

    init(_ name: String, _ loaded: MixtureNetwork) {
        let network = loaded.network
        model = name
        dimension = loaded.dimension
        components = loaded.law.components.count
        preprocessing = network.configuration.preprocessing
        postprocessing = network.configuration.postprocessing
        parameters = network.parameterCount
        flops_per_row = network.floatingPointOperations
        prediction = loaded.noise.prediction.rawValue
        checked_tensors = network.parameters.count
        tensors = network.parameters.map(InspectedTensor.init)
    }

    var text: String {
        var text = InspectionText(title: "\(model): \(architecture)")
        text.line("data", "a mixture of \(components) Gaussians in dimension \(dimension)")
        text.line(
            "layers",
            "\(preprocessing.map(String.init).list) before, \(postprocessing.map(String.init).list) after")
        text.line("parameters", "\(parameters)")
        text.line("a row", "\((flops_per_row / 1e6).formatted(digits: 2)) MFLOP")
        text.line("predicts", prediction)
        text.line("kernels", kernels)
        text.tensors(tensors)
        return text.text
    }
}
