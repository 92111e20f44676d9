import Foundation
import NeuralNetwork
import Testing

/// The networks of latent models agree with diffusers and transformers, and their rows do not touch each other.
/// `Fixtures/latent/make_latent_fixtures.py` makes further fixtures.
@Suite struct LatentNetworkTests {
    /// The package's promise; float32 alone accounts for about 1e-5.
    private static let bound = 1e-4
    private static let calls = [
        (rows: 1, threads: 2), (rows: 2, threads: 1), (rows: 5, threads: 2), (rows: 9, threads: 3),
    ]

    private struct Golden {
        let folder: String
        let file: SafetensorsFile

        init(_ name: String) throws {
            let root = try #require(Bundle.module.resourceURL)
            folder = root.appendingPathComponent("Fixtures/latent/\(name)").path
            file = try SafetensorsFile(path: folder + "/case.safetensors")
        }

        func shape(_ name: String) throws -> [Int] { try #require(file.shape(of: name)) }
        func floats(_ name: String) throws -> [Float] { try file.floats(named: name) }

        /// The rows of a tensor at `indices`, in that order; of a tensor that is not there, none.
        func rows(_ name: String, _ indices: [Int]) throws -> [Float] {
            guard let shape = file.shape(of: name) else { return [] }
            let size = shape.dropFirst().reduce(1, *)
            let values =
                file.dtype(of: name) == .i64
                ? try file.integers(named: name).map { Float($0) } : try file.floats(named: name)
            return indices.flatMap { values[$0 * size..<($0 + 1) * size] }
        }
    }

    private func checkAutoencoder<Coder: Autoencoder>(
        _: Coder.Type, _ name: String, encoded: [String]
    ) throws where Coder.Configuration: NetworkConfiguration {
        let golden = try Golden(name)
        let network = try Coder(folder: golden.folder)
        let latent = try golden.shape("latent")
        func decode(_ indices: [Int], _ threads: Int) throws -> [Float] {
            try network.decode(
                golden.rows("latent", indices), count: indices.count, height: latent[2], width: latent[3],
                threads: threads)
        }
        let all = Array(0..<latent[0])
        #expect(relativeError(try decode(all, 2), try golden.floats("decoded")) < Self.bound)
        try expectBatchInvariance(latent[0], calls: Self.calls, run: decode)

        guard let image = golden.file.shape(of: "image") else { return }
        func encode(_ indices: [Int], _ threads: Int) throws -> [Float] {
            try network.encode(
                golden.rows("image", indices), count: indices.count, height: image[2], width: image[3],
                threads: threads)
        }
        // The outputs are one behind the other in every row.
        let expected = try all.flatMap { row in try encoded.flatMap { try golden.rows($0, [row]) } }
        #expect(relativeError(try encode(all, 2), expected) < Self.bound)
        try expectBatchInvariance(image[0], calls: Self.calls, run: encode)
    }

    @Test(arguments: ["kl-sd", "kl-no-quant-conv"]) func autoencoderAgrees(_ name: String) throws {
        try checkAutoencoder(AutoencoderKL.self, name, encoded: ["mean", "logvar"])
    }

    @Test(arguments: ["vq-ldm", "vq-attention"]) func quantisedAutoencoderAgrees(_ name: String) throws {
        try checkAutoencoder(VQModel.self, name, encoded: ["latents"])
    }

    @Test(arguments: ["sd2-linear", "class-conditional", "only-cross", "sdxl", "plain"], Precision.allCases)
    func conditionedUNetAgrees(_ name: String, _ precision: Precision) throws {
        let golden = try Golden(name)
        let network = try UNet2DCondition(folder: golden.folder, precision: precision)
        let bound = precision == .f32 ? Self.bound : PrecisionTests.bound
        let shape = try golden.shape("sample")
        func run(_ indices: [Int], _ threads: Int) throws -> [Float] {
            var classes = UNet2D.Classes.none
            if case .table = network.configuration.classEmbedding {
                classes = .labels(try golden.rows("class_labels", indices).map { Int($0) })
            } else if golden.file.shape(of: "class_labels") != nil {
                classes = .values(try golden.rows("class_labels", indices))
            }
            return try network(
                .init(
                    golden.rows("sample", indices), rows: indices.count,
                    shape: .init(height: shape[2], width: shape[3]),
                    conditioning: .init(
                        timesteps: golden.rows("timestep", indices),
                        context: golden.rows("encoder_hidden_states", indices),
                        tokens: golden.shape("encoder_hidden_states")[1], classes: classes,
                        textEmbeddings: golden.rows("text_embeds", indices),
                        timeIDs: golden.rows("time_ids", indices))),
                threads: threads)
        }
        #expect(relativeError(try run(Array(0..<shape[0]), 2), try golden.floats("output")) < bound)
        try expectBatchInvariance(shape[0], calls: Self.calls, run: run)
    }

