import Couplings
import Foundation
import NeuralNetwork

extension Scenarios {
    /// Llamas and their tokenizers: files of llama2.c, and a folder of transformers.
    static func llamaScenarios() throws -> [Scenario] {
        let decode = ["decode", "--tokens", "4", "--prompt", "ab", "--threads", "1", "--json"]
        let files = ["--checkpoint", "l.bin", "--tokenizer", "t.bin"]
        return [
            Scenario(
                name: "llama", files: checkpoint(version: 0), targets: ["l.bin": .bytes, "t.bin": .bytes],
                commands: [decode + files + ["--draft-order", "2"]]),
            Scenario(
                name: "llama of version 1", files: checkpoint(version: 1), targets: ["l.bin": .bytes],
                commands: [decode + files + ["--draft-order", "2", "--top-k", "5"]]),
            Scenario(
                name: "llama of version 2", files: checkpoint(version: 2), targets: ["l.bin": .bytes],
                commands: [decode + files + ["--draft-checkpoint", "l.bin", "--rule", "gumbel"]]),
            Scenario(
                name: "llama folder", files: try folder(),
                targets: [
                    "h/config.json": .text, "h/generation_config.json": .text, "h/model.safetensors": .safetensors,
                    "h/tokenizer.json": .text,
                ],
                commands: [decode + ["--checkpoint", "h", "--draft-checkpoint", "h", "--lookahead", "2"]]),
            Scenario(
                name: "llama's pieces",
                files: try folder().merging(["s.json": Array(piecesText.utf8)]) { $1 }, targets: ["s.json": .text],
                commands: [decode + ["--checkpoint", "h", "--tokenizer", "s.json", "--draft-order", "2"]]),
        ]
    }

    private static func bytes(_ value: Int32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian, Array.init) }

    /// A checkpoint of width 4 with 2 heads on 1 of keys, and a tokenizer of 300 tokens.
    private static func checkpoint(version: Int32) -> [String: [UInt8]] {
        let dimensions: [Int32] = [4, 6, 2, 2, 1, 300, 8]
        let (norms, keyWidth) = (2 * 2 * 4 + 4, 2)
        let matrices = 300 * 4 + 2 * (16 + 2 * 4 * keyWidth + 16 + 3 * 24)
        var stream = RandomSource(seed: 1).stream(sample: 0, step: 0, purpose: .auxiliary)
        func floats(_ count: Int) -> [UInt8] {
            stream.normals(count).flatMap { bytes(Int32(bitPattern: Float($0 * 0.3).bitPattern)) }
        }
        var data = ((version > 0 ? [0x616b_3432, version] : []) + dimensions).flatMap(bytes)
        if version > 0 { data.append(1) }
        if version == 2 { data += bytes(4) }
        if version > 0 { data += [UInt8](repeating: 0, count: 256 - data.count) }
        data += floats(norms)
        // Bytes and factors of version 2 may lie as they come: every four bytes have a factor of four.
        data += version == 2 ? floats(matrices / 4) + floats(matrices / 4) : floats(matrices)
        if version == 0 { data += floats(8 * 2) }
        var tokenizer = bytes(8)
        for token in 0..<300 {
            let text =
                token < 3
                ? "<s>"
                : token < 259 ? "<0x\(String(format: "%02X", token - 3))>" : ["a", "b", " ", "ab", " a"][token % 5]
            tokenizer +=
                bytes(Int32(bitPattern: Float(-token).bitPattern)) + bytes(Int32(text.utf8.count)) + Array(text.utf8)
        }
        return ["l.bin": data, "t.bin": tokenizer]
    }

    private static func folder() throws -> [String: [UInt8]] {
        var configuration = LlamaConfiguration(
            vocabularySize: 12, width: 8, hiddenWidth: 12, layerCount: 2, headCount: 2, keyHeadCount: 1, headWidth: 4,
            contextLength: 16, isTied: true)
        configuration.hasAttentionBias = true
        return [
            "h/config.json": Array(configurationText.utf8),
            "h/generation_config.json": Array(#"{"bos_token_id": 1, "eos_token_id": [2, 3]}"#.utf8),
            "h/model.safetensors": try tensors(configuration.parameters.map { ($0.name, $0.shape) }),
            "h/tokenizer.json": Array(wordsText.utf8),
        ]
    }

    private static let configurationText = """
        {"model_type": "llama", "vocab_size": 12, "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2,
         "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 4, "max_position_embeddings": 16, "rms_norm_eps": 1e-5,
         "tie_word_embeddings": true, "attention_bias": true, "mlp_bias": false, "hidden_act": "silu", "rope_theta": 500.0,
         "rope_scaling": {"rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 3.0,
         "original_max_position_embeddings": 8}, "bos_token_id": 1, "eos_token_id": 2}
        """

    private static let wordsText = #"""
        {"added_tokens": [{"id": 1, "content": "<s>", "special": true, "lstrip": false, "rstrip": true, "normalized": false}],
         "normalizer": {"type": "NFC"},
         "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
          {"type": "Split", "pattern": {"Regex": "(?i:'s|'t)|[^\\r\\n\\p{L}]?\\p{L}+|\\p{N}{1,3}|\\s+(?!\\S)|\\s+"}, "behavior": "Isolated",
           "invert": false}, {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false}]},
         "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
          {"Sequence": {"id": "A", "type_id": 0}}], "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
         "decoder": {"type": "ByteLevel"},
         "model": {"type": "BPE", "ignore_merges": true, "vocab": {"a": 2, "b": 3, "ab": 4, "Ġ": 5, "Ġa": 6, "c": 7},
          "merges": ["a b", ["Ġ", "a"]]}}
        """#

    private static let piecesText = #"""
        {"added_tokens": [{"id": 0, "content": "<unk>", "special": true}, {"id": 1, "content": "<s>", "special": true, "lstrip": true}],
         "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
          {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
         "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": true},
         "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
          {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
         "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true,
          "vocab": {"<unk>": 0, "<s>": 1, "<0x61>": 2, "▁": 3, "a": 4, "b": 5, "▁a": 6, "▁ab": 7}, "merges": ["▁ a", "▁a b"]}}
        """#
}
