import Foundation
import Testing

@testable import Diffusion

@Suite("Exponential integrator of the reverse SDE")
struct ExponentialReverseTests {
    private static func steps(_ count: Int, churn: Double) throws -> [DenoisingStep] {
        let schedule = CosineSchedule()
        return try ExponentialReverse.steps(
            schedule: schedule, grid: TimeGrid(.uniform, steps: count, schedule: schedule), churn: churn)
    }

    /// Coefficients of `y`, of `x̂0` and of the noise's variance, of one step after another with one `x̂0`.
    private static func composed(_ steps: ArraySlice<DenoisingStep>) -> [Double] {
        steps.reduce([1, 0, 0]) { sum, step in
            let (a, b, s) = (
                step.transition.stateCoefficient, step.transition.predictionCoefficient,
                step.transition.standardDeviation
            )
            return [a * sum[0], a * sum[1] + b, a * a * sum[2] + s * s]
        }
    }

    @Test("two steps with one x̂0 are one step twice as long", arguments: [0, 0.25, 0.5, 1, 1.7])
    func isASemigroup(churn: Double) throws {
        let (coarse, fine) = (try Self.steps(6, churn: churn), try Self.steps(12, churn: churn))
        for (k, step) in coarse.enumerated() {
            let (one, two) = (Self.composed([step]), Self.composed(fine[(2 * k)..<(2 * k + 2)]))
            // A dozen roundings of numbers up to 1.
            for (a, b) in zip(one, two) { #expect(abs(a - b) < 1e-13) }
        }
    }

    @Test("a state about α x̂0 keeps the schedule's noise, however long the step", arguments: [0, 0.25, 1, 1.7])
    func keepsTheMarginal(churn: Double) throws {
        let schedule = CosineSchedule()
        for step in try Self.steps(5, churn: churn) {
            let (sigma, next) = (
                schedule.noise(at: step.time), schedule.noise(at: step.time - step.transition.duration)
            )
            let coefficients = Self.composed([step])
            #expect(abs(pow(coefficients[0] * sigma, 2) + coefficients[2] - next * next) < 1e-13)
        }
    }

    @Test("churn 1 is the posterior of ancestral sampling, churn 0 is DDIM")
    func limits() throws {
        let schedule = CosineSchedule()
        for (ancestral, flow) in zip(try Self.steps(7, churn: 1), try Self.steps(7, churn: 0)) {
            let next = ancestral.time - ancestral.transition.duration
            let (alpha, sigma) = (schedule.signal(at: ancestral.time), schedule.noise(at: ancestral.time))
            let (nextAlpha, nextSigma) = (schedule.signal(at: next), schedule.noise(at: next))
            let ratio = alpha / nextAlpha  // √(ᾱ/ᾱ')
            #expect(abs(ancestral.transition.stateCoefficient - ratio * pow(nextSigma / sigma, 2)) < 1e-13)
            let variance = pow(nextSigma / sigma, 2) * (sigma * sigma - ratio * ratio * nextSigma * nextSigma)
            #expect(abs(pow(ancestral.transition.standardDeviation, 2) - variance) < 1e-13)
            #expect(abs(flow.transition.stateCoefficient - nextSigma / sigma) < 1e-13)
            #expect(flow.transition.standardDeviation == 0)
            #expect(ancestral.flow?.stateCoefficient == flow.transition.stateCoefficient)
        }
    }

    @Test("short steps are those of Euler and Maruyama, to first order")
    func shortSteps() throws {
        let schedule = CosineSchedule()
        func difference(_ count: Int) throws -> Double {
            let grid = try TimeGrid(.uniform, steps: count, schedule: schedule)
            let euler = try ReverseDiffusion.steps(schedule: schedule, grid: grid, churn: 0.7)[count / 2].transition
            let own = try Self.steps(count, churn: 0.7)[count / 2].transition
            return abs(euler.stateCoefficient - own.stateCoefficient)
                + abs(euler.predictionCoefficient - own.predictionCoefficient)
                + abs(pow(euler.standardDeviation, 2) - pow(own.standardDeviation, 2))
        }
        // The coefficients differ by the step's square: a quarter at half the length, to a tenth.
        let ratio = try difference(400) / difference(200)
        #expect(abs(ratio - 0.25) < 0.025)
    }

    @Test("the last step returns x̂0")
    func lastStep() throws {
        let last = try #require(try Self.steps(4, churn: 0.5).last).transition
        #expect(last.stateCoefficient == 0 && last.predictionCoefficient == 1 && last.standardDeviation == 0)
    }

    @Test("churn that is none is refused", arguments: [-1, .nan, .infinity])
    func badChurn(churn: Double) {
        #expect(throws: DiffusionError.self) { try Self.steps(4, churn: churn) }
    }
}
