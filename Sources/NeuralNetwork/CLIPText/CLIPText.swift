/// The text encoder of CLIP (transformers `CLIPTextModel`, `CLIPTextModelWithProjection`): tokens in, a row of numbers for
/// each out, and one for the whole text.
public struct CLIPText: Network {
    public let configuration: CLIPTextConfiguration
    public let resources: NetworkResources

    let tokens: FloatStorage  // embeddings.token_embedding.weight
    let positions: FloatStorage  // embeddings.position_embedding.weight
    let layers: [Layer]  // encoder.layers
    let normOut: LayerNorm  // final_layer_norm
    let projection: PackedMatrix?  // text_projection.weight

    /// Attention to the tokens so far, then a feed-forward layer (transformers `CLIPEncoderLayer`).
    struct Layer: Sendable {
        let norm1: LayerNorm  // layer_norm1
        let attention: TokenAttention  // self_attn
        let norm2: LayerNorm  // layer_norm2
        let first: Linear  // mlp.fc1
        let second: Linear  // mlp.fc2
    }

    public init(_ configuration: CLIPTextConfiguration, _ reader: ParameterReader) throws(CheckpointError) {
        self.configuration = configuration
        let channels = configuration.channels
        func table(_ key: String, _ rows: Int) throws(CheckpointError) -> FloatStorage {
            let values = try reader.read("text_model.embeddings.\(key).weight", [rows, channels])
            return FloatStorage(values, count: values.count)
        }
        tokens = try table("token_embedding", configuration.vocabularySize)
        positions = try table("position_embedding", configuration.positions)
        let heads = AttentionHeads(
            count: configuration.heads, channels: channels / configuration.heads, isCausal: true)
        var layers: [Layer] = []
        for index in 0..<configuration.layers {
            let key = "text_model.encoder.layers.\(index)"
            layers.append(
                Layer(
                    norm1: try LayerNorm(
                        reader, "\(key).layer_norm1", channels, epsilon: configuration.normEpsilon),
                    attention: try TokenAttention(
                        reader, "\(key).self_attn", .clip, channels: channels, contextChannels: channels,
                        heads: heads),
                    norm2: try LayerNorm(
                        reader, "\(key).layer_norm2", channels, epsilon: configuration.normEpsilon),
                    first: try Linear(reader, "\(key).mlp.fc1", from: channels, to: configuration.hiddenChannels),
                    second: try Linear(reader, "\(key).mlp.fc2", from: configuration.hiddenChannels, to: channels)))
        }
        self.layers = layers
        normOut = try LayerNorm(
            reader, "text_model.final_layer_norm", channels, epsilon: configuration.normEpsilon)
        projection =
            if let outputs = configuration.projectionChannels {
                PackedMatrix(
                    [(try reader.read("text_projection.weight", [outputs, channels]), outputs, 0)],
                    inputs: ChannelLayout(channels), columns: paddedChannels(outputs), precision: .f32)
            } else {
                nil
            }
        resources = reader.resources
    }

    /// Numbers of the pooled text.
    public var pooledChannels: Int { configuration.projectionChannels ?? configuration.channels }

    /// An encoded batch of texts.
    public struct Encoding: Sendable {
        /// `[texts, tokens, channels]`, normalised.
        public let lastHiddenState: [Float]
        /// The same before the last layer, not normalised.
        public let penultimate: [Float]
        /// `[texts, pooledChannels]`: of the end token, projected where the model projects it.
        public let pooled: [Float]
    }

    /// - Parameters:
    ///   - ids: `[texts, length]`, each below the size of the vocabulary.
    ///   - texts: their number.
    ///   - length: tokens of each.
    ///   - threads: threads to use.
    /// - Throws: ``NetworkInputError`` for too many tokens, or one out of range.
    public func encode(_ ids: [Int], texts: Int, length: Int, threads: Int) throws(NetworkInputError) -> Encoding {
        if let id = ids.first(where: { !(0..<configuration.vocabularySize).contains($0) }) {
            throw NetworkInputError(
                "token \(id) is out of range; this network knows 0 to \(configuration.vocabularySize - 1)")
        }
        let output = try self(Input(ids, rows: texts, shape: length, conditioning: ()), threads: threads)
        let size = length * configuration.channels
        let row = 2 * size + pooledChannels
        func part(_ range: Range<Int>) -> [Float] {
            (0..<max(0, texts)).flatMap { output[$0 * row + range.lowerBound..<$0 * row + range.upperBound] }
        }
        return Encoding(
            lastHiddenState: part(0..<size), penultimate: part(size..<2 * size), pooled: part(2 * size..<row))
    }

