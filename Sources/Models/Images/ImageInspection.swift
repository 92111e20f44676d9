import NeuralNetwork

/// What the folder of an image model holds. The keys are part of the command line's contract; those that do not apply are
/// left out.
struct ImageInspection: Inspection {
    private let facts: NetworkFacts
    private let keys: Keys
    private let classNames: [String]

    private struct Keys: Encodable {
        let down_blocks: [String]
        let up_blocks: [String]
        let channels: [Int]
        let image: [Int]?
        let classes: Int?
    }

    init(_ name: String, folder: String, network: some ImageNetwork) {
        let loaded = Result { try ImageModel(name: name, folder: folder, network: network) }
        let model = try? loaded.get()
        let size = model.map { ($0.process.picture.height, $0.process.picture.width) } ?? network.trainedSize
        let levels = network.levels
        facts = NetworkFacts(
            name, architecture: type(of: network).className, parameters: network.parameters,
            parameterCount: network.parameterCount,
            operations: size.map { network.floatingPointOperations(height: $0.0, width: $0.1) },
            noise: model?.noise, notes: model?.notes ?? [], failure: loaded.failure)
        keys = Keys(
            down_blocks: levels.downBlocks, up_blocks: levels.upBlocks, channels: levels.channels,
            image: size.map { [network.inChannels, $0.0, $0.1] }, classes: model?.classCount)
        classNames = model?.process.classNames ?? []
    }

    func encode(to encoder: any Encoder) throws {
        try facts.encode(to: encoder)
        try keys.encode(to: encoder)
    }

    var text: String {
        var text = InspectionText(title: facts.title)
        text.line("image", keys.image?.map(String.init).joined(separator: "×") ?? "of any size")
        text.line("channels", keys.channels.map(String.init).list)
        text.line("down", keys.down_blocks.list)
        text.line("up", keys.up_blocks.list)
        facts.writeSize(to: &text)
        facts.writeProcess(to: &text)
        if let classes = keys.classes {
            text.line("classes", "\(classes)\(classNames.isEmpty ? "" : ": " + classNames.list)")
        }
        facts.writeRest(to: &text)
        return text.text
    }
}
