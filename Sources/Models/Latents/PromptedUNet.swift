import NeuralNetwork

/// A U-Net that reads encoded texts, with the texts that it is asked for: to a chain they are its classes, and the negative
/// prompt is "no class", so that the rows of guidance go through in one call.
struct PromptedUNet: ImageNetwork {
    static var className: String { UNet2DConditionConfiguration.className }

    let unet: UNet2DCondition
    let texts: EncodedTexts

    /// Alone, such a network cannot be sampled.
    init(folder: String) throws {
        throw ModelError(
            folder, expected: "a pipeline with a text encoder and an autoencoder around its UNet2DConditionModel",
            found: "the network alone", remedy: "name the folder that holds model_index.json")
    }

    init(_ unet: UNet2DCondition, texts: EncodedTexts, file: String) throws(ModelError) {
        let configuration = unet.configuration
        guard texts.channels == configuration.inputContextChannels else {
            throw ModelError(
                file, key: "cross_attention_dim", expected: "\(texts.channels), as the text encoders make",
                found: "\(configuration.inputContextChannels)")
        }
        guard configuration.classEmbedding == .none else {
            throw ModelError(
                file, key: "class_embed_type", expected: "null, in a pipeline with prompts", found: "another value")
        }
        if let addition = configuration.textAndTime {
            let found = texts.pooledChannels + texts.timeIDs.count * addition.timeChannels
            guard found == addition.inputChannels else {
                throw ModelError(
                    file, key: "projection_class_embeddings_input_dim",
                    expected: "\(found), as a pooled text and \(texts.timeIDs.count) embedded sizes come to",
                    found: "\(addition.inputChannels)")
            }
        }
        (self.unet, self.texts) = (unet, texts)
    }

    var inChannels: Int { unet.configuration.inChannels }
    var outChannels: Int { unet.configuration.outChannels }
    var trainedSize: (height: Int, width: Int)? { unet.configuration.sampleSize.map { ($0.height, $0.width) } }
    /// The prompts, and the negative one behind them.
    var labelCount: Int { texts.count }
    var parameters: [NetworkParameter] { unet.parameters }
    var parameterCount: Int { unet.parameterCount }
    var levels: ImageNetworkLevels {
        ImageNetworkLevels(
            channels: unet.configuration.blockChannels, downBlocks: unet.configuration.downBlocks.map(\.rawValue),
            upBlocks: unet.configuration.upBlocks.map(\.rawValue))
    }

    func floatingPointOperations(height: Int, width: Int) -> Double {
        unet.floatingPointOperations(.init(height: height, width: width))
    }

    func predict(
        sample: [Float], batch: Int, height: Int, width: Int, timesteps: [Float], labels: [Int]?, threads: Int
    ) throws -> [Float] {
        let labels = labels ?? []
        if let label = labels.first(where: { !(0..<texts.count).contains($0) }) {
            throw NetworkInputError("text \(label) is out of range; there are \(texts.count)")
        }
        let hasAddition = unet.configuration.textAndTime != nil
        return try unet(
            .init(
                sample, rows: batch, shape: .init(height: height, width: width),
                conditioning: .init(
                    timesteps: timesteps, context: labels.flatMap { texts.context(of: $0) }, tokens: texts.tokens,
                    textEmbeddings: hasAddition ? labels.flatMap { texts.pooled(of: $0) } : [],
                    timeIDs: hasAddition ? labels.flatMap { _ in texts.timeIDs } : [])),
            threads: threads)
    }
}
