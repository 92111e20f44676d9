import Diffusion
import Foundation
import Models
import Reports

/// All that decides which bits the samples of a job have: what a process that resumes it must agree on.
struct JobDescription: Codable, Equatable {
    let recipe: SamplingRecipe
    let count: Int
    /// Of the model's folder, see `Fingerprint`.
    let weights: String
    /// Of the folders that drafts may draw on; empty where there are none.
    let draftWeights: String
    /// Of the file or folder that the rule reads; empty for a rule without one.
    let ruleWeights: String
    /// Of the pictures that samples start from; nil for none.
    let startPictures: String?
    /// The schedule that the model is sampled with.
    let schedule: String
    let exact: Bool
    let notes: [String]?
    let hasTensors: Bool
    let format: SampleFormat
    let version: String

    enum CodingKeys: String, CodingKey {
        case recipe, count, weights, schedule, exact, notes, format, version
        case draftWeights = "draft_weights"
        case ruleWeights = "rule_weights"
        case startPictures = "start_pictures"
        case hasTensors = "tensors"
    }

    init(_ request: SampleRequest, model: ImageModel, isExact: Bool) throws {
        recipe = request.recipe
        count = request.count
        weights = try Fingerprint.text(ofFolder: model.folder)
        let companions =
            recipe.speculation.draftModel.map { [$0] } ?? ImageCompanions.names(of: recipe.model.name)
        draftWeights = try companions.compactMap { try? BundledModels.folder($0) }
            .map { try Fingerprint.text(ofFolder: $0) }.joined(separator: " ")
        ruleWeights = try recipe.speculation.rule.fingerprint()
        startPictures = try recipe.start?.fingerprint()
        schedule = model.process.scheduleName
        exact = isExact
        notes = model.notes.isEmpty ? nil : model.notes
        hasTensors = request.tensors != nil
        format = SampleFormat(model)
        version = Version.current
    }

    var sampling: SamplingDescription { SamplingDescription(recipe, isExact: exact, notes: notes ?? []) }

    /// The names of folders are no part of it, nor notes that name them: the same model may stand elsewhere.
    private static let names: Set<String> = [
        "recipe.model.name", "recipe.speculation.draftModel", "notes", "recipe.start.picture", "recipe.start.mask",
    ]

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
