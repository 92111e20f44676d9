import NeuralNetwork

/// The tokens that a folder's `config.json` says a text begins and ends with; those of `generation_config.json` come first, where it
/// is there.
struct LlamaSpecialTokens {
    private(set) var beginning: Int?
    private(set) var ends: Set<Int> = []

    /// - Throws: `CheckpointError` for tokens that are no numbers, or outside the vocabulary.
    init(folder: String, vocabularySize: Int) throws {
        for name in ["config.json", "generation_config.json"] {
            let path = folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
            if name != "config.json", !isRegularFile(path) { continue }
            let reader = try ConfigurationReader(path: path)
            func tokens(_ key: String) throws -> [Int] {
                guard let value = reader.value(key) else { return [] }
                let tokens = (value.array ?? [value]).map(\.int)
                guard tokens.allSatisfy({ $0.map((0..<vocabularySize).contains) ?? false }) else {
                    throw reader.unsupported(
                        key, value, supported: "tokens from 0 to \(vocabularySize - 1)")
                }
                return tokens.compactMap { $0 }
            }
            if let first = try tokens("bos_token_id").first { beginning = first }
            let found = try tokens("eos_token_id")
            if !found.isEmpty { ends = Set(found) }
        }
    }
}
