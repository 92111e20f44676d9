import NeuralNetwork

/// A network that is one part of a pipeline: it can be evaluated and inspected by itself, but samples nothing alone.
///
/// A further one is a type that conforms, and a line in `ComponentNetworks.all`.
public protocol ComponentNetwork: Network {
    /// What its `config.json` may call it.
    static var classNames: [String] { get }
    /// What it is called, as it is configured.
    var className: String { get }
    /// One call on the rows of a file, with all inputs that the network knows.
    /// - Returns: the output tensors by name, as the library that trained it returns them.
    func evaluate(_ rows: SafetensorsFile, threads: Int) throws -> [NamedTensor]
    /// Floating-point operations of a row of the size that it was trained on, if the configuration tells it.
    var trainedOperations: Double? { get }
}

extension ComponentNetwork {
    public static var classNames: [String] { [Configuration.className] }
    public var className: String { Configuration.className }
}

public enum ComponentNetworks {
    public static let all: [any ComponentNetwork.Type] = [
        AutoencoderKL.self, VQModel.self, UNet2DCondition.self, CLIPText.self,
    ]

    /// The network that a folder holds; nil if it is none of these.
    /// - Throws: `CheckpointError` or `ModelError` if the folder's `config.json` cannot be read.
    static func type(in folder: String) throws -> (any ComponentNetwork.Type)? {
        guard let name = try ModelFolder.className(of: folder) else { return nil }
        return all.first { $0.classNames.contains(name) }
    }

    /// One call of a folder's network, of whatever kind, on given rows.
    /// - Throws: `ModelError`, `CheckpointError` or `NetworkInputError` for a folder that is not sound, or rows that the
    ///   network cannot take.
    public static func evaluate(folder: String, rows: SafetensorsFile, threads: Int) throws -> [NamedTensor] {
        if let type = try type(in: folder) {
            return try type.init(folder: ModelFolder.networkFolder(in: folder)).evaluate(rows, threads: threads)
        }
        return try ModelKind.of(folder: folder).evaluate(folder: folder, rows: rows, threads: threads)
    }

    /// What is in a folder, whatever its kind.
    /// - Parameters:
    ///   - name: as the folder was asked for.
    ///   - folder: where it is.
    /// - Throws: as ``evaluate(folder:rows:threads:)`` does.
    public static func inspection(of name: String, folder: String) throws -> any Inspection {
        if let type = try type(in: folder) {
            return ComponentInspection(name, try type.init(folder: ModelFolder.networkFolder(in: folder)))
        }
        return try ModelKind.of(folder: folder).inspection(of: name, folder: folder)
    }
}

/// What the folder of a component holds.
struct ComponentInspection: Inspection {
    private let facts: NetworkFacts

    init(_ name: String, _ network: some ComponentNetwork) {
        facts = NetworkFacts(
            name, architecture: network.className, parameters: network.parameters,
            parameterCount: network.parameterCount, operations: network.trainedOperations, noise: nil,
            notes: ["a part of a pipeline: by itself it can be evaluated, but not sampled"])
    }

    func encode(to encoder: any Encoder) throws { try facts.encode(to: encoder) }

    var text: String {
        var text = InspectionText(title: facts.title)
        facts.writeSize(to: &text)
        facts.writeRest(to: &text)
        return text.text
    }
}

extension Autoencoder {
    /// The size of the latents of pictures as large as it was trained on.
    fileprivate var trainedLatent: AutoencoderRow? {
        base.sampleSize.map {
            .latent(height: $0.height / base.pixelsPerLatent, width: $0.width / base.pixelsPerLatent)
        }
    }

    public var trainedOperations: Double? { trainedLatent.map(operations) }

    /// `decoded` of `latent`, if the rows have it.
    fileprivate func decoded(_ rows: SafetensorsFile, threads: Int) throws -> [NamedTensor] {
        guard rows.shape(of: "latent") != nil else { return [] }
        let shape = try NetworkRows(file: rows).shape(of: "latent", ["N", "\(decodedChannels)", "height", "width"])
        let row = AutoencoderRow.latent(height: shape[2], width: shape[3])
        // Dimensions out of range are refused by the call, before they are multiplied.
        let values = try decode(
            rows.floats(named: "latent"), count: shape[0], height: shape[2], width: shape[3], threads: threads)
        return [NamedTensor("decoded", shape: [shape[0]] + outputDimensions(row), values: values)]
    }

    /// The encoder's outputs for `image`, of so many channels each, if the rows have it.
    fileprivate func encoded(
        _ rows: SafetensorsFile, _ names: [String], threads: Int
    ) throws -> [NamedTensor] {
        guard rows.shape(of: "image") != nil else { return [] }
        let shape = try NetworkRows(file: rows).shape(of: "image", ["N", "\(base.inChannels)", "height", "width"])
        let values = try encode(
            rows.floats(named: "image"), count: shape[0], height: shape[2], width: shape[3], threads: threads)
        let all = outputDimensions(.image(height: shape[2], width: shape[3]))
        let dimensions = [all[0] / names.count, all[1], all[2]]
        let size = dimensions.reduce(1, *)
        return names.enumerated().map { index, name in
            let parts = (0..<shape[0]).flatMap { row in
                let first = (row * names.count + index) * size
                return values[first..<first + size]
            }
            return NamedTensor(name, shape: [shape[0]] + dimensions, values: parts)
        }
    }

