import Couplings
import Diffusion
import Models
import Platform
import Reports
import Synchronization

/// A run under way, round by round, and what came of it. Unchecked, since its state is touched by the one thread alone that
/// has set `isBusy`.
final class SamplingSession: @unchecked Sendable {
    private struct State {
        var waiting: Range<Int>
        var active: [SampleState] = []
        var decisions: [Int: [FinishedSample.Decision]] = [:]
        var finished: [Int: [Float]] = [:]
        var tally: SamplingTally
    }

    let cancellation: Cancellation
    let dimension: Int
    let samples: Range<Int>
    private let lanes: Int
    private let sampler: any Sampler
    private let description: SamplingDescription
    private var state: State
    /// Makes a second thread, or the network's function itself, that tries to use the same sampler, fail.
    private let isBusy = Atomic<Bool>(false)

    /// - Parameters:
    ///   - samples: which.
    ///   - lanes: samples under way at a time, at least 1.
    init(
        _ sampler: any Sampler, recipe: SamplingRecipe, samples: Range<Int>, lanes: Int, notes: [String],
        cancellation: Cancellation
    ) {
        (self.sampler, self.samples, self.lanes, self.cancellation) = (sampler, samples, lanes, cancellation)
        dimension = sampler.chain.dimension
        var recipe = recipe
        recipe.chain.steps = sampler.chain.stepCount
        description = SamplingDescription(recipe, isExact: sampler.isExact, notes: notes)
        state = State(waiting: samples, tally: SamplingTally(stepCount: sampler.chain.stepCount))
    }

    /// One round of every sample under way.
    /// - Returns: whether there is more to do.
    func step() throws -> Bool {
        try exclusively { state in
            while state.active.count < lanes, let next = state.waiting.popFirst() {
                state.active.append(sampler.start(sample: next))
            }
            guard !state.active.isEmpty else { return false }
            try cancellation.check()
            let start = ContinuousClock.now
            // What a failed call leaves behind is the state before it.
            var active = state.active
            let info = try sampler.step(&active)
            state.active = active.filter { $0.step < sampler.chain.stepCount }
            for decision in info.decisions {
                state.decisions[decision.sample, default: []].append(
                    .init(step: decision.step, isAccepted: decision.isAccepted, acceptance: decision.acceptance))
            }
            for sample in active where sample.step == sampler.chain.stepCount {
                let decisions = state.decisions.removeValue(forKey: sample.sample) ?? []
                let finished = FinishedSample(
                    sample: sample.sample, cost: sample.cost, decisions: decisions, state: sample.state)
                state.tally.add(finished, fingerprint: 0)
                state.finished[sample.sample] = sample.state.map { Float($0) }
            }
            state.tally.calls += info.calls
            state.tally.seconds += (ContinuousClock.now - start).inSeconds
            return !state.active.isEmpty || !state.waiting.isEmpty
        }
    }

    /// Finished samples, and the steps decided of all.
    func progress() throws -> (finished: Int, steps: Int) {
        try exclusively { state in
            let steps = state.finished.count * sampler.chain.stepCount + state.active.reduce(0) { $0 + $1.step }
            return (state.finished.count, steps)
        }
    }

    /// Copies finished samples, in order, `[count, dimension]`.
    /// - Throws: `RecipeError` if one of them isn't finished.
    func copySamples(to values: UnsafeMutablePointer<Float>) throws {
        try exclusively { state in
            guard state.finished.count == samples.count else {
                throw RecipeError("samples", "are finished only in part: \(state.finished.count) of \(samples.count).")
            }
            for (place, sample) in samples.enumerated() {
                guard let finished = state.finished[sample] else { continue }
                (values + place * dimension).update(from: finished, count: dimension)
            }
        }
    }

    /// The report of the finished samples, as the command line writes it.
    func report() throws -> String {
        try exclusively { state in
            try Report(description, tally: state.tally, threads: 1).jsonText()
        }
    }

    private func exclusively<Result>(_ body: (inout State) throws -> Result) throws -> Result {
        guard isBusy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else {
            throw RecipeError(
                "sampler", "is at work already: one thread at a time may use it, and its network's function may not.")
        }
        defer { isBusy.store(false, ordering: .releasing) }
        return try body(&state)
    }
}

extension Duration {
    var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
