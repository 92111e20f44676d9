import Platform

/// The shape of a Llama, as transformers' `LlamaConfig` says it.
package struct LlamaConfiguration: Equatable, Sendable {
    package var vocabularySize: Int
    /// Of the residual stream.
    package var width: Int
    /// Of the feed-forward layers.
    package var hiddenWidth: Int
    package var layerCount: Int
    package var headCount: Int
    /// Heads of keys and values, each shared by headCount / keyHeadCount heads of queries.
    package var keyHeadCount: Int
    /// Channels of a head; even.
    package var headWidth: Int
    /// The longest context.
    package var contextLength: Int
    /// ε of the normalisations.
    package var epsilon = 1e-5
    /// Whether the token embedding is the last layer's matrix too.
    package var isTied: Bool
    package var hasAttentionBias = false
    package var hasFeedForwardBias = false
    package var rotation = LlamaRotation()

    package init(
        vocabularySize: Int, width: Int, hiddenWidth: Int, layerCount: Int, headCount: Int, keyHeadCount: Int,
        headWidth: Int, contextLength: Int, isTied: Bool
    ) {
        (self.vocabularySize, self.width, self.hiddenWidth) = (vocabularySize, width, hiddenWidth)
        (self.layerCount, self.headCount, self.keyHeadCount) = (layerCount, headCount, keyHeadCount)
        (self.headWidth, self.contextLength, self.isTied) = (headWidth, contextLength, isTied)
    }

    /// What the weights are called, and their shapes: `[outputs, inputs]` of a matrix.
    package var parameters: [NetworkParameter] {
        func parameter(_ name: String, _ shape: Int...) -> NetworkParameter {
            NetworkParameter(name: name, shape: shape, dtype: "F32")
        }
        let (queries, keys) = (headCount * headWidth, keyHeadCount * headWidth)
        var result = [parameter("model.embed_tokens.weight", vocabularySize, width)]
        for layer in 0..<layerCount {
            let key = "model.layers.\(layer)"
            func matrix(_ name: String, _ outputs: Int, _ inputs: Int, hasBias: Bool) {
                result.append(parameter("\(key).\(name).weight", outputs, inputs))
                if hasBias { result.append(parameter("\(key).\(name).bias", outputs)) }
            }
            result.append(parameter("\(key).input_layernorm.weight", width))
            matrix("self_attn.q_proj", queries, width, hasBias: hasAttentionBias)
            matrix("self_attn.k_proj", keys, width, hasBias: hasAttentionBias)
            matrix("self_attn.v_proj", keys, width, hasBias: hasAttentionBias)
            matrix("self_attn.o_proj", width, queries, hasBias: hasAttentionBias)
            result.append(parameter("\(key).post_attention_layernorm.weight", width))
            matrix("mlp.gate_proj", hiddenWidth, width, hasBias: hasFeedForwardBias)
            matrix("mlp.up_proj", hiddenWidth, width, hasBias: hasFeedForwardBias)
            matrix("mlp.down_proj", width, hiddenWidth, hasBias: hasFeedForwardBias)
        }
        result.append(parameter("model.norm.weight", width))
        if !isTied { result.append(parameter("lm_head.weight", vocabularySize, width)) }
        return result
    }
}

