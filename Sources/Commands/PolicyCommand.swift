import ArgumentParser
import Couplings
import Diffusion
import Foundation
import NeuralNetwork
import Models

extension AncestralDDPM.Spacing: ExpressibleByArgument {}

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Serve a robot policy: observations in, planned actions out, as JSON lines.",
        discussion: """
            Reads a request a line on stdin and answers each with a line on stdout, at once, until stdin ends. The \
            observations are in the units of the training data, oldest first, as are the actions:

              {"observation": [[…], […]], "seed": 7, "id": "any"}
              {"actions": [[x, y], …], "nfe": 11, "evaluations": 190, "milliseconds": 12.3, "seed": 7, "exact": true, "id": "any"}

            Several observations at once, as a list, are planned side by side with their rows in the same network calls; \
            "seed" is then a list too, or one for all, and "actions", "nfe", "evaluations" and "seed" are lists. What is \
            planned for an observation is a function of its seed and of nothing beside it (but with --window auto it depends \
            on the clock). Without "seed", plans take --seed, --seed + 1, … A line that cannot be answered is answered with \
            {"error": "…"}.

            Examples:
              diffspec policy --model pusht --steps 100 --window 20
              diffspec policy --model path/to/policy --draft none     # plain sampling
            """)

    @Option(help: .init("Policy folder, or a bundled policy's name.", valueName: "dir|name"))
    var model = "pusht"

    @Option(parsing: .unconditional, help: .init("Number of steps K, at most as many as in training.", valueName: "K"))
    var steps = 100

    @Option(help: "Which of the training steps are taken where K is less (default: what the model's scheduler says).")
    var spacing: AncestralDDPM.Spacing?

    @OptionGroup(title: "Speculation") var speculation: SpeculationOptions

    @Option(help: .init("Seed of the first plan whose request has none.", valueName: "S"))
    var seed: UInt64 = 0

    @Option(parsing: .unconditional, help: .init("Processor cores to use (default: all).", valueName: "T"))
    var threads = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
        guard (1...1_000_000).contains(steps) else {
            throw ValidationError("--steps must be from 1 to 1000000, found \(steps).")
        }
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads must be from 1 to 1024, found \(threads).")
        }
        guard seed <= UInt64(PolicyRequest.largestSeed) else {
            throw ValidationError("--seed must be at most \(PolicyRequest.largestSeed), found \(seed).")
        }
        guard !speculation.effectiveRule.looksAtPictures else {
            throw ValidationError("--rule \(speculation.effectiveRule.name) looks at pictures; a policy has none.")
        }
    }

    func run() throws {
        Interruption.watch()
        // A client that is gone shows when an answer is written.
        signal(SIGPIPE, SIG_IGN)
        let planner = try PolicyPlanner(self)
        var nextSeed = Int(seed)
        var lines = InputLines()
        while let line = try lines.next() {
            let answer: JSON
            do {
                guard case .text(let bytes) = line else {
                    throw PolicyRequest.Refusal("the line is longer than \(InputLines.largestLine) bytes")
                }
                let request = try PolicyRequest(line: bytes, for: planner.model, nextSeed: &nextSeed)
                do {
                    answer = try planner.answer(request)
                } catch let error as DiffusionError {
                    throw PolicyRequest.Refusal("\(error)", id: request.id)
                }
            } catch let refusal as PolicyRequest.Refusal {
                answer = refusal.answer
            }
            try Self.write(answer)
        }
    }

    private static func write(_ answer: JSON) throws {
        let text = Data((answer.text + "\n").utf8)
        do {
            try FileHandle.standardOutput.write(contentsOf: text)
        } catch {
            throw OutputError(path: "stdout", reason: "nobody reads the answers any more")
        }
    }
}

/// A loaded policy with the way in which it is sampled.
struct PolicyPlanner {
    let model: PolicyModel
    private let command: PolicyCommand
    /// For --window auto.
    private var callTimes: CallTimes?

    /// Loads the model, and finds out now whether the options fit it.
    init(_ command: PolicyCommand) throws {
        self.command = command
        model = try PolicyModel(folder: BundledModels.folder(command.model))
        let zeros = [Double](repeating: 0, count: model.observationSteps * model.observationDimension)
        let chain = try chain([zeros])
        callTimes = try command.speculation.window.callTimes(of: chain, lanes: 1)
        _ = try sampler(over: chain, random: RandomSource(seed: 0), lanes: 1)
    }

    private func chain(_ observations: [[Double]]) throws -> DenoisingChain {
        try model.chain(
            observations: observations, steps: command.steps, spacing: command.spacing, threads: command.threads)
    }

    private func sampler(over chain: DenoisingChain, random: RandomSource, lanes: Int) throws -> any Sampler {
        let draft = try command.speculation.draft.draft(over: chain, companions: nil)
        guard let draft else { return SequentialSampler(chain: chain, random: random) }
        return SpeculativeSampler(
            chain: chain, draft: draft,
            rule: try command.speculation.effectiveRule.rule(for: nil, threads: command.threads),
            window: try command.speculation.windowPolicy(for: chain, lanes: lanes, callTimes: callTimes), random: random
        )
    }

    func answer(_ request: PolicyRequest) throws -> JSON {
        let clock = ContinuousClock.now
        let count = request.observations.count
        let sampler = try sampler(
            over: chain(request.observations), random: RandomSource(seeds: request.seeds.map { UInt64($0) }),
            lanes: count)
        var plans = [SampleState?](repeating: nil, count: count)
        try sampler.run(samples: 0..<count, lanes: count) { _, _ in
            try Interruption.check()
        } onFinished: {
            plans[$0.sample] = $0
        }
        let milliseconds = (ContinuousClock.now - clock).seconds * 1000

        let finished = plans.compactMap { $0 }
        func each(_ value: (SampleState) -> JSON) -> JSON {
            let values = finished.map(value)
            return request.isBatch ? .array(values) : values[0]
        }
        let seeds = request.seeds.map { JSON.integer($0) }
        var members: [JSON.Member] = [
            .init("actions", each { .array(model.actions($0.state).map { .array($0.map { .number($0) }) }) }),
            .init("nfe", each { .integer($0.cost.calls) }),
            .init("evaluations", each { .integer($0.cost.evaluations) }),
            .init("milliseconds", .number((milliseconds * 1000).rounded() / 1000)),
            .init("seed", request.isBatch ? .array(seeds) : seeds[0]),
            .init("exact", .bool(sampler.isExact)),
        ]
        if let id = request.id { members.append(.init("id", id)) }
        return .object(members)
    }
}
