import Foundation
import Statistics
import Testing

@Suite("Autocorrelation times")
struct AutocorrelationTests {
    /// `x_{t+1} = ρ x_t + √(1-ρ²) z`, from its stationary law: `τ = (1 + ρ)/(1 - ρ)`.
    private static func chains(_ correlation: Double, count: Int, length: Int) -> [[Double]] {
        var generator = Normals(state: 7)
        return (0..<count).map { _ in
            var value = generator.next()
            return (0..<length).map { _ in
                defer { value = correlation * value + (1 - correlation * correlation).squareRoot() * generator.next() }
                return value
            }
        }
    }

    /// Within 5 of its standard errors, and those what theory says of them: a relative variance of about (4M + 2)/n over n values
    /// (Sokal 1997, (3.19)), here estimated from 40 chains to some 11 %, and asked for within a factor of 2. The window cuts off
    /// e^{-10} of the sum.
    @Test(arguments: [0, 0.5, 0.9, -0.5])
    func anAutoregressionHasItsTime(correlation: Double) throws {
        let chains = Self.chains(correlation, count: 40, length: 4000)
        let time = try #require(AutocorrelationTime(chains: chains))
        let expected = (1 + correlation) / (1 - correlation)
        let error = try #require(time.standardError)
        #expect(abs(time.value - expected) < 5 * error, "\(time.value) ± \(error), expected \(expected)")
        #expect(abs(time.relativeDeviations.reduce(0, +)) < 1e-9)
        guard correlation > 0 else { return }
        let predicted = expected * (Double(4 * time.window + 2) / 160_000).squareRoot()
        #expect((0.5...2).contains(error / predicted), "\(error), predicted \(predicted)")
    }

    /// The mean of a chain has the variance σ² τ/n: what effective samples are.
    @Test func itIsWhatTheMeanVariesBy() throws {
        let chains = Self.chains(0.8, count: 400, length: 500)
        let time = try #require(AutocorrelationTime(chains: chains))
        // 1 - τ/n of the variance of a long chain's mean is lost to its ends; of 400 chains it is known to √(2/399) = 7 %.
        let variance = try #require(chains.map(\.mean).variance)
        #expect(abs(variance * 500 / time.value - 1) < 4 * 0.071 + time.value / 500)
    }

    @Test func whatCannotBeToldIsNil() {
        #expect(AutocorrelationTime(chains: []) == nil)
        #expect(AutocorrelationTime(chains: [[1]]) == nil)
        #expect(AutocorrelationTime(chains: [[2, 2, 2, 2]]) == nil)
        #expect(AutocorrelationTime(chains: [[1, .infinity, 2, 3]]) == nil)
        // A random walk has no time that a piece of it would tell.
        #expect(AutocorrelationTime(chains: [(0..<100).map(Double.init)]) == nil)
        #expect(AutocorrelationTime(chains: Self.chains(0.5, count: 1, length: 1000))?.standardError == nil)
    }
}

/// Normals by Box and Muller's method from a linear congruential generator.
private struct Normals {
    var state: UInt64

    mutating func uniform() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (Double(state >> 11) + 0.5) / 9_007_199_254_740_992
    }

    mutating func next() -> Double {
        let (radius, angle) = ((-2 * log(uniform())).squareRoot(), 2 * Double.pi * uniform())
        return radius * cos(angle)
    }
}
