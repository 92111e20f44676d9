import ArgumentParser
import Jobs
import Models

struct EvaluateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Run a network once on given rows.",
        discussion: """
            Reads safetensors with the tensors "sample" [N, C, H, W], "timestep" [N] and, for networks with classes, \
            "class_labels" [N] (I64 or I32; numbers or vectors where class_embed_type is timestep or identity). Writes \
            "output" exactly as diffusers' UNet2DModel.forward returns it. For a policy's ConditionalUnet1D the tensors are \
            "sample" [N, T, D], "timestep" [N] and "global_cond" [N, G]; a network for mixtures takes "sample" [N, d] and labels.

            The parts of latent models: AutoencoderKL and VQModel take "latent" and write "decoded", or take "image" and write \
            "mean" and "logvar" ("latents" of a VQModel), neither scaled; UNet2DConditionModel takes \
            "encoder_hidden_states" [N, S, X] too, and "text_embeds" and "time_ids" where it has a place for them; \
            CLIPTextModel and CLIPTextModelWithProjection take "input_ids" [N, S] and write "last_hidden_state", \
            "penultimate" (before the last layer) and "pooler_output" or "text_embeds".
            """)

    @Option(help: .init("Model folder in diffusers' layout, or a bundled model's name.", valueName: "dir|name"))
    var model: String

    @Option(help: .init("The rows.", valueName: "in.safetensors"))
    var input: String

    @Option(help: .init("Where the output goes.", valueName: "out.safetensors"))
    var output: String

    @OptionGroup var threads: ThreadsOption
    @OptionGroup(title: "Result") var result: ResultOptions

    func run() throws {
        try result.check(tensors: [output])
        try result.show(
            result.console.during("evaluating") {
                try Evaluation.run(model: model, input: input, output: output, threads: threads.threads)
            })
    }
}
