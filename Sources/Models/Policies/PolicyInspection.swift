import NeuralNetwork

/// What the folder of a robot policy holds. The keys are part of the command line's contract; those that do not apply are
/// left out.
struct PolicyInspection: Inspection {
    /// What a policy reads and plans.
    struct Policy: Encodable {
        let horizon: Int?
        let action_dimension: Int
        let observation_steps: Int?
        /// Of a policy that observes one list of numbers.
        let observation_dimension: Int?
        let condition: Int
        let kernel_size: Int
        let n_groups: Int
        let diffusion_step_embed_dim: Int
        let cond_predict_scale: Bool
        /// Those of a policy that observes several things.
        let features: [Feature]?
        /// How many actions of a plan are taken before the next.
        let action_steps: Int?
        /// How its authors sample it.
        let chain: String?
        let steps: Int?
        let vision_encoder: Encoder?
    }

    struct Feature: Encodable {
        let name: String
        let shape: [Int]
    }

    /// What sees its pictures.
    struct Encoder: Encodable {
        let backbone: String
        let normalisation: String
        let keypoints: Int
        let parameters: Int
        let count: Int
        let flops_per_picture: Double
    }

    private let facts: NetworkFacts
    private let keys: Keys

    private struct Keys: Encodable {
        let channels: [Int]
        let policy: Policy
    }

    /// Of a folder of ours, whose network may be sound where the rest is not.
    init(_ name: String, folder: String, network: ConditionalUnet1D) {
        let loaded = Result { try PolicyModel(name: name, folder: folder, network: network) }
        self.init(name, network, model: try? loaded.get(), failure: loaded.failure)
    }

    init(_ model: PolicyModel) { self.init(model.name, model.network, model: model) }

    private init(_ name: String, _ network: ConditionalUnet1D, model: PolicyModel?, failure: (any Error)? = nil) {
        let configuration = network.configuration
        let encoders = model?.observer.encoders ?? []
        facts = NetworkFacts(
            name, architecture: ConditionalUnet1DConfiguration.className,
            parameters: network.parameters + encoders.flatMap(\.parameters),
            parameterCount: model?.parameterCount ?? network.parameterCount,
            operations: configuration.horizon.map { network.floatingPointOperations(.init(positions: $0)) },
            noise: model?.noise, notes: model?.notes ?? [], failure: failure)
        let features = model?.observer.features ?? []
        let only = features.count == 1 && features[0].name == PolicyModel.observationName ? features.first : nil
        let isOurs = model == nil || only != nil
        keys = Keys(
            channels: configuration.downChannels,
            policy: Policy(
                horizon: configuration.horizon, action_dimension: configuration.inputDimension,
                observation_steps: model?.observer.steps, observation_dimension: only?.count,
                condition: configuration.conditionDimension, kernel_size: configuration.kernelSize,
                n_groups: configuration.normGroups, diffusion_step_embed_dim: configuration.stepEmbeddingChannels,
                cond_predict_scale: configuration.predictsScale,
                features: isOurs
                    ? nil : features.map { Feature(name: $0.name, shape: Array($0.shape(steps: 1).dropFirst())) },
                action_steps: isOurs ? nil : model?.chunk.count,
                chain: isOurs ? nil : model?.ownChain.kind.rawValue, steps: isOurs ? nil : model?.ownChain.steps,
                vision_encoder: encoders.first.map { encoder in
                    Encoder(
                        backbone: encoder.configuration.backbone.rawValue,
                        normalisation: encoder.configuration.usesGroupNorm ? "groups" : "batches",
                        keypoints: encoder.configuration.keypoints, parameters: encoder.parameterCount,
                        count: encoders.count, flops_per_picture: encoder.floatingPointOperations)
                }))
    }

    func encode(to encoder: any Swift.Encoder) throws {
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
        } else if let steps = policy.observation_steps, let features = policy.features {
            for feature in features {
                let shape = feature.shape.map(String.init).joined(separator: "×")
                text.line("observes", "\(feature.name), \(steps) steps of \(shape)")
            }
        } else {
            text.line("condition", "\(policy.condition)")
        }
        if let encoder = policy.vision_encoder {
            let each = encoder.count == 1 ? "for all cameras" : "for each camera"
            text.line(
                "sees by",
                "\(encoder.backbone), normalised by \(encoder.normalisation), "
                    + "\(encoder.keypoints) keypoints, \(each)")
        }
        text.line("channels", keys.channels.map(String.init).list)
        let film = policy.cond_predict_scale ? "scales and shifts" : "shifts"
        text.line(
            "blocks", "kernel \(policy.kernel_size), \(policy.n_groups) groups, the condition \(film) the features")
        text.line("step", "embedded in \(policy.diffusion_step_embed_dim)")
        if let chain = policy.chain, let steps = policy.steps, let actions = policy.action_steps {
            text.line("sampled", "by \(chain), \(steps) steps; \(actions) actions of a plan are taken")
        }
        facts.writeSize(to: &text)
        facts.writeProcess(to: &text)
        facts.writeRest(to: &text)
        return text.text
    }
}
