/// A Llama (Touvron et al. 2023): RMS norms, rotary positions, attention with keys and values shared by groups of queries, and gated
/// feed-forward layers.
///
/// What it computes of a token depends on the tokens before it alone, to the bit: neither on those computed in the same call nor on
/// what a ``LlamaCache`` holds already, nor on the number of threads.
package struct Llama: Sendable {
    package let configuration: LlamaConfiguration
    let layers: [Layer]
    let norm: FloatStorage
    /// [vocabularySize, width], where the last layer's matrix is another.
    let embedding: FloatStorage?
    let classifier: PackedMatrix
    /// Radians a position for each pair of a head's channels.
    let frequencies: [Float]
    let workspaces = WorkspacePool()

    struct Layer: Sendable {
        let attentionNorm, feedForwardNorm: FloatStorage
        /// Queries, keys and values side by side, each head padded.
        let projections: PackedMatrix
        let projectionBias: FloatStorage?
        let output: PackedMatrix
        let outputBias: FloatStorage?
        /// Gates and what they multiply side by side.
        let gates: PackedMatrix
        let gateBias: FloatStorage?
        let down: PackedMatrix
        let downBias: FloatStorage?
    }

    /// - Parameters:
    ///   - configuration: sound already.
    ///   - precision: of the large products.
    ///   - tensor: the values of each of the configuration's parameters, with as many numbers as its shape says.
    package init(
        _ configuration: LlamaConfiguration, precision: Precision, tensor: (String) throws -> [Float]
    ) rethrows {
        let (width, hidden) = (configuration.width, configuration.hiddenWidth)
        let (paddedWidth, paddedHidden) = (paddedChannels(width), paddedChannels(hidden))
        let (headWidth, paddedHead) = (configuration.headWidth, configuration.paddedHeadWidth)
        let (heads, keyHeads) = (configuration.headCount, configuration.keyHeadCount)
        func vector(_ name: String) throws -> FloatStorage {
            FloatStorage(try tensor(name), count: paddedWidth)
        }
        func bias(_ isThere: Bool, _ names: [String], of count: Int, headed: Bool = false) throws -> FloatStorage? {
            guard isThere else { return nil }
            var values: [Float] = []
            for name in names {
                let part = try tensor("\(name).bias")
                let step = headed ? headWidth : part.count
                for start in stride(from: 0, to: part.count, by: step) {
                    values += part[start..<start + step]
                    values += [Float](repeating: 0, count: paddedChannels(step) - step)
                }
            }
            return FloatStorage(values, count: count)
        }
        var layers: [Layer] = []
        for index in 0..<configuration.layerCount {
            let key = "model.layers.\(index)"
            let attention = "\(key).self_attn"
            // Each head's outputs go to columns of their own, padded to whole cache lines.
            var parts: [(weights: [Float], outputs: Int, firstColumn: Int)] = []
            for (name, count) in [("q_proj", heads), ("k_proj", keyHeads), ("v_proj", keyHeads)] {
                let weights = try tensor("\(attention).\(name).weight")
                let size = headWidth * width
                for head in 0..<count {
                    parts.append((Array(weights[head * size..<(head + 1) * size]), headWidth, parts.count * paddedHead))
                }
            }
            let columns = (heads + 2 * keyHeads) * paddedHead
            let (attends, feeds) = (configuration.hasAttentionBias, configuration.hasFeedForwardBias)
            layers.append(
                Layer(
                    attentionNorm: try vector("\(key).input_layernorm.weight"),
                    feedForwardNorm: try vector("\(key).post_attention_layernorm.weight"),
                    projections: PackedMatrix(
                        parts, inputs: ChannelLayout(width), columns: columns, precision: precision),
                    projectionBias: try bias(
                        attends, ["q_proj", "k_proj", "v_proj"].map { "\(attention).\($0)" }, of: columns, headed: true),
                    output: PackedMatrix(
                        [(try tensor("\(attention).o_proj.weight"), width, 0)],
                        positions: (0..<heads * headWidth).map { $0 / headWidth * paddedHead + $0 % headWidth },
                        depth: heads * paddedHead, columns: paddedWidth, precision: precision),
                    outputBias: try bias(attends, ["\(attention).o_proj"], of: paddedWidth),
                    gates: PackedMatrix(
                        [
                            (try tensor("\(key).mlp.gate_proj.weight"), hidden, 0),
                            (try tensor("\(key).mlp.up_proj.weight"), hidden, paddedHidden),
                        ], inputs: ChannelLayout(width), columns: 2 * paddedHidden, precision: precision),
                    gateBias: try bias(
                        feeds, ["\(key).mlp.gate_proj", "\(key).mlp.up_proj"], of: 2 * paddedHidden),
                    down: PackedMatrix(
                        [(try tensor("\(key).mlp.down_proj.weight"), width, 0)], inputs: ChannelLayout(hidden),
                        columns: paddedWidth, precision: precision),
                    downBias: try bias(feeds, ["\(key).mlp.down_proj"], of: paddedWidth)))
        }
        norm = try vector("model.norm.weight")
        let tokens = try tensor("model.embed_tokens.weight")
        let columns = paddedChannels(configuration.vocabularySize)
        let last = configuration.isTied ? tokens : try tensor("lm_head.weight")
        classifier = PackedMatrix(
            [(last, configuration.vocabularySize, 0)], inputs: ChannelLayout(width), columns: columns,
            precision: precision)
        // A matrix that serves twice is kept once, as the product wants it.
        embedding = configuration.isTied ? nil : FloatStorage(tokens, count: tokens.count)
        frequencies = configuration.rotation.frequencies(headWidth: headWidth)
        (self.configuration, self.layers) = (configuration, layers)
    }

    /// Reads `config.json` and the weights of a folder, as transformers' `save_pretrained` writes them: in one safetensors file or in
    /// shards.
    /// - Throws: ``CheckpointError`` if a file is unreadable or unsound, the configuration is not supported, or the tensors are not
    ///   exactly those it asks for, all finite.
    package init(folder: String, precision: Precision) throws(CheckpointError) {
        let folder = folder.hasSuffix("/") ? folder : "\(folder)/"
        let configuration = try LlamaConfiguration(path: "\(folder)config.json")
        // Old files also store what is computed here, or the tied matrix twice.
        let weights = try NetworkWeights(folder: folder, name: "model").renamed { name in
            name.hasSuffix(".rotary_emb.inv_freq") || (configuration.isTied && name == "lm_head.weight") ? nil : name
        }
        let parameters = configuration.parameters
        let reader = try ParameterReader(weights: weights, expecting: parameters, precision: precision)
        let shapes = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.shape) })
        do {
            try self.init(configuration, precision: precision) { try reader.read($0, shapes[$0] ?? []) }
        } catch let error as CheckpointError { throw error } catch {
            throw CheckpointError(.malformed, file: weights.path, "\(error)")
        }
    }
}

extension LlamaConfiguration {
    /// Channels of a head as they lie in memory.
    var paddedHeadWidth: Int { paddedChannels(headWidth) }
}
