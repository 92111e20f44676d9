import Foundation
import NeuralNetwork

/// A checkpoint of llama2.c (`.bin`, versions 0 to 2, as its `export.py` writes them), mapped into memory.
///
/// Version 0 is seven integers of 32 bits, then floats. Versions 1 and 2 have a header of 256 bytes; of version 2 the matrices are
/// bytes, of which a group shares a factor.
struct LlamaCheckpoint {
    let configuration: LlamaConfiguration
    private let path: String
    private let data: Data
    private let places: [String: Place]
    /// Numbers that share a factor; nil where the matrices are floats.
    private let groupSize: Int?

    private struct Place {
        let offset, count: Int
        let isQuantized: Bool
    }

    /// "ak42", with which files of version 1 and later begin.
    private static let magic: Int32 = 0x616b_3432

    /// - Throws: `TokenModelError` naming the file and the field that is wrong.
    init(path: String) throws(TokenModelError) {
        let data = try readFile(path)
        var reader = BinaryReader(data, file: path)
        func dimension(_ name: String, _ value: Int32) throws(TokenModelError) -> Int {
            guard value > 0, value <= 1 << 24 else {
                throw .malformed(file: path, expected: "\(name) between 1 and 2²⁴", found: "\(value)")
            }
            return Int(value)
        }
        var first = try reader.integer()
        var version = 0
        if first == Self.magic {
            version = Int(try reader.integer())
            guard (1...2).contains(version) else {
                throw .malformed(
                    file: path, expected: "a checkpoint of llama2.c's versions 0, 1 or 2", found: "version \(version)")
            }
            first = try reader.integer()
        }
        let width = try dimension("dim", first)
        let hiddenWidth = try dimension("hidden_dim", reader.integer())
        let layerCount = try dimension("n_layers", reader.integer())
        let headCount = try dimension("n_heads", reader.integer())
        let keyHeadCount = try dimension("n_kv_heads", reader.integer())
        // In version 0 a negative size says that the classifier has weights of its own.
        let signedSize = try reader.integer()
        let size = try dimension("vocab_size", version == 0 && signedSize != .min ? abs(signedSize) : signedSize)
        let contextLength = try dimension("seq_len", reader.integer())
        guard width % headCount == 0, headCount % keyHeadCount == 0, (width / headCount) % 2 == 0 else {
            throw .malformed(
                file: path, expected: "dim a multiple of 2 n_heads and n_heads of n_kv_heads",
                found: "dim \(width), n_heads \(headCount), n_kv_heads \(keyHeadCount)")
        }
        let isTied = version == 0 ? signedSize > 0 : try reader.take(1).first != 0
        var groupSize: Int?
        if version == 2 {
            let group = Int(try reader.integer())
            guard group > 0 else {
                throw .malformed(file: path, expected: "a group size of at least 1", found: "\(group)")
            }
            groupSize = group
        }
        let headWidth = width / headCount
        let configuration = LlamaConfiguration(
            vocabularySize: size, width: width, hiddenWidth: hiddenWidth, layerCount: layerCount, headCount: headCount,
            keyHeadCount: keyHeadCount, headWidth: headWidth, contextLength: contextLength, isTied: isTied)

        // One tensor of every layer after the other; the file's size decides before anything is listed.
        let keyWidth = headWidth * keyHeadCount
        typealias Section = (name: String, isLayered: Bool, rows: Int, columns: Int)
        let attention: [Section] = [
            ("self_attn.q_proj", true, width, width), ("self_attn.k_proj", true, keyWidth, width),
            ("self_attn.v_proj", true, keyWidth, width), ("self_attn.o_proj", true, width, width),
        ]
        let feedForward: [Section] = [
            ("mlp.gate_proj", true, hiddenWidth, width), ("mlp.down_proj", true, width, hiddenWidth),
            ("mlp.up_proj", true, hiddenWidth, width),
        ]
        let attentionNorm: Section = ("input_layernorm", true, 1, width)
        let feedForwardNorm: Section = ("post_attention_layernorm", true, 1, width)
        let norm: Section = ("model.norm", false, 1, width)
        let embedding: Section = ("model.embed_tokens", false, size, width)
        // Tables of rotations that are computed here instead.
        let rotations: Section = ("rotations", false, contextLength, headWidth)
        var sections: [Section] =
            version == 0
            ? [embedding, attentionNorm] + attention + [feedForwardNorm] + feedForward + [norm, rotations]
            : [attentionNorm, feedForwardNorm, norm, embedding] + attention + feedForward
        if !isTied { sections.append(("lm_head", false, size, width)) }
        let header = version == 0 ? 28 : 256
        var bytes = Double(header)
        for section in sections {
            let count = Double(section.rows) * Double(section.columns)
            var size = 4 * count
            if let groupSize, !section.name.hasSuffix("norm") {
                guard count.truncatingRemainder(dividingBy: Double(groupSize)) == 0 else {
                    throw .malformed(
                        file: path, expected: "a group size that divides all matrices", found: "\(groupSize)")
                }
                size = count + 4 * count / Double(groupSize)
            }
            bytes += size * (section.isLayered ? Double(layerCount) : 1)
        }
        guard Double(data.count) == bytes else {
            throw .malformed(
                file: path, expected: String(format: "%.0f bytes for its dimensions", bytes), found: "\(data.count)")
        }
        var places: [String: Place] = [:]
        var offset = header
        for section in sections {
            let count = section.rows * section.columns
            let isQuantized = groupSize != nil && !section.name.hasSuffix("norm")
            for layer in 0..<(section.isLayered ? layerCount : 1) {
                let name = section.isLayered ? "model.layers.\(layer).\(section.name)" : section.name
                places["\(name).weight"] = Place(offset: offset, count: count, isQuantized: isQuantized)
                offset += isQuantized ? count + count / (groupSize ?? 1) * 4 : 4 * count
            }
        }
        (self.path, self.data, self.places, self.groupSize) = (path, data, places, groupSize)
        self.configuration = configuration
    }

    /// The values of a tensor by transformers' name for it, with the rows of queries and keys in transformers' order.
    func tensor(_ name: String) throws(TokenModelError) -> [Float] {
        guard let place = places[name] else {
            throw .malformed(file: path, expected: "a tensor \(name)", found: "none")
        }
        var reader = BinaryReader(data, file: path, offset: place.offset)
        var values: [Float]
        if place.isQuantized, let groupSize {
            let numbers = try reader.take(place.count)
            let factors = try reader.floats(place.count / groupSize)
            values = numbers.enumerated().map { Float(Int8(bitPattern: $1)) * factors[$0 / groupSize] }
        } else {
            values = try reader.floats(place.count)
        }
        return name.contains("q_proj") || name.contains("k_proj") ? Self.halves(values, of: configuration) : values
    }

    /// llama2.c turns neighbouring channels of a head, transformers those half a head apart: channel 2i becomes i, and 2i + 1 becomes
    /// i + d/2.
    private static func halves(_ values: [Float], of configuration: LlamaConfiguration) -> [Float] {
        let (width, headWidth) = (configuration.width, configuration.headWidth)
        return [Float](unsafeUninitializedCapacity: values.count) { result, count in
            for row in 0..<values.count / width {
                let channel = row % headWidth
                let source = row - channel + (channel < headWidth / 2 ? 2 * channel : 2 * channel - headWidth + 1)
                for column in 0..<width {
                    result.initializeElement(at: row * width + column, to: values[source * width + column])
                }
            }
            count = values.count
        }
    }
}
