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
        var underWay: SamplesUnderWay<Range<Int>>
        var log = DecisionLog()
        var finished: [Int: [Float]] = [:]
        var tally: SamplingTally
    }

    let cancellation: Cancellation
    let dimension: Int
    let samples: Range<Int>
    private let threads: Int
    private let sampler: any Sampler
    private let description: SamplingDescription
    private var state: State
    /// Makes a second thread, or the network's function itself, that tries to use the same sampler, fail.
    private let isBusy = Atomic<Bool>(false)

    /// - Parameters:
    ///   - samples: which.
    ///   - lanes: samples under way at a time, at least 1.
    ///   - threads: of this library's own network, for the report.
    ///   - cancellation: what the sampler's network looks at.
    init(
        _ sampler: any Sampler, recipe: SamplingRecipe, samples: Range<Int>, lanes: Int, threads: Int,
        notes: [String], cancellation: Cancellation
    ) {
        (self.sampler, self.samples, self.threads, self.cancellation) = (sampler, samples, threads, cancellation)
        dimension = sampler.chain.dimension
        Self.keepFreedMemory()
        var recipe = recipe
        recipe.chain.steps = sampler.chain.stepCount
        description = SamplingDescription(recipe, isExact: sampler.isExact, notes: notes)
        state = State(
            underWay: SamplesUnderWay(samples, lanes: lanes), tally: SamplingTally(stepCount: sampler.chain.stepCount))
    }

    /// Every round frees its states and asks for as many new ones. The C library of Linux gives back to the system what is freed,
    /// but for twice the size of the largest block that it has ever taken from it singly, up to 32 MB, and getting the pages
    /// again costs more than the arithmetic on them. So it is shown such a block once, which is never touched.
    private static func keepFreedMemory() {
        var block: UnsafeMutableRawPointer?
        // Not `malloc`, which the compiler would see to be without use.
        if posix_memalign(&block, 16, 32 << 20 - 1 << 16) == 0 { free(block) }
    }

    /// One round of every sample under way.
    /// - Returns: whether there is more to do.
    func step() throws -> Bool {
        try exclusively { state in
            try cancellation.check()
            let start = ContinuousClock.now
            // What a failed call leaves behind is the state before it.
            var underWay = state.underWay
            guard let info = try underWay.round(by: sampler) else { return false }
            state.log.note(info)
            for sample in underWay.takeFinished(stepCount: sampler.chain.stepCount) {
                state.tally.add(state.log.finish(sample), fingerprint: 0)
                state.finished[sample.sample] = sample.state.map { Float($0) }
            }
            state.underWay = underWay
            state.tally.calls += info.calls
            state.tally.seconds += (ContinuousClock.now - start).seconds
            return !underWay.isEmpty
        }
    }

    /// Finished samples, and the steps decided of all.
    func progress() throws -> (finished: Int, steps: Int) {
        try exclusively { state in
            let steps =
                state.finished.count * sampler.chain.stepCount + state.underWay.active.reduce(0) { $0 + $1.step }
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
            try Report(description, tally: state.tally, threads: threads).jsonText()
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
