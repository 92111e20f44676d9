import Couplings
import FiniteAlphabets
import Foundation
import Testing
import TokenModels

@Suite("llama2.c checkpoints")
struct LlamaTests {
    /// A random checkpoint: width 8, hidden 12, 2 layers, 4 heads on 2 of keys, 11 tokens, context 16.
    struct Checkpoint {
        static let header: [Int32] = [8, 12, 2, 4, 2, 11, 16]
        var header = Self.header
        var floats: [Float]

        init(ownClassifier: Bool = false) {
            var stream = RandomSource(seed: 6).stream(sample: 0, step: 0, purpose: .auxiliary)
            let sizes = [11 * 8, 2 * 8, 2 * 64, 2 * 32, 2 * 32, 2 * 64, 2 * 8, 2 * 96, 2 * 96, 2 * 96, 8, 16 * 2]
            floats = stream.normals(sizes.reduce(0, +) + (ownClassifier ? 88 : 0)).map { Float($0) * 0.5 }
            if ownClassifier { header[5] = -11 }
        }

        func write(to url: URL) throws {
            var data = Data()
            for value in header { Self.append(value, to: &data) }
            for value in floats { Self.append(Int32(bitPattern: value.bitPattern), to: &data) }
            try data.write(to: url)
        }

        static func append(_ value: Int32, to data: inout Data) {
            withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
        }

        /// The same weights as llama2.c's version 1 or 2 orders them; for version 2, weights that its bytes hold exactly.
        mutating func write(version: Int32, to url: URL) throws {
            var sections: [ArraySlice<Float>] = []
            var start = 0
            for (index, size) in [88, 16, 128, 64, 64, 128, 16, 192, 192, 192, 8, 32, 88].enumerated() {
                let end = min(floats.count, start + size)
                if version == 2, ![1, 6, 10, 11].contains(index) {
                    // Groups of four with the factor ¼, whose largest is 127.
                    for place in start..<end {
                        floats[place] = place % 4 == 0 ? 31.75 : (floats[place] * 40).rounded() / 4
                    }
                }
                sections.append(floats[start..<end])
                start += size
            }
            var data = Data()
            for value in [0x616b_3432, version] + header.map({ abs($0) }) { Self.append(value, to: &data) }
            data.append(header[5] > 0 ? 1 : 0)
            if version == 2 { Self.append(4, to: &data) }
            data.append(Data(count: 256 - data.count))
            for index in [1, 6, 10, 0, 2, 3, 4, 5, 7, 8, 9, 12] {
                let isNorm = [1, 6, 10].contains(index)
                let layers = [0, 10, 12].contains(index) || version == 1 || isNorm ? 1 : 2
                let values = Array(sections[index])
                for layer in 0..<layers where !values.isEmpty {
                    let size = values.count / layers
                    let part = values[layer * size..<(layer + 1) * size]
                    if version == 1 || isNorm {
                        for value in part { Self.append(Int32(bitPattern: value.bitPattern), to: &data) }
                    } else {
                        data.append(contentsOf: part.map { UInt8(bitPattern: Int8($0 * 4)) })
                        for _ in 0..<size / 4 {
                            Self.append(Int32(bitPattern: Float(0.25).bitPattern), to: &data)
                        }
                    }
                }
            }
            try data.write(to: url)
        }
    }

