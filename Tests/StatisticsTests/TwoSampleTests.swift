import Statistics
import Testing

@Suite("Two-sample tests")
struct TwoSampleTests {
    /// Reproducible numbers in [0, 1), good enough for the tests of tests.
    struct Weyl: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
        mutating func numbers(_ count: Int, shift: Double = 0) -> [Double] {
            (0..<count).map { _ in Double.random(in: 0..<1, using: &self) + shift }
        }
    }

    /// D and p of scipy.stats.ks_2samp(method="asymp") differ in the small-sample correction only; D is exact.
    @Test func statisticByHand() {
        let result = KolmogorovSmirnov.twoSample([1, 2, 3, 4], [3, 4, 5, 6])
        #expect(result.statistic == 0.5)
        #expect(KolmogorovSmirnov.twoSample([1, 1, 2], [1, 1, 2]).pValue == 1)
    }

    /// Under equal laws p-values are uniform: of 200, the number below 0.1 is 20 ± 5·√(200·0.09) with overwhelming
    /// probability; a shift of a tenth is found at once.
    @Test func kolmogorovSmirnovHoldsItsLevel() {
        var generator = Weyl(state: 1)
        let small = (0..<200).count { _ in
            KolmogorovSmirnov.twoSample(generator.numbers(500), generator.numbers(500)).pValue < 0.1
        }
        #expect(abs(small - 20) < 22)
        let shifted = KolmogorovSmirnov.twoSample(generator.numbers(2000), generator.numbers(2000, shift: 0.1))
        #expect(shifted.pValue < 1e-6)
    }

    @Test func energyDistanceHoldsItsLevel() {
        var generator = Weyl(state: 2)
        func points(_ count: Int, shift: Double = 0) -> [[Double]] {
            (0..<count).map { _ in generator.numbers(3, shift: shift) }
        }
        let small = (0..<200).count { _ in
            EnergyDistance.pairedTwoSample(points(20), points(20), swaps: 99, using: &generator).pValue <= 0.1
        }
        #expect(abs(small - 20) < 22)
        let shifted = EnergyDistance.pairedTwoSample(points(60), points(60, shift: 0.3), using: &generator)
        #expect(shifted.pValue == 0.001)
        #expect(shifted.statistic > 0)
    }

    /// Pairs that differ only by what they were conditioned on must not count as different laws.
    @Test func pairsAbsorbTheirConditions() {
        var generator = Weyl(state: 3)
        let classes = (0..<40).map { Double($0 % 4) * 10 }
        let first = classes.map { [$0 + Double.random(in: 0..<1, using: &generator)] }
        let second = classes.map { [$0 + Double.random(in: 0..<1, using: &generator)] }
        #expect(EnergyDistance.pairedTwoSample(first, second, using: &generator).pValue > 0.001)
    }

    @Test func directionsSeeWhatAxesMiss() {
        var generator = Weyl(state: 4)
        let (a, b) = (generator.numbers(5000), generator.numbers(5000))
        let dependent = zip(a, a).map { [$0, $1] }
        let independent = zip(a, b).map { [$0, $1] }
        #expect(MarginalTest.twoSample(dependent, independent).pValue > 1e-4)
        #expect(MarginalTest.twoSample(dependent, independent, directions: [[1, -1]]).pValue < 1e-6)
    }
}
