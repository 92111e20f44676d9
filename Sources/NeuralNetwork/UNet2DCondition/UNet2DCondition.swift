/// A `UNet2DConditionModel` of diffusers: a U-Net whose blocks also attend to a context, such as an encoded text.
public struct UNet2DCondition: Network {
    public let configuration: UNet2DConditionConfiguration
    public let resources: NetworkResources

    let embedding: TimeAndClass
    let addition: TimestepEmbedding?  // add_embedding
    let additionSinusoid: SinusoidalEmbedding?
    let contextProjection: Linear?  // encoder_hid_proj
    let timeProjection: TimeProjection
    let body: UNetBody

    public init(_ configuration: UNet2DConditionConfiguration, _ reader: ParameterReader) throws(CheckpointError) {
        self.configuration = configuration
        func sinusoid(_ channels: Int) -> SinusoidalEmbedding {
            SinusoidalEmbedding(
                channels: channels, flipSinToCos: configuration.flipSinToCos,
                frequencyShift: configuration.frequencyShift)
        }
        var builder = BlockBuilder(configuration.plan, reader)
        embedding = try TimeAndClass(
            reader, sinusoid: sinusoid(configuration.blockChannels[0]), channels: configuration.timeEmbeddingChannels,
            classes: configuration.classEmbedding, activation: configuration.activation)
        addition =
            if let textAndTime = configuration.textAndTime {
                try TimestepEmbedding(
                    reader, "add_embedding", from: textAndTime.inputChannels, to: configuration.timeEmbeddingChannels)
            } else {
                nil
            }
        additionSinusoid = configuration.textAndTime.map { sinusoid($0.timeChannels) }
        contextProjection =
            if let channels = configuration.encodedContextChannels {
                try Linear(reader, "encoder_hid_proj", from: channels, to: configuration.contextChannels[0])
            } else {
                nil
            }
        body = try UNetBody(
            &builder, from: configuration.inChannels, to: configuration.outChannels,
            centersInput: configuration.centerInputSample, outActivation: configuration.activation)
        timeProjection = builder.time.build(channels: configuration.timeEmbeddingChannels)
        resources = reader.resources
    }

    /// What a call's rows depend on beside the images.
    public struct Conditioning: Sendable {
        /// `[rows]`, the network's own time input.
        public var timesteps: [Float]
        /// `[rows, tokens, inputContextChannels]` (`encoder_hidden_states`)
        public var context: [Float]
        /// Tokens of each row's context.
        public var tokens: Int
        public var classes: UNet2D.Classes
        /// `[rows, …]`, for networks with ``UNet2DConditionConfiguration/textAndTime`` (`text_embeds`).
        public var textEmbeddings: [Float]
        /// `[rows, …]`, for the same (`time_ids`).
        public var timeIDs: [Float]

        public init(
            timesteps: [Float], context: [Float], tokens: Int, classes: UNet2D.Classes = .none,
            textEmbeddings: [Float] = [], timeIDs: [Float] = []
        ) {
            (self.timesteps, self.context, self.tokens, self.classes) = (timesteps, context, tokens, classes)
            (self.textEmbeddings, self.timeIDs) = (textEmbeddings, timeIDs)
        }
    }

    public func inputDimensions(_ size: UNet2DConfiguration.ImageSize) -> [Int] {
        [configuration.inChannels, size.height, size.width]
    }

    public func outputDimensions(_ size: UNet2DConfiguration.ImageSize) -> [Int] {
        [configuration.outChannels, size.height, size.width]
    }

    public func rowsPerPass(_ size: UNet2DConfiguration.ImageSize) -> Int {
        size.rowsPerPass(blockChannels: configuration.blockChannels)
    }

    /// With a context of 77 tokens, as CLIP makes.
    public func floatingPointOperations(_ size: UNet2DConfiguration.ImageSize) -> Double {
        let tokens = 77
        return embedding.operations + (addition?.operations ?? 0) + timeProjection.operations
            + Double(tokens) * (contextProjection?.operations ?? 0) + body.operations(size, context: tokens)
    }

    public func check(_ size: UNet2DConfiguration.ImageSize) throws(NetworkInputError) {
        try size.check(halvings: configuration.halvings)
    }

