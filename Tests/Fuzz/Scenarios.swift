import Couplings
import Foundation
import NeuralNetwork

/// A sound set of files and a command line that uses them.
struct Scenario: Sendable {
    enum Kind: Sendable { case bytes, text, safetensors }

    let name: String
    /// Paths below the scratch folder, and what is in them.
    let files: [String: [UInt8]]
    /// Of these, those to be corrupted.
    let targets: [String: Kind]
    /// The commands that are run on the corrupted files, the first words of each the scratch folder's paths.
    let commands: [[String]]
    /// Whether the words of the command line are corrupted instead, and only parsed.
    var isCommandLine = false
    /// The file that stdin is read from, where a command does so.
    var standardInput: String?
}

enum Scenarios {
    static func all() throws -> [Scenario] {
        let model = try tinyModel()
        let scheduler = model.merging(["m/scheduler/scheduler_config.json": Array(schedulerText.utf8)]) { $1 }
            .filter { $0.key != "m/process.json" }
        let sample = [
            "sample", "--model", "m", "--steps", "3", "--window", "2", "--count", "1", "--threads", "1", "--quiet",
            "--out", "o.png",
        ]
        let evaluate = [
            "evaluate", "--model", "m", "--input", "in.safetensors", "--output", "o.safetensors", "--threads", "1",
        ]
        let distributions: [String: [UInt8]] = [
            "q.json": Array("[0.1, 0.25, 0.3, 0.05, 0.2, 0.1]".utf8),
            "p.json": Array("[0.3, 0.05, 0.15, 0.25, 0.2, 0.05]".utf8),
        ]
        let rules = [
            "maximal", "gumbel", "minhash", "low-communication", "naive", "kseq", "specinfer", "importance",
            "importance-truncated", "importance-vocabulary", "hybrid", "lp", "max-flow", "global-resolution",
        ]
        let couple = rules.flatMap { rule in
            ["1", "2", "3"].map {
                [
                    "couple", "--target", "q.json", "--draft", "p.json", "--rule", rule, "--drafts", $0, "--samples",
                    "20", "--json",
                ]
            }
        }
        let policy = ["policy", "--model", "p", "--steps", "4", "--window", "3", "--threads", "1"]
        let job = ["--samples", "job", "--tensors", "j.safetensors"]
        return [
            Scenario(
                name: "weights", files: model, targets: ["m/diffusion_pytorch_model.safetensors": .safetensors],
                commands: [["inspect", "m"]]),
            Scenario(
                name: "config", files: model, targets: ["m/config.json": .text],
                commands: [["inspect", "m", "--json"], evaluate]),
            Scenario(name: "input", files: model, targets: ["in.safetensors": .safetensors], commands: [evaluate]),
            Scenario(
                name: "process", files: model, targets: ["m/process.json": .text],
                commands: [["inspect", "m"], sample]),
            Scenario(
                name: "scheduler", files: scheduler, targets: ["m/scheduler/scheduler_config.json": .text],
                commands: [["inspect", "m"], sample, sample + ["--chain", "ddpm"]]),
            Scenario(
                name: "scheduler of exploding noise",
                files: scheduler.merging(["m/scheduler/scheduler_config.json": Array(explodingText.utf8)]) { $1 },
                targets: ["m/scheduler/scheduler_config.json": .text],
                commands: [["inspect", "m"], sample, sample + ["--chain", "exponential"]]),
            Scenario(
                name: "times",
                files: scheduler.merging(["t.json": Array(#"{"timesteps": [19, 11, 3, 0]}"#.utf8)]) { $1 },
                targets: ["t.json": .text],
                commands: [
                    sample.filter { $0 != "--steps" && $0 != "3" } + ["--times", "t.json"],
                    sample.filter { $0 != "--steps" && $0 != "3" } + ["--times", "t.json", "--chain", "ddpm"],
                ]),
            Scenario(
                name: "prior", files: model, targets: ["m/prior.safetensors": .safetensors],
                // Almost without noise, nearly every draft is rejected: windows alternate with plain steps.
                commands: [sample, sample + ["--steps", "16", "--churn", "1e-6"]]),
            Scenario(
                name: "start",
                files: model.merging(["i.png": greyPicture, "k.png": greyPicture]) { $1 },
                targets: ["i.png": .bytes, "k.png": .bytes],
                commands: [sample + ["--init", "i.png", "--strength", "0.9", "--mask", "k.png", "--preview", "1"]]),
            Scenario(
                name: "learnt mixture",
                files: model.merging(["m/draft-mixture.json": Array(learntMixtureText.utf8)]) { $1 },
                targets: ["m/draft-mixture.json": .text], commands: [sample + ["--draft", "mixture:learnt"]]),
            Scenario(
                name: "projection", files: model.merging(["r.safetensors": try tensors([("matrix", [3, 64])])]) { $1 },
                targets: ["r.safetensors": .safetensors], commands: [sample + ["--rule", "projection:r.safetensors"]]),
            Scenario(
                name: "couple", files: distributions, targets: ["q.json": .text, "p.json": .text], commands: couple),
            Scenario(
                name: "limit",
                files: distributions.merging(["c.json": Array("[[0.9, 0.1, 0], [0.1, 0.8, 0.1]]".utf8)]) { $1 },
                targets: ["q.json": .text, "c.json": .text],
                commands: [
                    ["limit", "acceptance", "--target", "q.json", "--draft", "p.json", "--drafts", "3"],
                    ["limit", "metaconverse", "--channel", "c.json", "--length", "2", "--error", "0.01"],
                ]),
            Scenario(
                name: "text", files: ["x.txt": Array("the cat sat on the mat, the dog sat on the cat".utf8)],
                targets: ["x.txt": .bytes],
                commands: [
                    [
                        "decode", "--text", "x.txt", "--tokens", "8", "--order", "3", "--draft-order", "2", "--prompt",
                        "the", "--json",
                    ]
                ]),
            Scenario(
                name: "coupling stream", files: ["lines.jsonl": Array(couplingLines.utf8)],
                targets: ["lines.jsonl": .text],
                commands: [["couple", "--stream", "--rule", "kseq", "--threads", "1"]], standardInput: "lines.jsonl"),
            Scenario(
                name: "laws as objects", files: ["q.json": Array(targetText.utf8), "p.json": Array(logitsText.utf8)],
                targets: ["q.json": .text, "p.json": .text],
                commands: [["couple", "--target", "q.json", "--draft-law", "p.json", "--rule", "specinfer", "--json"]]),
            Scenario(
                name: "policy", files: try tinyPolicy(),
                targets: [
                    "p/config.json": .text, "p/scheduler_config.json": .text, "p/statistics.safetensors": .safetensors,
                ],
                commands: [policy], standardInput: "lines.jsonl"),
            Scenario(
                name: "policy lines", files: try tinyPolicy(), targets: ["lines.jsonl": .text], commands: [policy],
                standardInput: "lines.jsonl"),
            Scenario(
                name: "manifest", files: model, targets: ["job/manifest.json": .text],
                commands: [
                    sample + job + ["--resume"], ["merge", "job", "--quiet"],
                    ["merge", "job", "--samples", "joined", "--tensors", "k.safetensors", "--quiet"],
                ]),
            Scenario(
                name: "picture", files: model, targets: ["job/000000.png": .bytes],
                commands: [
                    ["merge", "job", "--out", "g.png", "--quiet"], sample + job + ["--resume"],
                    ["inspect", "job/000000.png"],
                ]),
        ]
            + (try latentScenarios()) + (try policyScenarios()) + (try llamaScenarios())
            + commandLines.map {
                Scenario(name: "command line", files: [:], targets: [:], commands: [$0], isCommandLine: true)
            }
    }

    /// Everything with a parser of its own; none of these is run.
    private static let commandLines: [[String]] = [
        [
            "sample", "--steps", "100", "--window", "adaptive", "--draft", "mixture:frozen=0.3,recycled=0.7", "--churn",
            "0.25", "--class", "3",
            "--guidance", "0.5", "--count", "4", "--batch", "2", "--shard", "1/2", "--samples", "x",
        ],
        [
            "sample", "--rule", "typical:0.5,0.1", "--draft", "picard:3", "--spacing", "edm", "--schedule", "vp-linear",
            "--seed", "12",
        ],
        ["sample", "--rule", "projection:pool:4", "--temperature", "1", "--chain", "ddpm", "--threads", "2"],
        ["sample", "--chain", "ddim", "--eta", "0.5", "--spacing", "ays-sdxl", "--rho", "3"],
        [
            "plan", "--workers", "1,4,16", "--ranks", "4,16", "--latency", "1.5", "--bandwidth", "12", "--all-windows",
            "5,adaptive", "--all-drafts", "recycled,picard:2",
        ],
        [
            "mixture", "--dimension", "2", "--components", "16", "--steps", "200", "--churn", "0.5", "--draft",
            "independent",
        ],
        ["langevin", "--energy", "phi4", "--beta", "100", "--lattice", "8"],
        ["couple", "--target", "q", "--draft", "p", "--rule", "kseq", "--drafts", "2", "--tolerance", "1e-4"],
        ["limit", "metaconverse", "--bsc", "0.11", "--length", "100", "--error", "1e-3"],
        ["decode", "--text", "x", "--order", "6", "--rule", "gumbel", "--temperature", "1"],
        ["merge", "a", "b", "--samples", "c"], ["compare", "--count", "8", "--report", "r.json"],
    ]

    /// A model of two levels with attention, small enough to be loaded a thousand times a second.
    private static func tinyModel() throws -> [String: [UInt8]] {
        let configuration = try UNet2DConfiguration(json: configText.utf8, file: "config.json")
        return [
            "m/config.json": Array(configText.utf8), "m/process.json": Array(processText.utf8),
            "m/diffusion_pytorch_model.safetensors": try tensors(
                UNet2D.parameters(of: configuration).map { ($0.name, $0.shape) }),
            "m/prior.safetensors": try tensors([("denoised", [3, 1, 8, 8])]),
            "in.safetensors": try input(),
        ]
    }

    private static let learntMixtureText = """
        {"drafts": ["recycled", "mixture:frozen=0.3,frozen-denoiser=0.7", "picard:1"], "weights_by_progress": [[0.2, 0.3, 0.5], [1, 0, 0]],
        "steps": 3, "window": 2, "churn": 0.25, "rows": 100, "rejection": 0.2, "rejection_alone": [0.3, 0.25, 0.21]}
        """

    /// 8×8 pixels.
    private static let greyPicture: [UInt8] = {
        let text =
            "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAAEklEQVR4nGNkUIUAJm4oII8BAJIdA3tSxwSuAAAAAElFTkSuQmCC"
        return Array(Data(base64Encoded: text) ?? Data())
    }()

    private static let targetText = #"{"tokens": [1, 5], "probabilities": [0.25, 0.75], "vocabulary": 8}"#
    private static let logitsText = """
        {"logits": [0.5, 2, -1, 0, 0, 1.5, -3, 0], "temperature": 0.7, "top_k": 5, "top_p": 0.9, "min_p": 0.01}
        """

    private static let couplingLines = """
        {"target": [0.25, 0.75], "draft": [0.5, 0.5], "drafted": [0, 1], "seed": 7, "position": 3, "id": "a"}
        {"target": \(targetText), "draft": \(logitsText), "drafted": [5], "rule": "specinfer"}
        {"target": {"logits": {"base64": "AAAAAAAAgD8="}}, "drafts": [[1, 0], [0.5, 0.5]], "drafted": [0, 1], "rule": "max-flow"}

        """

    /// A policy of two observations of two numbers each, and some requests to it.
    private static func tinyPolicy() throws -> [String: [UInt8]] {
        let configuration = try ConditionalUnet1DConfiguration(json: policyText.utf8, file: "config.json")
        return [
            "p/config.json": Array(policyText.utf8), "p/scheduler_config.json": Array(schedulerText.utf8),
            "p/diffusion_pytorch_model.safetensors": try tensors(
                ConditionalUnet1D.parameters(of: configuration).map { ($0.name, $0.shape) }),
            // All alike, so that no maximum is below its minimum.
            "p/statistics.safetensors": try tensors(
                [
                    ("observation_minimum", [2]), ("observation_maximum", [2]), ("action_minimum", [2]),
                    ("action_maximum", [2]),
                ], of: 0.5),
            "lines.jsonl": Array(policyLines.utf8),
        ]
    }

    private static let policyText = """
        {"_class_name": "ConditionalUnet1D", "input_dim": 2, "global_cond_dim": 4, "horizon": 4, "diffusion_step_embed_dim": 8,
         "down_dims": [8, 16], "kernel_size": 3, "n_groups": 4, "cond_predict_scale": true}
        """

    private static let policyLines = """
        {"observation": [[0.1, 0.2], [0.3, 0.4]], "seed": 7, "id": "a"}
        {"observation": [[[0.1, 0.2], [0.3, 0.4]], [[1, 2], [3, 4]]], "seed": [1, 2], "id": null}
        {"observation": [[5e-1, -2], [0, 4]]}

        """

    private static let configText = """
        {"_class_name": "UNet2DModel", "_diffusers_version": "0.30.0", "act_fn": "silu", "add_attention": true, "attention_head_dim": 4,
         "attn_norm_num_groups": null, "block_out_channels": [4, 8], "center_input_sample": false, "class_embed_type": null,
         "down_block_types": ["DownBlock2D", "AttnDownBlock2D"], "downsample_padding": 1, "downsample_type": "conv", "dropout": 0.0,
         "flip_sin_to_cos": true, "freq_shift": 0, "in_channels": 1, "layers_per_block": 1, "mid_block_scale_factor": 1,
         "mid_block_type": "UNetMidBlock2D", "norm_eps": 1e-05, "norm_num_groups": 2, "num_class_embeds": 3, "out_channels": 1,
         "resnet_time_scale_shift": "default", "sample_size": 8, "time_embedding_dim": null, "time_embedding_type": "positional",
         "up_block_types": ["AttnUpBlock2D", "UpBlock2D"], "upsample_type": "conv"}
        """

    private static let processText = """
        {"schedule": "cosine", "prediction": "sample", "time_scale": 1000, "image": {"height": 8, "width": 8, "channels": 1,
         "range": [-1, 1]}, "classes": ["a", "b"], "null_class": 2, "beta_min": 0.1, "beta_max": 20}
        """

    private static let schedulerText = """
        {"_class_name": "DDPMScheduler", "num_train_timesteps": 20, "beta_start": 0.0001, "beta_end": 0.02, "beta_schedule": "linear",
         "trained_betas": null, "variance_type": "fixed_small", "clip_sample": true, "clip_sample_range": 1.0, "prediction_type": "epsilon",
         "timestep_spacing": "leading", "steps_offset": 0, "rescale_betas_zero_snr": false, "thresholding": false}
        """

    private static let explodingText = """
        {"_class_name": "EDMEulerScheduler", "sigma_min": 0.002, "sigma_max": 80.0, "sigma_data": 0.5, "rho": 7.0,
         "sigma_schedule": "karras", "prediction_type": "epsilon", "num_train_timesteps": 1000, "final_sigmas_type": "zero"}
        """

    /// A file of random numbers.
    /// - Parameter value: of all of them, in place of random ones.
    static func tensors(_ list: [(name: String, shape: [Int])], of value: Float? = nil) throws -> [UInt8] {
        let path = NSTemporaryDirectory() + "fuzz-\(UUID()).safetensors"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let writer = try SafetensorsWriter(path: path, tensors: list)
        var stream = RandomSource(seed: 2).stream(sample: 0, step: 0, purpose: .auxiliary)
        for (_, shape) in list {
            try writer.append(stream.normals(shape.reduce(1, *)).map { value ?? Float($0 * 0.2) })
        }
        try writer.finish()
        return Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// Two rows and their labels, which are integers.
    private static func input() throws -> [UInt8] {
        let header =
            #"{"sample":{"dtype":"F32","shape":[2,1,8,8],"data_offsets":[0,512]},"timestep":{"dtype":"F32","shape":[2],"data_offsets":[512,520]},"class_labels":{"dtype":"I64","shape":[2],"data_offsets":[520,536]}}"#
        let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init)
        let zeros = [UInt8](repeating: 0, count: 520)
        return length + Array(header.utf8) + zeros + [1] + [UInt8](repeating: 0, count: 7) + [2]
            + [UInt8](repeating: 0, count: 7)
    }

    /// A file of one tensor of integers.
    static func integers(_ name: String, _ rows: [[Int64]]) -> [UInt8] {
        let values = rows.joined().flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) }
        let header =
            #"{"\#(name)":{"dtype":"I64","shape":[\#(rows.count),\#(rows.first?.count ?? 0)],"data_offsets":[0,\#(values.count)]}}"#
        return withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init) + Array(header.utf8) + values
    }
}
