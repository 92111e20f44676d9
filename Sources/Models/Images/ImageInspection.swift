import NeuralNetwork
import Statistics

/// What the folder of an image model holds. The keys are part of the command line's contract; those that do not apply are
/// left out.
struct ImageInspection: Inspection {
    let model: String
    let architecture: String
    let down_blocks: [String]
    let up_blocks: [String]
    let channels: [Int]
    let image: [Int]?
    let classes: Int?
    let parameters: Int
    let flops_per_row: Double?
    let schedule: String?
    let prediction: String?
    let kernels = LinearAlgebra.kernelName
    let openblas_core = LinearAlgebra.coreName
    let checked_tensors: Int
    let tensors: [InspectedTensor]
    /// Why the network, sound by itself, can't be sampled.
    let cannot_sample: String?
    private let classNames: [String]

    private enum CodingKeys: String, CodingKey {
        case model, architecture, down_blocks, up_blocks, channels, image, classes, parameters, flops_per_row, schedule,
            prediction, kernels, openblas_core, checked_tensors, tensors, cannot_sample
    }

    init(_ name: String, folder: String, network: some ImageNetwork) {
        let loaded = Result { try ImageModel(name: name, folder: folder, network: network) }
        let process = try? loaded.get().process
        let size = process.map { ($0.picture.height, $0.picture.width) } ?? network.trainedSize
        let levels = network.levels
        model = name
        architecture = type(of: network).className
        (down_blocks, up_blocks, channels) = (levels.downBlocks, levels.upBlocks, levels.channels)
        image = size.map { [network.inChannels, $0.0, $0.1] }
        classes = try? loaded.get().classCount
        parameters = network.parameterCount
        flops_per_row = size.map { network.floatingPointOperations(height: $0.0, width: $0.1) }
        schedule = process?.scheduleName
        prediction = process?.prediction.rawValue
        checked_tensors = network.parameters.count
        tensors = network.parameters.map(InspectedTensor.init)
        cannot_sample = reasonOfFailure(loaded)
        classNames = process?.classNames ?? []
    }

    var text: String {
        var text = InspectionText(title: "\(model): \(architecture)")
        text.line("image", image?.map(String.init).joined(separator: "×") ?? "of any size")
        text.line("channels", channels.map(String.init).list)
        text.line("down", down_blocks.list)
        text.line("up", up_blocks.list)
        text.line("parameters", "\(parameters)")
        if let operations = flops_per_row { text.line("a row", "\((operations / 1e9).formatted(digits: 3)) GFLOP") }
        if let schedule, let prediction { text.line("schedule", "\(schedule), predicts \(prediction)") }
        if let classes { text.line("classes", "\(classes)\(classNames.isEmpty ? "" : ": " + classNames.list)") }
        if let cannot_sample { text.line("sampling", "not as it is: \(cannot_sample)") }
        text.line("kernels", "\(kernels), OpenBLAS core \(openblas_core)")
        text.tensors(tensors)
        return text.text
    }
}
