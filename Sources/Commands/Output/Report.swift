import Foundation
import NeuralNetwork

/// The machine-readable account of a run; its keys are part of the command line's contract.
struct Report: Encodable {
    struct Summary: Encodable {
        let mean: Double
        let min: Int
        let max: Int

        init(_ values: [Int]) {
            mean = values.isEmpty ? 0 : Double(values.reduce(0, +)) / Double(values.count)
            min = values.min() ?? 0
            max = values.max() ?? 0
        }
    }

    struct Sample: Encodable {
        let nfe: Int
        let evaluations: Int
        let accepted: Int
        let rejected: Int
    }

    struct Step: Encodable {
        let step: Int
        /// Drafts of this step that came to be decided.
        var drafted = 0
        var accepted = 0
        /// Mean of `2Φ(-‖Δ‖/2)` over them.
        var predicted_acceptance = 0.0
    }

    struct Versions: Encodable {
        let diffspec: String
        let openblas_core: String
    }

    let model: String
    let steps: Int
    let window: WindowOption
    let draft: String
    let churn: Double
    let temperature: Double
    let rule: String
    let exact: Bool
    let seed: UInt64
    let count: Int
    /// Of a job in parts, which: "2/8".
    let shard: String?
    /// Of a job that was joined, the number of its parts; its seconds are those of the longest.
    let shards: Int?
    let threads: Int
    /// Of a run on several processes.
    let parallel: Parallel?
    let calls: Int
    let wall_seconds: Double
    let nfe: Summary
    let evaluations: Summary
    let acceptance: Double
    /// Steps taken without a draft.
    let plain_steps: Int
    /// States drawn from the target upon rejections: --rule rejection only.
    let extra_draws: Int
    let per_sample: [Sample]
    let by_step: [Step]
    let versions: Versions

    struct Parallel: Encodable {
        let mode: String
        let ranks: Int
        /// Of `window`: of all target calls, the seconds they took, and of these the slowest process's computing.
        let call_seconds: Double?
        let computing_seconds: Double?
    }

    init(
        _ run: SamplingDescription, tally: SamplingTally, threads: Int, shard: String? = nil, shards: Int? = nil,
        parallel: Parallel? = nil
    ) {
        model = run.model
        steps = run.steps
        window = run.window
        draft = run.draft
        churn = run.churn
        temperature = run.temperature
        rule = run.rule
        exact = run.exact
        seed = run.seed
        count = tally.samples.count
        self.shard = shard
        self.shards = shards
        self.threads = threads
        self.parallel = parallel
        calls = tally.calls
        wall_seconds = tally.seconds
        nfe = tally.nfe
        evaluations = tally.evaluations
        acceptance = tally.acceptance
        plain_steps = run.draft == "none" ? count * steps : tally.plainSteps
        extra_draws = tally.extraDraws
        per_sample = tally.costs.map {
            .init(nfe: $0.calls, evaluations: $0.evaluations, accepted: $0.accepted, rejected: $0.rejected)
        }
        by_step = tally.reportedSteps
        versions = .init(diffspec: Version.current, openblas_core: LinearAlgebra.coreName)
    }
}

/// How samples are made, as far as a report tells it.
struct SamplingDescription: Codable, Equatable {
    let model: String
    let steps: Int
    let window: WindowOption
    /// "none" for plain sampling.
    let draft: String
    let churn: Double
    let temperature: Double
    let rule: String
    let exact: Bool
    let seed: UInt64
}

extension SamplingOptions {
    func description(isPlain: Bool, isExact: Bool) -> SamplingDescription {
        SamplingDescription(
            model: model.model, steps: model.steps, window: window, draft: isPlain ? "none" : draft.name,
            churn: model.churn, temperature: effectiveTemperature, rule: isPlain ? "none" : effectiveRule.name,
            exact: isExact, seed: seed)
    }
}

extension Encodable {
    /// Writes the value as JSON; the file appears whole or not at all.
    func writeJSON(to path: String) throws {
        try AtomicFile.write(Array((jsonText() + "\n").utf8), to: path)
    }

    func jsonText() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
