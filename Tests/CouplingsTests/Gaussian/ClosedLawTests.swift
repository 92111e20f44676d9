import Couplings
import Foundation
import Statistics
import Testing

/// Laws that the paper has in closed form, against what the rules do.
@Suite("Closed forms of the couplings")
struct ClosedLawTests {
    private static let count = 20_000

    private static func outputs(distance: Double, temperature: Double) -> [Double] {
        let rule = ReflectionCoupling(temperature: temperature)
        let source = RandomSource(seed: 41)
        return (0..<count).map { i in
            let noise = source.increment(sample: i, step: 0, dimension: 1)
            let proposal = GaussianProposal(
                draftMean: [distance], targetMean: [0], standardDeviation: 1, noise: noise,
                state: [distance + noise[0]])
            var stream = source.stream(sample: i, step: 0, purpose: .verification)
            return rule.verify(proposal, randomness: &stream).state[0]
        }
    }

    /// (98): Kolmogorov and Smirnov's test of Algorithm 7's output against its law, and, as a control, against the target's.
    @Test(arguments: [(1.0, 2.0), (1.0, 0.5), (2.5, 4.0), (0.4, 10.0), (1.5, 1.0)])
    func outputHasTheLawOfTheTemperature(distance: Double, temperature: Double) {
        let outputs = Self.outputs(distance: distance, temperature: temperature)
        let law = TemperatureLaw(distance: distance, temperature: temperature)
        #expect(KolmogorovSmirnov.oneSample(outputs, cumulative: law.cumulative).pValue > 1e-3)
        if temperature != 1 {
            #expect(
                KolmogorovSmirnov.oneSample(outputs, cumulative: NormalDistribution.cumulative).pValue < 1e-6)
        }
    }

    /// The density is the distribution function's derivative, has mass 1 and the mean of Proposition F.1, `δ C_τ(δ)`: at
    /// `δ = 1`, `τ = 2` 0.309. Simpson's rule with steps of 0.01 errs by less than 1e-9 on each smooth side.
    @Test(arguments: [(1.0, 2.0), (1.0, 0.5), (3.0, 7.0)])
    func densityAgrees(distance: Double, temperature: Double) {
        let law = TemperatureLaw(distance: distance, temperature: temperature)
        func integral(_ f: (Double) -> Double) -> Double {
            [(-12.0, distance / 2), (distance / 2 + 1e-12, 14.0)].reduce(0) { sum, side in
                let steps = 4000
                let h = (side.1 - side.0) / Double(steps)
                return sum
                    + (0...steps).reduce(0) { part, i in
                        let weight = i == 0 || i == steps ? 1.0 : i.isMultiple(of: 2) ? 2 : 4
                        return part + weight * f(side.0 + Double(i) * h)
                    } * h / 3
            }
        }
        #expect(abs(integral(law.density) - 1) < 1e-9)
        let mean = integral { $0 * law.density(at: $0) }
        let shift = ReflectionCoupling(temperature: temperature).meanShift(distance: distance) * distance
        #expect(abs(mean - shift) < 1e-9)
        if (distance, temperature) == (1, 2) { #expect(abs(mean - 0.309) < 5e-4) }
        #expect(abs(law.cumulative(14) - 1) < 1e-12 && law.cumulative(-12) < 1e-12)
        for x in [-1.0, 0.2, 1.7] {
            let slope = (law.cumulative(x + 1e-5) - law.cumulative(x - 1e-5)) / 2e-5
            #expect(abs(slope - law.density(at: x)) < 1e-8)
        }
    }

    /// Appendix E: the distance in total variation against its integral in one dimension, and Fig. 4's curve, which nears 1.
    @Test func unequalVariancesAreRejected() {
        let pair = UnequalVariances(0.2, 0.1)
        func density(_ x: Double, _ deviation: Double) -> Double {
            exp(-x * x / (2 * deviation * deviation)) / (deviation * (2 * Double.pi).squareRoot())
        }
        let h = 1e-5
        let overlap = (-200_000...200_000).reduce(0.0) { sum, i in
            let x = Double(i) * h
            return sum + min(density(x, 0.1), density(x, 0.2)) * h
        }
        #expect(abs(pair.rejection(dimension: 1) - (1 - overlap)) < 1e-6)
        let curve = [1, 2, 5, 10, 32, 33, 100, 1000].map(pair.rejection)
        #expect(zip(curve, curve.dropFirst()).allSatisfy { $0 < $1 || $1 > 1 - 1e-12 })
        #expect(curve[0] > 0.3 && curve[6] > 0.999 && curve[7] <= 1)
        // In two dimensions the χ² law is exponential: R² = 2 log 4/(100 - 25).
        let square = 2 * log(4.0) / 75
        #expect(abs(pair.squaredRadius(dimension: 2) - square) < 1e-15)
        let known = exp(-square / (2 * 0.04)) - exp(-square / (2 * 0.01))
        #expect(abs(pair.rejection(dimension: 2) - known) < 1e-12)
    }

    /// App. A.4, (54): of all couplings reflection has the least mean of every increasing, strictly concave function of how far
    /// draft and target lie apart; here against the same noise for both, independent noise, and the maximal coupling that draws
    /// what is left independently (Algorithm 2). A convex function has another order: the same noise is best. Differences of 5
    /// standard errors at least.
    @Test func reflectionIsBestForConcaveCosts() throws {
        let distance = 1.0
        let source = RandomSource(seed: 43)
        typealias Gap = (reflection: Double, rejection: Double, same: Double, independent: Double)
        let gaps: [Gap] = try (0..<10 * Self.count).map { i in
            let noise = source.increment(sample: i, step: 0, dimension: 1)
            let draft = distance + noise[0]
            let proposal = GaussianProposal(
                draftMean: [distance], targetMean: [0], standardDeviation: 1, noise: noise, state: [draft])
            func gap(_ rule: some VerificationRule, _ step: Int) throws -> Double {
                var stream = source.stream(sample: i, step: step, purpose: .verification)
                return abs(try rule.verify(proposal, randomness: &stream).state[0] - draft)
            }
            let other = source.increment(sample: i, step: 9, dimension: 1)
            return (
                try gap(ReflectionCoupling(), 0), try gap(RejectionCoupling(), 1), distance, abs(other[0] - draft)
            )
        }
        func isLess(_ a: (Gap) -> Double, _ b: (Gap) -> Double, _ cost: (Double) -> Double) -> Bool {
            let differences = gaps.map { cost(b($0)) - cost(a($0)) }
            let mean = differences.reduce(0, +) / Double(gaps.count)
            let variance = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
            return mean > 5 * (variance / Double(gaps.count)).squareRoot()
        }
        let concave: [(Double) -> Double] = [{ $0.squareRoot() }, { 1 - exp(-$0) }, { $0 / (1 + $0) }]
        for cost in concave {
            #expect(isLess({ $0.reflection }, { $0.rejection }, cost))
            #expect(isLess({ $0.reflection }, { $0.same }, cost))
            #expect(isLess({ $0.reflection }, { $0.independent }, cost))
        }
        #expect(isLess({ $0.same }, { $0.reflection }, { $0 * $0 }))
    }
}
