import Foundation
import NeuralNetwork
import Testing

@Suite struct CheckpointTests {
    /// A copy of the smallest fixture, with its header's text or its data changed.
    static func changed(
        header: (String) -> String = { $0 }, data: (inout Data) -> Void = { _ in },
        configuration: (String) -> String = { $0 }
    ) throws -> (folder: TemporaryFolder, path: String) {
        let fixture = try Fixture.named("one-level")
        let folder = try TemporaryFolder()
        let config = try String(contentsOfFile: fixture.folder + "/config.json", encoding: .utf8)
        _ = try folder.write(Data(configuration(config).utf8), "config.json")
        let file = try Data(contentsOf: URL(fileURLWithPath: fixture.folder + "/diffusion_pytorch_model.safetensors"))
        let length = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let text = String(decoding: file[8..<8 + length], as: UTF8.self)
        var body = Data(file[(8 + length)...])
        data(&body)
        _ = try folder.write(safetensors(header(text)) + body, "diffusion_pytorch_model.safetensors")
        return (folder, folder.path)
    }

    func message(_ path: String) -> String {
        do {
            _ = try UNet2D(folder: path)
            return ""
        } catch {
            return error.description
        }
    }

    @Test func loadsTheUnchangedCopy() throws {
        let copy = try Self.changed()
        #expect(message(copy.path) == "")
    }

    @Test func listsMissingAndUnexpectedParameters() throws {
        let copy = try Self.changed(header: { $0.replacingOccurrences(of: "conv_in.bias", with: "conv_in.bios") })
        #expect(message(copy.path).contains("1 parameters are missing: conv_in.bias; 1 are unexpected: conv_in.bios"))
    }