extension LlamaConfiguration {
    /// Reads a `config.json` of transformers.
    /// - Throws: ``CheckpointError`` naming the key that is missing, unsound or of something that is not supported.
    package init(path: String) throws(CheckpointError) {
        let reader = try ConfigurationReader(path: path)
        let sizes = 1...1 << 24
        func size(_ key: String) throws(CheckpointError) -> Int {
            try reader.required(try reader.integer(key, in: sizes), key, "an integer of at least 1")
        }
        enum Architecture: String, CaseIterable { case llama }
        _ = try reader.required(
            try reader.choice("model_type", Architecture.self), "model_type", "\"llama\", the one kind that is read")
        enum Activation: String, CaseIterable { case silu, swish }
        _ = try reader.choice("hidden_act", Activation.self)
        let (width, headCount) = (try size("hidden_size"), try size("num_attention_heads"))
        let keyHeadCount = try reader.integer("num_key_value_heads", in: sizes) ?? headCount
        let headWidth: Int
        if let given = try reader.integer("head_dim", in: 2...1 << 16) {
            headWidth = given
        } else {
            guard width % headCount == 0 else {
                throw CheckpointError(
                    .unsupported, file: reader.file, subject: "key num_attention_heads",
                    "expected a divisor of hidden_size \(width), found \(headCount); or give head_dim")
            }
            headWidth = width / headCount
        }
        guard headCount % keyHeadCount == 0, headWidth % 2 == 0 else {
            throw CheckpointError(
                .unsupported, file: reader.file, subject: "key num_key_value_heads",
                "expected a divisor of the \(headCount) heads, and heads of an even width; found \(keyHeadCount) and "
                    + "\(headWidth)")
        }
        self.init(
            vocabularySize: try size("vocab_size"), width: width, hiddenWidth: try size("intermediate_size"),
            layerCount: try reader.required(
                try reader.integer("num_hidden_layers", in: 1...4096), "num_hidden_layers", "an integer of at least 1"),
            headCount: headCount, keyHeadCount: keyHeadCount, headWidth: headWidth,
            contextLength: try reader.integer("max_position_embeddings", in: sizes) ?? 2048,
            isTied: try reader.flag("tie_word_embeddings") ?? false)
        epsilon = try reader.number("rms_norm_eps", "a number above 0") { $0 > 0 } ?? 1e-6
        hasAttentionBias = try reader.flag("attention_bias") ?? false
        hasFeedForwardBias = try reader.flag("mlp_bias") ?? false
        rotation = try LlamaRotation(reader)
    }
}

/// How queries and keys turn with their position (RoPE, Su et al. 2021): channels i and i + d/2 of a head by the angle
/// position · θ^{-2i/d}, with the frequencies scaled for contexts longer than those of training.
package struct LlamaRotation: Equatable, Sendable {
    /// θ
    package var base = 10_000.0
    package var scaling = Scaling.none

    package enum Scaling: Equatable, Sendable {
        case none
        /// All frequencies are divided by the factor.
        case linear(factor: Double)
        /// Low frequencies are divided by the factor, high ones are left, and between them the two are mixed (Llama 3.1).
        case llama3(factor: Double, lowFrequency: Double, highFrequency: Double, originalLength: Double)
    }

    package init() {}

    /// Reads `rope_theta` and `rope_scaling`, or `rope_parameters`, as transformers 5 writes both.
    init(_ reader: ConfigurationReader) throws(CheckpointError) {
        let isPositive = { (value: Double) in value > 0 }
        base = try reader.number("rope_theta", "a number above 0", isPositive) ?? 10_000
        let key = reader.value("rope_parameters") == nil ? "rope_scaling" : "rope_parameters"
        guard let value = reader.value(key) else { return }
        guard case .object = value else { throw reader.unsupported(key, value, supported: "an object") }
        func number(_ name: String, _ usual: Double? = nil) throws(CheckpointError) -> Double {
            let found = value[name] ?? .null
            if found == .null, let usual { return usual }
            guard let number = found.double, number.isFinite, number > 0 else {
                throw reader.unsupported("\(key).\(name)", found, supported: "a number above 0")
            }
            return number
        }
        base = try number("rope_theta", base)
        let type = value["rope_type"] ?? value["type"] ?? .string("default")
        switch type.string {
        case "default": scaling = .none
        case "linear": scaling = .linear(factor: try number("factor"))
        case "llama3":
            let (low, high) = (try number("low_freq_factor"), try number("high_freq_factor"))
            guard low < high else {
                throw reader.unsupported(
                    "\(key).high_freq_factor", .number(high), supported: "a number above low_freq_factor")
            }
            scaling = .llama3(
                factor: try number("factor"), lowFrequency: low, highFrequency: high,
                originalLength: try number("original_max_position_embeddings"))
        default: throw reader.unsupported("\(key).rope_type", type, supported: "default, linear, llama3")
        }
    }

    /// Radians a position for each of the `headWidth` / 2 pairs, in single precision as transformers has them.
    func frequencies(headWidth: Int) -> [Float] {
        (0..<headWidth / 2).map { pair in
            let plain = Float(pow(base, -2 * Double(pair) / Double(headWidth)))
            switch scaling {
            case .none: return plain
            case .linear(let factor): return plain / Float(factor)
            case .llama3(let factor, let low, let high, let length):
                let turns = length * Double(plain) / (2 * Double.pi)
                if turns < low { return Float(Double(plain) / factor) }
                if turns > high { return plain }
                let share = (turns - low) / (high - low)
                return Float((1 - share) * Double(plain) / factor + share * Double(plain))
            }
        }
    }
}
