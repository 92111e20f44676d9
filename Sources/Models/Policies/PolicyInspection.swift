import NeuralNetwork
import Statistics

/// What the folder of a robot policy holds. The keys are part of the command line's contract; those that do not apply are
/// left out.
struct PolicyInspection: Inspection {
    /// What a policy reads and plans.
    struct Policy: Encodable {
        let horizon: Int?
        let action_dimension: Int
        let observation_steps: Int?
        let observation_dimension: Int?
        let condition: Int
        let kernel_size: Int
        let n_groups: Int
        let diffusion_step_embed_dim: Int
        let cond_predict_scale: Bool
    }

    let model: String
    let architecture = ConditionalUnet1DConfiguration.className
    let channels: [Int]
    let policy: Policy
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

    init(_ name: String, folder: String, network: ConditionalUnet1D) {
        let configuration = network.configuration
        let loaded = Result { try PolicyModel(name: name, folder: folder, network: network) }
        let policyModel = try? loaded.get()
        model = name
        channels = configuration.downChannels
        policy = Policy(
            horizon: configuration.horizon, action_dimension: configuration.inputDimension,
            observation_steps: policyModel?.observationSteps, observation_dimension: policyModel?.observationDimension,
            condition: configuration.conditionDimension, kernel_size: configuration.kernelSize,
            n_groups: configuration.normGroups, diffusion_step_embed_dim: configuration.stepEmbeddingChannels,
            cond_predict_scale: configuration.predictsScale)
        parameters = network.parameterCount
        flops_per_row = configuration.horizon.map { network.floatingPointOperations(.init(positions: $0)) }
        schedule = policyModel?.noise.scheduleName
        prediction = policyModel?.noise.prediction.rawValue
        checked_tensors = network.parameters.count
        tensors = network.parameters.map(InspectedTensor.init)
        cannot_sample = reasonOfFailure(loaded)
    }

    var text: String {
        var text = InspectionText(title: "\(model): \(architecture)")
        let horizon = policy.horizon.map { "\($0)" } ?? "any number of"
        text.line("plans", "\(horizon) actions of \(policy.action_dimension)")
        if let steps = policy.observation_steps, let dimension = policy.observation_dimension {
            text.line("observes", "\(steps) states of \(dimension)")
        } else {
            text.line("condition", "\(policy.condition)")
        }
        text.line("channels", channels.map(String.init).list)
        let film = policy.cond_predict_scale ? "scales and shifts" : "shifts"
        text.line(
            "blocks", "kernel \(policy.kernel_size), \(policy.n_groups) groups, the condition \(film) the features")
        text.line("step", "embedded in \(policy.diffusion_step_embed_dim)")
        text.line("parameters", "\(parameters)")
        if let operations = flops_per_row { text.line("a row", "\((operations / 1e9).formatted(digits: 3)) GFLOP") }
        if let schedule, let prediction { text.line("schedule", "\(schedule), predicts \(prediction)") }
        if let cannot_sample { text.line("sampling", "not as it is: \(cannot_sample)") }
        text.line("kernels", "\(kernels), OpenBLAS core \(openblas_core)")
        text.tensors(tensors)
        return text.text
    }
}
