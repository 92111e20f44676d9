import Platform

/// A memoryless channel used n times, with words grouped by type (MC, Appendix C), in the log domain.
///
/// An input is a type class of input words — all words at once where the channel is symmetric — and an output a type
/// class of output words. For each output class the atoms list what its words receive from each input.
struct BlockChannel: Sendable {
    /// Words of one output class that see one input class with one likelihood.
    struct Atom: Sendable {
        /// The input class.
        let input: Int
        /// log W(y|x), the likelihood.
        let logLikelihood: Double
        /// The probability of these outputs given a word of the input class, |T_{y|x}| W(y|x).
        let mass: Double
        /// log of the share of the input class's words with this likelihood for a given y, |T_{x|y}|/|T_x|.
        let logShare: Double
    }

    struct Output: Sendable {
        /// How often each output letter occurs, or each class of letters where the channel is symmetric.
        let type: [Int]
        /// log |T_y|.
        let logSize: Double
        /// By decreasing likelihood.
        let atoms: [Atom]
        /// max_x W(the class|x), of which a class can add no more to γ.
        let likeliestMass: Double

        init(type: [Int], logSize: Double, atoms: [Atom], inputCount: Int) {
            (self.type, self.logSize, self.atoms) = (type, logSize, atoms)
            var masses = Array(repeating: 0.0, count: inputCount)
            for atom in atoms { masses[atom.input] += atom.mass }
            likeliestMass = masses.max() ?? 0
        }
    }

    /// How often each input letter occurs in the words of each class; one empty type where the channel is symmetric and all words
    /// are one class.
    let inputTypes: [[Int]]
    var inputCount: Int { inputTypes.count }
    let outputs: [Output]
    /// Where to begin the search for Q_X: the channel's capacity-achieving input, letter by letter.
    let startingLaw: [Double]
    static let maximumAtoms = 4e6

    /// - Throws: `CouplingError.parameterOutOfRange` for n < 1, `.problemTooLarge` where there are too many types.
    init(_ channel: DiscreteChannel, length n: Int) throws(CouplingError) {
        try MetaConverse.lengths.check(Double(n))
        if let classes = channel.symmetricOutputClasses {
            try self.init(symmetric: channel, classes: classes, length: n)
        } else {
            try self.init(byTypes: channel, length: n)
        }
    }

    /// One input class. An output class is a composition of n over the classes of letters; an atom also counts each
    /// class's likelihoods.
    private init(symmetric channel: DiscreteChannel, classes: [[Int]], length n: Int) throws(CouplingError) {
        // The distinct positive likelihoods of each class, with how many letters of a row have them; and how many
        // letters in all.
        struct Letter {
            let group: Int
            let logLikelihood: Double
            let logCount: Double
        }
        var letters: [Letter] = []
        for (group, outputs) in classes.enumerated() {
            var counts: [(value: Double, count: Int)] = []
            for value in outputs.map({ channel.rows[0][$0] }) where value > 0 {
                if let index = counts.firstIndex(where: { abs($0.value - value) <= 1e-15 }) {
                    counts[index].count += 1
                } else {
                    counts.append((value, 1))
                }
            }
            letters += counts.map {
                Letter(group: group, logLikelihood: log($0.value), logCount: log(Double($0.count)))
            }
        }
        let size = DraftSets.binomial(n + letters.count - 1, letters.count - 1)
        guard size <= BlockChannel.maximumAtoms else {
            throw .problemTooLarge(
                what: "the types of the channel's outputs", size: size, limit: BlockChannel.maximumAtoms)
        }
        let logFactorials = BlockChannel.logFactorials(upTo: n)
        var grouped: [[Int]: [Atom]] = [:]
        BlockChannel.forEachComposition(of: n, into: letters.count) { counts in
            var logLikelihood = 0.0
            var logWords = logFactorials[n]
            var composition = Array(repeating: 0, count: classes.count)
            for (letter, count) in zip(letters, counts) where count > 0 {
                logLikelihood += Double(count) * letter.logLikelihood
                logWords += Double(count) * letter.logCount - logFactorials[count]
                composition[letter.group] += count
            }
            // The words of this atom over those of the class are its share.
            grouped[composition, default: []].append(
                Atom(
                    input: 0, logLikelihood: logLikelihood, mass: exp(logWords + logLikelihood),
                    logShare: logWords - BlockChannel.logSize(composition, classes, logFactorials)))
        }
        inputTypes = [[]]
        startingLaw = [1]
        outputs = grouped.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { composition, atoms in
            Output(
                type: composition, logSize: BlockChannel.logSize(composition, classes, logFactorials),
                atoms: BlockChannel.merged(atoms), inputCount: 1)
        }
    }

