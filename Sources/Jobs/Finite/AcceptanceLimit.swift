import FiniteAlphabets
import Foundation
import Models

/// The optimal acceptance of several drafts, α*.
public struct AcceptanceLimit: RunResult {
    /// Between what the drafts and the target are.
    public enum Laws: Codable, Sendable {
        /// Two finite distributions, in files.
        case finite(target: String, draft: String)
        /// Two Gaussian steps whose means are `δ = ‖Δ‖` standard deviations apart.
        case gaussian(distance: Double)
    }

    let drafts: Int
    let optimum: Double
    let distance: Double?

    /// Finds out what cannot be before any file is read.
    public static func check(_ laws: Laws, drafts: Int) throws(RecipeError) {
        try FiniteNeymanPearson.draftCounts.check(Double(drafts), setting: "drafts")
        if case .gaussian(let distance) = laws {
            try GaussianNeymanPearson.distances.check(distance, setting: "distance")
        }
    }

    public static func run(_ laws: Laws, drafts: Int) throws -> AcceptanceLimit {
        try check(laws, drafts: drafts)
        switch laws {
        case .finite(let target, let draft):
            let (q, drafted) = try LawFile.laws(target: target, drafts: [draft])
            return AcceptanceLimit(
                drafts: drafts, optimum: try FiniteNeymanPearson(drafted[0], q).optimalAcceptance(drafts: drafts),
                distance: nil)
        case .gaussian(let distance):
            let curve = try GaussianNeymanPearson(distance: distance)
            return AcceptanceLimit(
                drafts: drafts, optimum: try curve.optimalAcceptance(drafts: drafts), distance: distance)
        }
    }

    public var text: String { String(format: "optimum %.9f", optimum) + " with \(drafts) drafts" }
}
