import ArgumentParser
import Couplings
import Diffusion
import Foundation
import Models

struct CalibrateMixtureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mixture",
        abstract: "Learn with what weights to mix drafts, step by step.",
        discussion: """
            Samples with an even mixture, notes how far each draft is from the target at every state asked for, and \
            finds for each part of the chain the weights with the fewest rejections to be expected; then samples \
            again with these weights, and refines them. Writes draft-mixture.json into the model folder, for \
            --draft mixture:learnt.
            """)

    @OptionGroup(title: "Model") var model: ModelOptions

    @Option(
        help: .init("The drafts to mix.", valueName: "name,…"),
        transform: { try ListArgument.parse($0, DraftOption.init(listed:)) })
    var drafts: [DraftOption] = [.recycled, .frozenDenoiser, .assisted]

    @Option(help: DraftOption.modelHelp)
    var draftModel: String?

    @Option(parsing: .unconditional, help: .init("Window L.", valueName: "L"))
    var window = 20

    @Option(parsing: .unconditional, help: .init("Equal parts of the chain with weights of their own.", valueName: "N"))
    var parts = 20

    @Option(parsing: .unconditional, help: .init("Samples a round.", valueName: "N"))
    var count = 16

    @Option(parsing: .unconditional, help: .init("Rounds of sampling and fitting.", valueName: "N"))
    var rounds = 2

    @Option(help: .init("Seed.", valueName: "S"))
    var seed: UInt64 = 0

    @Option(parsing: .unconditional, help: .init("Processor cores to use (default: all).", valueName: "T"))
    var threads = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "Print nothing but errors.")
    var quiet = false

    /// Samples under way at a time.
    private static let lanes = 16

    func validate() throws {
        guard drafts.count >= 2, !drafts.contains(.none), !drafts.contains(.learntMixture) else {
            throw ValidationError(
                "--drafts takes two or more of those that --draft knows, none and mixture:learnt excepted.")
        }
        guard (1...1_000_000).contains(window) else {
            throw ValidationError("--window must be from 1 to 1000000, found \(window).")
        }
        guard (1...10_000).contains(parts) else {
            throw ValidationError("--parts must be from 1 to 10000, found \(parts).")
        }
        guard (1...100_000).contains(count) else {
            throw ValidationError("--count must be from 1 to 100000, found \(count).")
        }
        guard (1...100).contains(rounds) else {
            throw ValidationError("--rounds must be from 1 to 100, found \(rounds).")
        }
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads must be from 1 to 1024, found \(threads).")
        }
    }

    func run() throws {
        Interruption.watch()
        let pretrained = try model.load()
        let path = LearntMixture.path(in: pretrained.folder)
        try OutputError.checkWritable(file: path)
        try MemoryNeed.check(of: pretrained, lanes: min(Self.lanes, count), window: min(window, model.steps))
        let chain = try model.chain(over: pretrained, threads: threads)
        let components = try drafts.compactMap {
            try $0.draft(
                over: chain, companions: model.companions(of: pretrained, chain, named: draftModel, threads: threads))
        }
        var draft = try MixtureDraft(components.map { (weight: 1, draft: $0) })
        var progress = Progress("calibrating", total: Double(rounds * count * chain.stepCount), isQuiet: quiet)
        for round in 0..<rounds {
            var fit = MixtureFit(components: components, stepCount: chain.stepCount)
            let sampler = try SpeculativeSampler(
                chain: chain, draft: draft, window: window, random: RandomSource(seed: seed))
            let samples = round * count..<(round + 1) * count
            var finished = samples.lowerBound
            try sampler.run(samples: samples, lanes: Self.lanes) { info, active in
                try Interruption.check()
                try fit.record(info.scored, chain: chain)
                let underWay = active.reduce(0) { $0 + ($1.step < chain.stepCount ? $1.step : 0) }
                progress.update(done: Double(finished * chain.stepCount + underWay)) { _ in
                    "round \(round + 1) of \(rounds)"
                }
            } onFinished: { _ in
                finished += 1
            }
            let weights = try fit.weights(parts: parts)
            draft = try MixtureDraft(components, weights: weights)
            guard round == rounds - 1 else { continue }
            progress.finish()
            let learnt = try LearntMixture(
                fit, weights: weights, drafts: drafts, steps: model.steps, window: window, churn: model.churn)
            try learnt.writeJSON(to: path)
            if !quiet { print(summary(learnt, path: path)) }
        }
    }

    private func summary(_ learnt: LearntMixture, path: String) -> String {
        var lines = ["mean probability of rejection over \(learnt.rows) rows"]
        for (draft, rejection) in zip(learnt.drafts, learnt.rejectionAlone) {
            lines.append("  \(draft) alone  \(rejection.formatted(digits: 4))")
        }
        lines.append("  learnt mixture  \(learnt.rejection.formatted(digits: 4))")
        lines.append("wrote \(path)")
        return lines.joined(separator: "\n")
    }
}
