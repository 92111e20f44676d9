import Couplings
import Diffusion

/// Where a window has side branches, and how far they reach.
struct Comb {
    enum Places {
        /// The first steps of the window that can be rejected: there the target's answer is not known already.
        case first(Int)
        /// The very step that is rejected, and no other: an upper bound, for nobody knows it when the branch is drafted.
        case oracle
    }
    let places: Places
    /// How many states of a branch are scored.
    let depth: Int
    /// The second draft differs from the first along `Δ` alone: an upper bound too, for `Δ` is not known then.
    let sharesNoise: Bool
}

/// A prototype: the recycled draft's loop for one sample, with short side branches. At chosen steps of a window a second draft is
/// drawn, followed by a few drafted states of its own; all are scored in the same call. A rule for several drafts decides between the
/// two, and where it takes the second the window goes on along the side branch. The chain's noise must drive all of its state.
struct CombLoop<Chain: GaussianChain> {
    let chain: Chain
    let random: RandomSource
    let window: Int
    var comb: Comb?
    /// What decides where there are two drafts.
    var rule: any ListRule = MainFirstCoupling()

    /// The newest evaluation of each step, as `EvaluationMemory` keeps it.
    private struct Memory {
        struct Evaluation {
            let state: [Double]
            let prediction: [Double]
            let slope: Double?
        }

        var evaluations: [Evaluation?]
        var lastStep = -1

        mutating func record(step: Int, state: [Double], prediction: [Double]) {
            let older = evaluations[step]
            var slope = older?.slope
            if let older {
                var (product, square) = (0.0, 0.0)
                for i in state.indices {
                    let move = state[i] - older.state[i]
                    product += (prediction[i] - older.prediction[i]) * move
                    square += move * move
                }
                if square > 0 { slope = product / square }
            }
            evaluations[step] = Evaluation(state: state, prediction: prediction, slope: slope)
            lastStep = max(lastStep, step)
        }

        func slope(upTo step: Int, from first: Int) -> Double? {
            let known = (max(first, step - 5)...step).compactMap { evaluations[$0]?.slope }
            return known.isEmpty ? nil : known.reduce(0, +) / Double(known.count)
        }
    }

    /// A drafted path: `states[j]` at step `firstStep + j`.
    private struct Path {
        let firstStep: Int
        var states: [[Double]]
        var means: [[Double]] = []
        var noises: [[Double]] = []
    }

    private func moved(_ mean: [Double], _ scale: Double, _ noise: [Double]) -> [Double] {
        zip(mean, noise).map { $0 + scale * $1 }
    }

    /// The recycled draft's mean at a step of a path.
    /// - Parameter state: of the path that leads there, at any step from `start - 1` on.
    private func mean(
        sample: Int, step: Int, start: Int, memory: Memory, state: (Int) -> [Double]
    ) -> [Double] {
        let latest = min(step, memory.lastStep)
        guard latest >= 0, let evaluation = memory.evaluations[latest] else {
            return chain.mean(
                step: step, state: state(step),
                prediction: chain.priorPrediction(sample: sample) ?? state(step))
        }
        var prediction = evaluation.prediction
        if let slope = memory.slope(upTo: latest, from: max(0, start - 1)), latest >= start {
            let bounds = chain.transition(at: latest).slopeBounds
            let bounded = min(max(slope, bounds.lowerBound), bounds.upperBound)
            let path = state(latest)
            prediction = prediction.indices.map {
                prediction[$0] + bounded * (path[$0] - evaluation.state[$0])
            }
        }
        return chain.mean(step: step, state: state(step), prediction: prediction)
    }