    public func inputDimensions(_ length: Int) -> [Int] { [length] }
    /// The three parts of an ``Encoding``, one behind the other.
    public func outputDimensions(_ length: Int) -> [Int] { [2 * length * configuration.channels + pooledChannels] }
    public func rowsPerPass(_ length: Int) -> Int {
        let widest = max(configuration.channels, configuration.hiddenChannels)
        return max(1, min(32, 10_000_000 / (max(1, length) * widest)))
    }

    public func check(_ length: Int) throws(NetworkInputError) {
        guard (1...configuration.positions).contains(length) else {
            throw NetworkInputError("texts of \(length) tokens; this network takes 1 to \(configuration.positions)")
        }
    }

    public func floatingPointOperations(_ length: Int) -> Double {
        let tokens = Double(length)
        let layer = layers.reduce(0.0) {
            $0 + $1.attention.operations(tokens: length, context: length)
                + tokens * ($1.first.operations + $1.second.operations)
        }
        return layer + 2 * Double(configuration.channels) * Double(configuration.projectionChannels ?? 0)
    }

    public func forward(
        _ sample: UnsafePointer<Int>, _ length: Int, _ conditioning: Void,
        into output: UnsafeMutablePointer<Float>, _ pass: Pass
    ) {
        let channels = configuration.channels
        let row = 2 * length * channels + pooledChannels
        let x = Images(pass, channels: channels, height: 1, width: length)
        for text in 0..<pass.count {
            for place in 0..<length {
                let token = x.image(text) + place * x.stride
                // `encode` refuses a token out of range; a caller that goes past it gets a wrong word, not another's memory.
                let id = min(max(sample[text * length + place], 0), configuration.vocabularySize - 1)
                let (word, position) = (
                    tokens.pointer + id * channels, positions.pointer + place * channels
                )
                for channel in 0..<channels { token[channel] = word[channel] + position[channel] }
                (token + channels).update(repeating: 0, count: x.stride - channels)
            }
        }
        /// Copies all tokens to a part of every row of the output.
        func copy(_ x: Images, at offset: Int) {
            for text in 0..<pass.count {
                for place in 0..<length {
                    (output + text * row + offset + place * channels).update(
                        from: x.image(text) + place * x.stride, count: channels)
                }
            }
        }
        for (index, layer) in layers.enumerated() {
            if index == layers.count - 1 { copy(x, at: length * channels) }
            run(layer, x, pass)
        }
        let last = normOut(x, pass)
        copy(last, at: 0)
        pool(last, sample, length, into: output + 2 * length * channels, rowStride: row, pass)
    }

    /// In place.
    private func run(_ layer: Layer, _ x: Images, _ pass: Pass) {
        var normalised = layer.norm1(x, pass)
        layer.attention(normalised, context: normalised, addingTo: x, pass)
        pass.giveBack(normalised)
        normalised = layer.norm2(x, pass)
        let rows = pass.count * x.pixels
        let stride = layer.first.matrix.columns
        let hidden = pass.take(perRow: x.pixels * stride)
        layer.first(normalised.pointer, stride: x.stride, count: rows, into: hidden.pointer, pass)
        let slab = 16
        pass.parallel((rows + slab - 1) / slab) { unit, _ in
            let first = unit * slab
            configuration.activation(hidden.pointer + first * stride, count: min(slab, rows - first) * stride)
        }
        layer.second.matrix.multiply(
            hidden.pointer, stride: stride, count: rows, bias: layer.second.bias.pointer, into: x.pointer,
            outStride: x.stride, residual: x.pointer, residualStride: x.stride, pass)
        pass.giveBack(hidden)
        pass.giveBack(normalised)
    }

    /// The end token's numbers of every text, projected if the model does so.
    private func pool(
        _ x: Images, _ sample: UnsafePointer<Int>, _ length: Int, into output: UnsafeMutablePointer<Float>,
        rowStride: Int, _ pass: Pass
    ) {
        for text in 0..<pass.count {
            let ids = UnsafeBufferPointer(start: sample + text * length, count: length)
            // transformers pools the first place where there is no end token.
            let place =
                configuration.endToken == 2
                ? ids.firstIndex(of: ids.max() ?? 0) ?? 0 : ids.firstIndex(of: configuration.endToken) ?? 0
            let pooled = x.image(text) + place * x.stride
            guard let projection else {
                (output + text * rowStride).update(from: pooled, count: configuration.channels)
                continue
            }
            let projected = pass.take(floats: projection.columns)
            projection.multiply(
                pooled, stride: x.stride, count: 1, bias: nil, into: projected.pointer,
                outStride: projection.columns, pass)
            (output + text * rowStride).update(from: projected.pointer, count: pooledChannels)
            pass.giveBack(projected)
        }
    }
}
