import Diffusion
import Foundation
import Testing

@Suite("Noise schedules and time grids")
struct ScheduleTests {
    static func schedules() throws -> [(name: String, schedule: any NoiseSchedule)] {
        [
            ("cosine", CosineSchedule()), ("flow", FlowSchedule()), ("vp-linear", try LinearVarianceSchedule()),
            ("linear betas", try BetaSchedule(family: .linear, trainingSteps: 1000)),
            ("squared cosine betas", try BetaSchedule(family: .squaredCosine, trainingSteps: 1000)),
            ("three betas", try BetaSchedule(betas: [0.1, 0.2, 0.3])),
        ]
    }

    /// Central differences of step h have an error of h² f'''/6, far below 1e-5 here; the knots of a beta schedule,
    /// where the derivative jumps, are kept clear of.
    @Test func derivativesAreDerivatives() throws {
        let h = 1e-6
        for (name, schedule) in try Self.schedules() {
            for time in stride(from: 0.05175, to: 0.9, by: 0.093) {
                let signal = (schedule.signal(at: time + h) - schedule.signal(at: time - h)) / (2 * h)
                let noise = (schedule.noise(at: time + h) - schedule.noise(at: time - h)) / (2 * h)
                #expect(abs(schedule.signalDerivative(at: time) - signal) < 1e-5, "\(name) at \(time)")
                #expect(abs(schedule.noiseDerivative(at: time) - noise) < 1e-5, "\(name) at \(time)")
            }
        }
    }

    /// The closed forms of `g²`.
    @Test(arguments: [0.01, 0.3, 0.77, 0.99])
    func squaredDiffusion(time: Double) throws {
        func isClose(_ schedule: some NoiseSchedule, _ expected: Double) -> Bool {
            abs(schedule.squaredDiffusion(at: time) / expected - 1) < 1e-10
        }
        #expect(isClose(CosineSchedule(), .pi * tan(.pi * time / 2)))
        #expect(isClose(FlowSchedule(), 2 * time / (1 - time)))
        try #expect(isClose(LinearVarianceSchedule(), 0.1 + time * 19.9))
    }

    @Test func gridsDescendFromNoiseToData() throws {
        for (name, schedule) in try Self.schedules() {
            for spacing in TimeGrid.Spacing.allCases {
                for steps in [1, 2, 10, 300] {
                    let grid = try TimeGrid(spacing, steps: steps, schedule: schedule)
                    #expect(grid.stepCount == steps, "\(name)")
                    #expect(
                        grid.times.first == schedule.maximalTime && grid.times.last == 0,
                        "\(name), \(spacing), \(steps)")
                    #expect(zip(grid.times, grid.times.dropFirst()).allSatisfy(>))
                }
            }
        }
    }

    /// EDM's grid has equal steps in the seventh root of σ/α.
    @Test func edmSpacing() throws {
        let schedule = CosineSchedule()
        let grid = try TimeGrid(.edm, steps: 10, schedule: schedule)
        let roots = grid.times.dropLast().map { pow(schedule.noiseRatio(at: $0), 1.0 / 7) }
        let steps = zip(roots, roots.dropFirst()).map { $0 - $1 }
        #expect(steps.allSatisfy { abs($0 - steps[0]) < 1e-9 })
        #expect(abs(schedule.noiseRatio(at: grid.times[9]) - 0.002) < 1e-12)
    }

    @Test func impossibleSchedulesAreRefused() {
        #expect(throws: DiffusionError.self) { try BetaSchedule(family: .linear, trainingSteps: 0) }
        #expect(throws: DiffusionError.self) { try BetaSchedule(family: .linear, trainingSteps: 10, betaEnd: 2) }
        #expect(throws: DiffusionError.self) { try BetaSchedule(betas: []) }
        #expect(throws: DiffusionError.self) { try BetaSchedule(betas: [.nan]) }
        #expect(throws: DiffusionError.self) { try LinearVarianceSchedule(minimalRate: 3, maximalRate: 1) }
        #expect(throws: DiffusionError.self) { try TimeGrid(.uniform, steps: 0, schedule: CosineSchedule()) }
        for churn in [-0.1, .nan, .infinity, 1e200] {
            #expect(throws: DiffusionError.self) {
                let schedule = CosineSchedule()
                return try ReverseDiffusion.steps(
                    schedule: schedule, grid: TimeGrid(.uniform, steps: 10, schedule: schedule), churn: churn)
            }
        }
    }

    /// Whatever a network predicts, `x̂0` comes back from it.
    @Test(arguments: PredictionKind.allCases)
    func predictionsBecomeDenoisedSamples(kind: PredictionKind) throws {
        let (x0, x1) = (0.7, -1.3)
        for (name, schedule) in try Self.schedules() {
            for time in [0.05, 0.4, 0.9] {
                let (alpha, sigma) = (schedule.signal(at: time), schedule.noise(at: time))
                let output =
                    switch kind {
                    case .noise: x1
                    case .sample: x0
                    case .velocity: schedule.signalDerivative(at: time) * x0 + schedule.noiseDerivative(at: time) * x1
                    case .vPrediction: alpha * x1 - sigma * x0
                    }
                let coefficients = kind.denoisingCoefficients(schedule, at: time)
                let state = alpha * x0 + sigma * x1
                // diffusers' v is inverted by α x - σ v only where α² + σ² = 1; the flow's x̂0 is that over the norm.
                let denoised = coefficients.state * state + coefficients.output * output
                #expect(abs(denoised - x0) < 1e-9, "\(name) at \(time)")
            }
        }
    }
}
