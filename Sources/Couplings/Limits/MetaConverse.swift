import Foundation

/// The minimax converse of a channel and its saddle point (MC, Sections III to VI and Appendix C).
///
/// ε(R) = min_{Q_X} max_z γ(Q_X, z), γ = Σ_{x,y} Q_X(x) min(W(y|x), z_y) - e^{-R} Σ_y z_y, bounds from below the error of any code of e^R words.
///
/// The paper alternates a local linear program for fixed z with an improving one, (24), and mends the zeros of Q_X apart (Section VI).
/// The maximum over z_y is attained at one of the likelihoods W(y|x), so all phases are one linear program in Q_X with a row for each
/// (y, likelihood):
///
///     minimise Σ_y g_y  over Q_X, g ≥ 0 with  g_y ≥ Σ_x Q_X(x) min(W(y|x), v) - e^{-R} v.
///
/// Its rows are added as the quantile condition (16) for the current Q_X asks for them; each program then plays both of the paper's parts, and
/// inputs of probability zero need no special care. The rows' multipliers average the thresholds v to z*.
public struct MetaConverse: Sendable {
    /// What is given.
    public enum Question: Sendable {
        /// The error probability ε; the rate is wanted.
        case rate(atError: Double)
        /// The rate log₂ M in bits; the error probability is wanted.
        case error(atBits: Double)
    }

    /// R/ln 2: no code with this error probability has more than 2^bits words.
    public let bits: Double
    /// ε.
    public let error: Double
    /// Q_X on the input classes: types of words, or one class of all words where uniform inputs are optimal.
    public let inputLaw: [Double]
    /// How far (12), (13) and (16) are from holding.
    public let certificate: Certificate

    /// The optimality conditions, as differences that vanish at a saddle point.
    public struct Certificate: Sendable {
        /// max_z γ(Q_X, z) - min_x γ(δ_x, z*): zero at a saddle point and nowhere else; ε is bracketed between the two.
        public let gap: Double
        /// (12): the largest |γ(δ_x, z*) - ε| over the x with Q_X(x) > 0.
        public let supportSpread: Double
        /// (13): the most by which γ(δ_x, z*) falls short of ε where Q_X(x) = 0.
        public let zeroShortfall: Double
        /// (16): what z* loses against the best z for Q_X, max_z γ(Q_X, z) - γ(Q_X, z*).
        public let quantileLoss: Double
    }

    /// - Parameters:
    ///   - length: n, the number of uses of the memoryless channel.
    ///   - solver: needed only where the channel is not symmetric.
    /// - Throws: `CouplingError` for parameters out of range, too many types, or a solver that fails.
    public init(
        _ channel: DiscreteChannel, length: Int = 1, question: Question, solver: some LinearProgramSolver = DenseSimplex()
    ) throws(CouplingError) {
        switch question {
        case .rate(let error):
            guard error > 0, error < 1 else {
                throw .parameterOutOfRange(name: "error probability", value: error, expected: "0 < ε < 1")
            }
        case .error(let bits):
            guard bits >= 0, bits.isFinite else {
                throw .parameterOutOfRange(name: "rate", value: bits, expected: "a finite number of bits ≥ 0")
            }
        }
        let block = try BlockChannel(channel, length: length)
        let saddle = try SaddlePoint(block, question: question, solver: solver)
        bits = saddle.logSize / log(2)
        error = saddle.error
        inputLaw = saddle.inputLaw
        certificate = saddle.certificate(block)
    }
}

/// The search for (Q_X, z), in the log domain.
private struct SaddlePoint {
    var inputLaw: [Double]
    /// R.
    var logSize: Double
    var error = 0.0
    /// log z_y for each output class; -∞ for zero.
    var logThresholds: [Double]

    init(
        _ block: BlockChannel, question: MetaConverse.Question, solver: some LinearProgramSolver
    ) throws(CouplingError) {
        inputLaw = Array(repeating: 1 / Double(block.inputCount), count: block.inputCount)
        logThresholds = block.outputs.map { $0.atoms[0].logLikelihood }
        logSize = 0
        switch question {
        case .error(let bits): logSize = bits * log(2)
        case .rate(let error): logSize = rate(of: block, error: error)
        }
        if block.inputCount > 1 { try optimiseInput(block, question, solver) }
        logThresholds = block.inputCount > 1 ? logThresholds : bestThresholds(block)
        error = switch question {
        case .rate(let error): error
        case .error: score(block)
        }
    }

