import ArgumentParser
import Couplings
import Diffusion
import Foundation
import Imaging
import Models
import Statistics

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

    /// The energy distance takes quadratic time; this many pairs see a difference of a few percent of a deviation.
    private static let largestTest = 2000

    struct Comparison: Encodable {
        struct Ratio: Encodable {
            let nfe: Double
            let evaluations: Double
            let wall: Double
        }
        struct TwoSample: Encodable {
            let test: String
            let statistic: Double
            let p_value: Double
        }
        let plain: Report
        let speculative: Report
        /// Plain over speculative: how many times less speculation took.
        let ratio: Ratio
        let two_sample: TwoSample
    }

    func validate() throws {
        if options.draft == .none {
            throw ValidationError("--draft none is the plain sampling that a draft is compared with; name another.")
        }
    }

    func run() throws {
        Interruption.watch()
        try OutputError.checkWritable(files: [out, options.report, options.tensors])
        let model = try options.model.load()
        let chain = try options.model.chain(over: model, threads: options.threads)
        let labels = max(1, try options.model.labels(of: model).count)

        // Other sample indices are other noise; a whole number of cycles keeps the classes in step.
        let offset = (options.count + labels - 1) / labels * labels
        let plainSamples = offset..<offset + options.count
        var plainOutput = try SampleOutput(
            format: SampleFormat(model), samples: plainSamples, keepsGrid: out != nil, folder: nil, tensors: nil)
        var output = try SampleOutput(
            format: SampleFormat(model), samples: 0..<options.count, keepsGrid: out != nil, folder: options.samples,
            tensors: options.tensors)
        defer { output.cancel() }
        let tested = min(options.count, Self.largestTest)
        var (plainStates, states) = ([[Double]](repeating: [], count: tested), [[Double]](repeating: [], count: tested))

        let plainSampler = try options.sampler(over: chain, model: model, plain: true)
        let sampler = try options.sampler(over: chain, model: model)
        let plain = try SamplingRun("plain", sampler: plainSampler, samples: plainSamples, options: options) {
            if $0.sample - offset < tested { plainStates[$0.sample - offset] = $0.state }
            return try plainOutput.accept($0.state, sample: $0.sample)
        }
        let speculative = try SamplingRun("speculative", sampler: sampler, samples: 0..<options.count, options: options)
        {
            if $0.sample < tested { states[$0.sample] = $0.state }
            return try output.accept($0.state, sample: $0.sample)
        }
        var stream = RandomSource(seed: options.seed).stream(sample: 0, step: 0, purpose: .auxiliary)
        let test = EnergyDistance.pairedTwoSample(states, plainStates, using: &stream)

        try output.finish()
        if let out { try Image.grid(plainOutput.pictures() + output.pictures())?.writePNG(to: out) }
        let (plainReport, report) = (plain.report, speculative.report)
        let comparison = Comparison(
            plain: plainReport, speculative: report,
            ratio: .init(
                nfe: plainReport.nfe.mean / report.nfe.mean,
                evaluations: plainReport.evaluations.mean / report.evaluations.mean,
                wall: plainReport.wall_seconds / report.wall_seconds),
            two_sample: .init(test: "energy distance, paired swaps", statistic: test.statistic, p_value: test.pValue))
        if let file = options.report { try comparison.writeJSON(to: file) }
        speculative.warnOfFallback()
        if !options.quiet { print(table(comparison)) }
    }

    private func table(_ comparison: Comparison) -> String {
        func row(_ name: String, _ plain: String, _ speculative: String, _ ratio: Double? = nil) -> String {
            let ratio = ratio.map { "\($0.formatted(digits: 2))×" } ?? ""
            return "| \(name) | \(plain) | \(speculative) | \(ratio) |"
        }
        let (options, plain, speculative) = (options, comparison.plain, comparison.speculative)
        return """
            \(options.model.model), \(options.model.steps) steps, window \(options.window.name), draft \(options.draft.name), \
            churn \(options.model.churn), \(options.count) samples\(speculative.exact ? "" : ", not exact (rule \(options.effectiveRule.name))")

            | | plain | speculative | plain/speculative |
            |---|---|---|---|
            \(row("NFE a sample", plain.nfe.mean.formatted(digits: 1), speculative.nfe.mean.formatted(digits: 1), comparison.ratio.nfe))
            \(row("evaluations a sample", plain.evaluations.mean.formatted(digits: 1), speculative.evaluations.mean.formatted(digits: 1), comparison.ratio.evaluations))
            \(row("acceptance", "", "\((100 * speculative.acceptance).formatted(digits: 1)) %"))
            \(row("wall-clock", "\(plain.wall_seconds.formatted(digits: 2)) s", "\(speculative.wall_seconds.formatted(digits: 2)) s", comparison.ratio.wall))

            same law? energy distance \(comparison.two_sample.statistic.formatted(digits: 4)), p = \(comparison.two_sample.p_value.formatted(digits: 3)) \
            over \(min(options.count, Self.largestTest)) pairs
            """
    }
}