    @Test func namesAWrongShape() throws {
        let copy = try Self.changed(configuration: {
            $0.replacingOccurrences(of: "\"in_channels\": 4", with: "\"in_channels\": 5")
        })
        let text = message(copy.path)
        #expect(text.contains("conv_in.weight") && text.contains("[8, 4, 3, 3]") && text.contains("[8, 5, 3, 3]"))
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity]) func rejectsWeightsThatAreNotFinite(_ value: Float) throws {
        // The first tensor of the data is conv_in.bias.
        let copy = try Self.changed(data: { data in
            withUnsafeBytes(of: value.bitPattern.littleEndian) { data.replaceSubrange(4..<8, with: $0) }
        })
        let text = message(copy.path)
        #expect(text.contains("conv_in.bias") && text.contains("index 1") && text.contains("finite"), "\(text)")
    }

    /// Checkpoints published before diffusers 0.15 name the attention's parameters differently.
    @Test func readsFormerAttentionNames() throws {
        let fixture = try Fixture.named("scale-shift")
        let golden = try fixture.goldenCase()
        let folder = try TemporaryFolder()
        let file = try Data(contentsOf: URL(fileURLWithPath: fixture.folder + "/diffusion_pytorch_model.safetensors"))
        let length = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        var header = String(decoding: file[8..<8 + length], as: UTF8.self)
        for (new, old) in [("to_q", "query"), ("to_k", "key"), ("to_v", "value"), ("to_out.0", "proj_attn")] {
            #expect(header.contains(".\(new)."))
            header = header.replacingOccurrences(of: ".\(new).", with: ".\(old).")
        }
        _ = try folder.write(safetensors(header) + file[(8 + length)...], "diffusion_pytorch_model.safetensors")
        _ = try folder.write(Data(contentsOf: URL(fileURLWithPath: fixture.folder + "/config.json")), "config.json")
        let former = try UNet2D(folder: folder.path)
        let present = try UNet2D(folder: fixture.folder)
        let rows = Array(0..<golden.batch)
        #expect(try former.run(golden, rows: rows, threads: 1) == present.run(golden, rows: rows, threads: 1))
    }

    static let unsupported: [(key: String, json: String)] = [
        ("_class_name", "\"UNet2DConditionModel\""), ("act_fn", "\"tanh\""), ("act_fn", "3"),
        ("time_embedding_type", "\"fourier\""),
        ("mid_block_type", "\"Other\""), ("down_block_types", "[\"SkipDownBlock2D\"]"),
        ("up_block_types", "[\"KUpBlock2D\"]"),
        ("down_block_types", "[\"DownBlock2D\", \"DownBlock2D\"]"), ("block_out_channels", "[]"),
        ("block_out_channels", "[-8]"),
        ("block_out_channels", "[1e30]"), ("block_out_channels", "8"), ("block_out_channels", "[9223372036854775807]"),
        ("layers_per_block", "0"), ("layers_per_block", "1000000"), ("downsample_padding", "2"),
        ("downsample_type", "\"fir\""),
        ("upsample_type", "7"), ("resnet_time_scale_shift", "\"spatial\""), ("class_embed_type", "\"projection\""),
        ("num_class_embeds", "-1"), ("norm_num_groups", "3"), ("norm_num_groups", "0"), ("norm_num_groups", "null"),
        ("attn_norm_num_groups", "\"x\""), ("attention_head_dim", "0"), ("norm_eps", "-1"),
        ("mid_block_scale_factor", "0"),
        ("in_channels", "0"), ("out_channels", "true"), ("freq_shift", "4"), ("flip_sin_to_cos", "1"),
        ("center_input_sample", "\"no\""),
        ("sample_size", "[8]"), ("sample_size", "0"), ("time_embedding_dim", "-4"),
    ]

    /// Every value that is not supported ends in an error that names its key.
    @Test(arguments: unsupported.indices) func namesUnsupportedValues(_ index: Int) throws {
        let (key, json) = Self.unsupported[index]
        let fixture = try Fixture.named("one-level")
        let text = try String(contentsOfFile: fixture.folder + "/config.json", encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        // Lists span lines; drop everything from the key's line to the end of its value.
        var kept: [Substring] = []
        var skipping = false
        for line in lines {
            if line.hasPrefix("  \"\(key)\":") {
                skipping = line.hasSuffix("[")
                continue
            }
            if skipping {
                skipping = !line.hasPrefix("  ]")
                continue
            }
            kept.append(line)
        }
        kept.insert("  \"\(key)\": \(json),", at: 1)
        let changed = kept.joined(separator: "\n").replacingOccurrences(of: ",\n}", with: "\n}")
        let error = #expect(throws: CheckpointError.self) {
            try UNet2DConfiguration(json: Array(changed.utf8), file: "config.json")
        }
        let message = error?.description ?? ""
        #expect(
            message.contains(key) || (key.hasSuffix("block_types") && message.contains("block_out_channels")),
            "\(message)")
        #expect(message.hasPrefix("config.json: ") && !message.contains("\n"))
    }

    @Test(arguments: [
        "", "{", "[]", "\"x\"", "{\"a\":1,}", "{\"a\":1}x", "\u{FEFF}{}", "{\"a\":+1}", "{\"a\":\"\\ud800\"}",
        "{\"a\":01}", "{'a':1}",
    ])
    func rejectsGarbledConfigurations(_ text: String) {
        #expect(throws: CheckpointError.self) { try UNet2DConfiguration(json: Array(text.utf8), file: "config.json") }
    }

    /// An empty configuration has diffusers' defaults.
    @Test func takesDefaults() throws {
        let configuration = try UNet2DConfiguration(json: Array("{}".utf8), file: "config.json")
        #expect(configuration.blockChannels == [224, 448, 672, 896])
        #expect(configuration.attentionHeadChannels == 8)
        #expect(configuration.timeEmbeddingChannels == 896)
        let oneHead = try UNet2DConfiguration(
            json: Array("{\"attention_head_dim\": null, \"sample_size\": [8, 16]}".utf8), file: "config.json")
        #expect(oneHead.attentionHeadChannels == nil)
        #expect(oneHead.sampleSize?.height == 8 && oneHead.sampleSize?.width == 16)
    }
}
