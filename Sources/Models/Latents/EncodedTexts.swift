import NeuralNetwork

/// Texts as a pipeline's U-Net reads them, encoded once.
struct EncodedTexts: Sendable {
    let count: Int
    /// Tokens of each text, and numbers of each token.
    let tokens: Int
    let channels: Int
    /// Numbers of the pooled text; 0 for networks that do not read it.
    let pooledChannels: Int
    /// What the network is told of the picture's size (SDXL): height and width of the original, the crop's top and left,
    /// height and width that are wanted; empty for networks that do not read it.
    let timeIDs: [Float]
    private let contexts: [Float]
    private let pools: [Float]

    func context(of text: Int) -> ArraySlice<Float> {
        contexts[text * tokens * channels..<(text + 1) * tokens * channels]
    }
    func pooled(of text: Int) -> ArraySlice<Float> { pools[text * pooledChannels..<(text + 1) * pooledChannels] }

    /// Stable Diffusion 1 and 2: one encoder, whose last hidden state is read.
    /// - Parameters:
    ///   - folder: of the pipeline.
    ///   - prompts: at least one.
    ///   - negative: nil for the empty text.
    ///   - threads: cores to use.
    init(stableDiffusion folder: String, prompts: [String], negative: String?, threads: Int) throws {
        let texts = prompts + [negative ?? ""]
        let encoder = try Encoder(folder, tokenizer: "tokenizer", encoder: "text_encoder")
        let encoding = try encoder.encode(texts, threads: threads)
        (count, tokens, channels) = (texts.count, encoder.tokenizer.length, encoder.network.configuration.channels)
        (pooledChannels, timeIDs, contexts, pools) = (0, [], encoding.lastHiddenState, [])
    }

    /// Stable Diffusion XL: two encoders, whose hidden states before the last layer stand side by side, and the second's pooled
    /// text.
    /// - Parameters:
    ///   - folder: of the pipeline.
    ///   - prompts: at least one.
    ///   - negative: nil for none, which `force_zeros_for_empty_prompt` makes zeros.
    ///   - zeros: whether it does.
    ///   - picture: height and width.
    ///   - threads: cores to use.
    init(
        stableDiffusionXL folder: String, prompts: [String], negative: String?, zeros: Bool,
        picture: (height: Int, width: Int), threads: Int
    ) throws {
        let texts = prompts + [negative ?? ""]
        let first = try Encoder(folder, tokenizer: "tokenizer", encoder: "text_encoder")
        let second = try Encoder(folder, tokenizer: "tokenizer_2", encoder: "text_encoder_2")
        guard first.tokenizer.length == second.tokenizer.length else {
            throw ModelError(
                "\(folder)/tokenizer_2/tokenizer_config.json", key: "model_max_length",
                expected: "\(first.tokenizer.length), as the first tokenizer's", found: "\(second.tokenizer.length)")
        }
        let (one, two) = (try first.encode(texts, threads: threads), try second.encode(texts, threads: threads))
        let widths = (first.network.configuration.channels, second.network.configuration.channels)
        (count, tokens, channels) = (texts.count, first.tokenizer.length, widths.0 + widths.1)
        pooledChannels = second.network.pooledChannels
        var contexts: [Float] = []
        for token in 0..<texts.count * first.tokenizer.length {
            contexts += one.penultimate[token * widths.0..<(token + 1) * widths.0]
            contexts += two.penultimate[token * widths.1..<(token + 1) * widths.1]
        }
        var pools = two.pooled
        if negative == nil, zeros {
            let (context, pooled) = (prompts.count * tokens * channels, prompts.count * pooledChannels)
            contexts.replaceSubrange(context..., with: repeatElement(0, count: contexts.count - context))
            pools.replaceSubrange(pooled..., with: repeatElement(0, count: pools.count - pooled))
        }
        (self.contexts, self.pools) = (contexts, pools)
        let (height, width) = (Float(picture.height), Float(picture.width))
        timeIDs = [height, width, 0, 0, height, width]
    }

    /// A tokenizer and the network that reads its tokens.
    private struct Encoder {
        let tokenizer: CLIPTokenizer
        let network: CLIPText

        init(_ folder: String, tokenizer: String, encoder: String) throws {
            self.tokenizer = try CLIPTokenizer(folder: "\(folder)/\(tokenizer)")
            network = try CLIPText(folder: "\(folder)/\(encoder)")
            let positions = network.configuration.positions
            guard self.tokenizer.length <= positions else {
                throw ModelError(
                    "\(folder)/\(tokenizer)/tokenizer_config.json", key: "model_max_length",
                    expected: "at most \(positions), as the text encoder has", found: "\(self.tokenizer.length)")
            }
        }

        func encode(_ texts: [String], threads: Int) throws -> CLIPText.Encoding {
            try network.encode(
                texts.flatMap(tokenizer.encode), texts: texts.count, length: tokenizer.length, threads: threads)
        }
    }
}
