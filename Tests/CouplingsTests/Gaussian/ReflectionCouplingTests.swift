import Couplings
import Foundation
import Testing

@Suite("Reflection maximal coupling")
struct ReflectionCouplingTests {
    static let count = 100_000

    /// One verified proposal, in two dimensions with `Δ = (δ, 0)`.
    static func verdicts(distance: Double, rule: ReflectionCoupling, seed: UInt64 = 1) -> [Verdict] {
        let source = RandomSource(seed: seed)
        let (draftMean, targetMean, s) = ([1.0, -2], [1 - 0.5 * distance, -2], 0.5)
        return (0..<count).map { i in
            let noise = source.increment(sample: i, step: 0, dimension: 2)
            let proposal = GaussianProposal(
                draftMean: draftMean, targetMean: targetMean, standardDeviation: s, noise: noise,
                state: zip(draftMean, noise).map { $0 + s * $1 })
            var stream = source.stream(sample: i, step: 0, purpose: .verification)
            return rule.verify(proposal, randomness: &stream)
        }
    }

    /// P(reject) = 2Φ(‖Δ‖/2) - 1 (DB25 Prop. 3.1), within 5 standard errors √(p(1-p)/n).
    @Test(arguments: [0.01, 0.3, 1.0, 2.5, 6.0])
    func rejectionRate(distance: Double) {
        let verdicts = Self.verdicts(distance: distance, rule: ReflectionCoupling())
        let accepted = Double(verdicts.count { $0.isAccepted }) / Double(Self.count)
        let expected = maximalAcceptance(distance: distance)
        let error = (expected * (1 - expected) / Double(Self.count)).squareRoot()
        #expect(abs(accepted - expected) < 5 * error + 1e-12)
        #expect(verdicts.allSatisfy { abs($0.distance - distance) < 1e-12 })
    }

    /// The result is N(m^q, s² I): mean and variance per coordinate within 5 standard errors s/√n and s²√(2/n).
    /// At temperature 4 the mean along Δ is off by many more: the control.
    @Test(arguments: [0.3, 1.0, 2.5])
    func theLawIsTheTargets(distance: Double) {
        func mean(_ verdicts: [Verdict], _ axis: Int) -> Double {
            verdicts.reduce(0) { $0 + $1.state[axis] } / Double(Self.count)
        }
        let (n, s) = (Double(Self.count), 0.5)
        let target = [1 - s * distance, -2]
        let exact = Self.verdicts(distance: distance, rule: ReflectionCoupling())
        for axis in 0..<2 {
            let average = mean(exact, axis)
            #expect(abs(average - target[axis]) < 5 * s / n.squareRoot())
            let variance = exact.reduce(0) { $0 + ($1.state[axis] - average) * ($1.state[axis] - average) } / n
            #expect(abs(variance - s * s) < 5 * s * s * (2 / n).squareRoot())
        }
        let warm = Self.verdicts(distance: distance, rule: ReflectionCoupling(temperature: 4))
        #expect(abs(mean(warm, 0) - target[0]) > 10 * s / n.squareRoot())
        #expect(!ReflectionCoupling(temperature: 4).isExact && ReflectionCoupling().isExact)
    }

    @Test func equalMeansAreAlwaysAccepted() {
        let verdicts = Self.verdicts(distance: 0, rule: ReflectionCoupling())
        #expect(!verdicts.contains { !$0.isAccepted })
    }

    /// A network may answer far off; the reflection must survive distances whose exponentials don't.
    @Test func hugeDistancesAreRejectedWithoutHarm() {
        let proposal = GaussianProposal(
            draftMean: [1e9, 0], targetMean: [-1e9, 0], standardDeviation: 1e-3, noise: [0.5, 1],
            state: [1e9 + 0.5e-3, 1e-3])
        var stream = RandomSource(seed: 0).stream(sample: 0, step: 0, purpose: .verification)
        let verdict = ReflectionCoupling().verify(proposal, randomness: &stream)
        #expect(!verdict.isAccepted)
        #expect(abs(verdict.state[0] + 1e9) < 1 && abs(verdict.state[1] - 1e-3) < 1e-9)
    }
}