    @Test(arguments: ["clip-quick-gelu", "clip-gelu", "clip-old-end", "clip-projection"])
    func textEncoderAgrees(_ name: String) throws {
        let golden = try Golden(name)
        let network = try CLIPText(folder: golden.folder)
        let shape = try golden.shape("input_ids")
        let ids = try golden.file.integers(named: "input_ids")
        func run(_ indices: [Int], _ threads: Int) throws -> CLIPText.Encoding {
            try network.encode(
                indices.flatMap { ids[$0 * shape[1]..<($0 + 1) * shape[1]] }, texts: indices.count, length: shape[1],
                threads: threads)
        }
        let encoding = try run(Array(0..<shape[0]), 2)
        let pooled = golden.file.shape(of: "text_embeds") == nil ? "pooler_output" : "text_embeds"
        #expect(relativeError(encoding.lastHiddenState, try golden.floats("last_hidden_state")) < Self.bound)
        #expect(relativeError(encoding.penultimate, try golden.floats("penultimate")) < Self.bound)
        #expect(relativeError(encoding.pooled, try golden.floats(pooled)) < Self.bound)
        try expectBatchInvariance(shape[0], calls: Self.calls) { indices, threads in
            let encoding = try run(indices, threads)
            // By row, as the outputs of other networks are.
            return indices.indices.flatMap { row in
                [encoding.lastHiddenState, encoding.penultimate, encoding.pooled].flatMap { values in
                    let size = values.count / indices.count
                    return values[row * size..<(row + 1) * size]
                }
            }
        }
    }

    /// Inputs that do not fit are refused, whichever part of them it is.
    @Test func refusesInputs() throws {
        let unet = try UNet2DCondition(folder: Golden("sdxl").folder)
        func call(
            sample: Int = 4 * 64, size: Int = 8, context: Int = 20, tokens: Int = 1, text: Int = 10, times: Int = 6
        ) throws {
            _ = try unet(
                .init(
                    [Float](repeating: 0, count: sample), rows: 1, shape: .init(height: size, width: size),
                    conditioning: .init(
                        timesteps: [1], context: [Float](repeating: 0, count: context), tokens: tokens,
                        textEmbeddings: [Float](repeating: 0, count: text),
                        timeIDs: [Float](repeating: 0, count: times))), threads: 1)
        }
        try call()
        #expect(throws: NetworkInputError.self) { try call(sample: 4 * 36, size: 6) }
        #expect(throws: NetworkInputError.self) { try call(context: 19) }
        #expect(throws: NetworkInputError.self) { try call(context: 0, tokens: 0) }
        #expect(throws: NetworkInputError.self) { try call(tokens: .max) }
        #expect(throws: NetworkInputError.self) { try call(text: 9) }
        #expect(throws: NetworkInputError.self) { try call(times: 7) }

        let text = try CLIPText(folder: Golden("clip-gelu").folder)
        #expect(throws: NetworkInputError.self) { _ = try text.encode([60], texts: 1, length: 1, threads: 1) }
        #expect(throws: NetworkInputError.self) { _ = try text.encode([-1], texts: 1, length: 1, threads: 1) }
        #expect(throws: NetworkInputError.self) {
            _ = try text.encode([Int](repeating: 1, count: 13), texts: 1, length: 13, threads: 1)
        }
        let coder = try AutoencoderKL(folder: Golden("kl-sd").folder)
        #expect(throws: NetworkInputError.self) {
            _ = try coder.decode([0], count: 1, height: .max, width: .max, threads: 1)
        }
        #expect(throws: NetworkInputError.self) {
            _ = try coder.encode([Float](repeating: 0, count: 27), count: 1, height: 3, width: 3, threads: 1)
        }
    }

    /// Keys that would change what a network computes are refused by name.
    @Test(arguments: [
        ("conv_in_kernel", "5"), ("dual_cross_attention", "true"), ("num_attention_heads", "4"),
        ("attention_type", "\"gated\""), ("time_embedding_type", "\"fourier\""), ("addition_embed_type", "\"image\""),
        ("encoder_hid_dim_type", "\"image_proj\""), ("class_embeddings_concat", "true"),
        ("attention_head_dim", "[2, 2, 2]"), ("attention_head_dim", "100"), ("transformer_layers_per_block", "[[1]]"),
        ("cross_attention_dim", "null"), ("class_embed_type", "\"other\""), ("time_cond_proj_dim", "256"),
        ("mid_block_type", "\"UNetMidBlock2DSimpleCrossAttn\""),
    ])
    func refusesKeys(_ key: String, _ value: String) throws {
        let text = """
            {"block_out_channels": [8, 16], "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
             "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"], "norm_num_groups": 4, "attention_head_dim": 2, "\(key)": \(value)}
            """
        let error = #expect(throws: CheckpointError.self) {
            try UNet2DConditionConfiguration(json: text.utf8, file: "config.json")
        }
        #expect(error?.description.contains(key) == true)
    }
}
