/// Attention of tokens to tokens, their own or another sequence's: W_o · softmax(Q Kᵀ / √d) V + b, with Q from the tokens and
/// K and V from the context.
struct TokenAttention: Sendable {
    let query: PackedMatrix
    let keysAndValues: PackedMatrix  // side by side
    let queryBias: FloatStorage?
    let keyBias: FloatStorage?
    let output: Linear
    let heads: AttentionHeads

    /// What a checkpoint calls the four matrices.
    struct Keys {
        let query, key, value, output: String
        /// Whether the first three have a bias; the last always has.
        let hasBias: Bool

        /// diffusers' `Attention`.
        static let diffusers = Keys(query: "to_q", key: "to_k", value: "to_v", output: "to_out.0", hasBias: false)
        /// transformers' `CLIPAttention`.
        static let clip = Keys(query: "q_proj", key: "k_proj", value: "v_proj", output: "out_proj", hasBias: true)
    }

    /// - Parameters:
    ///   - channels: of the tokens.
    ///   - contextChannels: of what they attend to.
    init(
        _ reader: ParameterReader, _ key: String, _ keys: Keys, channels: Int, contextChannels: Int,
        heads: AttentionHeads
    ) throws(CheckpointError) {
        self.heads = AttentionHeads(
            count: heads.count, channels: heads.channels, isCausal: heads.isCausal, precision: reader.precision)
        let inner = heads.count * heads.channels
        let columns = paddedChannels(inner)
        func bias(_ name: String) throws(CheckpointError) -> [Float] {
            let values = try reader.read("\(key).\(name).bias", [inner])
            return values.isEmpty ? [] : values + [Float](repeating: 0, count: columns - inner)
        }
        let queryWeights = try reader.read("\(key).\(keys.query).weight", [inner, channels])
        queryBias = keys.hasBias ? FloatStorage(try bias(keys.query), count: columns) : nil
        let keyWeights = try reader.read("\(key).\(keys.key).weight", [inner, contextChannels])
        let keyValues = keys.hasBias ? try bias(keys.key) : []
        let valueWeights = try reader.read("\(key).\(keys.value).weight", [inner, contextChannels])
        keyBias = keys.hasBias ? FloatStorage(keyValues + (try bias(keys.value)), count: 2 * columns) : nil
        query = PackedMatrix(
            [(queryWeights, inner, 0)], inputs: ChannelLayout(channels), columns: columns, precision: reader.precision)
        keysAndValues = PackedMatrix(
            [(keyWeights, inner, 0), (valueWeights, inner, columns)], inputs: ChannelLayout(contextChannels),
            columns: 2 * columns, precision: reader.precision)
        output = try Linear(
            reader, "\(key).\(keys.output)", from: inner, to: channels, precision: reader.precision)
    }

    /// Adds the attention of the tokens `x` to `sum`.
    func callAsFunction(_ x: Images, context: Images, addingTo sum: Images, _ pass: Pass) {
        let stride = query.columns
        let queries = pass.take(perRow: x.pixels * stride)
        query.multiply(
            x.pointer, stride: x.stride, count: x.count * x.pixels, bias: queryBias?.pointer, into: queries.pointer,
            outStride: stride, pass)
        let keys = pass.take(perRow: context.pixels * 2 * stride)
        keysAndValues.multiply(
            context.pointer, stride: context.stride, count: x.count * context.pixels, bias: keyBias?.pointer,
            into: keys.pointer, outStride: 2 * stride, pass)
        let mixed = pass.take(perRow: x.pixels * stride)
        heads(
            queries: .init(pointer: queries.pointer, stride: stride, count: x.pixels),
            keys: .init(pointer: keys.pointer, stride: 2 * stride, count: context.pixels),
            values: .init(pointer: keys.pointer + stride, stride: 2 * stride, count: context.pixels),
            images: x.count, into: mixed.pointer, stride: stride, pass)
        pass.giveBack(keys)
        pass.giveBack(queries)
        output.matrix.multiply(
            mixed.pointer, stride: stride, count: x.count * x.pixels, bias: output.bias.pointer, into: sum.pointer,
            outStride: sum.stride, residual: sum.pointer, residualStride: sum.stride, pass)
        pass.giveBack(mixed)
    }

    /// Operations for one sequence.
    func operations(tokens: Int, context: Int) -> Double {
        let inner = Double(heads.count * heads.channels)
        return 2 * Double(tokens) * Double(query.depth) * inner
            + 4 * Double(context) * Double(keysAndValues.depth) * inner
            + Double(tokens) * output.operations + heads.operations(queries: tokens, keys: context)
    }
}