    func run(sample: Int) throws -> CountedCost {
        var stream = random.stream(sample: sample, step: 0, purpose: .initialState)
        var state = chain.initialState(sample: sample, noise: stream.normals(chain.dimension))
        var memory = Memory(evaluations: Array(repeating: nil, count: chain.stepCount + 1))
        var (step, calls, windows, rows) = (0, 0, 0, 0)

        func ask(_ queries: [ChainQuery]) throws -> [[Double]] {
            guard !queries.isEmpty else { return [] }
            calls += 1
            rows += queries.count * chain.rowsPerQuery
            return try chain.predictions(for: queries)
        }
        if chain.priorPrediction(sample: sample) == nil {
            let answer = try ask([ChainQuery(sample: sample, step: 0, state: state)])
            memory.record(step: 0, state: state, prediction: answer[0])
        }
        while step < chain.stepCount {
            let length = min(window, chain.stepCount - step)
            windows += 1
            let main = drafted(sample: sample, from: step, state: state, length: length, memory: memory)
            // What was known when the window was drafted: side branches are drafted from that, too.
            let known = memory
            var queries: [ChainQuery] = []
            for j in 0...length where step + j < chain.stepCount {
                if memory.evaluations[step + j]?.state == main.states[j] { continue }
                queries.append(ChainQuery(sample: sample, step: step + j, state: main.states[j]))
            }
            var branches: [Int: Path] = [:]
            if let comb, case .first(let places) = comb.places, !comb.sharesNoise {
                for j in 0..<length where known.evaluations[step + j]?.state != main.states[j] {
                    // A deterministic step has but one draft.
                    guard branches.count < places, chain.transition(at: step + j).standardDeviation > 0 else { break }
                    let noise = sideNoise(sample: sample, step: step + j)
                    branches[j] = branch(
                        sample: sample, main: main, at: j, noise: noise, depth: comb.depth, memory: known)
                }
            }
            let sideQueries = branches.sorted { $0.key < $1.key }.flatMap { self.queries(of: $0.value, sample: sample) }
            let answers = try ask(queries + sideQueries)
            for (query, answer) in zip(queries, answers) {
                memory.record(step: query.step, state: query.state, prediction: answer)
            }
            var sideAnswers: [Int: [[Double]]] = [:]
            var rest = answers[queries.count...]
            for (j, path) in branches.sorted(by: { $0.key < $1.key }) {
                let count = self.queries(of: path, sample: sample).count
                sideAnswers[j] = Array(rest.prefix(count))
                rest = rest.dropFirst(count)
            }

            // Along the main path.
            var taken: (path: Path, answers: [[Double]])?
            verification: for j in 0..<length {
                guard let evaluation = memory.evaluations[step + j] else { break }
                guard chain.transition(at: step + j).standardDeviation > 0 else {
                    // Such a step takes the target's mean, whatever was drafted.
                    state = chain.mean(step: step + j, state: main.states[j], prediction: evaluation.prediction)
                    if state == main.states[j + 1] { continue }
                    step += j + 1
                    break verification
                }
                let proposal = proposal(main, j, prediction: evaluation.prediction)
                var uniforms = random.stream(sample: sample, step: step + j, purpose: .verification)
                var place = branches[j].map { (path: $0, answers: sideAnswers[j] ?? []) }
                if let comb, place == nil, comb.sharesNoise || isOracle(comb), isOpen(comb, j, main, step, known) {
                    // An oracle's branch is drafted when it is wanted, and its rows are booked then or at once.
                    place = try oracleBranch(
                        comb, sample: sample, main: main, at: j, proposal: proposal, memory: known, rows: &rows,
                        uniforms: uniforms)
                }
                guard let place else {
                    let verdict = ReflectionCoupling().verify(proposal, randomness: &uniforms)
                    state = verdict.state
                    if verdict.isAccepted { continue }
                    step += j + 1
                    break verification
                }
                let side = place.path.noises[0]
                let list = GaussianListProposal(
                    draftMean: proposal.draftMean, targetMean: proposal.targetMean,
                    standardDeviation: proposal.standardDeviation, noises: [proposal.noise, side],
                    states: [proposal.state, place.path.states[1]])
                let verdict = rule.verify(list, randomness: &uniforms)
                state = verdict.state
                if verdict.accepted == 0 { continue }
                if verdict.accepted == 1 { taken = place }
                step += j + 1
                break verification
            }
            if state == main.states[length] { step = main.firstStep + length }
            guard let taken else { continue }

            // Along the branch: states[1 + i] belongs to the step firstStep + 1 + i and has answers[i].
            for (i, answer) in taken.answers.enumerated() {
                memory.record(step: taken.path.firstStep + 1 + i, state: taken.path.states[1 + i], prediction: answer)
            }
            for i in taken.answers.indices where step < chain.stepCount {
                var uniforms = random.stream(sample: sample, step: step, purpose: .verification)
                guard chain.transition(at: step).standardDeviation > 0 else {
                    state = chain.mean(
                        step: step, state: taken.path.states[1 + i], prediction: taken.answers[i])
                    step += 1
                    if taken.path.states.count > 2 + i, state == taken.path.states[2 + i] { continue }
                    break
                }
                let proposal = proposal(taken.path, 1 + i, prediction: taken.answers[i])
                let verdict = ReflectionCoupling().verify(proposal, randomness: &uniforms)
                state = verdict.state
                step += 1
                if !verdict.isAccepted { break }
            }
        }
        return CountedCost(calls: calls, windows: windows, rows: rows)
    }

