import Couplings
import Diffusion
import Imaging
import Models
import Platform
import Reports
import Statistics

/// Plain and speculative sampling side by side.
public struct Comparison: RunResult {
    public struct Ratio: Encodable, Sendable {
        public let nfe: Double
        public let evaluations: Double
        public let wall: Double
    }
    public struct TwoSample: Encodable, Sendable {
        public let test: String
        public let statistic: Double
        public let p_value: Double
    }
    public let plain: Report
    public let speculative: Report
    /// Plain over speculative: how many times less speculation took.
    public let ratio: Ratio
    public let two_sample: TwoSample

    /// The energy distance takes quadratic time; this many pairs see a difference of a few percent of a deviation.
    private static let largestTest = 2000

    /// Samples both ways, draws independent noise for each, and tests whether their laws are the same.
    /// - Parameters:
    ///   - request: its grid shows the plain samples above the speculative ones.
    ///   - monitor: is told how far the run is, and may end it.
    public static func run(_ request: SampleRequest, monitor: any RunMonitor = NoMonitor()) throws -> Comparison {
        try request.validate()
        guard request.recipe.speculation.draft != .none else {
            throw RecipeError("draft", "none is the plain sampling that a draft is compared with; name another.")
        }
        try OutputError.checkWritable(pictures: [request.grid], tensors: [request.tensors])
        let model = try request.recipe.load(telling: monitor, threads: request.threads)
        try MemoryNeed.check(of: model, request)
        let labels = max(1, try model.labels(of: request.recipe.classes).count)

        // Other sample indices are other noise; a whole number of cycles keeps the classes in step.
        let offset = (request.count + labels - 1) / labels * labels
        let keepsGrid = request.keepsGrid
        let plainSamples = offset..<offset + request.count
        var plainOutput = try SampleOutput(
            format: SampleFormat(model), samples: plainSamples, keepsGrid: keepsGrid, folder: nil, tensors: nil,
            decoder: model.decoder, threads: request.threads)
        var output = try SampleOutput(
            format: SampleFormat(model), samples: 0..<request.count, keepsGrid: keepsGrid, folder: request.folder,
            tensors: request.tensors, decoder: model.decoder, threads: request.threads)
        defer { output.cancel() }
        let tested = min(request.count, largestTest)
        var (plainStates, states) = ([[Double]](repeating: [], count: tested), [[Double]](repeating: [], count: tested))

        var plainRequest = request
        plainRequest.recipe = request.recipe.plain
        var (plain, speculative) = (
            try run("plain", plainRequest, of: model, monitor), try run("speculative", request, of: model, monitor)
        )
        try plain.run(plainSamples) {
            if $0.sample - offset < tested { plainStates[$0.sample - offset] = $0.state }
            return try plainOutput.accept($0.state, sample: $0.sample)
        }
        try speculative.run(0..<request.count) {
            if $0.sample < tested { states[$0.sample] = $0.state }
            return try output.accept($0.state, sample: $0.sample)
        }
        var stream = RandomSource(seed: request.recipe.seed).stream(sample: 0, step: 0, purpose: .auxiliary)
        monitor.begin("testing", total: 0)
        let test = EnergyDistance.pairedTwoSample(states, plainStates, using: &stream)
        monitor.end()

        try output.finish()
        let (plainPictures, pictures) = (try plainOutput.pictures(), try output.pictures())
        if let grid = request.grid {
            try request.gridStyle.write(plainPictures + pictures, to: grid, of: request.recipe, speculative.report)
        }
        speculative.warnOfFallback()
        let contents = [plainPictures, pictures].compactMap { request.gridStyle.content($0, of: request.recipe) }
        return Comparison(
            plain.report, speculative.report, test, recipe: request.recipe,
            pictures: request.keepsPictures ? contents : [], windows: speculative.windows)
    }

    private static func run(
        _ title: String, _ request: SampleRequest, of model: ImageModel, _ monitor: any RunMonitor
    ) throws -> SampleRun {
        SampleRun(
            title, sampler: try model.sampler(request.recipe, lanes: request.lanes, threads: request.threads),
            of: model, request: request, monitor: monitor)
    }

    private let recipe: SamplingRecipe
    /// Plain and speculative samples, for a page.
    private let pictures: [Page.Content]
    private let windows: WindowLog

    private enum CodingKeys: String, CodingKey { case plain, speculative, ratio, two_sample }

    private init(
        _ plain: Report, _ speculative: Report, _ test: TestResult, recipe: SamplingRecipe, pictures: [Page.Content],
        windows: WindowLog
    ) {
        (self.pictures, self.windows) = (pictures, windows)
        (self.plain, self.speculative, self.recipe) = (plain, speculative, recipe)
        ratio = Ratio(
            nfe: plain.nfe.mean / speculative.nfe.mean,
            evaluations: plain.evaluations.mean / speculative.evaluations.mean,
            wall: plain.wall_seconds / speculative.wall_seconds)
        two_sample = TwoSample(
            test: "energy distance, paired swaps", statistic: test.statistic, p_value: test.pValue)
    }

    public var page: Page {
        let sampling = SamplingSections(
            report: speculative, windows: windows, rowsAState: recipe.chain.guidance == 0 ? 1 : 2)
        let samples = zip(["Plain samples", "Speculative samples"], pictures).map { Page.Section($0, $1) }
        let facts =
            sampling.facts + [
                Page.Fact("\(ratio.wall.formatted(digits: 2))×", "as fast by the clock"),
                Page.Fact("p = \(two_sample.p_value.formatted(digits: 3))", "of the same law"),
            ]
        let rest = [sampling.acceptance, sampling.timeline].compactMap(\.self)
        return Page(
            "\(sampling.title), beside plain sampling", facts: facts,
            sections: samples + [sampling.costs(beside: plain)] + rest + [Page.Section("In words", .text(text))])
    }

    /// Pairs that a difference of laws takes to be seen, unless it is a large one.
    private static let fewPairs = 30

    public var text: String {
        let pairs = min(speculative.count, Self.largestTest)
        let caution =
            pairs < Self.fewPairs ? "; so few show only a large difference, take --count 64 or more" : ""
        func row(_ name: String, _ plain: String, _ speculative: String, _ ratio: Double? = nil) -> String {
            "| \(name) | \(plain) | \(speculative) | \(ratio.map { "\($0.formatted(digits: 2))×" } ?? "") |"
        }
        func row(_ name: String, digits: Int, unit: String = "", _ value: (Report) -> Double, _ ratio: Double) -> String
        {
            row(
                name, value(plain).formatted(digits: digits) + unit,
                value(speculative).formatted(digits: digits) + unit,
                ratio)
        }
        let inexact = speculative.exact ? "" : ", not exact (rule \(speculative.rule))"
        return """
            \(speculative.model), \(speculative.steps.counted("step")), window \(speculative.window.name), \
            draft \(speculative.draft), churn \(speculative.churn), \(speculative.count.counted("sample"))\(inexact)

            | | plain | speculative | plain/speculative |
            |---|---|---|---|
            \(row("NFE a sample", digits: 1, { $0.nfe.mean }, ratio.nfe))
            \(row("evaluations a sample", digits: 1, { $0.evaluations.mean }, ratio.evaluations))
            \(row("acceptance", "", "\((100 * speculative.acceptance).formatted(digits: 1)) %"))
            \(row("wall-clock", digits: 2, unit: " s", { $0.wall_seconds }, ratio.wall))

            same law? energy distance \(two_sample.statistic.formatted(digits: 4)), \
            p = \(two_sample.p_value.formatted(digits: 3)) over \(pairs.counted("pair"))\(caution)
            """
    }
}
