import Diffusion
import Foundation
import Models

/// All that decides which bits the samples of a job have: what a process that goes on with it must agree on.
struct JobDescription: Codable, Equatable {
    let sampling: SamplingDescription
    let count: Int
    /// Of the model's folder, see `PretrainedModel.fingerprint`.
    let weights: String
    let draftModel: String
    /// Of the folders that drafts may draw on; empty where there are none.
    let draftWeights: String
    /// Of the file or folder that the rule reads; empty for a rule without one.
    let ruleWeights: String
    let classes: [String]
    let guidance: Double
    let schedule: String
    let spacing: String
    let chain: String
    let denoisesLastStep: Bool
    let noFallback: Bool
    let hasTensors: Bool
    let format: SampleFormat
    let version: String

    enum CodingKeys: String, CodingKey {
        case sampling, count, weights, classes, guidance, schedule, spacing, chain, format, version
        case draftModel = "draft_model"
        case draftWeights = "draft_weights"
        case ruleWeights = "rule_weights"
        case denoisesLastStep = "denoise_last_step"
        case noFallback = "no_fallback"
        case hasTensors = "tensors"
    }

    init(_ options: SamplingOptions, model: PretrainedModel, isExact: Bool) throws {
        let isPlain = options.draft == .none
        sampling = options.description(isPlain: isPlain, isExact: isExact)
        count = options.count
        weights = try PretrainedModel.fingerprint(folder: model.folder)
        draftModel = options.draftModel ?? ""
        let companions = options.draftModel.map { [$0] } ?? DraftCompanions.names(of: options.model.model)
        draftWeights = try companions.compactMap { try? BundledModels.folder($0) }
            .map { try PretrainedModel.fingerprint(folder: $0) }.joined(separator: " ")
        ruleWeights = try options.effectiveRule.fingerprint()
        classes = options.model.classes
        guidance = options.model.guidance
        schedule = options.model.schedule?.rawValue ?? model.process.scheduleName
        spacing = options.model.spacing.rawValue
        chain = options.model.chain.rawValue
        denoisesLastStep = options.model.denoiseLastStep
        noFallback = options.speculation.noFallback
        hasTensors = options.tensors != nil
        format = SampleFormat(model)
        version = Version.current
    }

    /// The names of folders are no part of it: the same model may stand elsewhere.
    private static let names: Set<String> = ["sampling.model", "draft_model"]

    /// The first thing that is not the same in another job, nil if all is: what it is, and its values here and there.
    func difference(from other: JobDescription) throws -> (key: String, here: String, there: String)? {
        let (here, there) = (try values(), try other.values())
        // Another model brings other drafts along: what follows from a difference comes after it.
        return Set(here.keys).union(there.keys).subtracting(Self.names)
            .sorted { ($0.hasPrefix("draft") ? 1 : 0, $0) < ($1.hasPrefix("draft") ? 1 : 0, $1) }
            .first { here[$0] != there[$0] }
            .map {
                ($0.split(separator: ".").last.map(String.init) ?? $0, here[$0] ?? "nothing", there[$0] ?? "nothing")
            }
    }

    private func values() throws -> [String: String] {
        var values: [String: String] = [:]
        func collect(_ value: Any, _ key: String) {
            if let members = value as? [String: Any] {
                for (name, value) in members { collect(value, key.isEmpty ? name : "\(key).\(name)") }
            } else {
                values[key] = "\(value)"
            }
        }
        collect(try JSONSerialization.jsonObject(with: JSONEncoder().encode(self)), "")
        return values
    }
}