    private func drafted(sample: Int, from step: Int, state: [Double], length: Int, memory: Memory) -> Path {
        var path = Path(firstStep: step, states: [state])
        for j in 0..<length {
            let mean = mean(sample: sample, step: step + j, start: step, memory: memory) { path.states[$0 - step] }
            let noise = random.increment(sample: sample, step: step + j, dimension: chain.dimension)
            path.means.append(mean)
            path.noises.append(noise)
            path.states.append(moved(mean, chain.transition(at: step + j).standardDeviation, noise))
        }
        return path
    }

    private func proposal(_ path: Path, _ j: Int, prediction: [Double]) -> GaussianProposal {
        let step = path.firstStep + j
        return GaussianProposal(
            draftMean: path.means[j],
            targetMean: chain.mean(step: step, state: path.states[j], prediction: prediction),
            standardDeviation: chain.transition(at: step).standardDeviation, noise: path.noises[j],
            state: path.states[j + 1])
    }

    /// Keyed like the main draft's, under another seed.
    private func sideNoise(sample: Int, step: Int) -> [Double] {
        RandomSource(seed: random.seed &+ 0x5EED).increment(sample: sample, step: step, dimension: chain.dimension)
    }

    /// The side path from the state at place `j` of the main path: a second draft of that step, and `depth` steps more, with the
    /// noise that is pinned to them.
    private func branch(
        sample: Int, main: Path, at j: Int, noise: [Double], depth: Int, memory: Memory
    ) -> Path {
        let step = main.firstStep + j
        var path = Path(firstStep: step, states: [main.states[j]])
        path.means.append(main.means[j])
        path.noises.append(noise)
        path.states.append(moved(main.means[j], chain.transition(at: step).standardDeviation, noise))
        for i in 1..<(depth + 1) where step + i < chain.stepCount {
            let mean = mean(sample: sample, step: step + i, start: main.firstStep, memory: memory) {
                $0 > step ? path.states[$0 - step] : main.states[$0 - main.firstStep]
            }
            let noise = random.increment(sample: sample, step: step + i, dimension: chain.dimension)
            path.means.append(mean)
            path.noises.append(noise)
            path.states.append(moved(mean, chain.transition(at: step + i).standardDeviation, noise))
        }
        return path
    }

    /// Of the branch's states all but the last, from which no step is drafted.
    private func queries(of path: Path, sample: Int) -> [ChainQuery] {
        (1..<path.states.count).dropLast(path.states.count > 2 ? 1 : 0).compactMap { i in
            let step = path.firstStep + i
            return step < chain.stepCount ? ChainQuery(sample: sample, step: step, state: path.states[i]) : nil
        }
    }

    private func isOracle(_ comb: Comb) -> Bool { if case .oracle = comb.places { true } else { false } }

    /// Whether an oracle may have a branch at the place.
    private func isOpen(_ comb: Comb, _ j: Int, _ main: Path, _ step: Int, _ known: Memory) -> Bool {
        guard case .first(let places) = comb.places else { return true }
        let first = known.evaluations[main.firstStep]?.state == main.states[0] ? 1 : 0
        return (first..<first + places).contains(j)
    }

    /// The branch of an oracle: at the step that would be rejected, or with noise that differs along `Δ` alone. Its rows are booked
    /// where the comb would have had them.
    private func oracleBranch(
        _ comb: Comb, sample: Int, main: Path, at j: Int, proposal: GaussianProposal, memory: Memory, rows: inout Int,
        uniforms: RandomStream
    ) throws -> (path: Path, answers: [[Double]])? {
        var noise = sideNoise(sample: sample, step: main.firstStep + j)
        if comb.sharesNoise {
            let delta = proposal.discrepancy
            let square = delta.reduce(0) { $0 + $1 * $1 }
            guard square > 0 else { return nil }
            let share = zip(delta, zip(noise, proposal.noise)).reduce(0) { $0 + $1.0 * ($1.1.0 - $1.1.1) } / square
            noise = zip(proposal.noise, delta).map { $0 + share * $1 }
        }
        let path = branch(sample: sample, main: main, at: j, noise: noise, depth: comb.depth, memory: memory)
        let queries = queries(of: path, sample: sample)
        if case .first = comb.places { rows += queries.count * chain.rowsPerQuery }
        // Only a branch that is taken need be asked about.
        var trial = uniforms
        let list = GaussianListProposal(
            draftMean: proposal.draftMean, targetMean: proposal.targetMean,
            standardDeviation: proposal.standardDeviation, noises: [proposal.noise, noise],
            states: [proposal.state, path.states[1]])
        guard rule.verify(list, randomness: &trial).accepted == 1 else { return (path, []) }
        if isOracle(comb) { rows += queries.count * chain.rowsPerQuery }
        return (path, try chain.predictions(for: queries))
    }
}
