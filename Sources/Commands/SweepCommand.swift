import ArgumentParser
import Couplings
import Diffusion
import Foundation
import Imaging
import Models

struct SweepCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep",
        abstract: "Measure calls over a grid of churn, temperature, draft, window and steps.",
        discussion: """
            Samples every combination and prints a Markdown table of calls (NFE), evaluations and acceptance, with \
            standard errors. The same samples in every cell: seed and count are shared. The picture shows NFE against \
            the option with the most values.

            Examples:
              diffspec sweep --csv table1.csv --plot table1.png             # the shape of the paper's Table 1
              diffspec sweep --all-temperatures 1 --all-churn 0.25 --all-windows 2,5,10,20,40,80 --plot windows.png
            """)

    @OptionGroup(title: "Model") var model: ModelOptions

    @Option(help: .init("Churns.", valueName: "ε,…"), transform: { try ListArgument.parse($0, positive: Double.init) })
    var allChurn = [0.1, 0.25, 0.5, 1]

    @Option(
        help: .init("Temperatures; only 1 is exact.", valueName: "τ,…"),
        transform: { try ListArgument.parse($0, positive: Double.init) })
    var allTemperatures = [0.5, 1, 2]

    @Option(
        help: .init("Drafts.", valueName: "name,…"),
        transform: { try ListArgument.parse($0, DraftOption.init(listed:)) })
    var allDrafts: [DraftOption] = [.frozen, .independent, .recycled]

    @Option(
        help: .init("Windows.", valueName: "L,…"), transform: { try ListArgument.parse($0) { try WindowOption($0) } })
    var allWindows: [WindowOption] = [.fixed(20)]

    @Option(
        help: .init("Steps (default: --steps).", valueName: "K,…"),
        transform: { try ListArgument.parse($0, positive: Int.init) })
    var allSteps: [Int] = []

    @Option(help: DraftOption.modelHelp)
    var draftModel: String?

    @Option(parsing: .unconditional, help: .init("Samples a cell.", valueName: "N"))
    var count = 16

    @Option(help: .init("Seed.", valueName: "S"))
    var seed: UInt64 = 0

    @Option(parsing: .unconditional, help: .init("Samples under way at a time.", valueName: "N"))
    var batch = 16

    @Option(parsing: .unconditional, help: .init("Processor cores to use (default: all).", valueName: "T"))
    var threads = ProcessInfo.processInfo.activeProcessorCount

    @Option(help: .init("The table as CSV.", valueName: "file"))
    var csv: String?

    @Option(help: .init("The table as JSON.", valueName: "file"))
    var report: String?

    @Option(help: .init("A picture of it.", valueName: "file.png"))
    var plot: String?

    @Flag(help: "No table, no progress.")
    var quiet = false

    func validate() throws {
        guard (1...1_000_000).contains(count) else {
            throw ValidationError("--count must be from 1 to 1000000, found \(count).")
        }
        guard (1...4096).contains(batch) else {
            throw ValidationError("--batch must be from 1 to 4096, found \(batch).")
        }
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads must be from 1 to 1024, found \(threads).")
        }
        guard (allSteps.max() ?? 0) <= 1_000_000 else {
            throw ValidationError("--all-steps must be at most 1000000, found \(allSteps.max() ?? 0).")
        }
        guard !allDrafts.contains(.none) else {
            throw ValidationError("--all-drafts none needs no sweep: it takes as many calls as steps.")
        }
    }

    func run() throws {
        Interruption.watch()
        try OutputError.checkWritable(files: [csv, report, plot])
        let pretrained = try model.load()
        let settings = (allSteps.isEmpty ? [model.steps] : allSteps).flatMap { steps in
            allWindows.flatMap { window in
                allTemperatures.flatMap { temperature in
                    allChurn.flatMap { churn in
                        allDrafts.map {
                            Sweep.Setting(
                                steps: steps, churn: churn, temperature: temperature, draft: $0, window: window)
                        }
                    }
                }
            }
        }
        var progress = Progress("sweep", total: Double(settings.count), isQuiet: quiet)
        var cells: [Sweep.Cell] = []
        for setting in settings {
            cells.append(try measure(setting, pretrained))
            progress.update(done: Double(cells.count)) { _ in "\(cells.count) of \(settings.count) cells" }
        }
        progress.finish()
        let sweep = Sweep(model: model.model, count: count, seed: seed, cells: cells)
        if let csv {
            do { try sweep.csv.write(toFile: csv, atomically: true, encoding: .utf8) } catch {
                throw OutputError(path: csv, reason: error.localizedDescription)
            }
        }
        if let report { try sweep.writeJSON(to: report) }
        if let plot { try sweep.plot.image().writePNG(to: plot) }
        if !quiet { print(sweep.table) }
    }

    private func measure(_ setting: Sweep.Setting, _ pretrained: PretrainedModel) throws -> Sweep.Cell {
        var model = model
        (model.steps, model.churn) = (setting.steps, setting.churn)
        let lanes = min(batch, count)
        try MemoryNeed.check(of: pretrained, lanes: lanes, window: setting.window.longest(steps: setting.steps))
        let chain = try model.chain(over: pretrained, threads: threads)
        guard
            let draft = try setting.draft.draft(
                over: chain, companions: model.companions(of: pretrained, chain, named: draftModel, threads: threads))
        else { throw ValidationError("--all-drafts none needs no sweep: it takes as many calls as steps.") }
        let rule = ReflectionCoupling(temperature: setting.temperature)
        let sampler = SpeculativeSampler(
            chain: chain, draft: draft, rule: rule,
            window: try setting.window.policy(for: chain, lanes: lanes), random: RandomSource(seed: seed))
        var costs: [SamplingCost] = []
        try sampler.run(samples: 0..<count, lanes: lanes) { _, _ in
            try Interruption.check()
        } onFinished: {
            costs.append($0.cost)
        }
        return Sweep.Cell(setting, costs: costs, isExact: rule.isExact)
    }
}
