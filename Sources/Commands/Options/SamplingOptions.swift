import ArgumentParser
import Jobs
import Models

/// How a model is sampled, and where the samples go.
struct SamplingOptions: ParsableArguments {
    @OptionGroup(title: "Model") var model: ModelOptions

    @OptionGroup(title: "Start") var start: StartOptions

    @OptionGroup(title: "Speculation") var speculation: SpeculationOptions

    @Option(parsing: .unconditional, help: .init("Number of samples.", valueName: "N"))
    var count = 16

    @OptionGroup var seed: SeedOption
    @OptionGroup var batch: BatchOption
    @OptionGroup var threads: ThreadsOption

    @Option(help: .init("Folder for one PNG per sample.", valueName: "dir"))
    var samples: String?

    @Option(
        help: .init(
            "File for the raw samples: safetensors, Float32, tensor \"samples\" [N, C, H, W].", valueName: "file"))
    var tensors: String?

    @OptionGroup(title: "Result") var result: ResultOptions

    func validate() throws { try checkCount(count, "count", atMost: 10_000_000) }

    /// - Parameter grid: where a picture goes; nil for none.
    func request(grid: String?) throws -> SampleRequest {
        var request = try SampleRequest(model.recipe(seed: seed.seed, speculation: speculation.recipe))
        request.recipe.start = start.recipe
        (request.count, request.batch, request.threads) = (count, batch.batch, threads.threads)
        (request.grid, request.folder, request.tensors) = (grid, samples, tensors)
        request.keepsPictures = result.html != nil
        return request
    }
}
