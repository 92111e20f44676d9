import Platform

/// The minimax converse of a channel and its saddle point (MC, Sections III to VI and Appendix C).
///
/// ε(R) = min_{Q_X} max_z γ(Q_X, z), γ = Σ_{x,y} Q_X(x) min(W(y|x), z_y) - e^{-R} Σ_y z_y, bounds from below the
/// error of any code of e^R words.
///
/// The paper alternates a local linear program for fixed z with an improving one, (24), and mends the zeros of Q_X
/// apart (Section VI). The maximum over z_y is attained at one of the likelihoods W(y|x), so all phases are one
/// linear program in Q_X with a row for each (y, likelihood):
///
///     minimise Σ_y g_y  over Q_X, g ≥ 0 with  g_y ≥ Σ_x Q_X(x) min(W(y|x), v) - e^{-R} v.
///
/// Its rows are added as the quantile condition (16) for the current Q_X asks for them; each program then plays both
/// of the paper's parts, and inputs of probability zero need no special care. The rows' multipliers average the
/// thresholds v to z*.
public struct MetaConverse: Sendable {
    /// What is given.
    public enum Question: Sendable {
        /// The error probability ε; the rate is wanted.
        case rate(atError: Double)
        /// The rate log₂ M in bits; the error probability is wanted.
        case error(atBits: Double)
    }

    public static let errors = ParameterRange("the error probability", "above 0 and below 1") { $0 > 0 && $0 < 1 }
    public static let rates = ParameterRange("the rate", "a finite number of bits, at least 0") {
        $0 >= 0 && $0.isFinite
    }
    /// More uses than the upper end have more types than fit.
    public static let lengths = ParameterRange("the length", from: 1, to: Int(BlockChannel.maximumAtoms))

    /// R/ln 2: no code with this error probability has more than 2^bits words.
    public let bits: Double
    /// ε.
    public let error: Double
    /// Q_X on the input classes: types of words, or one class of all words where uniform inputs are optimal.
    public let inputLaw: [Double]
    /// How often each input letter occurs in the words of each class; one empty type for the class of all words.
    public let inputTypes: [[Int]]
    /// log z*_y for each class of output words, -∞ where it is zero.
    public let logThresholds: [Double]
    /// How often each output letter occurs in the words of each class; where all input words are one class, each set of output
    /// letters that only differ in their order.
    public let outputTypes: [[Int]]
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
    ///   - question: what the bound is asked for.
    ///   - channel: the memoryless channel.
    ///   - length: n, the number of its uses.
    ///   - solver: needed only where the channel is not symmetric.
    /// - Throws: `CouplingError` for parameters out of range, too many types, or a solver that fails.
    public init(
        _ channel: DiscreteChannel, length: Int = 1, question: Question,
        solver: some LinearProgramSolver = DenseSimplex()
    ) throws(CouplingError) {
        switch question {
        case .rate(let error):
            try MetaConverse.errors.check(error)
        case .error(let bits):
            try MetaConverse.rates.check(bits)
        }
        let block = try BlockChannel(channel, length: length)
        let saddle = try SaddlePoint(block, question: question, solver: solver)
        bits = saddle.logSize / log(2)
        error = saddle.error
        inputLaw = saddle.inputLaw
        inputTypes = block.inputTypes
        logThresholds = saddle.logThresholds
        outputTypes = block.outputs.map(\.type)
        certificate = saddle.certificate(block)
    }