    /// - Parameter names: of the encoder's outputs.
    fileprivate func evaluate(
        _ rows: SafetensorsFile, encoderOutputs names: [String], threads: Int
    ) throws -> [NamedTensor] {
        let tensors =
            try decoded(rows, threads: threads) + encoded(rows, names, threads: threads)
        guard !tensors.isEmpty else {
            throw ModelError(
                rows.path,
                expected: "a tensor latent [N, \(decodedChannels), h, w] or image "
                    + "[N, \(base.inChannels), height, width]", found: "neither")
        }
        return tensors
    }
}

extension AutoencoderKL: ComponentNetwork {
    public func evaluate(_ rows: SafetensorsFile, threads: Int) throws -> [NamedTensor] {
        try evaluate(rows, encoderOutputs: ["mean", "logvar"], threads: threads)
    }
}

extension VQModel: ComponentNetwork {
    public func evaluate(_ rows: SafetensorsFile, threads: Int) throws -> [NamedTensor] {
        try evaluate(rows, encoderOutputs: ["latents"], threads: threads)
    }
}

extension UNet2DCondition: ComponentNetwork {
    public var trainedOperations: Double? { configuration.sampleSize.map { floatingPointOperations($0) } }

    public func evaluate(_ file: SafetensorsFile, threads: Int) throws -> [NamedTensor] {
        let rows = NetworkRows(file: file)
        let shape = try rows.shape(of: "sample", ["N", "\(configuration.inChannels)", "height", "width"])
        var tokens = 0
        var context: [Float] = []
        if configuration.hasContext || file.shape(of: "encoder_hidden_states") != nil {
            tokens = try rows.shape(
                of: "encoder_hidden_states", ["\(shape[0])", "S", "\(configuration.inputContextChannels)"])[1]
            context = try file.floats(named: "encoder_hidden_states")
        }
        func numbers(_ name: String) throws -> [Float] {
            _ = try rows.shape(of: name, ["\(shape[0])", "numbers"])
            return rows.holdsIntegers(name)
                ? try file.integers(named: name).map { Float($0) } : try file.floats(named: name)
        }
        let hasAddition = configuration.textAndTime != nil
        let output = try self(
            Input(
                file.floats(named: "sample"), rows: shape[0], shape: .init(height: shape[2], width: shape[3]),
                conditioning: .init(
                    timesteps: rows.timesteps(shape[0]), context: context, tokens: tokens,
                    classes: rows.classes(of: configuration.classEmbedding),
                    textEmbeddings: hasAddition ? numbers("text_embeds") : [],
                    timeIDs: hasAddition ? numbers("time_ids") : [])),
            threads: threads)
        return [
            NamedTensor(
                "output", shape: [shape[0], configuration.outChannels, shape[2], shape[3]], values: output)
        ]
    }
}

extension NetworkRows {
    /// `class_labels`: labels, numbers or vectors, as the network wants them.
    func classes(of kind: UNet2DConfiguration.ClassEmbedding) throws -> UNet2D.Classes {
        let isLabel =
            switch kind {
            case .none: false
            case .table: true
            case .timestep: holdsIntegers("class_labels")
            case .identity, .projection, .linear: false
            }
        guard kind != .none else { return .none }
        return isLabel
            ? .labels(try file.integers(named: "class_labels")) : .values(try file.floats(named: "class_labels"))
    }
}

extension CLIPText: ComponentNetwork {
    public static var classNames: [String] { [CLIPTextConfiguration.className, CLIPTextConfiguration.projectedName] }
    public var className: String {
        configuration.projectionChannels == nil
            ? CLIPTextConfiguration.className : CLIPTextConfiguration.projectedName
    }
    public var trainedOperations: Double? { floatingPointOperations(configuration.positions) }

    public func evaluate(_ file: SafetensorsFile, threads: Int) throws -> [NamedTensor] {
        let shape = try NetworkRows(file: file).shape(of: "input_ids", ["N", "S"])
        let encoding = try encode(
            file.integers(named: "input_ids"), texts: shape[0], length: shape[1], threads: threads)
        let hidden = shape + [configuration.channels]
        return [
            NamedTensor("last_hidden_state", shape: hidden, values: encoding.lastHiddenState),
            NamedTensor("penultimate", shape: hidden, values: encoding.penultimate),
            NamedTensor(
                configuration.projectionChannels == nil ? "pooler_output" : "text_embeds",
                shape: [shape[0], pooledChannels], values: encoding.pooled),
        ]
    }
}
