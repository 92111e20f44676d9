import NeuralNetwork

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

    private let facts: NetworkFacts
    private let keys: Keys

    private struct Keys: Encodable {
        let channels: [Int]
        let policy: Policy
    }

    init(_ name: String, folder: String, network: ConditionalUnet1D) {
        let configuration = network.configuration
        let loaded = Result { try PolicyModel(name: name, folder: folder, network: network) }
        let model = try? loaded.get()
        facts = NetworkFacts(
            name, architecture: ConditionalUnet1DConfiguration.className, parameters: network.parameters,
            parameterCount: network.parameterCount,
            operations: configuration.horizon.map { network.floatingPointOperations(.init(positions: $0)) },
            noise: model?.noise, notes: model?.notes ?? [], failure: loaded.failure)
        keys = Keys(
            channels: configuration.downChannels,
            policy: Policy(
                horizon: configuration.horizon, action_dimension: configuration.inputDimension,
                observation_steps: model?.observationSteps, observation_dimension: model?.observationDimension,
                condition: configuration.conditionDimension, kernel_size: configuration.kernelSize,
                n_groups: configuration.normGroups, diffusion_step_embed_dim: configuration.stepEmbeddingChannels,
                cond_predict_scale: configuration.predictsScale))
    }

    func encode(to encoder: any Encoder) throws {
        try facts.encode(to: encoder)
        try keys.encode(to: encoder)
    }

    var text: String {
        let policy = keys.policy
        var text = InspectionText(title: facts.title)
        let horizon = policy.horizon.map { "\($0)" } ?? "any number of"
        text.line("plans", "\(horizon) actions of \(policy.action_dimension)")
        if let steps = policy.observation_steps, let dimension = policy.observation_dimension {
            text.line("observes", "\(steps) states of \(dimension)")
        } else {
            text.line("condition", "\(policy.condition)")
        }
        text.line("channels", keys.channels.map(String.init).list)
        let film = policy.cond_predict_scale ? "scales and shifts" : "shifts"
        text.line(
            "blocks", "kernel \(policy.kernel_size), \(policy.n_groups) groups, the condition \(film) the features")
        text.line("step", "embedded in \(policy.diffusion_step_embed_dim)")
        facts.writeSize(to: &text)
        facts.writeProcess(to: &text)
        facts.writeRest(to: &text)
        return text.text
    }
}