    /// The same network in Double, written out without a cache.
    static func reference(_ checkpoint: Checkpoint, _ tokens: [Int]) -> [Double] {
        var offset = 0
        func take(_ rows: Int, _ columns: Int) -> [[Double]] {
            defer { offset += rows * columns }
            return (0..<rows).map { r in (0..<columns).map { Double(checkpoint.floats[offset + r * columns + $0]) } }
        }
        let embedding = take(11, 8)
        let norm1 = take(2, 8)
        let q = [take(8, 8), take(8, 8)]
        let k = [take(4, 8), take(4, 8)]
        let v = [take(4, 8), take(4, 8)]
        let o = [take(8, 8), take(8, 8)]
        let norm2 = take(2, 8)
        let w1 = [take(12, 8), take(12, 8)]
        let w2 = [take(8, 12), take(8, 12)]
        let w3 = [take(12, 8), take(12, 8)]
        let finalNorm = take(1, 8)[0]
        offset += 32
        let classifier = checkpoint.header[5] < 0 ? take(11, 8) : embedding
        func times(_ m: [[Double]], _ x: [Double]) -> [Double] { m.map { zip($0, x).reduce(0) { $0 + $1.0 * $1.1 } } }
        func normed(_ x: [Double], _ g: [Double]) -> [Double] {
            let scale = 1 / (x.reduce(0) { $0 + $1 * $1 } / 8 + 1e-5).squareRoot()
            return zip(x, g).map { $0 * $1 * scale }
        }
        func rotated(_ x: [Double], _ position: Int) -> [Double] {
            var x = x
            for i in stride(from: 0, to: x.count, by: 2) {
                // Heads of two components: one pair each, at frequency one.
                let (c, s) = (cos(Double(position)), sin(Double(position)))
                (x[i], x[i + 1]) = (x[i] * c - x[i + 1] * s, x[i] * s + x[i + 1] * c)
            }
            return x
        }
        var streams = tokens.map { embedding[$0] }
        for layer in 0..<2 {
            let inputs = streams.map { normed($0, norm1[layer]) }
            let keys = inputs.enumerated().map { rotated(times(k[layer], $0.element), $0.offset) }
            let values = inputs.map { times(v[layer], $0) }
            for position in streams.indices {
                let query = rotated(times(q[layer], inputs[position]), position)
                var attended: [Double] = []
                for head in 0..<4 {
                    let shared = head / 2 * 2
                    let scores = (0...position).map { time in
                        exp(
                            (query[head * 2] * keys[time][shared] + query[head * 2 + 1] * keys[time][shared + 1])
                                / 2.0.squareRoot())
                    }
                    let sum = scores.reduce(0, +)
                    for i in 0..<2 {
                        attended.append(
                            scores.enumerated().reduce(0) { $0 + $1.element / sum * values[$1.offset][shared + i] })
                    }
                }
                streams[position] = zip(streams[position], times(o[layer], attended)).map { $0 + $1 }
                let second = normed(streams[position], norm2[layer])
                let gate = zip(times(w1[layer], second), times(w3[layer], second)).map { $0 / (1 + exp(-$0)) * $1 }
                streams[position] = zip(streams[position], times(w2[layer], gate)).map { $0 + $1 }
            }
        }
        let logits = times(classifier, normed(streams[streams.count - 1], finalNorm))
        let weights = logits.map { exp($0 - (logits.max() ?? 0)) }
        return weights.map { $0 / weights.reduce(0, +) }
    }

