import ArgumentParser
import Jobs
import Models

extension Shard: ExpressibleByArgument {
    public init?(argument: String) { self.init(argument) }
}
extension ParallelMode: ExpressibleByArgument {}

struct SampleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample",
        abstract: "Sample a model and write a PNG grid.",
        discussion: """
            Prints how many network calls (NFE) a sample took, against the K of plain sampling.

            With --samples the folder gets a manifest that says which samples are done. A job that was stopped or killed \
            is resumed by the same command with --resume, and ends with the very samples that it would have had. By --shard a \
            job is shared out, to be joined by diffspec merge.

            Examples:
              diffspec sample --steps 100 --window 20
              diffspec sample --class Sneaker --class Bag --count 64 --labels --out bags.png
              diffspec sample --count 4 --animate how.png                           # watch it, beside plain sampling
              diffspec sample --draft frozen --no-fallback --report frozen.json     # the published method
              diffspec sample --model path/to/ddpm --chain ddpm --steps 1000 --window 100
              diffspec sample --model path/to/stable-diffusion --prompt "a cat on a horse" --guidance 7.5
              diffspec sample --init photo.png --mask hole.png --prompt "a dog" --model path/to/stable-diffusion
              diffspec sample --count 50000 --samples images --shard 3/8 --resume
              mpirun -n 4 diffspec-mpi sample --parallel window --count 1
            """)

    @OptionGroup var options: SamplingOptions

    @Option(help: .init("The picture to write (default: samples.png; none with --shard).", valueName: "grid.png"))
    var out: String?

    @OptionGroup var grid: GridOptions

    @Option(
        parsing: .unconditional,
        help: .init(
            "Every N rounds of calls, write beside --out what the samples are about to become (samples.preview.png), until it is there itself.",
            valueName: "N"))
    var preview: Int?

    @Option(
        help: .init(
            "Write an animated PNG of how the first samples come about, call by call, by plain sampling and by speculation; both are run once more for it.",
            valueName: "file.png"))
    var animate: String?

    @Flag(help: "Give each class a column of the picture, with its name above.")
    var labels = false

    @Option(help: .init("Make only part i of n of the samples, i from 1 to n; needs --samples.", valueName: "i/n"))
    var shard: Shard?

    @Flag(help: "Resume the job in the --samples folder, if one was begun there.")
    var resume = false

    @Option(
        help:
            "With diffspec-mpi, what the processes share out: the samples of a job, each process its own; or the rows of each call, for few samples soon (default: samples)."
    )
    var parallel: ParallelMode?

    var request: SampleRequest {
        get throws {
            var request = try options.request(grid: out ?? (shard == nil ? "samples.png" : nil))
            (request.previewRounds, request.animation) = (preview, animate)
            (request.shard, request.resumes) = (shard ?? .whole, resume)
            request.gridStyle = grid.style(of: "sample", isLabelled: labels)
            return request
        }
    }

    func validate() throws { try checkingUsage(exceptOfFiles: { try request.validate() }) }
}