    /// Input and output classes are types; an atom is a joint type.
    private init(byTypes channel: DiscreteChannel, length n: Int) throws(CouplingError) {
        let inputs = channel.inputCount
        let letters = channel.outputCount
        let size = DraftSets.binomial(n + inputs * letters - 1, inputs * letters - 1)
        guard size <= BlockChannel.maximumAtoms else {
            throw .problemTooLarge(
                what: "the joint types of inputs and outputs", size: size, limit: BlockChannel.maximumAtoms)
        }
        let logFactorials = BlockChannel.logFactorials(upTo: n)
        let logRows = channel.rows.map { $0.probabilities.map { log($0) } }
        var grouped: [[Int]: [Atom]] = [:]
        var inputTypes: [[Int]] = []
        let logLetters = channel.capacityAchievingInput().map { log(max($0, 1e-300)) }
        var startingLaw: [Double] = []
        BlockChannel.forEachComposition(of: n, into: inputs) { inputType in
            let input = inputTypes.count
            inputTypes.append(inputType)
            startingLaw.append(
                exp(
                    zip(inputType, logLetters).reduce(BlockChannel.logMultinomial(inputType, logFactorials)) {
                        $0 + Double($1.0) * $1.1
                    }))
            // Each input letter's occurrences are distributed over the output letters on their own.
            func descend(_ letter: Int, _ outputType: [Int], _ logLikelihood: Double, _ logWords: Double) {
                guard letter < inputs else {
                    // |T_{x|y}|/|T_x| = |T_{y|x}|/|T_y|.
                    let logSize = BlockChannel.logMultinomial(outputType, logFactorials)
                    grouped[outputType, default: []].append(
                        Atom(
                            input: input, logLikelihood: logLikelihood, mass: exp(logWords + logLikelihood),
                            logShare: logWords - logSize))
                    return
                }
                BlockChannel.forEachComposition(of: inputType[letter], into: letters) { counts in
                    var likelihood = logLikelihood
                    for (output, count) in counts.enumerated() where count > 0 {
                        likelihood += Double(count) * logRows[letter][output]
                    }
                    guard likelihood > -.infinity else { return }
                    descend(
                        letter + 1, zip(outputType, counts).map { $0 + $1 }, likelihood,
                        logWords + BlockChannel.logMultinomial(counts, logFactorials))
                }
            }
            descend(0, Array(repeating: 0, count: letters), 0, 0)
        }
        self.inputTypes = inputTypes
        self.startingLaw = startingLaw
        outputs = grouped.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map { type, atoms in
            Output(
                type: type, logSize: BlockChannel.logMultinomial(type, logFactorials),
                atoms: BlockChannel.merged(atoms), inputCount: inputTypes.count)
        }
    }

    /// Sorted by decreasing likelihood; likelihoods equal but for rounding are made equal.
    private static func merged(_ atoms: [Atom]) -> [Atom] {
        let sorted = atoms.sorted { $0.logLikelihood > $1.logLikelihood }
        var result: [Atom] = []
        for atom in sorted {
            let last = result.last?.logLikelihood ?? atom.logLikelihood
            let isEqual = abs(last - atom.logLikelihood) <= 1e-13 * max(1, abs(last))
            result.append(
                Atom(
                    input: atom.input, logLikelihood: isEqual ? last : atom.logLikelihood, mass: atom.mass,
                    logShare: atom.logShare))
        }
        return result
    }

    private static func logFactorials(upTo n: Int) -> [Double] {
        (0...n).map { lgamma(Double($0) + 1) }
    }

    private static func logMultinomial(_ counts: [Int], _ logFactorials: [Double]) -> Double {
        counts.reduce(logFactorials[counts.reduce(0, +)]) { $0 - logFactorials[$1] }
    }

    /// log of the number of output words whose letters fall in the classes so often.
    private static func logSize(_ composition: [Int], _ classes: [[Int]], _ logFactorials: [Double]) -> Double {
        zip(composition, classes).reduce(logMultinomial(composition, logFactorials)) {
            $0 + Double($1.0) * log(Double($1.1.count))
        }
    }

    /// Calls `body` with each way to write n as an ordered sum of `parts` terms ≥ 0.
    private static func forEachComposition(of n: Int, into parts: Int, _ body: ([Int]) -> Void) {
        var counts = Array(repeating: 0, count: parts)
        func descend(_ part: Int, _ left: Int) {
            if part == parts - 1 {
                counts[part] = left
                body(counts)
                return
            }
            for count in stride(from: left, through: 0, by: -1) {
                counts[part] = count
                descend(part + 1, left - count)
            }
        }
        descend(0, n)
    }
}
