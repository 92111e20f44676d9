import Foundation
import NeuralNetwork

/// What a `tokenizer.json` says, as far as it is supported; everything else is an error, for a tokenizer that is read half makes other
/// tokens without a word.
struct TransformersTokenizerFile {
    private(set) var vocabulary: [[UInt8]: Int] = [:]
    /// In the order of their ranks.
    private(set) var merges: [([UInt8], [UInt8])] = []
    private(set) var ignoresMerges = false
    private(set) var unknown: Int?
    private(set) var fusesUnknown = false
    /// The token of each byte, where characters without a piece are cut into bytes.
    private var bytes: [Int]?
    private(set) var normalizer: [TextNormalization] = []
    private(set) var cuts: [WordCut] = []
    /// Before and after every text.
    private(set) var prefix: [Int] = []
    private(set) var suffix: [Int] = []
    private(set) var decoder = PieceDecoder(steps: [])

    /// A token that is found in a text as it is written.
    struct Added {
        let token: Int
        let scalars: [Unicode.Scalar]
        let bytes: [UInt8]
        let stripsLeft, stripsRight: Bool
    }

    private(set) var added: [Added] = []
    /// Those among them that stand for no text.
    private(set) var special: Set<Int> = []
    /// By their first character, the longest first.
    private var addedByFirst: [Unicode.Scalar: [Added]] = [:]

    private let path: String

    init(path: String) throws {
        self.path = path
        let json: JSON
        do { json = try JSON(parsing: MappedFile.contents(of: path, atMost: 64 << 20)) } catch let error
            as JSON.SyntaxError
        {
            throw TokenModelError.malformed(file: path, expected: "JSON", found: "a text that is \(error)")
        }
        guard case .object = json else { throw unsupported("the file", json, "an object") }
        try readModel(json["model"] ?? .null)
        try readAdded(json["added_tokens"] ?? .null)
        try readNormalizer(json["normalizer"] ?? .null)
        try readCuts(json["pre_tokenizer"] ?? .null)
        try readProcessor(json["post_processor"] ?? .null)
        try readDecoder(json["decoder"] ?? .null)
    }

    private func unsupported(_ key: String, _ found: JSON, _ supported: String) -> TokenModelError {
        .malformed(file: path, expected: "\(key): \(supported)", found: String("\(found)".prefix(80)))
    }

    private func flag(_ json: JSON, _ name: String, _ key: String, default standard: Bool = false) throws -> Bool {
        let value = json[name] ?? .null
        if value == .null { return standard }
        guard let flag = value.bool else { throw unsupported("\(key).\(name)", value, "true or false") }
        return flag
    }

    private func token(_ value: JSON, _ key: String) throws -> Int {
        guard let token = value.int, (0..<1 << 24).contains(token) else {
            throw unsupported(key, value, "a token's number")
        }
        return token
    }

    // MARK: The model

    private mutating func readModel(_ model: JSON) throws {
        // Older files do not say the type of a model with merges.
        let type = model["type"] ?? .string(model["merges"] == nil ? "" : "BPE")
        guard type == .string("BPE") else { throw unsupported("model.type", type, "BPE") }
        for name in ["continuing_subword_prefix", "end_of_word_suffix", "dropout"] {
            let value = model[name] ?? .null
            guard value == .null || value == .string("") || value.double == 0 else {
                throw unsupported("model.\(name)", value, "none")
            }
        }
        guard case .object(let members) = model["vocab"] ?? .null else {
            throw unsupported("model.vocab", model["vocab"] ?? .null, "an object of tokens")
        }
        for member in members {
            vocabulary[Array(member.key.utf8)] = try token(member.value, "model.vocab.\(member.key.prefix(40))")
        }
        guard let items = model["merges"]?.array else {
            throw unsupported("model.merges", model["merges"] ?? .null, "a list")
        }
        for (index, item) in items.enumerated() {
            let parts =
                item.string.map { $0.utf8.split(separator: 0x20, omittingEmptySubsequences: false).map(Array.init) }
                ?? item.array?.compactMap { $0.string.map { Array($0.utf8) } } ?? []
            guard parts.count == 2 else { throw unsupported("model.merges[\(index)]", item, "two pieces") }
            merges.append((parts[0], parts[1]))
        }
        if let text = model["unk_token"]?.string {
            guard let token = vocabulary[Array(text.utf8)] else {
                throw unsupported("model.unk_token", .string(text), "a token of the vocabulary")
            }
            unknown = token
        }
        fusesUnknown = try flag(model, "fuse_unk", "model")
        ignoresMerges = try flag(model, "ignore_merges", "model")
        if try flag(model, "byte_fallback", "model") {
            let tokens = (0..<256).map { vocabulary[Array(String(format: "<0x%02X>", $0).utf8)] }
            // As in the library: a character's bytes count only where all of them have a token.
            bytes = tokens.map { $0 ?? -1 }
        }
    }

