import NeuralNetwork

/// A pipeline of latents whose every file is corrupted in turn, and what each of its networks is evaluated on.
extension Scenarios {
    static func latentScenarios() throws -> [Scenario] {
        let files = try tinyPipeline()
        let sample = [
            "sample", "--model", "l", "--steps", "2", "--window", "2", "--count", "1", "--threads", "1", "--quiet",
            "--prompt", "ab a", "--guidance", "2", "--out", "o.png",
        ]
        func evaluate(_ part: String) -> [String] {
            [
                "evaluate", "--model", "l/\(part)", "--input", "\(part).safetensors", "--output", "o.safetensors",
                "--threads", "1",
            ]
        }
        let tokenize = ["tokenize", "l/tokenizer", "ab a", "--json"]
        let weights = "diffusion_pytorch_model.safetensors"
        return [
            Scenario(
                name: "pipeline", files: files,
                targets: ["l/model_index.json": .text, "l/scheduler/scheduler_config.json": .text],
                commands: [sample, ["inspect", "l"]]),
            Scenario(
                name: "autoencoder", files: files,
                targets: [
                    "l/vae/config.json": .text, "l/vae/\(weights)": .safetensors, "vae.safetensors": .safetensors,
                ],
                commands: [evaluate("vae"), ["inspect", "l/vae", "--json"], sample]),
            Scenario(
                name: "quantised autoencoder", files: files,
                targets: ["l/vqvae/config.json": .text, "l/vqvae/\(weights)": .safetensors],
                commands: [evaluate("vqvae"), ["inspect", "l/vqvae"]]),
            Scenario(
                name: "conditioned U-Net", files: files,
                targets: ["l/unet/config.json": .text, "unet.safetensors": .safetensors],
                commands: [evaluate("unet"), sample]),
            Scenario(
                name: "text encoder", files: files,
                targets: ["l/text_encoder/config.json": .text, "text_encoder.safetensors": .safetensors],
                commands: [evaluate("text_encoder"), sample]),
            Scenario(
                name: "tokenizer", files: files,
                targets: [
                    "l/tokenizer/vocab.json": .text, "l/tokenizer/merges.txt": .text,
                    "l/tokenizer/tokenizer_config.json": .text, "l/tokenizer/special_tokens_map.json": .text,
                ],
                commands: [tokenize, sample]),
            Scenario(
                name: "tokenizer.json", files: ["t/tokenizer.json": Array(tokenizerText.utf8)],
                targets: ["t/tokenizer.json": .text], commands: [["tokenize", "t", "ab a", "--json"]]),
        ]
    }

