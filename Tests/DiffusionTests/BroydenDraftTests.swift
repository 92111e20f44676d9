import Couplings
import Testing

@testable import Diffusion

@Suite("Limited-memory Broyden drafts")
struct BroydenDraftTests {
    /// A denoiser that is linear, with another slope along each axis: no scalar serves both.
    struct TwoSlopes: GaussianChain {
        let slopes = [0.9, -0.3]
        let stepCount = 24
        let dimension = 2
        func transition(at step: Int) -> GaussianTransition {
            .init(stateCoefficient: 0.5, predictionCoefficient: 0.5, standardDeviation: 0.3, slopeBounds: -1...1)
        }
        func answer(_ state: [Double]) -> [Double] { zip(slopes, state).map { 1 + $0 * $1 } }
        func predictions(for queries: [ChainQuery]) -> [[Double]] { queries.map { answer($0.state) } }
    }

    static let chain = TwoSlopes()

    /// What is known after the target has been asked about a step at some states in turn.
    static func memory(_ states: [[Double]], pairs: Int) -> EvaluationMemory {
        var memory = EvaluationMemory()
        for state in states {
            memory.record(step: 0, state: state, prediction: chain.answer(state), layout: .whole, keepingPairs: pairs)
        }
        return memory
    }

    static func window(_ state: [Double], _ memory: EvaluationMemory) -> DraftWindow {
        DraftWindow(sample: 0, firstStep: 0, state: state, memory: memory, length: 1)
    }

    /// Two moves at right angles tell both slopes, and the draft is the target wherever the path goes.
    @Test func twoDirectionsAreLearnt() throws {
        let memory = Self.memory([[0, 0], [1, 2], [3, 1]], pairs: 2)
        let state = [-2.0, 0.7]
        let known = Self.chain.answer(state)
        func error(_ prediction: [Double]) -> Double {
            zip(prediction, known).map { abs($0 - $1) }.max() ?? .infinity
        }
        // A dozen roundings of numbers up to 5.
        let window = Self.window(state, memory)
        let (double, single) = (try BroydenDraft(pairs: 2), try BroydenDraft(pairs: 1))
        #expect(error(double.prediction(in: window, chain: Self.chain)) < 1e-14)
        #expect(error(RecycledDraft().prediction(in: window, chain: Self.chain)) > 0.5)
        // One pair tells the slope along its own direction alone.
        #expect(error(single.prediction(in: window, chain: Self.chain)) > 0.1)
        let along = Self.window([3.8, 0.6], memory)
        let carried = single.prediction(in: along, chain: Self.chain)
        #expect(zip(carried, Self.chain.answer([3.8, 0.6])).allSatisfy { abs($0 - $1) < 1e-14 })
    }