    /// The tokens of a character's bytes; nil where they do not count.
    func fallback(for character: [UInt8]) -> [Int]? {
        guard let bytes else { return nil }
        let tokens = character.map { bytes[Int($0)] }
        return tokens.contains(-1) ? nil : tokens
    }

    // MARK: Added tokens

    private mutating func readAdded(_ json: JSON) throws {
        for (index, item) in (json.array ?? []).enumerated() {
            let key = "added_tokens[\(index)]"
            guard let text = item["content"]?.string, !text.isEmpty else {
                throw unsupported("\(key).content", item["content"] ?? .null, "a text")
            }
            guard try !flag(item, "single_word", key) else {
                throw unsupported("\(key).single_word", .bool(true), "false")
            }
            let token = try token(item["id"] ?? .null, "\(key).id")
            added.append(
                Added(
                    token: token, scalars: Array(text.unicodeScalars), bytes: Array(text.utf8),
                    stripsLeft: try flag(item, "lstrip", key), stripsRight: try flag(item, "rstrip", key)))
            if try flag(item, "special", key) { special.insert(token) }
            normalisedTokens = try normalisedTokens || flag(item, "normalized", key)
        }
        addedByFirst = Dictionary(grouping: added) { $0.scalars[0] }
            .mapValues { $0.sorted { $0.scalars.count > $1.scalars.count } }
    }

    /// Whether an added token is to be found in the text after it was normalised.
    private var normalisedTokens = false

    /// The longest added token that begins at a place.
    func added(at place: Int, of text: [Unicode.Scalar]) -> Added? {
        addedByFirst[text[place]]?.first { text[place...].starts(with: $0.scalars) }
    }

    // MARK: Normalisation and words

    private mutating func readNormalizer(_ json: JSON) throws {
        normalizer = try steps(json, "normalizers", "normalizer").map { step, key in
            switch step["type"]?.string {
            case "NFC": return .composed
            case "NFKC": return .compatible
            case "Prepend":
                guard let text = step["prepend"]?.string else {
                    throw unsupported("\(key).prepend", step["prepend"] ?? .null, "a text")
                }
                return .prepend(Array(text.unicodeScalars))
            case "Replace":
                guard let old = step["pattern"]?["String"]?.string, !old.isEmpty, let new = step["content"]?.string
                else { throw unsupported("\(key).pattern", step, "a string to be replaced, and its content") }
                return .replace(Array(old.unicodeScalars), Array(new.unicodeScalars))
            default:
                throw unsupported("\(key).type", step["type"] ?? .null, "NFC, NFKC, Prepend, Replace or Sequence")
            }
        }
        guard normalizer.isEmpty || !normalisedTokens else {
            throw TokenModelError.malformed(
                file: path, expected: "added tokens with \"normalized\": false beside a normalizer", found: "true")
        }
    }

    /// The steps of a part that may be one, a sequence of them, or nothing.
    private func steps(_ json: JSON, _ list: String, _ key: String, depth: Int = 0) throws -> [(JSON, String)] {
        if json == .null { return [] }
        guard json["type"]?.string == "Sequence" else { return [(json, key)] }
        guard let items = json[list]?.array, depth < 4 else {
            throw unsupported("\(key).\(list)", json[list] ?? .null, "a list")
        }
        return try items.enumerated().flatMap { try steps($1, list, "\(key).\(list)[\($0)]", depth: depth + 1) }
    }

