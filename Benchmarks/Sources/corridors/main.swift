// Where a policy's number of steps matters: plans through narrow corridors, sampled by the exact denoiser of their law, so that
// nothing but the number of steps is at fault.
//
//   corridors [--count 4000] [--seed 1]
//
// A plan has 16 actions of two numbers from -1 to 1. The demonstrations follow one of M polygons through five gates, with a
// deviation of 0.02 at every action; a plan succeeds if no action is further from one of these than four deviations, as
// 99.8 % of the demonstrations do. The balance is that of the corridors: the standard deviation of their shares over the
// share of each, of which the count of plans alone makes √(M/count). The spread is the plans' deviation inside the
// corridors over that of the demonstrations. The schedule is the one that public policies have.
import Couplings
import Diffusion
import Foundation

struct Corridors {
    static let actions = 16
    static let gates = 5
    static let deviation = 0.02

    /// `[16 · 2]` each.
    let paths: [[Double]]

    init(count: Int) {
        var stream = RandomSource(seed: 0).stream(sample: count, step: 0, purpose: .auxiliary)
        let places = [-0.8, -0.4, 0, 0.4, 0.8]
        paths = (0..<count).map { _ in
            let corners = [0] + (0..<Self.gates).map { _ in places[Int(stream.uniform() * Double(places.count))] } + [0]
            return (0..<Self.actions).flatMap { action -> [Double] in
                let time = Double(action) / Double(Self.actions - 1)
                let place = time * Double(corners.count - 1)
                let corner = min(Int(place), corners.count - 2)
                let height = corners[corner] + (place - Double(corner)) * (corners[corner + 1] - corners[corner])
                return [2 * time - 1, height]
            }
        }
    }

    struct Result {
        let success: Double
        let successError: Double
        let balance: Double
        let spread: Double
    }

    func judge(_ plans: [[Double]]) -> Result {
        var counts = [Double](repeating: 0, count: paths.count)
        var (successes, squares) = (0.0, 0.0)
        for plan in plans {
            let distances = paths.map { path in zip(plan, path).reduce(0) { max($0, abs($1.0 - $1.1)) } }
            let nearest = distances.indices.min { distances[$0] < distances[$1] } ?? 0
            counts[nearest] += 1
            if distances[nearest] < 4 * Self.deviation { successes += 1 }
            squares += zip(plan, paths[nearest]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        }
        let count = Double(plans.count)
        let shares = counts.map { $0 / count * Double(paths.count) }
        let success = successes / count
        return Result(
            success: success, successError: (success * (1 - success) / count).squareRoot(),
            balance: (shares.reduce(0) { $0 + ($1 - 1) * ($1 - 1) } / Double(shares.count)).squareRoot(),
            spread: (squares / count / Double(2 * Self.actions)).squareRoot() / Self.deviation)
    }
}

func option(_ name: String, _ standard: Int) -> Int {
    guard let index = CommandLine.arguments.firstIndex(of: name), index + 1 < CommandLine.arguments.count else {
        return standard
    }
    return Int(CommandLine.arguments[index + 1]) ?? standard
}

let count = option("--count", 4000)
let random = RandomSource(seed: UInt64(option("--seed", 1)))
let trainingSteps = 100
let betas = try BetaSchedule(family: .squaredCosine, trainingSteps: trainingSteps)

func plans(_ corridors: Corridors, steps: Int, isDDIM: Bool, window: Int?) throws -> (plans: [[Double]], calls: Double)
{
    let timesteps = try AncestralDDPM.timesteps(.leading, steps: steps, trainingSteps: trainingSteps)
    let mixture = try GaussianMixture(
        components: corridors.paths.map { .init(mean: $0, standardDeviation: Corridors.deviation) }, schedule: betas)
    let chain = try DenoisingChain(
        denoiser: mixture,
        steps: isDDIM
            ? DDIM.steps(betas: betas, timesteps: timesteps)
            : AncestralDDPM.steps(betas: betas, timesteps: timesteps, variance: .small),
        predictionBounds: -1...1)
    let sampler: any Sampler<DenoisingChain> =
        if let window {
            try SpeculativeSampler(chain: chain, draft: RecycledDraft(), window: window, random: random)
        } else {
            SequentialSampler(chain: chain, random: random)
        }
    var states: [[Double]] = []
    var calls = 0
    try sampler.run(samples: 0..<count, lanes: 64) {
        states.append($0.state)
        calls += $0.cost.calls
    }
    return (states, Double(calls) / Double(count))
}

func row(_ corridors: Corridors, _ name: String, steps: Int, isDDIM: Bool = false, window: Int? = nil) throws {
    func text(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
    let (plans, calls) = try plans(corridors, steps: steps, isDDIM: isDDIM, window: window)
    let result = corridors.judge(plans)
    print(
        "| \(corridors.paths.count) | \(name) | \(steps) | \(text(calls, 1)) | \(text(result.success, 3)) ± "
            + "\(text(result.successError, 3)) | \(text(result.balance, 3)) | \(text(result.spread, 3)) |")
    fflush(nil)
}

print("| corridors | chain | K | calls | success | balance | spread |\n|---|---|---|---|---|---|---|")
for number in [8, 64, 256] {
    let corridors = Corridors(count: number)
    for steps in [2, 5, 10, 20, 50, 100] { try row(corridors, "DDPM", steps: steps) }
    for steps in [5, 10, 20, 100] { try row(corridors, "DDIM", steps: steps, isDDIM: true) }
    try row(corridors, "DDPM, recycled, window 20", steps: 100, window: 20)
}