    /// For each output class the threshold that (16) allows, -∞ where z_y = 0 is best.
    func bestThresholds(_ block: BlockChannel) -> [Double] {
        block.outputs.map { bestThreshold($0).logThreshold }
    }

    /// max_z γ(Q_X, z).
    func score(_ block: BlockChannel) -> Double {
        block.outputs.reduce(0) { $0 + bestThreshold($1).value }
    }

    /// The quantile (16): the largest likelihood v with Q_X{W(y|x) ≥ v} ≥ e^{-R}, and what the class then adds to γ.
    private func bestThreshold(_ output: BlockChannel.Output) -> (logThreshold: Double, value: Double) {
        var logAbove = -Double.infinity
        for (index, atom) in output.atoms.enumerated() {
            let law = inputLaw[atom.input]
            guard law > 0 else { continue }
            logAbove = logSum(logAbove, log(law) + atom.logShare)
            if logAbove >= -logSize {
                return (atom.logLikelihood, value(output, at: atom.logLikelihood, from: index))
            }
        }
        return (-.infinity, 0)
    }

    /// Σ_x Q_X(x) Σ_{y in the class} min(W(y|x), z) - e^{-R} |T_y| z.
    private func value(_ output: BlockChannel.Output, at logThreshold: Double, from start: Int = 0) -> Double {
        guard logThreshold > -.infinity else { return 0 }
        var sum = -exp(logThreshold + output.logSize - logSize)
        for atom in output.atoms where inputLaw[atom.input] > 0 {
            sum += inputLaw[atom.input] * atom.mass * exp(min(0, logThreshold - atom.logLikelihood))
        }
        return sum
    }

    /// R with max_z γ(Q_X, z) = ε for the present Q_X: e^{-R} = max_z (F(z) - ε)/G(z), by Dinkelbach's iteration (1967).
    private mutating func rate(of block: BlockChannel, error: Double) -> Double {
        // The largest thresholds give F = 1, the least rate at which any z is worth considering.
        var thresholds = logThresholds
        var rate = -Double.infinity
        for _ in 0..<200 {
            var gain = -error
            var logCost = -Double.infinity
            for (output, threshold) in zip(block.outputs, thresholds) where threshold > -.infinity {
                logCost = logSum(logCost, threshold + output.logSize)
                for atom in output.atoms {
                    gain += inputLaw[atom.input] * atom.mass * exp(min(0, threshold - atom.logLikelihood))
                }
            }
            guard gain > 0 else { break }
            let next = logCost - log(gain)
            if rate > -.infinity, next >= rate - 1e-13 * max(1, abs(rate)) { break }
            rate = next
            logSize = rate
            thresholds = bestThresholds(block)
        }
        return rate
    }