    private mutating func readCuts(_ json: JSON) throws {
        cuts = try steps(json, "pretokenizers", "pre_tokenizer").flatMap { step, key -> [WordCut] in
            switch step["type"]?.string {
            case "Split":
                guard step["behavior"]?.string == "Isolated", try !flag(step, "invert", key) else {
                    throw unsupported("\(key).behavior", step["behavior"] ?? .null, "Isolated, not inverted")
                }
                guard let pattern = step["pattern"]?["Regex"]?.string else {
                    throw unsupported("\(key).pattern", step["pattern"] ?? .null, "a Regex")
                }
                return [.pattern(try self.pattern(pattern, "\(key).pattern"))]
            case "Digits":
                return [
                    .pattern(try self.pattern(try flag(step, "individual_digits", key) ? "\\p{N}" : "\\p{N}+", key))
                ]
            case "ByteLevel":
                var result: [WordCut] = []
                if try flag(step, "add_prefix_space", key, default: true) { result.append(.prefixSpace) }
                if try flag(step, "use_regex", key, default: true) {
                    result.append(.pattern(try self.pattern(WordPattern.gpt2, key)))
                }
                return result + [.bytes]
            case "Metaspace":
                let former = try flag(step, "add_prefix_space", key, default: true) ? "always" : "never"
                let scheme = step["prepend_scheme"] ?? .string(former)
                guard let prepends = scheme.string.flatMap(WordCut.Prepends.init) else {
                    throw unsupported("\(key).prepend_scheme", scheme, "always, first or never")
                }
                let text = step["replacement"]?.string ?? "▁"
                guard text.unicodeScalars.count == 1, let mark = text.unicodeScalars.first else {
                    throw unsupported("\(key).replacement", step["replacement"] ?? .null, "one character")
                }
                return [.spaces(mark, prepends, cuts: try flag(step, "split", key, default: true))]
            default:
                throw unsupported(
                    "\(key).type", step["type"] ?? .null, "ByteLevel, Split, Digits, Metaspace or Sequence")
            }
        }
    }

    private func pattern(_ text: String, _ key: String) throws -> WordPattern {
        do { return try WordPattern(text) } catch {
            throw unsupported(key, .string(text), "a pattern that is supported (\(error.reason))")
        }
    }

    /// The words of a part of a text.
    /// - Parameter isFirst: whether it begins the text.
    func words(_ part: [Unicode.Scalar], isFirst: Bool) -> [[Unicode.Scalar]] {
        cuts.reduce([part]) { words, cut in
            words.enumerated().flatMap { cut.applied(to: $1, isFirst: isFirst && $0 == 0) }
        }
    }

    // MARK: What surrounds a text, and decoding

    private mutating func readProcessor(_ json: JSON) throws {
        for (step, key) in try steps(json, "processors", "post_processor") {
            switch step["type"]?.string {
            case "ByteLevel": continue
            case "TemplateProcessing":
                var isBefore = true
                for (index, item) in (step["single"]?.array ?? []).enumerated() {
                    if item["Sequence"] != nil {
                        isBefore = false
                        continue
                    }
                    let name = item["SpecialToken"]?["id"]?.string ?? ""
                    guard let ids = step["special_tokens"]?[name]?["ids"]?.array else {
                        throw unsupported("\(key).single[\(index)]", item, "the text or a special token with ids")
                    }
                    let tokens = try ids.map { try token($0, "\(key).special_tokens") }
                    if isBefore { prefix += tokens } else { suffix += tokens }
                }
            default:
                throw unsupported("\(key).type", step["type"] ?? .null, "TemplateProcessing, ByteLevel or Sequence")
            }
        }
    }

    private mutating func readDecoder(_ json: JSON) throws {
        decoder = PieceDecoder(
            steps: try steps(json, "decoders", "decoder").map { step, key in
                switch step["type"]?.string {
                case "ByteLevel": return .bytes
                case "ByteFallback": return .fallback
                case "Fuse": return .fuse
                case "Replace":
                    guard let old = step["pattern"]?["String"]?.string, !old.isEmpty,
                        let new = step["content"]?.string
                    else { throw unsupported("\(key).pattern", step, "a string to be replaced, and its content") }
                    return .replace(Array(old.utf8), Array(new.utf8))
                case "Strip":
                    guard let text = step["content"]?.string, let start = step["start"]?.int,
                        let stop = step["stop"]?.int, text.utf8.count == 1, let byte = text.utf8.first,
                        (0...1024).contains(start), (0...1024).contains(stop)
                    else { throw unsupported(key, step, "one ASCII character and how many of them") }
                    return .strip(byte, start: start, stop: stop)
                case "Metaspace":
                    let mark = step["replacement"]?.string ?? "▁"
                    let scheme = step["prepend_scheme"]?.string
                    let drops = try scheme.map { $0 != "never" } ?? flag(step, "add_prefix_space", key, default: true)
                    return .spaces(Array(mark.utf8), dropsFirst: drops)
                default:
                    throw unsupported(
                        "\(key).type", step["type"] ?? .null,
                        "ByteLevel, Metaspace, Replace, ByteFallback, Fuse, Strip or Sequence")
                }
            })
    }
}
