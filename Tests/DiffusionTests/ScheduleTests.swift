import Diffusion
import Foundation
import Testing

@Suite("Noise schedules and time grids")
struct ScheduleTests {
    static func schedules() throws -> [(name: String, schedule: any NoiseSchedule)] {
        [
            ("cosine", CosineSchedule()), ("flow", FlowSchedule()), ("vp-linear", try LinearVarianceSchedule()),
            ("ve", try VarianceExplodingSchedule(maximalNoise: 20)),
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
        try #expect(isClose(VarianceExplodingSchedule(maximalNoise: 3), 18 * time))  // d(σ²)/dt
    }

    @Test func gridsDescendFromNoiseToData() throws {
        for (name, schedule) in try Self.schedules() {
            for spacing in [TimeGrid.Spacing.uniform, .edm, .logarithmic] {
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

    @Test(arguments: [1.0, 3, 40]) func exponentOfEDM(_ exponent: Double) throws {
        let schedule = try VarianceExplodingSchedule(maximalNoise: 80)
        let grid = try TimeGrid(.edm, steps: 6, schedule: schedule, exponent: exponent, lowestRatio: 0.01)
        let roots = grid.times.dropLast().map { pow(schedule.noise(at: $0), 1 / exponent) }
        let steps = zip(roots, roots.dropFirst()).map { $0 - $1 }
        #expect(steps.allSatisfy { abs($0 / steps[0] - 1) < 1e-9 })
        #expect(abs(schedule.noise(at: grid.times[5]) - 0.01) < 1e-12)
    }

    /// diffusers 0.42.1: the sigmas of `EDMEulerScheduler(sigma_schedule="exponential", sigma_max=120, sigma_min=0.01)`, five
    /// steps, in single precision.
    @Test func logarithmicSpacing() throws {
        let schedule = try VarianceExplodingSchedule(maximalNoise: 120)
        let grid = try TimeGrid(.logarithmic, steps: 5, schedule: schedule, lowestRatio: 0.01)
        let expected = [120, 11.465314, 1.0954452, 0.10466351, 0.01, 0]
        for (time, sigma) in zip(grid.times, expected) {
            #expect(abs(schedule.noise(at: time) - sigma) <= 3e-7 * sigma)
        }
    }

    /// As diffusers' `AysSchedules` has them, whose last is 0.
    @Test func publishedLevels() throws {
        let betas = try BetaSchedule(family: .scaledLinear, trainingSteps: 1000, betaStart: 0.00085, betaEnd: 0.012)
        let grid = try TimeGrid(.aysXL, steps: 10, schedule: betas)
        let expected = [14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0]
        for (time, level) in zip(grid.times, expected) {
            // The schedule's own largest is 14.6146.
            #expect(abs(betas.noiseRatio(at: time) - level) <= 5e-5 * level)
        }
        // Twice as many: every other one is the table's, and between them stands the geometric mean.
        let fine = PublishedNoiseLevels.stableDiffusionXL.ratios(steps: 20)
        #expect(fine.count == 21 && fine[20] == 0)
        for i in 0..<9 {
            #expect(abs(fine[2 * i] - expected[i]) < 1e-12)
            #expect(abs(fine[2 * i + 1] - (expected[i] * expected[i + 1]).squareRoot()) < 1e-12)
        }
        for steps in [1, 2, 7, 300] {
            #expect(try TimeGrid(.ays15, steps: steps, schedule: betas).stepCount == steps)
        }
        // Made for a noise of up to 700, which these betas do not have.
        #expect(throws: DiffusionError.self) { try TimeGrid(.aysVideo, steps: 10, schedule: betas) }
    }

    @Test func gridsOfOnesOwn() throws {
        let schedule = CosineSchedule()
        #expect(try TimeGrid(times: [0.9, 0.5, 0.1], schedule: schedule).times == [0.9, 0.5, 0.1, 0])
        #expect(try TimeGrid(times: [0.9, 0], schedule: schedule).times == [0.9, 0])
        let byLevels = try TimeGrid(noiseRatios: [5, 1], schedule: schedule)
        #expect(abs(byLevels.times[0] - atan(5) * 2 / .pi) < 1e-12 && abs(byLevels.times[1] - 0.5) < 1e-12)
        for times in [[], [0], [0.5, 0.5], [0.2, 0.4], [0.999], [.nan], [0.5, -0.1], [.infinity]] as [[Double]] {
            #expect(throws: DiffusionError.self, "\(times)") { try TimeGrid(times: times, schedule: schedule) }
        }
        for ratios in [[], [0], [1, 1], [1, 2], [1e9], [.nan], [1, -1]] as [[Double]] {
            #expect(throws: DiffusionError.self, "\(ratios)") {
                try TimeGrid(noiseRatios: ratios, schedule: schedule)
            }
        }
    }

    @Test func samplesOfExplodingNoiseStartAsWideAsIt() throws {
        let schedule = try VarianceExplodingSchedule(maximalNoise: 30)
        let grid = try TimeGrid(.edm, steps: 3, schedule: schedule)
        #expect(schedule.startDeviation(at: grid.times[0]) == 30 && CosineSchedule().startDeviation(at: 0.5) == 1)
        let chain = try DenoisingChain(
            denoiser: GaussianMixture(
                components: [.init(mean: [0], standardDeviation: 1)], schedule: schedule),
            steps: ExponentialReverse.steps(schedule: schedule, grid: grid, churn: 1), startDeviation: 30)
        #expect(chain.initialState(sample: 0, noise: [-2]) == [-60])
    }

    @Test func impossibleSchedulesAreRefused() {
        #expect(throws: DiffusionError.self) { try BetaSchedule(family: .linear, trainingSteps: 0) }
        #expect(throws: DiffusionError.self) { try BetaSchedule(family: .linear, trainingSteps: 10, betaEnd: 2) }
        #expect(throws: DiffusionError.self) { try BetaSchedule(betas: []) }
        #expect(throws: DiffusionError.self) { try BetaSchedule(betas: [.nan]) }
        #expect(throws: DiffusionError.self) { try LinearVarianceSchedule(minimalRate: 3, maximalRate: 1) }
        #expect(throws: DiffusionError.self) { try VarianceExplodingSchedule(maximalNoise: 0) }
        #expect(throws: DiffusionError.self) { try VarianceExplodingSchedule(maximalNoise: .infinity) }
        #expect(throws: DiffusionError.self) { try TimeGrid(.uniform, steps: 0, schedule: CosineSchedule()) }
        for (exponent, lowest) in [(0, 0.1), (-1, 0.1), (.nan, 0.1), (7, 0), (7, 1e9), (7, .nan)] {
            #expect(throws: DiffusionError.self) {
                try TimeGrid(
                    .edm, steps: 3, schedule: CosineSchedule(), exponent: exponent, lowestRatio: lowest)
            }
        }
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
                    case .score: -x1 / sigma
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
