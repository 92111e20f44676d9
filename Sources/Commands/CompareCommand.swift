import ArgumentParser
import Jobs

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Run plain and speculative sampling side by side.",
        discussion: """
            Prints NFE, evaluations, acceptance and wall-clock of both, how many times less speculation took, and \
            the p-value of a two-sample test: both runs draw independent samples of the same classes, and under \
            equal laws the p-value is uniform. A small one (below 0.001, say) means that the laws differ.
            """)

    @OptionGroup var options: SamplingOptions

    @Option(help: .init("A picture of both: plain samples above speculative ones.", valueName: "grid.png"))
    var out: String?

    @OptionGroup var grid: GridOptions

    func validate() throws {
        if options.speculation.drafting.draft == .none {
            throw ValidationError("--draft none is the plain sampling that a draft is compared with; name another.")
        }
    }

    func run() throws {
        Interruption.watch()
        var request = try options.request(grid: out)
        request.gridStyle = grid.style(of: "compare")
        try options.result.check(pictures: [request.grid], tensors: [request.tensors])
        try options.result.show(Comparison.run(request, monitor: options.result.console))
    }
}