    /// Before any answer has replaced another, and where the path has not moved, there is nothing to refine.
    @Test func withoutPairsItIsTheRecycledDraft() throws {
        let draft = try BroydenDraft(pairs: 3)
        for (memory, state) in [
            (Self.memory([[1, 2]], pairs: 3), [2.0, 1]), (Self.memory([[0, 0], [1, 2]], pairs: 3), [1, 2]),
            (Self.memory([[0, 0], [1, 2]], pairs: 0), [2, 1]), (EvaluationMemory(), [2, 1]),
        ] {
            let window = Self.window(state, memory)
            #expect(
                draft.prediction(in: window, chain: Self.chain)
                    == RecycledDraft().prediction(in: window, chain: Self.chain))
        }
    }

    /// The sampler keeps pairs for a draft that asks for them, and for no other.
    @Test func theSamplerKeepsPairsOnRequest() throws {
        func mostPairs(_ draft: any Draft) throws -> Int {
            let sampler = try SpeculativeSampler(
                chain: Self.chain, draft: draft, window: 12, random: RandomSource(seed: 8))
            var most = 0
            try sampler.run(samples: 0..<20, lanes: 20) { _, samples in
                for sample in samples where !sample.memory.isEmpty {
                    let known = sample.step...max(sample.step, sample.memory.lastStep)
                    most = known.reduce(most) { max($0, sample.memory.evaluation(at: $1)?.pairs.count ?? 0) }
                }
            } onFinished: { _ in
            }
            return most
        }
        let wanted: [any Draft] = try [
            RecycledDraft(), BroydenDraft(pairs: 1), BroydenDraft(pairs: 2),
            MixtureDraft([(1, FrozenDraft()), (1, BroydenDraft(pairs: 2))]),
        ]
        #expect(try wanted.map(mostPairs) == [0, 1, 2, 2])
    }

    /// Pairs that contradict each other do not lead farther than the chain allows.
    @Test func changesAreBounded() throws {
        var memory = EvaluationMemory()
        for (state, answer) in [
            ([0.0, 0], [0.0, 0]), ([1, 0], [1e3, 0]), ([1, 1e-9], [-1e3, 1e3]), ([0, 0], [0, 0]),
        ] {
            memory.record(step: 0, state: state, prediction: answer, layout: .whole, keepingPairs: 16)
        }
        let prediction = try BroydenDraft(pairs: 16).prediction(in: Self.window([3, 4], memory), chain: Self.chain)
        #expect(Vector.squaredNorm(prediction).squareRoot() <= 5 * (1 + 1e-12))
        // Answers beyond all measure: the scalar is left.
        memory.record(step: 0, state: [1e-160, 0], prediction: [1e300, 1e300], layout: .whole, keepingPairs: 16)
        memory.record(step: 0, state: [0, 0], prediction: [0, 0], layout: .whole, keepingPairs: 16)
        let draft = try BroydenDraft(pairs: 16).prediction(in: Self.window([3, 4], memory), chain: Self.chain)
        #expect(draft.allSatisfy { $0.isFinite })
    }

    /// Only drafts that ask pay for pairs, and those that wrap others ask for them.
    @Test func pairsAreKeptOnRequest() throws {
        let states = (0..<9).map { [Double($0), Double($0 * $0)] }
        #expect(Self.memory(states, pairs: 0).evaluation(at: 0)?.pairs.isEmpty == true)
        let kept = Self.memory(states, pairs: 3).evaluation(at: 0)?.pairs
        #expect(kept?.map(\.move) == [[1, 11], [1, 13], [1, 15]], "the newest, in their order")
        let broyden = try BroydenDraft(pairs: 5)
        #expect(RecycledDraft().secantPairs == 0 && broyden.secantPairs == 5)
        let wrappers: [any Draft] = try [
            PicardDraft(iterations: 1, base: broyden), MixtureDraft([(1, FrozenDraft()), (1, broyden)]),
        ]
        #expect(wrappers.map(\.secantPairs) == [5, 5])
    }

    /// Rule R1: what is known of steps beyond, whose states were reached through the step's own noise, changes no mean. What is
    /// known of the step itself does.
    @Test func laterStepsAreNotLookedAt() throws {
        func prediction(changing changed: Int?) throws -> [Double] {
            var memory = EvaluationMemory()
            for round in 0..<3 {
                for step in 0..<4 {
                    let state = [
                        Double(step + round), Double(step * round) + (step == changed ? Double(round * round) : 0),
                    ]
                    memory.record(
                        step: step, state: state, prediction: Self.chain.answer(state), layout: .whole, keepingPairs: 2)
                }
            }
            var window = DraftWindow(sample: 0, firstStep: 0, state: [0.1, 0.2], memory: memory, length: 4)
            window.means = [[0.3, 0.4]]
            window.states.append([0.5, 0.6])
            return try BroydenDraft(pairs: 2).prediction(in: window, chain: Self.chain)
        }
        let known = try prediction(changing: nil)
        for later in [2, 3] { #expect(try prediction(changing: later) == known) }
        #expect(try prediction(changing: 1) != known)
    }

    @Test func impossibleNumbersOfPairsAreRefused() throws {
        for pairs in [0, -1, 17, .max] { #expect(throws: DiffusionError.self) { try BroydenDraft(pairs: pairs) } }
        #expect(try BroydenDraft(pairs: 16).secantPairs == 16)
    }
}
