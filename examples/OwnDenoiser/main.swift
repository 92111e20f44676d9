// A denoiser of one's own, here the noise of a point at (3, -2), sampled in fewer calls than steps.
import DiffSpec

let schedule = CosineSchedule()
let target = [3.0, -2.0]
let denoiser = PredictingDenoiser(dimension: 2, predicts: .noise, schedule: schedule) { queries in
    queries.map { query in  // one call for all rows: put your network here
        let (alpha, sigma) = (schedule.signal(at: query.time), schedule.noise(at: query.time))
        return zip(query.state, target).map { ($0 - alpha * $1) / sigma }
    }
}
let grid = try TimeGrid(.uniform, steps: 100, schedule: schedule)
let chain = try DenoisingChain(
    denoiser: denoiser, steps: ReverseDiffusion.steps(schedule: schedule, grid: grid, churn: 0.25))
let sampler = try SpeculativeSampler(chain: chain, draft: RecycledDraft(), window: 20, random: RandomSource(seed: 0))
try sampler.run(samples: 0..<4, lanes: 4) { sample in
    print("sample \(sample.sample): \(sample.state) in \(sample.cost.calls) calls")
}
