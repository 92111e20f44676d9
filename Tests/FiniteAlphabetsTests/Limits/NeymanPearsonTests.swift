import FiniteAlphabets
import Foundation
import Testing

@Suite("Neyman–Pearson and the acceptance it bounds")
struct NeymanPearsonTests {
    @Test("the polygon agrees with Lemma 1", arguments: 0..<30 as Range<UInt64>)
    func variational(seed: UInt64) throws {
        let (q, p) = try TestProblems.pair(seed: seed)
        let curve = try FiniteNeymanPearson(p, q)
        for a in stride(from: 0.0, through: 1.0, by: 0.05) {
            // Sums of six products; the rounding of 1 - a is multiplied by a ratio q/p.
            let ratio = p.probabilities.indices.map { p[$0] > 0 ? q[$0] / p[$0] : 0 }.max() ?? 0
            #expect(abs(curve.beta(a) - (try FiniteNeymanPearson.variationalBeta(a, p, q))) < 1e-14 * (10 + ratio))
        }
    }

    @Test("α*_n by β equals α*_n by subsets", arguments: 0..<60 as Range<UInt64>, 1...4)
    func acceptance(seed: UInt64, n: Int) throws {
        let (q, p) = try TestProblems.pair(seed: seed)
        let byBeta = try FiniteNeymanPearson(p, q).optimalAcceptance(drafts: n)
        let bySets = try OptimalAcceptance(MultiDraftProblem(target: q, draft: p, count: n)).value
        #expect(abs(byBeta - bySets) < 1e-12)
    }

    @Test("one Gaussian draft is the reflection coupling's 2Φ(-δ/2)", arguments: [1e-9, 0.1, 1, 3, 18])
    func oneGaussianDraft(distance: Double) throws {
        let acceptance = try GaussianNeymanPearson(distance: distance).optimalAcceptance(drafts: 1)
        #expect(abs(acceptance / erfc(distance / 8.0.squareRoot()) - 1) < 1e-12)
    }

    @Test("Gaussian optimum is the least over a fine grid", arguments: [0.05, 0.3, 1, 2.5, 6], [2, 3, 8, 64])
    func gaussianGrid(distance: Double, n: Int) throws {
        let curve = try GaussianNeymanPearson(distance: distance)
        let optimum = try curve.optimalAcceptance(drafts: n)
        // The grid's minimum is above the true one by at most ½ h² max|f″| ≈ 5e-7 at h = 1e-3.
        let grid =
            stride(from: -10.0, through: 10 + distance, by: 1e-3).map { t in
                1 + erfc((distance - t) / 2.0.squareRoot()) / 2 - pow(erfc(-t / 2.0.squareRoot()) / 2, Double(n))
            }.min() ?? 1
        #expect(optimum <= grid + 1e-12)
        #expect(optimum > grid - 1e-5)
    }

    @Test("a Gaussian pair cut in many cells approaches the Gaussian limit")
    func discretisedGaussian() throws {
        let distance = 1.2
        func cells(_ shift: Double) throws -> FiniteDistribution {
            try FiniteDistribution(
                weights: stride(from: -9.0, to: 9, by: 0.01).map { x in
                    erfc((shift - x - 0.01) / 2.0.squareRoot()) - erfc((shift - x) / 2.0.squareRoot())
                }.map { max(0, $0) })
        }
        let finite = try FiniteNeymanPearson(cells(0), cells(distance))
        let gaussian = try GaussianNeymanPearson(distance: distance)
        for n in 1...4 {
            // Cells of width h lose at most order h² of β.
            #expect(abs(try finite.optimalAcceptance(drafts: n) - gaussian.optimalAcceptance(drafts: n)) < 1e-4)
        }
    }

    @Test("more drafts help, and bad parameters are named")
    func order() throws {
        let curve = try GaussianNeymanPearson(distance: 2)
        let values = try (1...6).map { try curve.optimalAcceptance(drafts: $0) }
        #expect(zip(values, values.dropFirst()).allSatisfy { $0 < $1 })
        let none = CouplingError.parameterOutOfRange(name: "the number of drafts", value: 0, expected: "at least 1")
        #expect(throws: none) { try curve.optimalAcceptance(drafts: 0) }
        #expect(throws: CouplingError.self) { try GaussianNeymanPearson(distance: .nan) }
        #expect(try GaussianNeymanPearson(distance: 0).optimalAcceptance(drafts: 5) == 1)
    }
}
