import ArgumentParser
import Jobs
import Models

struct RecordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Record what drafts have to guess, to train one on.",
        discussion: """
            Samples, and writes a row for every state that the target was asked at: the state and the target's answer \
            there, and what the corrected draft would have known of it: the recycled draft's guess, the newest state at a \
            step not beyond that the target was asked at, and where the path now passes at that step. \
            weights/training/train_correction.py makes a network for --draft corrected from such files.

            The file is safetensors, Float32, with the tensor "examples" [R, 5, C, H, W] (state, moved source \
            state, source state, guess, x̂0) and the tensors "time", "source_time", "weight" (by which an error of x̂0 \
            moves ‖Δ‖), "label" and "sample" [R]. Where nothing was known of the target yet, source_time is -1, the \
            source's states are 0, and the guess is the model's prior, or the state. The rows come in the order in which \
            the target was asked, so that --batch decides whose they are.
            """)

    @OptionGroup(title: "Model") var model: ModelOptions

    @Option(parsing: .unconditional, help: WindowRecipe.help, transform: WindowRecipe.init)
    var window = WindowRecipe.fixed(20)

    @OptionGroup var drafting: DraftOptions
    @OptionGroup var fallback: FallbackOption

    @Option(parsing: .unconditional, help: .init("Rows to record, about 2 K of each sample.", valueName: "R"))
    var rows = 20_000

    @OptionGroup var batch: BatchOption
    @OptionGroup var seed: SeedOption
    @OptionGroup var threads: ThreadsOption

    @Option(help: .init("The file to write.", valueName: "file"))
    var examples = "examples.safetensors"

    @Option(name: .customLong("out"), help: .hidden)
    var formerExamples: String?

    @OptionGroup(title: "Result") var result: ResultOptions

    func validate() throws {
        try checkCount(rows, "rows", atMost: 10_000_000)
        guard drafting.draft != .none else {
            throw ValidationError("--draft none guesses nothing that could be recorded.")
        }
    }

    func run() throws {
        Interruption.watch()
        let file = formerExamples ?? examples
        try result.check(tensors: [file])
        var speculation = SpeculationRecipe(draft: drafting.draft, window: window)
        (speculation.draftModel, speculation.fallsBack) = (drafting.draftModel, fallback.fallsBack)
        try result.show(
            Recording.run(
                model.recipe(seed: seed.seed, speculation: speculation), rows: rows, batch: batch.batch,
                threads: threads.threads, to: file, monitor: result.console))
    }
}
