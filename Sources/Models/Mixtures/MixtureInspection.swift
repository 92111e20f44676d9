import NeuralNetwork

/// What the folder of a network for a mixture holds.
struct MixtureInspection: Inspection {
    private let facts: NetworkFacts
    private let keys: Keys

    private struct Keys: Encodable {
        let dimension: Int
        let components: Int
        let preprocessing: [Int]
        let postprocessing: [Int]
    }

    init(_ name: String, _ loaded: MixtureNetwork) {
        let network = loaded.network
        facts = NetworkFacts(
            name, architecture: VelocityMLPConfiguration.className, parameters: network.parameters,
            parameterCount: network.parameterCount, operations: network.floatingPointOperations, noise: loaded.noise,
            notes: loaded.noise.notes)
        keys = Keys(
            dimension: loaded.dimension, components: loaded.law.components.count,
            preprocessing: network.configuration.preprocessing, postprocessing: network.configuration.postprocessing)
    }

    func encode(to encoder: any Encoder) throws {
        try facts.encode(to: encoder)
        try keys.encode(to: encoder)
    }

    var text: String {
        var text = InspectionText(title: facts.title)
        text.line("data", "a mixture of \(keys.components) Gaussians in dimension \(keys.dimension)")
        text.line(
            "layers",
            "\(keys.preprocessing.map(String.init).list) before, \(keys.postprocessing.map(String.init).list) after")
        facts.writeSize(to: &text)
        facts.writeProcess(to: &text)
        facts.writeRest(to: &text)
        return text.text
    }
}