    /// The growing linear program. For a given ε it minimises σ = e^{R₀ - R}, R₀ the rate of the uniform input; for a given rate, ε.
    private mutating func optimiseInput(
        _ block: BlockChannel, _ question: MetaConverse.Question, _ solver: some LinearProgramSolver
    ) throws(CouplingError) {
        let inputs = block.inputCount, classes = block.outputs.count
        let reference = logSize
        // Variables: Q_X, g, σ.
        let scaleVariable = inputs + classes
        var rows: [(output: Int, logThreshold: Double)] = []
        var known = Set<[Double]>()
        var proposals = Array(bestThresholds(block).enumerated())
        for _ in 0..<400 {
            var isNew = false
            for (output, threshold) in proposals where threshold > -.infinity {
                guard known.insert([Double(output), threshold]).inserted else { continue }
                rows.append((output, threshold))
                isNew = true
            }
            guard isNew || known.isEmpty else { return }
            var objective = Array(repeating: 0.0, count: inputs + classes + 1)
            switch question {
            case .rate: objective[scaleVariable] = 1
            case .error: for output in 0..<classes { objective[inputs + output] = 1 }
            }
            var program = LinearProgram(objective: objective, sense: .minimise)
            program.addConstraint((0..<inputs).map { .init($0, 1) }, equalTo: 1)
            switch question {
            case .rate(let error): program.addConstraint((0..<classes).map { .init(inputs + $0, 1) }, atMost: error)
            case .error: program.addConstraint([.init(scaleVariable, 1)], equalTo: 1)
            }
            for row in rows { program.addConstraint(terms(row, block, reference), atLeast: 0) }
            let solution = try solver.solve(program)
            let sum = solution.values[..<inputs].reduce(0, +)
            inputLaw = solution.values[..<inputs].map { $0 > 1e-14 ? $0 / sum : 0 }
            if case .rate = question { logSize = reference - log(max(solution.values[scaleVariable], 1e-300)) }
            averageThresholds(rows, solution, classes, question)
            proposals = Array(bestThresholds(block).enumerated())
        }
        throw .solverFailed(solver: "meta-converse", reason: "the linear program kept growing")
    }

    /// g_y - Σ_x Q_X(x) Σ min(W, v) + σ e^{-R₀} |T_y| v ≥ 0.
    private func terms(
        _ row: (output: Int, logThreshold: Double), _ block: BlockChannel, _ reference: Double
    ) -> [LinearProgram.Term] {
        let output = block.outputs[row.output]
        var received = Array(repeating: 0.0, count: block.inputCount)
        for atom in output.atoms {
            received[atom.input] += atom.mass * exp(min(0, row.logThreshold - atom.logLikelihood))
        }
        var terms = received.enumerated().filter { $0.element != 0 }.map { LinearProgram.Term($0.offset, -$0.element) }
        terms.append(.init(block.inputCount + row.output, 1))
        terms.append(.init(block.inputCount + block.outputs.count, exp(row.logThreshold + output.logSize - reference)))
        return terms
    }

    /// z*_y, the mean of the thresholds of y's rows under their multipliers; what these lack of the whole weight is on zero.
    private mutating func averageThresholds(
        _ rows: [(output: Int, logThreshold: Double)], _ solution: LinearProgram.Solution, _ classes: Int,
        _ question: MetaConverse.Question
    ) {
        let whole = switch question {
        case .rate: abs(solution.multipliers[1])
        case .error: 1.0
        }
        logThresholds = Array(repeating: -.infinity, count: classes)
        guard whole > 0 else { return }
        for (row, multiplier) in zip(rows, solution.multipliers[2...]) where multiplier > 0 {
            let weight = log(multiplier / whole) + row.logThreshold
            logThresholds[row.output] = logSum(logThresholds[row.output], weight)
        }
    }

    /// Checks (12), (13) and (16) at (Q_X, z).
    func certificate(_ block: BlockChannel) -> MetaConverse.Certificate {
        var scores = Array(repeating: 0.0, count: block.inputCount)
        var cost = 0.0
        for (output, threshold) in zip(block.outputs, logThresholds) where threshold > -.infinity {
            cost += exp(threshold + output.logSize - logSize)
            for atom in output.atoms {
                scores[atom.input] += atom.mass * exp(min(0, threshold - atom.logLikelihood))
            }
        }
        scores = scores.map { $0 - cost }
        let upper = score(block)
        let present = zip(scores, inputLaw).reduce(0) { $0 + $1.0 * $1.1 }
        let lower = scores.min() ?? 0
        var spread = 0.0, shortfall = 0.0
        for (score, law) in zip(scores, inputLaw) {
            if law > 0 { spread = max(spread, abs(score - error)) } else { shortfall = max(shortfall, error - score) }
        }
        return MetaConverse.Certificate(
            gap: upper - lower, supportSpread: spread, zeroShortfall: shortfall, quantileLoss: upper - present)
    }
}

/// log(e^a + e^b).
private func logSum(_ a: Double, _ b: Double) -> Double {
    let high = max(a, b), low = min(a, b)
    return low == -.infinity ? high : high + log1p(exp(low - high))
}
