import Foundation
import Statistics
import Testing

@Suite("Assignment, distances and families of tests")
struct AssignmentTests {
    /// All permutations of 0 ..< n.
    static func permutations(_ n: Int) -> [[Int]] {
        if n == 0 { return [[]] }
        return permutations(n - 1).flatMap { rest in
            (0...rest.count).map { place in
                var permutation = rest
                permutation.insert(n - 1, at: place)
                return permutation
            }
        }
    }

    /// Against every permutation, with ties and negative costs among them.
    @Test(arguments: 1...6)
    func theLeastOfAllPermutations(size: Int) {
        var generator = TwoSampleTests.Weyl(state: UInt64(size))
        for round in 0..<20 {
            let costs = generator.numbers(size * size).map { round.isMultiple(of: 2) ? $0 - 0.5 : ($0 * 4).rounded() }
            func total(_ columns: [Int]) -> Double {
                columns.enumerated().reduce(0) { $0 + costs[$1.offset * size + $1.element] }
            }
            let found = Assignment.minimal(costs: costs, size: size)
            #expect(found.sorted() == Array(0..<size))
            let least = Self.permutations(size).map(total).min() ?? 0
            #expect(abs(total(found) - least) < 1e-12)
        }
    }

    /// In one dimension the optimal assignment is by order, and a shift moves every point as far.
    @Test func wassersteinByOrderAndShift() {
        var generator = TwoSampleTests.Weyl(state: 9)
        let (a, b) = (generator.numbers(200), generator.numbers(200))
        let sorted = zip(a.sorted(), b.sorted()).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        let exact = Wasserstein.exact(a.map { [$0] }, b.map { [$0] })
        #expect(abs(exact - (sorted / 200).squareRoot()) < 1e-12)
        #expect(abs(Wasserstein.sliced(a.map { [$0] }, b.map { [$0] }, directions: [[-3]]) - exact) < 1e-12)

        let points = zip(a, b).map { [$0, $1] }
        let shifted = points.map { [$0[0] + 3, $0[1] - 4] }
        #expect(abs(Wasserstein.exact(points, shifted) - 5) < 1e-12)
        let angles = (0..<64).map { Double($0) / 64 * .pi }
        #expect(abs(Wasserstein.sliced(points, shifted, directions: angles.map { [cos($0), sin($0)] }) - 5) < 1e-9)
    }

    /// Holm's own order: 0.01·4, then 0.02·3, then the larger ones raised to it.
    @Test func holmByHand() {
        let adjusted = MultipleTesting.holm([0.02, 0.01, 0.5, 0.021])
        for (found, expected) in zip(adjusted, [0.06, 0.04, 0.5, 0.06]) { #expect(abs(found - expected) < 1e-12) }
        #expect(MultipleTesting.holm([]) == [])
        #expect(MultipleTesting.bonferroni([0.3, 0.01]) == 0.02)
    }

    /// Values of tables; and the one-sample test holds its level as the two-sample test does, and finds a shift.
    @Test func distributionFunctions() {
        #expect(abs(NormalDistribution.cumulative(1.959964) - 0.975) < 1e-7)
        #expect(abs(NormalDistribution.twoSided(-1.959964).pValue - 0.05) < 1e-7)
        #expect(abs(NormalDistribution.squaredNormCumulative(5.991465, degrees: 2) - 0.95) < 1e-7)
        #expect(abs(NormalDistribution.squaredNormCumulative(9.487729, degrees: 4) - 0.95) < 1e-7)

        var generator = TwoSampleTests.Weyl(state: 10)
        func uniform(_ x: Double) -> Double { min(max(x, 0), 1) }
        let small = (0..<200).count { _ in
            KolmogorovSmirnov.oneSample(generator.numbers(500), cumulative: uniform).pValue < 0.1
        }
        #expect(abs(small - 20) < 22)  // 5 deviations of the binomial
        #expect(KolmogorovSmirnov.oneSample(generator.numbers(2000, shift: 0.1), cumulative: uniform).pValue < 1e-6)
    }
}
