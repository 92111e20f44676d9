import Foundation
import NeuralNetwork
import Models

/// What a model folder holds. Its keys are part of the command line's contract; those that do not apply to a kind of network
/// are left out.
struct Inspection: Encodable {
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
    let architecture: Architecture
    let down_blocks: [String]?
    let up_blocks: [String]?
    let channels: [Int]
    let image: [Int]?
    let classes: Int?
    let policy: Policy?
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
        case model, architecture, down_blocks, up_blocks, channels, image, classes, policy, parameters, flops_per_row,
            schedule, prediction, kernels, openblas_core, checked_tensors, tensors, cannot_sample
    }

    init(_ name: String, folder: String, network: UNet2D) {
        let configuration = network.configuration
        let pretrained: Result<PretrainedModel, any Error> = Result {
            try PretrainedModel(folder: folder, network: network)
        }
        let process = try? pretrained.get().process
        let size = process.map { ($0.height, $0.width) } ?? configuration.sampleSize.map { ($0.height, $0.width) }
        model = name
        architecture = .unet2D
        down_blocks = configuration.downBlocks.map(\.rawValue)
        up_blocks = configuration.upBlocks.map(\.rawValue)
        channels = configuration.blockChannels
        image = size.map { [configuration.inChannels, $0.0, $0.1] }
        classes = try? pretrained.get().classCount
        policy = nil
        parameters = network.parameterCount
        flops_per_row = size.map { network.floatingPointOperations(.init(height: $0.0, width: $0.1)) }
        schedule = process?.scheduleName
        prediction = process?.prediction.rawValue
        checked_tensors = network.parameters.count
        tensors = network.parameters.map(InspectedTensor.init)
        cannot_sample = Self.reason(pretrained)
        classNames = process?.classNames ?? []
    }

    init(_ name: String, folder: String, network: ConditionalUnet1D) {
        let configuration = network.configuration
        let loaded: Result<PolicyModel, any Error> = Result { try PolicyModel(folder: folder, network: network) }
        let policyModel = try? loaded.get()
        model = name
        architecture = .policy
        down_blocks = nil
        up_blocks = nil
        channels = configuration.downChannels
        image = nil
        classes = nil
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
        cannot_sample = Self.reason(loaded)
        classNames = []
    }

    private static func reason<Model>(_ loaded: Result<Model, any Error>) -> String? {
        if case .failure(let error) = loaded { "\(error)" } else { nil }
    }

    /// For people.
    var text: String {
        func list(_ items: [String]) -> String { items.joined(separator: ", ") }
        var lines = ["\(model): \(architecture.rawValue)"]
        func line(_ name: String, _ value: String) {
            lines.append("  " + name.padding(toLength: 13, withPad: " ", startingAt: 0) + value)
        }
        if let policy {
            line("plans", "\(policy.horizon.map { "\($0)" } ?? "any number of") actions of \(policy.action_dimension)")
            if let steps = policy.observation_steps, let dimension = policy.observation_dimension {
                line("observes", "\(steps) states of \(dimension)")
            } else {
                line("condition", "\(policy.condition)")
            }
        } else {
            line("image", image?.map(String.init).joined(separator: "×") ?? "of any size")
        }
        line("channels", list(channels.map(String.init)))
        if let policy {
            let film = policy.cond_predict_scale ? "scales and shifts" : "shifts"
            line(
                "blocks", "kernel \(policy.kernel_size), \(policy.n_groups) groups, the condition \(film) the features")
            line("step", "embedded in \(policy.diffusion_step_embed_dim)")
        }
        if let down_blocks { line("down", list(down_blocks)) }
        if let up_blocks { line("up", list(up_blocks)) }
        line("parameters", "\(parameters)")
        if let operations = flops_per_row { line("a row", "\((operations / 1e9).formatted(digits: 3)) GFLOP") }
        if let schedule, let prediction { line("schedule", "\(schedule), predicts \(prediction)") }
        if let classes { line("classes", "\(classes)\(classNames.isEmpty ? "" : ": " + list(classNames))") }
        if let cannot_sample { line("sampling", "not as it is: \(cannot_sample)") }
        line("kernels", "\(kernels), OpenBLAS core \(openblas_core)")
        line("tensors", "\(checked_tensors), each with its shape, all numbers finite:")
        lines += InspectedTensor.lines(tensors)
        return lines.joined(separator: "\n")
    }
}

extension Architecture: Encodable {}
