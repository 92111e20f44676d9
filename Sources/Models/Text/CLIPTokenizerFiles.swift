import NeuralNetwork

/// What the files of a tokenizer's folder say, in transformers' layout.
struct CLIPTokenizerFiles {
    let vocabulary: [String: Int]
    /// In the order of their ranks.
    let merges: [(String, String)]
    let mergesFile: String
    /// `tokenizer_config.json`
    let settings: String
    let beginning, end, padding, unknown: String
    let length: Int

    /// CLIP's own, where the files do not say it.
    private static let usualLength = 77
    private static let most = 65_536

    init(folder: String) throws {
        let settings = "\(folder)/tokenizer_config.json"
        self.settings = settings
        if let file = ModelFolder.existing("vocab.json", in: folder) {
            vocabulary = try Self.vocabulary(JSONFile.read(path: file), file: file, key: nil)
            mergesFile = "\(folder)/merges.txt"
            merges = try Self.merges(MappedFile.contents(of: mergesFile, atMost: 16 << 20), file: mergesFile)
        } else {
            mergesFile = "\(folder)/tokenizer.json"
            (vocabulary, merges) = try Self.model(file: mergesFile)
        }

        let config: JSON =
            ModelFolder.existing("tokenizer_config.json", in: folder) == nil
            ? .object([]) : try JSONFile.read(path: settings)
        // Only where the newer list of added tokens is missing does this older file count.
        let map: JSON? =
            config["added_tokens_decoder"] == nil
            ? try ModelFolder.existing("special_tokens_map.json", in: folder).map(JSONFile.read(path:)) : nil
        func text(_ key: String, _ usual: String) throws(ModelError) -> String {
            guard let value = map?[key] ?? config[key], value != .null else { return usual }
            guard let text = value.string ?? value["content"]?.string else {
                throw ModelError(
                    settings, key: key, expected: "a string, or an object with \"content\"",
                    found: "\(value)".prefix(80).description)
            }
            return text
        }
        beginning = try text("bos_token", "<|startoftext|>")
        end = try text("eos_token", "<|endoftext|>")
        padding = try text("pad_token", "<|endoftext|>")
        unknown = try text("unk_token", "<|endoftext|>")
        if let limit = config["model_max_length"], limit != .null {
            // Python writes "no limit" as 10³⁰.
            guard let number = limit.double, number >= 2 else {
                throw ModelError(
                    settings, key: "model_max_length", expected: "an integer of 2 or more",
                    found: "\(limit)".prefix(80).description)
            }
            length = number > Double(Self.most) ? Self.usualLength : Int(number)
        } else {
            length = Self.usualLength
        }
        for (key, supported) in [("do_lower_case", true), ("add_prefix_space", false)] {
            if let value = config[key], value != .null, value.bool != supported {
                throw ModelError(
                    settings, key: key, expected: "\(supported)", found: "\(value)".prefix(80).description)
            }
        }
    }

    /// - Parameter key: where in the file it stands; nil for all of it.
    private static func vocabulary(_ json: JSON, file: String, key: String?) throws(ModelError) -> [String: Int] {
        guard case .object(let members) = json else {
            throw ModelError(file, key: key, expected: "an object of tokens", found: "\(json)".prefix(80).description)
        }
        var result: [String: Int] = [:]
        for member in members {
            guard let id = member.value.int, (0..<10_000_000).contains(id) else {
                throw ModelError(
                    file, key: String(member.key.prefix(60)), expected: "a token's number",
                    found: "\(member.value)".prefix(80).description)
            }
            result[member.key] = id
        }
        return result
    }

    private static func merges(_ bytes: [UInt8], file: String) throws(ModelError) -> [(String, String)] {
        var result: [(String, String)] = []
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        for (index, line) in lines.enumerated() {
            let text = String(decoding: line.last == UInt8(ascii: "\r") ? line.dropLast() : line, as: UTF8.self)
            if index == 0, text.hasPrefix("#version") { continue }
            result.append(try pair(text, file: file, key: "line \(index + 1)"))
        }
        return result
    }

    private static func pair(_ text: String, file: String, key: String) throws(ModelError) -> (String, String) {
        let parts = text.split(separator: " ")
        guard parts.count == 2 else {
            throw ModelError(
                file, key: key, expected: "two symbols and a space between them", found: "\"\(text.prefix(60))\"")
        }
        return (String(parts[0]), String(parts[1]))
    }

    /// The vocabulary and the merges of a `tokenizer.json`.
    private static func model(
        file: String
    ) throws -> (vocabulary: [String: Int], merges: [(String, String)]) {
        let json = try JSONFile.read(path: file)
        let model = json["model"] ?? .null
        for (key, supported) in [("type", "BPE"), ("end_of_word_suffix", "</w>")] {
            let value = model[key] ?? .null
            guard value.string == supported || (key == "type" && value == .null) else {
                throw ModelError(
                    file, key: "model.\(key)", expected: "\"\(supported)\", as CLIP's",
                    found: "\(value)".prefix(80).description)
            }
        }
        var vocabulary = try vocabulary(model["vocab"] ?? .null, file: file, key: "model.vocab")
        for added in json["added_tokens"]?.array ?? [] {
            guard let text = added["content"]?.string, let id = added["id"]?.int else { continue }
            vocabulary[text] = id
        }
        guard let items = model["merges"]?.array else {
            throw ModelError(file, key: "model.merges", expected: "a list", found: "none")
        }
        var merges: [(String, String)] = []
        for (index, item) in items.enumerated() {
            let key = "model.merges[\(index)]"
            if let text = item.string {
                merges.append(try pair(text, file: file, key: key))
            } else if let parts = item.array?.compactMap(\.string), parts.count == 2 {
                merges.append((parts[0], parts[1]))
            } else {
                throw ModelError(
                    file, key: key, expected: "two symbols", found: "\(item)".prefix(80).description)
            }
        }
        return (vocabulary, merges)
    }
}
