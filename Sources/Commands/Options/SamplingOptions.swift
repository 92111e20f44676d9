import ArgumentParser
import Couplings
import Diffusion
import Foundation
import Models

/// How a model is sampled, and where the results go.
struct SamplingOptions: ParsableArguments {
    @OptionGroup(title: "Model") var model: ModelOptions

    @OptionGroup(title: "Speculation") var speculation: SpeculationOptions

    @Option(help: DraftOption.modelHelp)
    var draftModel: String?

    @Option(parsing: .unconditional, help: .init("Number of samples.", valueName: "N"))
    var count = 16

    @Option(help: .init("Seed: each sample is a function of it and its own index.", valueName: "S"))
    var seed: UInt64 = 0

    @Option(
        parsing: .unconditional,
        help: .init(
            "Samples under way at a time; bounds memory, and changes no result but --window auto's.", valueName: "N"))
    var batch = 16

    @Option(
        parsing: .unconditional,
        help: .init(
            "Processor cores to use (default: all; of processes that mpirun started, its share).", valueName: "T"))
    var threads = Processors.available

    @Option(help: .init("Folder for one PNG per sample.", valueName: "dir"))
    var samples: String?

    @Option(
        help: .init(
            "File for the raw samples: safetensors, Float32, tensor \"samples\" [N, C, H, W].", valueName: "file"))
    var tensors: String?

    @Option(help: .init("File for the report, JSON.", valueName: "file"))
    var report: String?

    @Flag(help: "Print nothing but errors.")
    var quiet = false

    func validate() throws {
        guard (1...10_000_000).contains(count) else {
            throw ValidationError("--count must be from 1 to 10000000, found \(count).")
        }
        guard (1...4096).contains(batch) else {
            throw ValidationError("--batch must be from 1 to 4096, found \(batch).")
        }
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads must be from 1 to 1024, found \(threads).")
        }
    }

    var window: WindowOption { speculation.window }
    var draft: DraftOption { speculation.draft }
    var effectiveRule: RuleOption { speculation.effectiveRule }
    /// `τ`, for the report.
    var effectiveTemperature: Double { if case .temperature(let tau) = effectiveRule { tau } else { 1 } }

    /// Rows of the largest call.
    func largestCall(for model: PretrainedModel) -> Int {
        // A broadcast of more than 64 MiB is better made in two.
        let most = max(1, (64 << 20) / (8 * SampleFormat(model).size))
        let rows =
            min(batch, count) * (window.longest(steps: self.model.steps) + 1) * (self.model.guidance == 0 ? 1 : 2)
        return min(rows, most)
    }

    /// - Parameter model: the target, over which `chain` is built.
    func sampler(over chain: DenoisingChain, model: PretrainedModel, plain: Bool = false) throws -> any Sampler {
        let isPlain = plain || draft == .none
        try MemoryNeed.check(
            of: model, lanes: min(batch, count), window: isPlain ? 0 : window.longest(steps: self.model.steps))
        let random = RandomSource(seed: seed)
        let draft =
            try plain
            ? nil
            : draft.draft(
                over: chain, companions: self.model.companions(of: model, chain, named: draftModel, threads: threads))
        guard let draft else { return SequentialSampler(chain: chain, random: random) }
        return SpeculativeSampler(
            chain: chain, draft: draft, rule: try effectiveRule.rule(for: model, threads: threads),
            window: try speculation.windowPolicy(for: chain, lanes: min(batch, count)), random: random)
    }
}
