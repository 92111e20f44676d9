import Couplings
import Diffusion
import Foundation
import Models
import NeuralNetwork
import Platform

/// How a robot policy is served.
public struct PolicyRecipe: Codable, Equatable, Sendable {
    /// A folder, or a bundled policy's name.
    public var model = "pusht"
    public var chain = ChainRecipe(kind: .ddpm)
    public var speculation = SpeculationRecipe()
    /// Of the first plan whose request has none.
    public var seed: UInt64 = 0
    public var threads = Processors.available

    public init() {}

    public func validate() throws(RecipeError) {
        try chain.validate()
        guard (1...1024).contains(threads) else {
            throw RecipeError("threads", "must be from 1 to 1024, found \(threads).")
        }
        guard seed <= UInt64(PolicyRequest.largestSeed) else {
            throw RecipeError("seed", "must be at most \(PolicyRequest.largestSeed), found \(seed).")
        }
        guard !speculation.rule.looksAtPictures else {
            throw RecipeError("rule", "\(speculation.rule.name) looks at pictures; a policy has none.")
        }
    }
}

/// A loaded policy with the way in which it is sampled: answers requests, each a line of JSON, with plans.
public struct PolicyServer {
    let model: PolicyModel
    private let recipe: PolicyRecipe
    private let monitor: any RunMonitor
    /// For `WindowRecipe.auto`.
    private let callTimes: CallTimes?

    /// Loads the model, and finds out now whether the recipe fits it.
    public init(_ recipe: PolicyRecipe, monitor: any RunMonitor = NoMonitor()) throws {
        try recipe.validate()
        (self.recipe, self.monitor) = (recipe, monitor)
        let model = try PolicyModel(named: recipe.model)
        self.model = model
        monitor.tell(model.notes)
        let zeros = [Double](repeating: 0, count: model.observationSteps * model.observationDimension)
        let chain = try model.chain(recipe.chain, subjects: [zeros], threads: recipe.threads)
        callTimes = try recipe.speculation.window.callTimes(of: chain, lanes: 1)
        _ = try sampler(over: chain, random: RandomSource(seed: 0), lanes: 1)
    }

    /// Answers the lines of standard input on standard output, one by one, until it ends.
    public func serve() throws {
        // A client that is gone shows when an answer is written.
        signal(SIGPIPE, SIG_IGN)
        var nextSeed = Int(recipe.seed)
        var lines = InputLines()
        while let line = try lines.next(checking: monitor.check) {
            let answer: JSON
            do {
                guard case .text(let bytes) = line else {
                    throw PolicyRequest.Refusal("the line is longer than \(InputLines.largestLine) bytes")
                }
                let request = try PolicyRequest(line: bytes, for: model, nextSeed: &nextSeed)
                do {
                    answer = try self.answer(request)
                } catch let error as DiffusionError {
                    throw PolicyRequest.Refusal("\(error)", id: request.id)
                }
            } catch let refusal as PolicyRequest.Refusal {
                answer = refusal.answer
            }
            do {
                try FileHandle.standardOutput.write(contentsOf: Data((answer.text + "\n").utf8))
            } catch {
                throw OutputError(path: "stdout", reason: "nobody reads the answers any more")
            }
        }
    }

    private func sampler(
        over chain: DenoisingChain, random: RandomSource, lanes: Int
    ) throws -> any Sampler<DenoisingChain> {
        try recipe.speculation.sampler(
            over: chain, companions: NoCompanions(), random: random, lanes: lanes, threads: recipe.threads,
            callTimes: callTimes)
    }

    func answer(_ request: PolicyRequest) throws -> JSON {
        let clock = ContinuousClock.now
        let count = request.observations.count
        let sampler = try sampler(
            over: model.chain(recipe.chain, subjects: request.observations, threads: recipe.threads),
            random: RandomSource(seeds: request.seeds.map { UInt64($0) }),
            lanes: count)
        var plans = [SampleState?](repeating: nil, count: count)
        try sampler.run(samples: 0..<count, lanes: count) { _, _ in
            try monitor.check()
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
            .init("windows", each { .integer($0.cost.windows) }),
            .init("evaluations", each { .integer($0.cost.evaluations) }),
            .init("milliseconds", .number((milliseconds * 1000).rounded() / 1000)),
            .init("seed", request.isBatch ? .array(seeds) : seeds[0]),
            .init("exact", .bool(sampler.isExact)),
            .init("fallback", .bool(recipe.speculation.fallsBack && recipe.speculation.draft != .none)),
        ]
        if let id = request.id { members.append(.init("id", id)) }
        return .object(members)
    }
}