    private static func tinyPipeline() throws -> [String: [UInt8]] {
        func network<Tiny: Network>(_: Tiny.Type, _ text: String) throws -> [UInt8] {
            try tensors(
                Tiny.parameters(of: .init(json: text.utf8, file: "config.json")).map { ($0.name, $0.shape) })
        }
        let weights = "diffusion_pytorch_model.safetensors"
        return [
            "l/model_index.json": Array(indexText.utf8),
            "l/scheduler/scheduler_config.json": Array(latentSchedulerText.utf8),
            "l/unet/config.json": Array(unetText.utf8),
            "l/unet/\(weights)": try network(UNet2DCondition.self, unetText),
            "l/vae/config.json": Array(vaeText.utf8), "l/vae/\(weights)": try network(AutoencoderKL.self, vaeText),
            "l/vqvae/config.json": Array(vqText.utf8), "l/vqvae/\(weights)": try network(VQModel.self, vqText),
            "l/text_encoder/config.json": Array(textText.utf8),
            "l/text_encoder/model.safetensors": try network(CLIPText.self, textText),
            "l/tokenizer/vocab.json": Array(vocabularyText.utf8), "l/tokenizer/merges.txt": Array(mergesText.utf8),
            "l/tokenizer/tokenizer_config.json": Array(#"{"model_max_length": 6, "pad_token": "!"}"#.utf8),
            "l/tokenizer/special_tokens_map.json": Array(#"{"eos_token": {"content": "<|endoftext|>"}}"#.utf8),
            "vae.safetensors": try tensors([("latent", [2, 2, 3, 2]), ("image", [1, 3, 4, 6])]),
            "vqvae.safetensors": try tensors([("latent", [2, 3, 3, 2]), ("image", [1, 3, 4, 6])]),
            "unet.safetensors": try tensors([
                ("sample", [2, 2, 4, 6]), ("timestep", [2]), ("encoder_hidden_states", [2, 6, 8]),
            ]),
            "text_encoder.safetensors": integers("input_ids", [[6, 3, 5, 7, 0, 0], [6, 7, 0, 0, 0, 0]]),
        ]
    }

    private static let indexText = """
        {"_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.30.0", "unet": ["diffusers", "UNet2DConditionModel"],
         "vae": ["diffusers", "AutoencoderKL"], "text_encoder": ["transformers", "CLIPTextModel"],
         "tokenizer": ["transformers", "CLIPTokenizer"], "scheduler": ["diffusers", "DDIMScheduler"], "safety_checker": [null, null]}
        """

    private static let latentSchedulerText = """
        {"_class_name": "DDIMScheduler", "num_train_timesteps": 20, "beta_start": 0.00085, "beta_end": 0.012,
         "beta_schedule": "scaled_linear", "clip_sample": false, "prediction_type": "epsilon"}
        """

    private static let unetText = """
        {"_class_name": "UNet2DConditionModel", "in_channels": 2, "out_channels": 2, "sample_size": 4, "norm_num_groups": 2,
         "block_out_channels": [4, 8], "layers_per_block": 1, "attention_head_dim": [2, 4], "cross_attention_dim": 8,
         "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"], "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"],
         "transformer_layers_per_block": [1, 2], "only_cross_attention": false, "use_linear_projection": true,
         "class_embed_type": null, "num_class_embeds": null, "addition_embed_type": null, "act_fn": "silu"}
        """

    private static let vaeText = """
        {"_class_name": "AutoencoderKL", "in_channels": 3, "out_channels": 3, "latent_channels": 2, "norm_num_groups": 2,
         "block_out_channels": [4, 4], "layers_per_block": 1, "down_block_types": ["DownEncoderBlock2D", "DownEncoderBlock2D"],
         "up_block_types": ["UpDecoderBlock2D", "UpDecoderBlock2D"], "sample_size": 8, "scaling_factor": 0.5,
         "shift_factor": 0.1, "latents_mean": [0.1, 0.2], "latents_std": [1, 2], "use_quant_conv": true, "mid_block_add_attention": true}
        """

    private static let vqText = """
        {"_class_name": "VQModel", "in_channels": 3, "out_channels": 3, "latent_channels": 4, "vq_embed_dim": 3, "num_vq_embeddings": 7,
         "norm_num_groups": 2, "block_out_channels": [4, 4], "layers_per_block": 1, "norm_type": "group",
         "down_block_types": ["DownEncoderBlock2D", "AttnDownEncoderBlock2D"],
         "up_block_types": ["AttnUpDecoderBlock2D", "UpDecoderBlock2D"], "lookup_from_codebook": false}
        """

    private static let textText = """
        {"architectures": ["CLIPTextModel"], "vocab_size": 8, "hidden_size": 8, "intermediate_size": 12, "num_hidden_layers": 2,
         "num_attention_heads": 2, "max_position_embeddings": 6, "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5, "eos_token_id": 7}
        """

    private static let vocabularyText = """
        {"!": 0, "a": 1, "b": 2, "a</w>": 3, "b</w>": 4, "ab</w>": 5, "<|startoftext|>": 6, "<|endoftext|>": 7}
        """

    private static let mergesText = "#version: 0.2\na b</w>\n"

    private static let tokenizerText = """
        {"added_tokens": [{"id": 6, "content": "<|startoftext|>"}, {"id": 7, "content": "<|endoftext|>"}],
         "model": {"type": "BPE", "end_of_word_suffix": "</w>", "vocab": {"!": 0, "a": 1, "b": 2, "a</w>": 3, "b</w>": 4, "ab</w>": 5},
         "merges": ["a b</w>", ["a", "b</w>"]]}}
        """
}
