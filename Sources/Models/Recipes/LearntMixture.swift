import Diffusion
import Platform

/// `draft-mixture.json` of a model folder: drafts, the weights that were learnt for them, and on what.
public struct LearntMixture: Codable, Sendable {
    public static let file = "draft-mixture.json"

    /// As `--draft` names them.
    public let drafts: [String]
    /// A row of weights for each of equal parts of the chain.
    public let weightsByProgress: [[Double]]
    public let steps: Int
    public let window: Int
    public let churn: Double
    /// Rows that the weights were fitted to.
    public let rows: Int
    /// Mean probability of rejection on them, with the mixture and with each draft alone.
    public let rejection: Double
    public let rejectionAlone: [Double]
    /// The file, for errors; no part of it.
    private var path = Self.file

    private enum CodingKeys: String, CodingKey {
        case drafts, steps, window, churn, rows, rejection
        case weightsByProgress = "weights_by_progress"
        case rejectionAlone = "rejection_alone"
    }

    public static func path(in folder: String) -> String {
        URL(fileURLWithPath: folder).appendingPathComponent(file).path
    }

    public init(
        _ fit: MixtureFit, weights: MixtureWeights, drafts: [DraftRecipe], steps: Int, window: Int, churn: Double
    )
        throws
    {
        self.drafts = drafts.map(\.name)
        weightsByProgress = weights.byProgress.map { $0.map { ($0 * 1e4).rounded() / 1e4 } }
        (self.steps, self.window, self.churn, rows) = (steps, window, churn, fit.rowCount)
        rejection = fit.rejection(with: weights)
        rejectionAlone = try drafts.indices.map { j in
            fit.rejection(with: try MixtureWeights(byProgress: [drafts.indices.map { $0 == j ? 1 : 0 }]))
        }
    }

    /// - Throws: `ModelError` where there is no such file, or another.
    public init(folder: String) throws {
        let path = Self.path(in: folder)
        guard FileManager.default.fileExists(atPath: path) else {
            throw ModelError(
                path, expected: "the weights of a learnt mixture", found: "no file",
                remedy: "make it with diffspec calibrate mixture")
        }
        self = try JSONFile.decode(Self.self, path: path)
        self.path = path
    }

    public func recipes() throws -> [DraftRecipe] {
        try drafts.map { name in
            guard let draft = DraftRecipe(name), draft != .none, draft != .learntMixture else {
                throw ModelError(path, key: "drafts", expected: "names as --draft takes", found: "\"\(name)\"")
            }
            return draft
        }
    }

    public func weights() throws -> MixtureWeights {
        let weights: MixtureWeights
        do { weights = try MixtureWeights(byProgress: weightsByProgress) } catch {
            throw ModelError(path, key: "weights_by_progress", expected: error.expected, found: error.found)
        }
        guard weights.componentCount == drafts.count else {
            throw ModelError(
                path, key: "weights_by_progress", expected: "rows of \(drafts.count) weights",
                found: "rows of \(weights.componentCount)")
        }
        return weights
    }
}
