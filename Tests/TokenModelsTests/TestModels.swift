import Couplings
import FiniteAlphabets
import Foundation
import TokenModels

/// A model whose laws are pseudo-random functions of the last two tokens.
struct RandomModel: DistributionModel {
    let vocabularySize: Int
    let seed: UInt64
    /// How far the laws are mixed with those of seed 0: 0 gives those, 1 something unrelated.
    var independence = 1.0

    func nextDistribution(after context: [Int]) throws -> FiniteDistribution {
        func weights(_ seed: UInt64) -> [Double] {
            let key = context.suffix(2).reduce(7) { $0 * 31 + $1 }
            var stream = RandomSource(seed: seed).stream(sample: key, step: 0, purpose: .auxiliary)
            return (0..<vocabularySize).map { _ in pow(stream.uniform(), 3) }
        }
        let base = weights(0)
        let other = weights(seed)
        return try FiniteDistribution(weights: zip(base, other).map { $0 * (1 - independence) + $1 * independence })
    }
}

enum TestText {
    static let english = Array(
        String(
            repeating: """
                It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it was the \
                epoch of belief, it was the epoch of incredulity, it was the season of light, it was the season of darkness, it was the \
                spring of hope, it was the winter of despair, we had everything before us, we had nothing before us, we were all going \
                direct to heaven, we were all going direct the other way.
                """, count: 2
        ).utf8)

    /// A new folder for files of one test.
    static func folder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("token-models-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }
}
