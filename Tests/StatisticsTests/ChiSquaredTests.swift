import Statistics
import Testing

@Suite struct ChiSquaredTests {
    /// Against the closed form for even degrees of freedom, on both sides of the middle, and tabled values for odd ones.
    @Test(arguments: [2, 4, 10, 30, 100], [0.01, 0.5, 0.9, 1, 1.1, 2, 4])
    func survivalAgreesWithTheClosedForm(degrees: Int, ratio: Double) {
        let x = ratio * Double(degrees)
        let expected = 1 - NormalDistribution.squaredNormCumulative(x, degrees: degrees)
        // The closed form subtracts from 1, and so loses what is smaller than its rounding.
        #expect(abs(ChiSquared.survival(x, degrees: degrees) - expected) < 1e-13)
    }

    @Test(arguments: [(1, 3.841458820694124), (3, 7.814727903251179), (99, 123.22522145336181)])
    func fivePercentPoints(degrees: Int, x: Double) {
        #expect(abs(ChiSquared.survival(x, degrees: degrees) - 0.05) < 1e-12)
    }

    @Test func farOutIsSmallAndFinite() {
        let p = ChiSquared.survival(5000, degrees: 999)
        #expect(p > 0 && p < 1e-300 || p == 0)
        #expect(ChiSquared.survival(0, degrees: 1) == 1 && ChiSquared.survival(.infinity, degrees: 7) == 0)
    }

    /// Rare outcomes are counted together, and an impossible one that came ends it.
    @Test func rareOutcomesArePooled() {
        let found = ChiSquared.goodnessOfFit(counts: [52, 44, 3, 1], probabilities: [0.5, 0.45, 0.03, 0.02])
        // The last two, 5 expected, join the next: {48, 50} and {52, 50}.
        #expect(abs(found.statistic - 0.16) < 1e-12)
        #expect(ChiSquared.goodnessOfFit(counts: [1, 99], probabilities: [0, 1]).pValue == 0)
        #expect(ChiSquared.goodnessOfFit(counts: [0, 5], probabilities: [0.5, 0.5]).pValue == 1)
    }
}
