// Sixteen sneakers and bags from the bundled model, by speculative sampling, as a PNG.
//
//     swift run -c release SampleAndSave

import Couplings
import Diffusion
import Imaging
import Models

let model = try PretrainedModel(folder: BundledModels.folder("fashion-mnist"))
let process = model.process

// The chain is the target: a schedule, a grid of times, a churn, and the network that denoises.
let grid = try TimeGrid(.uniform, steps: 100, schedule: process.schedule)
let chain = try DenoisingChain(
    denoiser: model.denoiser(threads: 2),
    steps: ReverseDiffusion.steps(schedule: process.schedule, grid: grid, churn: 0.25),
    conditions: [7, 8])  // sample i is of class 7 or 8 in turn

// The sampler proposes 20 steps at a time and lets one network call decide over them.
let sampler = try SpeculativeSampler(
    chain: chain, draft: RecycledDraft(), window: 20, random: RandomSource(seed: 1))

var pictures: [Int: Image] = [:]
var calls = 0
try sampler.run(samples: 0..<16, lanes: 16) { sample in
    calls += sample.cost.calls
    pictures[sample.sample] = Image(
        planes: sample.state, channels: 1, height: process.height, width: process.width, range: process.range)
}
try Image.grid((0..<16).compactMap { pictures[$0] })?.writePNG(to: "sneakers-and-bags.png")
print("\(Double(calls) / 16) network calls a picture instead of \(chain.stepCount): sneakers-and-bags.png")
