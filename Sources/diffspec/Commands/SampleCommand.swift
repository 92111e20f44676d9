import ArgumentParser
import Diffusion
import Foundation
import Imaging
import Pretrained

struct SampleCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sample",
        abstract: "Sample a model and write a PNG grid.",
        discussion: """
            Prints how many network calls (NFE) a sample took, against the K of plain sampling.

            Examples:
              diffspec sample --steps 100 --window 20
              diffspec sample --class Sneaker --class Bag --count 64 --out bags.png
              diffspec sample --draft frozen --report frozen.json     # the published method
              diffspec sample --model path/to/ddpm --chain ddpm --steps 1000 --window 100
            """)

    @OptionGroup var options: SamplingOptions

    @Option(help: .init("The picture to write.", valueName: "grid.png"))
    var out = "samples.png"

    func run() throws {
        Interruption.watch()
        try OutputError.checkWritable(file: out)
        if let report = options.report { try OutputError.checkWritable(file: report) }
        let model = try options.model.load()
        let chain = try options.model.chain(over: model, threads: options.threads)
        let sampler = try options.sampler(over: chain, model: model)

        var output = try SampleOutput(
            model: model, count: options.count, keepsGrid: true, folder: options.samples, tensors: options.tensors)
        defer { output.cancel() }
        let run = try SamplingRun("sampling", sampler: sampler, samples: 0..<options.count, options: options) {
            try output.accept($1, index: $0)
        }
        try output.finish()
        try Image.grid(output.pictures)?.writePNG(to: out)
        if let report = options.report { try run.report.writeJSON(to: report) }
        run.warnOfFallback()
        if !options.quiet { print(summary(run, shown: output.pictures.count)) }
    }

    private func summary(_ run: SamplingRun, shown: Int) -> String {
        let (nfe, evaluations, steps) = (run.nfe, run.evaluations, options.model.steps)
        var lines = [
            "\(options.model.model): \(options.count) samples of \(steps) steps in \(run.seconds.formatted(digits: 1)) s"
        ]
        if options.draft == .none {
            lines.append("  NFE          \(nfe.mean.formatted(digits: 1)) a sample, plain sampling")
        } else {
            lines += [
                "  NFE          \(nfe.mean.formatted(digits: 1)) a sample (\(nfe.min) to \(nfe.max)), \(steps) by plain sampling: "
                    + "\((Double(steps) / nfe.mean).formatted(digits: 1)) times fewer",
                "  evaluations  \(evaluations.mean.formatted(digits: 1)) a sample (\(evaluations.min) to \(evaluations.max))",
                "  acceptance   \((100 * run.acceptance).formatted(digits: 1)) %, draft \(options.draft.name), window \(options.window.name)",
            ]
        }
        if run.plainSteps > 0 {
            let part = 100 * Double(run.plainSteps) / Double(options.count * steps)
            lines.append("  plain steps  \(part.formatted(digits: 0)) % of all, where no draft was worth its rows")
        }
        if run.extraDraws > 0 {
            lines.append("  extra draws  \((Double(run.extraDraws) / Double(options.count)).formatted(digits: 1)) from the target a sample")
        }
        lines.append("  exact        " + (run.isExact ? "yes: the law of plain sampling" : "no: rule \(options.effectiveRule.name)"))
        let part = shown < options.count ? " (the first \(shown))" : ""
        lines.append("  wrote        \(out)\(part)" + [options.samples, options.tensors, options.report].compactMap { $0.map { ", \($0)" } }.joined())
        return lines.joined(separator: "\n")
    }
}