    /// max_z γ(Q_X, z) for a given Q_X: what its own hypothesis test costs, ε(R) at least.
    /// - Parameters:
    ///   - channel: the memoryless channel.
    ///   - length: n, the number of its uses.
    ///   - bits: R/ln 2.
    ///   - inputLaw: Q_X on the classes of a saddle point's ``inputTypes``, in that order.
    /// - Throws: `CouplingError` for parameters out of range, too many types, or a law of another length.
    public static func error(
        of channel: DiscreteChannel, length: Int = 1, atBits bits: Double, inputLaw: FiniteDistribution
    ) throws(CouplingError) -> Double {
        try rates.check(bits)
        let block = try BlockChannel(channel, length: length)
        guard inputLaw.count == block.inputCount else {
            throw .lengthsDiffer(
                name: "input law", count: inputLaw.count, otherName: "the input classes", otherCount: block.inputCount)
        }
        return SaddlePoint(inputLaw: inputLaw.probabilities, logSize: bits * log(2)).score(block)
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

    /// Of a given Q_X, without a z.
    init(inputLaw: [Double], logSize: Double) {
        (self.inputLaw, self.logSize, logThresholds) = (inputLaw, logSize, [])
    }

    init(
        _ block: BlockChannel, question: MetaConverse.Question, solver: some LinearProgramSolver
    ) throws(CouplingError) {
        inputLaw = block.startingLaw
        logThresholds = []
        logSize = 0
        var rows = Rows()
        switch question {
        case .error(let bits):
            logSize = bits * log(2)
            try optimiseInput(block, &rows, solver)
        case .rate(let error):
            logSize = rate(of: block, error: error)
            try optimiseInput(block, &rows, solver)
            // ε is convex in e^{-R}, with tangent min_x γ(δ_x, z*): Newton's method, finite as ε(e^{-R}) is a polygon.
            for _ in 0..<60 where block.inputCount > 1 {
                let (gain, logCost) = tangent(block)
                // From rates far below, the tangent may never reach ε: then a bit more.
                let next = gain > error ? logCost - log(gain - error) : logSize + log(2)
                if abs(next - logSize) <= 1e-13 * max(1, abs(next)) { break }
                logSize = next
                rows.keepBinding()
                try optimiseInput(block, &rows, solver)
            }
        }
        error = score(block)
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

    /// min_x Σ_y min(W(y|x), z_y) and log Σ_y z_y at the present z.
    private func tangent(_ block: BlockChannel) -> (gain: Double, logCost: Double) {
        let scores = inputScores(block)
        var logCost = -Double.infinity
        for (output, threshold) in zip(block.outputs, logThresholds) where threshold > -.infinity {
            logCost = logSum(logCost, threshold + output.logSize)
        }
        return (scores.min() ?? 0, logCost)
    }

    /// Σ_y min(W(y|x), z_y) for each input class x at the present z.
    private func inputScores(_ block: BlockChannel) -> [Double] {
        var scores = Array(repeating: 0.0, count: block.inputCount)
        for (output, threshold) in zip(block.outputs, logThresholds) where threshold > -.infinity {
            for atom in output.atoms {
                scores[atom.input] += atom.mass * exp(min(0, threshold - atom.logLikelihood))
            }
        }
        return scores
    }

    /// R with max_z γ(Q_X, z) = ε for the present Q_X: by bisection, for the score grows with R, and then e^{-R} =
    /// max_z (F(z) - ε)/G(z) by Dinkelbach's iteration (1967).
    private func rate(of block: BlockChannel, error: Double) -> Double {
        var trial = self
        var low = 0.0
        var high = block.outputs.reduce(-Double.infinity) { logSum($0, $1.logSize) } - log(1 - error)
        for _ in 0..<40 {
            trial.logSize = (low + high) / 2
            if trial.score(block) < error { low = trial.logSize } else { high = trial.logSize }
        }
        trial.logSize = high
        var thresholds = trial.bestThresholds(block)
        var rate = Double.infinity
        for _ in 0..<100 {
            var gain = -error
            var logCost = -Double.infinity
            for (output, threshold) in zip(block.outputs, thresholds) where threshold > -.infinity {
                logCost = logSum(logCost, threshold + output.logSize)
                for atom in output.atoms {
                    gain += inputLaw[atom.input] * atom.mass * exp(min(0, threshold - atom.logLikelihood))
                }
            }
            guard gain > 0 else { return rate < .infinity ? rate : high }
            let next = logCost - log(gain)
            if rate < .infinity, next >= rate - 1e-14 * max(1, abs(rate)) { break }
            rate = next
            trial.logSize = rate
            thresholds = trial.bestThresholds(block)
        }
        return rate
    }

    /// The rows of the growing linear program. Those that bind at one rate are where the next begins; all of them would be
    /// many, and nearly the same, which costs the program its digits.
    private struct Rows {
        private(set) var all: [(output: Int, logThreshold: Double)] = []
        /// Which of them had a multiplier in the last solution.
        var isBinding: [Bool] = []
        private var known: Set<[Double]> = []

        /// Adds the thresholds not yet known; says whether there was any.
        mutating func add(_ thresholds: [Double]) -> Bool {
            let before = all.count
            for (output, threshold) in thresholds.enumerated() where threshold > -.infinity {
                if known.insert([Double(output), threshold]).inserted { all.append((output, threshold)) }
            }
            return all.count > before
        }

        mutating func keepBinding() {
            all = zip(all, isBinding).filter(\.1).map(\.0)
            known = Set(all.map { [Double($0.output), $0.logThreshold] })
        }
    }

    /// Minimises max_z γ(Q_X, z) over Q_X at the present rate, and sets Q_X and z*.
    private mutating func optimiseInput(
        _ block: BlockChannel, _ rows: inout Rows, _ solver: some LinearProgramSolver
    ) throws(CouplingError) {
        logThresholds = bestThresholds(block)
        guard block.inputCount > 1 else { return }
        let inputs = block.inputCount
        let classes = block.outputs.count
        var isFirst = true
        for _ in 0..<1000 {
            guard rows.add(bestThresholds(block)) || isFirst else { return }
            isFirst = false
            // Variables: Q_X, then g in units of each class's mass.
            let masses = block.outputs.map(\.likeliestMass)
            var program = LinearProgram(
                objective: Array(repeating: 0, count: inputs) + masses, sense: .minimise)
            program.addConstraint((0..<inputs).map { .init($0, 1) }, equalTo: 1)
            var scales: [Double] = []
            for row in rows.all {
                let (terms, scale) = terms(row, block)
                program.addConstraint(terms, atLeast: 0)
                // The multiplier of the row as it stands above, per unit of the class's mass.
                scales.append(1 / (scale * masses[row.output]))
            }
            let solution = try solver.solve(program)
            rows.isBinding = solution.multipliers.dropFirst().map { $0 > 0 }
            inputLaw = solution.values[..<inputs].map { $0 > 1e-13 ? $0 : 0 }
            let sum = inputLaw.reduce(0, +)
            inputLaw = inputLaw.map { $0 / sum }
            averageThresholds(rows, zip(solution.multipliers.dropFirst(), scales).map { $0 * $1 }, classes)
        }
        throw .solverFailed(solver: "meta-converse", reason: "the linear program kept growing")
    }

    /// `g_y/c - Σ_x Q_X(x) (Σ_{y in the class} min(W, v) - e^{-R} |T_y| v)/c ≥ 0`, where c makes the largest coefficient 1: the
    /// masses of classes lie many orders of magnitude apart.
    private func terms(
        _ row: (output: Int, logThreshold: Double), _ block: BlockChannel
    ) -> (terms: [LinearProgram.Term], scale: Double) {
        let output = block.outputs[row.output]
        let mass = output.likeliestMass
        // In units of the class's own mass, which is g_y's unit too.
        let cost = exp(row.logThreshold + output.logSize - logSize - log(mass))
        var net = Array(repeating: -cost, count: block.inputCount)
        for atom in output.atoms {
            net[atom.input] += atom.mass / mass * exp(min(0, row.logThreshold - atom.logLikelihood))
        }
        let scale = net.reduce(1) { max($0, abs($1)) }
        return (
            net.enumerated().map { .init($0.offset, -$0.element / scale) }
                + [.init(block.inputCount + row.output, 1 / scale)], scale
        )
    }

    /// z*_y, the mean of the thresholds of y's rows under their multipliers; what these lack of the whole weight is
    /// on zero.
    private mutating func averageThresholds(_ rows: Rows, _ multipliers: [Double], _ classes: Int) {
        logThresholds = Array(repeating: -.infinity, count: classes)
        for (row, multiplier) in zip(rows.all, multipliers) where multiplier > 0 {
            logThresholds[row.output] = logSum(logThresholds[row.output], log(multiplier) + row.logThreshold)
        }
    }

    /// Checks (12), (13) and (16) at (Q_X, z).
    func certificate(_ block: BlockChannel) -> MetaConverse.Certificate {
        let cost = exp(tangent(block).logCost - logSize)
        let scores = inputScores(block).map { $0 - cost }
        let upper = score(block)
        let present = zip(scores, inputLaw).reduce(0) { $0 + $1.0 * $1.1 }
        let lower = scores.min() ?? 0
        var spread = 0.0
        var shortfall = 0.0
        for (score, law) in zip(scores, inputLaw) {
            if law > 0 { spread = max(spread, abs(score - error)) } else { shortfall = max(shortfall, error - score) }
        }
        return MetaConverse.Certificate(
            gap: upper - lower, supportSpread: spread, zeroShortfall: shortfall, quantileLoss: upper - present)
    }
}

/// log(e^a + e^b).
private func logSum(_ a: Double, _ b: Double) -> Double {
    let high = max(a, b)
    let low = min(a, b)
    return low == -.infinity ? high : high + log1p(exp(low - high))
}
