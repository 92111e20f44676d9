import CKernels
import FiniteAlphabets
import Foundation

/// A llama2.c model run token by token: RMS norm, rotary positions, grouped-query attention, gated feed-forward.
///
/// The keys and values of the last context are kept; a context that shares its beginning computes only the rest.
public struct LlamaModel: TokenModel, Sendable {
    public let checkpoint: LlamaCheckpoint
    /// The tokens whose keys and values are kept.
    private var context: [Int] = []
    /// [position, layer, keyWidth]: as long as the longest context so far, for a checkpoint may allow any.
    private var cachedKeys: [Float] = []
    private var cachedValues: [Float] = []

    public init(_ checkpoint: LlamaCheckpoint) {
        self.checkpoint = checkpoint
    }

    public var vocabularySize: Int { checkpoint.vocabularySize }

    /// - Throws: `TokenModelError` for an empty context, one longer than the model's, or a token outside the vocabulary.
    public mutating func nextDistribution(after tokens: [Int]) throws -> FiniteDistribution {
        guard !tokens.isEmpty else {
            throw TokenModelError.parameterOutOfRange(
                name: "the context's length", value: 0,
                expected: "at least 1 (a llama begins with its beginning-of-text token)")
        }
        guard tokens.count <= checkpoint.contextLength else {
            throw TokenModelError.contextTooLong(length: tokens.count, limit: checkpoint.contextLength)
        }
        if let position = tokens.firstIndex(where: { !(0..<vocabularySize).contains($0) }) {
            throw TokenModelError.outsideVocabulary(what: "token \(tokens[position])", position: position)
        }
        var shared = 0
        while shared < min(context.count, tokens.count - 1), context[shared] == tokens[shared] { shared += 1 }
        context.removeLast(context.count - shared)
        var logits: [Float] = []
        for position in shared..<tokens.count {
            logits = forward(tokens[position], at: position, wantsLogits: position == tokens.count - 1)
            context.append(tokens[position])
        }
        let largest = logits.max() ?? 0
        return try FiniteDistribution(
            weights: logits.map { exp(Double($0) - Double(largest)) }, name: "next-token law of the checkpoint")
    }

    /// One token through all layers; keys and values are kept at its position.
    private mutating func forward(_ token: Int, at position: Int, wantsLogits: Bool) -> [Float] {
        let width = checkpoint.width
        let keyWidth = checkpoint.keyWidth
        let hidden = checkpoint.hiddenWidth
        let missing = (position + 1) * checkpoint.layerCount * keyWidth - cachedKeys.count
        if missing > 0 {
            cachedKeys += repeatElement(0, count: missing)
            cachedValues += repeatElement(0, count: missing)
        }
        var stream = Array(checkpoint.tokenEmbedding[(token * width)..<((token + 1) * width)])
        for layer in 0..<checkpoint.layerCount {
            // Attention.
            let normed = normalise(stream, checkpoint.attentionNorms, layer)
            var query = product(checkpoint.queries, layer, rows: width, normed)
            var key = product(checkpoint.keys, layer, rows: keyWidth, normed)
            let value = product(checkpoint.values, layer, rows: keyWidth, normed)
            rotate(&query, position)
            rotate(&key, position)
            let place = (position * checkpoint.layerCount + layer) * keyWidth
            cachedKeys.replaceSubrange(place..<(place + keyWidth), with: key)
            cachedValues.replaceSubrange(place..<(place + keyWidth), with: value)
            let attended = attend(query, layer: layer, upTo: position)
            let attention = product(checkpoint.attentionOutputs, layer, rows: width, attended)
            for i in 0..<width { stream[i] += attention[i] }
            // Feed-forward: w2 (silu(w1 x) · w3 x).
            let second = normalise(stream, checkpoint.feedForwardNorms, layer)
            var gate = product(checkpoint.gates, layer, rows: hidden, second)
            let up = product(checkpoint.ups, layer, rows: hidden, second)
            for i in 0..<hidden { gate[i] = gate[i] / (1 + exp(-gate[i])) * up[i] }
            let down = product(checkpoint.downs, layer, rows: width, gate)
            for i in 0..<width { stream[i] += down[i] }
        }
        guard wantsLogits else { return [] }
        let final = normalise(stream, checkpoint.finalNorm, 0)
        return product(checkpoint.classifier ?? checkpoint.tokenEmbedding, 0, rows: vocabularySize, final)
    }

    /// Softmax attention of each query head over the positions so far.
    private func attend(_ query: [Float], layer: Int, upTo position: Int) -> [Float] {
        let headWidth = checkpoint.headWidth
        let keyWidth = checkpoint.keyWidth
        let group = checkpoint.headCount / checkpoint.keyHeadCount
        let scale = 1 / Float(headWidth).squareRoot()
        let base = layer * keyWidth
        let positionWidth = checkpoint.layerCount * keyWidth
        var result = Array(repeating: Float(0), count: checkpoint.width)
        var weights = Array(repeating: Float(0), count: position + 1)
        for head in 0..<checkpoint.headCount {
            let start = head * headWidth
            let shift = base + head / group * headWidth
            for time in 0...position {
                var score: Float = 0
                for i in 0..<headWidth { score += query[start + i] * cachedKeys[shift + time * positionWidth + i] }
                weights[time] = score * scale
            }
            let largest = weights.max() ?? 0
            var sum: Float = 0
            for time in 0...position {
                weights[time] = exp(weights[time] - largest)
                sum += weights[time]
            }
            for time in 0...position {
                let weight = weights[time] / sum
                for i in 0..<headWidth { result[start + i] += weight * cachedValues[shift + time * positionWidth + i] }
            }
        }
        return result
    }

    /// Rotary positions: each pair of a head's components turns by position / 10000^{i/headWidth}.
    private func rotate(_ vector: inout [Float], _ position: Int) {
        for i in stride(from: 0, to: vector.count, by: 2) {
            let frequency = pow(10000, -Float(i % checkpoint.headWidth) / Float(checkpoint.headWidth))
            let angle = Float(position) * frequency
            let (c, s) = (cos(angle), sin(angle))
            (vector[i], vector[i + 1]) = (vector[i] * c - vector[i + 1] * s, vector[i] * s + vector[i + 1] * c)
        }
    }

    /// x / √(mean x² + 10⁻⁵), times the layer's gains.
    private func normalise(_ vector: [Float], _ gains: [Float], _ layer: Int) -> [Float] {
        let meanSquare = vector.reduce(0) { $0 + $1 * $1 } / Float(vector.count)
        let scale = 1 / (meanSquare + 1e-5).squareRoot()
        return vector.indices.map { gains[layer * vector.count + $0] * (vector[$0] * scale) }
    }

    /// The layer's matrix times a vector.
    private func product(_ matrices: [Float], _ layer: Int, rows: Int, _ vector: [Float]) -> [Float] {
        let offset = layer * rows * vector.count
        return [Float](unsafeUninitializedCapacity: rows) { result, count in
            matrices.withUnsafeBufferPointer { matrix in
                if let first = matrix.baseAddress {
                    ds_matrix_vector(first + offset, rows, vector.count, vector, result.baseAddress)
                }
            }
            count = rows
        }
    }
}