    @Test("agrees with a plain computation in Double", arguments: [false, true])
    func forward(ownClassifier: Bool) throws {
        let folder = try TestText.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let url = folder.appendingPathComponent("model.bin")
        let checkpoint = Checkpoint(ownClassifier: ownClassifier)
        try checkpoint.write(to: url)
        var model = try LlamaModel(path: url.path)
        let unused = model
        for tokens in [[1], [1, 4, 4, 9, 0, 3], [1, 4, 7], [2, 4, 7, 10]] {
            let law = try model.law(after: tokens).probabilities
            // Single precision through some hundred operations: a few 10⁻⁶ relative.
            #expect(zip(law, Self.reference(checkpoint, tokens)).allSatisfy { abs($0 - $1) < 2e-5 })
            // What is kept of earlier contexts changes nothing, to the bit.
            var fresh = unused
            #expect(try fresh.law(after: tokens).probabilities == law)
        }
        #expect(throws: TokenModelError.contextTooLong(length: 17, limit: 16)) {
            try model.law(after: Array(repeating: 1, count: 17))
        }
        #expect(throws: TokenModelError.outsideVocabulary(what: "token 11", position: 1)) {
            try model.law(after: [1, 11])
        }
        #expect(throws: TokenModelError.self) { try model.law(after: []) }
        // The tree counts too.
        #expect(throws: TokenModelError.contextTooLong(length: 17, limit: 16)) {
            try model.laws(
                after: Array(repeating: 1, count: 15), tree: TokenTree(paths: [[1], [2, 3]]), nodes: 0..<1,
                truncation: LogitsTruncation())
        }
        #expect(throws: TokenModelError.outsideVocabulary(what: "token 11", position: 1)) {
            try model.laws(
                after: [1], tree: TokenTree(paths: [[11]]), nodes: 0..<1, truncation: LogitsTruncation())
        }
    }

    @Test("damaged checkpoints are named", arguments: 0..<9)
    func damaged(kind: Int) throws {
        let folder = try TestText.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let url = folder.appendingPathComponent("model.bin")
        var checkpoint = Checkpoint()
        switch kind {
        case 0: checkpoint.floats.removeLast()
        case 1: checkpoint.floats.append(0)
        case 2: checkpoint.header[0] = 0
        case 3: checkpoint.header[3] = 3
        case 4: checkpoint.header[5] = .min
        case 5: checkpoint.header[2] = -1
        case 6: checkpoint.header[6] = .max
        case 7: checkpoint.header = [1 << 24, 1 << 24, 1 << 24, 1, 1, 1 << 24, 1 << 24]
        default: checkpoint.header[4] = 3
        }
        try checkpoint.write(to: url)
        #expect {
            try LlamaModel(path: url.path)
        } throws: { error in
            "\(error)".contains(url.path)
        }
        #expect(throws: TokenModelError.self) { try LlamaModel(path: folder.appendingPathComponent("none").path) }
        try Data([1, 2, 3]).write(to: url)
        #expect(throws: TokenModelError.self) { try LlamaModel(path: url.path) }
    }

    @Test("weights that are not numbers are an error, not a trap")
    func notANumber() throws {
        let folder = try TestText.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let url = folder.appendingPathComponent("model.bin")
        var checkpoint = Checkpoint()
        checkpoint.floats = checkpoint.floats.map { _ in .nan }
        try checkpoint.write(to: url)
        var model = try LlamaModel(path: url.path)
        #expect(throws: CouplingError.self) { try model.law(after: [1]) }
    }

    /// Tokens 0–2 special, 3–258 the bytes, then pieces of text.
    static func writeTokenizer(to url: URL, pieces: [(String, Float)]) throws {
        var data = Data()
        func append(_ value: Int32) { withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) } }
        append(8)
        let bytes = (0..<256).map { (String(format: "<0x%02X>", $0), Float(0)) }
        for (piece, score) in [("<unk>", 0), ("\n<s>\n", 0), ("\n</s>\n", 0)] + bytes + pieces {
            append(Int32(bitPattern: score.bitPattern))
            append(Int32(piece.utf8.count))
            data.append(contentsOf: piece.utf8)
        }
        try data.write(to: url)
    }

    /// Against llama2.c's own way, which looks at all neighbours again after every union. Many scores are equal.
    @Test("unions are those of the plain search")
    func unions() throws {
        let folder = try TestText.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let url = folder.appendingPathComponent("tokenizer.bin")
        let texts = ["ab", "ba", "aa", " a", "bb", "aba", "aab", "abab", "baab", "a b", "b ", "aaaa"]
        let pieces = [(" ", Float(0)), ("a", 0), ("b", 0)] + texts.enumerated().map { ($1, Float(-($0 % 4))) }
        try Self.writeTokenizer(to: url, pieces: pieces)
        let tokenizer = try LlamaTokenizer(path: url.path, vocabularySize: 259 + pieces.count)
        var generator = RandomSource(seed: 4).stream(sample: 0, step: 0, purpose: .auxiliary)
        for length in 0..<60 {
            let text = String((0..<length).map { _ in "ab ".randomElement(using: &generator) ?? "a" })
            var parts = (length > 0 ? [" "] : []) + text.map(String.init)
            while true {
                let unions = parts.indices.dropLast().compactMap { place in
                    pieces.first { $0.0 == parts[place] + parts[place + 1] }.map { (score: $0.1, place: place) }
                }
                guard let highest = unions.map(\.score).max(), let best = unions.first(where: { $0.score == highest })
                else { break }
                parts.replaceSubrange(best.place...best.place + 1, with: [parts[best.place] + parts[best.place + 1]])
            }
            let expected = parts.map { part in 259 + (pieces.firstIndex { $0.0 == part } ?? -1) }
            #expect(try tokenizer.encode(text) == [1] + expected, "\(text)")
        }
    }

    @Test("the tokenizer merges by score and returns the text")
    func tokenizer() throws {
        let folder = try TestText.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let url = folder.appendingPathComponent("tokenizer.bin")
        let pieces: [(String, Float)] = [(" ", 0), ("a", 0), ("b", 0), ("ab", -2), (" a", -1), ("abab", -3)]
        try Self.writeTokenizer(to: url, pieces: pieces)
        let tokenizer = try LlamaTokenizer(path: url.path, vocabularySize: 259 + pieces.count)
        // " abab": " a" scores best and is merged first, then "ab"; "é" has no piece and becomes its two bytes.
        #expect(try tokenizer.encode("abab") == [1, 263, 261, 262])
        #expect(try tokenizer.encode("") == [1])
        for text in ["abab", "b a", "é", "a\u{1F600}b"] {
            #expect(tokenizer.decode(try tokenizer.encode(text)) == text)
        }
        // A tokenizer of another checkpoint, shorter or longer, is refused with both numbers.
        for size in [400, 250] {
            #expect {
                try LlamaTokenizer(path: url.path, vocabularySize: size)
            } throws: { error in
                "\(error)".contains("\(size) tokens") && "\(error)".contains("found \(259 + pieces.count)")
            }
        }
        #expect(throws: TokenModelError.self) { try LlamaTokenizer(path: folder.path, vocabularySize: 2) }
    }

    @Test("versions 1 and 2 are read as version 0 is", arguments: [1, 2], [false, true])
    func laterVersions(version: Int, ownClassifier: Bool) throws {
        let folder = try TestText.folder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let (old, new) = (folder.appendingPathComponent("0.bin"), folder.appendingPathComponent("new.bin"))
        var checkpoint = Checkpoint(ownClassifier: ownClassifier)
        try checkpoint.write(version: Int32(version), to: new)
        try checkpoint.write(to: old)
        var (first, second) = (try LlamaModel(path: old.path), try LlamaModel(path: new.path))
        #expect(first.parameterCount == second.parameterCount)
        for tokens in [[1], [1, 4, 4, 9, 0, 3]] {
            #expect(try first.law(after: tokens) == second.law(after: tokens))
        }
        // A byte less, or another version.
        let data = try Data(contentsOf: new)
        try data.dropLast().write(to: new)
        #expect(throws: TokenModelError.self) { try LlamaModel(path: new.path) }
        var later = data
        later[4] = 3
        try later.write(to: new)
        #expect {
            try LlamaModel(path: new.path)
        } throws: { "\($0)".contains("versions 0, 1 or 2") && "\($0)".contains("found version 3") }
        guard version == 2 else { return }
        for group: UInt8 in [0, 3, 0xFF] {
            var damaged = data
            for place in 37..<41 { damaged[place] = group == 0xFF ? 0xFF : 0 }
            if group == 3 { damaged[37] = 3 }
            try damaged.write(to: new)
            #expect { try LlamaModel(path: new.path) } throws: { "\($0)".contains("group size") }
        }
    }
}
