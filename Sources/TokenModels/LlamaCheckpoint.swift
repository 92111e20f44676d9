import Foundation

/// The weights of a llama2.c checkpoint (`.bin`, version 0: seven 32-bit integers, then 32-bit floats).
///
/// Immutable after loading; matrices are rows of outputs, one layer after another.
public struct LlamaCheckpoint: Sendable {
    /// The width of the residual stream.
    public let width: Int
    public let hiddenWidth: Int
    public let layerCount: Int
    public let headCount: Int
    /// Heads of keys and values, each shared by headCount / keyHeadCount heads of queries.
    public let keyHeadCount: Int
    public let vocabularySize: Int
    /// The longest context.
    public let contextLength: Int

    let tokenEmbedding: [Float]  // [vocabularySize, width]
    let attentionNorms: [Float]  // [layerCount, width]
    let queries: [Float]  // [layerCount, width, width]
    let keys: [Float]  // [layerCount, keyWidth, width]
    let values: [Float]  // [layerCount, keyWidth, width]
    let attentionOutputs: [Float]  // [layerCount, width, width]
    let feedForwardNorms: [Float]  // [layerCount, width]
    let gates: [Float]  // w1: [layerCount, hiddenWidth, width]
    let downs: [Float]  // w2: [layerCount, width, hiddenWidth]
    let ups: [Float]  // w3: [layerCount, hiddenWidth, width]
    let finalNorm: [Float]  // [width]
    /// Nil where the classifier is the token embedding.
    let classifier: [Float]?  // [vocabularySize, width]

    /// "ak42", with which files of version 1 and later begin.
    private static let magic: Int32 = 0x616b_3432

    var headWidth: Int { width / headCount }
    var keyWidth: Int { headWidth * keyHeadCount }

    /// - Throws: `TokenModelError` naming the file and the field that is wrong.
    public init(path: String) throws(TokenModelError) {
        let data = try readFile(path)
        var reader = BinaryReader(data, file: path)
        func dimension(_ name: String, _ value: Int32) throws(TokenModelError) -> Int {
            guard value > 0, value <= 1 << 24 else {
                throw .malformed(file: path, expected: "\(name) between 1 and 2²⁴", found: "\(value)")
            }
            return Int(value)
        }
        let first = try reader.integer()
        guard first != LlamaCheckpoint.magic else {
            throw .malformed(
                file: path, expected: "a checkpoint of llama2.c's version 0, as its export.py writes with --version 0",
                found: "version \(try reader.integer())")
        }
        width = try dimension("dim", first)
        hiddenWidth = try dimension("hidden_dim", reader.integer())
        layerCount = try dimension("n_layers", reader.integer())
        headCount = try dimension("n_heads", reader.integer())
        keyHeadCount = try dimension("n_kv_heads", reader.integer())
        // A negative size says that the classifier has weights of its own.
        let signedSize = try reader.integer()
        vocabularySize = try dimension("vocab_size", signedSize == .min ? 0 : abs(signedSize))
        contextLength = try dimension("seq_len", reader.integer())
        guard width % headCount == 0, headCount % keyHeadCount == 0, (width / headCount) % 2 == 0 else {
            throw .malformed(
                file: path, expected: "dim a multiple of 2 n_heads and n_heads of n_kv_heads",
                found: "dim \(width), n_heads \(headCount), n_kv_heads \(keyHeadCount)")
        }
        // The file's size decides before anything is allocated.
        let keyWidth = width / headCount * keyHeadCount
        let perLayer = [
            Double(width) * 2, Double(width) * Double(width) * 2, Double(keyWidth) * Double(width) * 2,
            Double(hiddenWidth) * Double(width) * 3,
        ].reduce(0, +)
        let rotations = Double(contextLength) * Double(width / headCount)
        let embedding = Double(vocabularySize) * Double(width)
        let floats = embedding * (signedSize < 0 ? 2 : 1) + perLayer * Double(layerCount) + Double(width) + rotations
        guard Double(data.count) == 28 + 4 * floats else {
            throw .malformed(
                file: path, expected: String(format: "%.0f bytes for its dimensions", 28 + 4 * floats),
                found: "\(data.count)")
        }
        tokenEmbedding = try reader.floats(vocabularySize * width)
        attentionNorms = try reader.floats(layerCount * width)
        queries = try reader.floats(layerCount * width * width)
        keys = try reader.floats(layerCount * keyWidth * width)
        values = try reader.floats(layerCount * keyWidth * width)
        attentionOutputs = try reader.floats(layerCount * width * width)
        feedForwardNorms = try reader.floats(layerCount * width)
        gates = try reader.floats(layerCount * hiddenWidth * width)
        downs = try reader.floats(layerCount * width * hiddenWidth)
        ups = try reader.floats(layerCount * hiddenWidth * width)
        finalNorm = try reader.floats(width)
        // Tables of rotations that are computed here instead.
        _ = try reader.floats(contextLength * (width / headCount))
        classifier = signedSize < 0 ? try reader.floats(vocabularySize * width) : nil
    }
}

/// Reads little-endian numbers one after another, never past the end.
struct BinaryReader {
    private let data: Data
    private let file: String
    private var offset = 0

    init(_ data: Data, file: String) {
        self.data = data
        self.file = file
    }

    var isAtEnd: Bool { offset >= data.count }

    mutating func integer() throws(TokenModelError) -> Int32 {
        let bytes = try take(4)
        return bytes.reversed().reduce(0) { $0 << 8 | Int32($1) }
    }

    mutating func float() throws(TokenModelError) -> Float {
        Float(bitPattern: UInt32(bitPattern: try integer()))
    }

    mutating func floats(_ count: Int) throws(TokenModelError) -> [Float] {
        let bytes = try take(4 * count)
        return bytes.withUnsafeBytes { raw in
            (0..<count).map { index in
                Float(bitPattern: UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
            }
        }
    }

    mutating func take(_ count: Int) throws(TokenModelError) -> Data {
        guard count >= 0, count <= data.count - offset else {
            throw .malformed(
                file: file, expected: "\(count) more bytes at offset \(offset)", found: "\(data.count - offset)")
        }
        defer { offset += count }
        return data[offset..<(offset + count)]
    }
}

/// The bytes of a regular file, mapped rather than copied where the system can.
func readFile(_ path: String) throws(TokenModelError) -> Data {
    do {
        let url = URL(fileURLWithPath: path)
        let attributes = try FileManager.default.attributesOfItem(atPath: url.resolvingSymlinksInPath().path)
        guard attributes[.type] as? FileAttributeType == .typeRegular else {
            throw TokenModelError.unreadable(file: path, reason: "it is not a regular file")
        }
        return try Data(contentsOf: url, options: .mappedIfSafe)
    } catch let error as TokenModelError {
        throw error
    } catch {
        throw .unreadable(file: path, reason: error.localizedDescription)
    }
}