    public func check(_ conditioning: Conditioning, rows: Int) throws(NetworkInputError) {
        guard (1...1_000_000).contains(conditioning.tokens) || (conditioning.tokens == 0 && !configuration.hasContext)
        else {
            throw NetworkInputError("a context of \(conditioning.tokens) tokens; this network needs 1 to 1000000")
        }
        try NetworkInputError.check(
            conditioning.context.count, "the context has", rows: rows,
            dimensions: [conditioning.tokens, configuration.inputContextChannels])
        try NetworkInputError.check(conditioning.timesteps.count, "timesteps", rows: rows)
        try configuration.classEmbedding.check(
            conditioning.classes, rows: rows, channels: configuration.timeEmbeddingChannels)
        if let textAndTime = configuration.textAndTime {
            guard rows > 0 else { return }
            let (text, times) = (conditioning.textEmbeddings.count, conditioning.timeIDs.count)
            guard text % rows == 0, times % rows == 0,
                text / rows + times / rows * textAndTime.timeChannels == textAndTime.inputChannels
            else {
                throw NetworkInputError(
                    "text embeddings of \(text) and time ids of \(times) numbers for \(rows) rows; a row's text embedding and \(textAndTime.timeChannels) numbers for each of its time ids must come to \(textAndTime.inputChannels)"
                )
            }
        } else if !conditioning.textEmbeddings.isEmpty || !conditioning.timeIDs.isEmpty {
            throw NetworkInputError("text embeddings or time ids given to a network that has no place for them")
        }
    }

    public func forward(
        _ sample: UnsafePointer<Float>, _ size: UNet2DConfiguration.ImageSize, _ conditioning: Conditioning,
        into output: UnsafeMutablePointer<Float>, _ pass: Pass
    ) {
        let time = embed(conditioning, pass)
        var context: Images?
        if configuration.hasContext {
            let tokens = Images(
                pass, tokens: conditioning.context, count: conditioning.tokens,
                channels: configuration.inputContextChannels)
            context = tokens
            if let contextProjection {
                let projected = Images(
                    pass, channels: contextProjection.outChannels, height: 1, width: conditioning.tokens)
                contextProjection(
                    tokens.pointer, stride: tokens.stride, count: pass.count * conditioning.tokens,
                    into: projected.pointer,
                    pass)
                pass.giveBack(tokens)
                context = projected
            }
        }
        body(sample, size, time: time, context: context, into: output, pass)
    }

    /// The embedding of time, class, text and sizes, as every residual block sees it.
    private func embed(_ conditioning: Conditioning, _ pass: Pass) -> TimeProjection.Values {
        pass.timed("time embedding") {
            let embedded = embedding(conditioning.timesteps, conditioning.classes, pass)
            let stride = paddedChannels(configuration.timeEmbeddingChannels)
            if let addition, let additionSinusoid {
                let added = pass.take(perRow: stride)
                let input = additionInput(conditioning, additionSinusoid, addition.first.inChannels, pass)
                addition(input.pointer, into: added.pointer, pass)
                for index in 0..<pass.count * stride { embedded.pointer[index] += added.pointer[index] }
                pass.giveBack(input)
                pass.giveBack(added)
            }
            configuration.activation(embedded.pointer, count: pass.count * stride)
            let values = timeProjection(embedded.pointer, pass)
            pass.giveBack(embedded)
            return values
        }
    }

    /// Every row's text embedding, and the sinusoids of its time ids behind it.
    private func additionInput(
        _ conditioning: Conditioning, _ sinusoid: SinusoidalEmbedding, _ channels: Int, _ pass: Pass
    ) -> Workspace.Block {
        let stride = paddedChannels(channels)
        let block = pass.take(perRow: stride)
        let rows = conditioning.timesteps.count
        let (text, times) = (conditioning.textEmbeddings.count / rows, conditioning.timeIDs.count / rows)
        for (row, index) in pass.rows.enumerated() {
            let place = block.pointer + row * stride
            for channel in 0..<text { place[channel] = conditioning.textEmbeddings[index * text + channel] }
            for time in 0..<times {
                sinusoid(
                    conditioning.timeIDs[index * times + time], into: place + text + time * sinusoid.channels)
            }
            (place + channels).update(repeating: 0, count: stride - channels)
        }
        return block
    }
}
