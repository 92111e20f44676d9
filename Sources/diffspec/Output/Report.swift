import Foundation

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
    let threads: Int
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
}

extension Encodable {
    /// Writes the value as JSON; the file appears whole or not at all.
    func writeJSON(to path: String) throws {
        do {
            try Data((jsonText() + "\n").utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw OutputError(path: path, reason: error.localizedDescription)
        }
    }

    func jsonText() throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self)
    }
}
