// A chain of your own: an autoregressive process with an expensive drift. Whatever steps with Gaussian noise of known
// size can be sampled by speculation; say what is expensive, and how the mean follows from it.
//
//     swift run -c release OwnChain

import Couplings
import Diffusion
import Foundation

/// `Y_{k+1} = 0.98 Y_k + 0.1 f(Y_k) + 0.3 Z_k`, where `f` takes long (imagine a simulation).
struct ExpensiveProcess: GaussianChain {
    let stepCount = 200
    let dimension = 3

    func transition(at step: Int) -> GaussianTransition {
        GaussianTransition(
            stateCoefficient: 0.98, predictionCoefficient: 0.1, standardDeviation: 0.3, duration: 1,
            slopeBounds: -10...10)
    }

    /// One parallel evaluation of `f` at all the states asked for; a row must not depend on the others.
    func predictions(for queries: [ChainQuery]) -> [[Double]] {
        queries.map { query in query.state.map { sin(2 * $0) } }
    }
}

let chain = ExpensiveProcess()
let random = RandomSource(seed: 1)
for (name, draft) in [("frozen", FrozenDenoiserDraft()), ("recycled", RecycledDraft())] as [(String, any Draft)] {
    let sampler = try SpeculativeSampler(chain: chain, draft: draft, window: 20, random: random)
    var (calls, squares) = (0, 0.0)
    try sampler.run(samples: 0..<500, lanes: 500) { path in
        calls += path.cost.calls
        squares += path.state.reduce(0) { $0 + $1 * $1 } / 3
    }
    print("\(name): \(Double(calls) / 500) evaluations in sequence instead of 200, mean square \(squares / 500)")
}
