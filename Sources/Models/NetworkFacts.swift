import NeuralNetwork
import Statistics

/// What an inspection tells of a network of any kind. Its keys stand beside those of the kind, on one level; those that do
/// not apply are left out.
struct NetworkFacts: Encodable {
    /// The model as it was asked for.
    let model: String
    let architecture: String
    let parameters: Int
    let flops_per_row: Double?
    let schedule: String?
    let prediction: String?
    let kernels = Kernels.name
    let checked_tensors: Int
    let tensors: [InspectedTensor]
    /// Why the network, sound by itself, can't be sampled.
    let cannot_sample: String?
    /// What of the model's files is not followed as another program might.
    let notes: [String]

    /// - Parameters:
    ///   - operations: floating-point operations of a row, if the configuration tells its size.
    ///   - noise: of the model around the network; nil if there is none.
    ///   - notes: that model's.
    ///   - failure: why there is none.
    init(
        _ name: String, architecture: String, parameters: [NetworkParameter], parameterCount: Int, operations: Double?,
        noise: NoiseProcess?, notes: [String], failure: (any Error)? = nil
    ) {
        model = name
        self.architecture = architecture
        self.parameters = parameterCount
        flops_per_row = operations
        schedule = noise?.scheduleName
        prediction = noise?.prediction.rawValue
        checked_tensors = parameters.count
        tensors = parameters.map(InspectedTensor.init)
        cannot_sample = failure.map { "\($0)" }
        self.notes = notes
    }

    var title: String { "\(model): \(architecture)" }

    /// The lines of the network's size.
    func writeSize(to text: inout InspectionText) {
        text.line("parameters", "\(parameters)")
        if let operations = flops_per_row {
            let (unit, word) = operations < 1e7 ? (1e6, "MFLOP") : (1e9, "GFLOP")
            text.line("a row", "\((operations / unit).formatted(digits: 3)) \(word)")
        }
    }

    /// The lines of how it is sampled.
    func writeProcess(to text: inout InspectionText) {
        if let schedule, let prediction { text.line("schedule", "\(schedule), predicts \(prediction)") }
    }

    /// The last lines.
    func writeRest(to text: inout InspectionText) {
        if let cannot_sample { text.line("sampling", "not as it is: \(cannot_sample)") }
        for note in notes { text.line("note", note) }
        text.line("kernels", kernels)
        text.tensors(tensors)
    }
}
