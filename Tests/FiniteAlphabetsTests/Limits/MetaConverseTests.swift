import FiniteAlphabets
import Foundation
import Testing

@Suite("The meta-converse")
struct MetaConverseTests {
    @Test("BSC(0.11) at ε = 10⁻³", arguments: [(100, 28.1735), (200, 66.5540), (500, 193.2785), (1000, 416.8358)])
    func binarySymmetric(n: Int, bits: Double) throws {
        let converse = try MetaConverse(.binarySymmetric(crossover: 0.11), length: n, question: .rate(atError: 1e-3))
        #expect(abs(converse.bits - bits) < 1e-4)  // the references' last digit
        #expect(converse.certificate.gap < 1e-9)
    }

    @Test("BEC(0.5) at ε = 10⁻³", arguments: [(100, 35.6238), (200, 79.2874), (500, 216.6823), (1000, 452.3992)])
    func binaryErasure(n: Int, bits: Double) throws {
        let converse = try MetaConverse(.binaryErasure(erasure: 0.5), length: n, question: .rate(atError: 1e-3))
        #expect(abs(converse.bits - bits) < 1e-4)
        #expect(converse.certificate.gap < 1e-9)
    }

    static func randomChannel(seed: UInt64, inputs: Int, outputs: Int) throws -> DiscreteChannel {
        var generator = TestProblems.stream(seed)
        return try DiscreteChannel(
            rows: (0..<inputs).map { _ in
                try TestProblems.distribution(&generator, count: outputs).probabilities
            })
    }

    @Test("saddle points of random channels are certified", arguments: 0..<200 as Range<UInt64>)
    func randomChannels(seed: UInt64) throws {
        let channel = try Self.randomChannel(seed: seed, inputs: 6, outputs: 6)
        for question in [
            MetaConverse.Question.error(atBits: 1), .error(atBits: 1.7), .rate(atError: 0.1), .rate(atError: 1e-3),
        ] {
            let converse = try MetaConverse(channel, question: question)
            #expect(converse.certificate.gap < 1e-9)
            #expect(converse.certificate.supportSpread < 1e-9)
            #expect(converse.certificate.zeroShortfall < 1e-9)
            #expect(converse.certificate.quantileLoss < 1e-9)
        }
    }

    @Test("rate and error are inverse to each other", arguments: 0..<40 as Range<UInt64>)
    func inverse(seed: UInt64) throws {
        let channel = try Self.randomChannel(seed: 100 + seed, inputs: 4, outputs: 5)
        let forward = try MetaConverse(channel, length: 2, question: .rate(atError: 0.07))
        let back = try MetaConverse(channel, length: 2, question: .error(atBits: forward.bits))
        #expect(abs(back.error - 0.07) < 1e-9)
        #expect(max(forward.certificate.gap, back.certificate.gap) < 1e-9)
    }

    @Test("zeros of the input law: a useless input is left out")
    func uselessInput() throws {
        let channel = try DiscreteChannel(rows: [[0.9, 0.1], [0.1, 0.9], [0.5, 0.5]])
        let converse = try MetaConverse(channel, question: .error(atBits: 1))
        #expect(converse.inputLaw[2] == 0)
        #expect(converse.certificate.gap < 1e-12)
        // Two words: the two good inputs with error 0.1 each, and the converse is tight.
        #expect(abs(converse.error - 0.1) < 1e-12)
    }

    @Test("types by the linear program agree with the symmetric shortcut, to which a thousandth of asymmetry is close")
    func types() throws {
        let symmetric = try MetaConverse(.binarySymmetric(crossover: 0.11), length: 8, question: .rate(atError: 1e-2))
        let nearly = try DiscreteChannel(rows: [[0.89, 0.11], [0.11 + 1e-9, 0.89 - 1e-9]])
        let byTypes = try MetaConverse(nearly, length: 8, question: .rate(atError: 1e-2))
        #expect(abs(symmetric.bits - byTypes.bits) < 1e-6)
        #expect(byTypes.certificate.gap < 1e-9)
    }

    @Test("the Z-channel's converse exceeds its best code at n = 2")
    func zChannel() throws {
        let channel = try DiscreteChannel(rows: [[1, 0], [0.3, 0.7]])
        // Words 00 and 11: 11 is mistaken for 00 with probability 0.09, so two words have average error 0.045.
        let converse = try MetaConverse(channel, length: 2, question: .error(atBits: 1))
        #expect(converse.error <= 0.045 + 1e-12)
        #expect(converse.certificate.gap < 1e-10)
    }

    @Test("the rate of long Z-channels is found, and is the inverse of the error", arguments: [36, 40, 80, 120])
    func longZChannel(n: Int) throws {
        let channel = try DiscreteChannel(rows: [[1, 0], [0.3, 0.7]])
        let converse = try MetaConverse(channel, length: n, question: .rate(atError: 1e-3))
        #expect(converse.certificate.gap < 1e-10)
        let back = try MetaConverse(channel, length: n, question: .error(atBits: converse.bits))
        #expect(abs(back.error - 1e-3) < 1e-10)
        // Below the converse of the capacity, which every rate nears from below: C = log₂(1 + 0.7·0.3^(3/7)) bits a use.
        let capacity = log2(1 + 0.7 * pow(0.3, 3.0 / 7))
        #expect(converse.bits < Double(n) * capacity)
        #expect(converse.bits > Double(n) * capacity / 2)
    }

    @Test("single letters of many inputs", arguments: [32, 48])
    func manyInputs(count: Int) throws {
        let channel = try Self.randomChannel(seed: 5, inputs: count, outputs: count)
        let converse = try MetaConverse(channel, question: .error(atBits: 2))
        #expect(converse.certificate.gap < 1e-9)
    }

    @Test("the saddle point can be had: any other input law has a larger error, its own has ε")
    func saddlePoint() throws {
        let channel = try DiscreteChannel(rows: [[1, 0], [0.3, 0.7]])
        let converse = try MetaConverse(channel, length: 6, question: .error(atBits: 2))
        let own = try FiniteDistribution(weights: converse.inputLaw)
        #expect(
            abs(try MetaConverse.error(of: channel, length: 6, atBits: 2, inputLaw: own) - converse.error) < 1e-12)
        let uniform = try FiniteDistribution(uniformOver: converse.inputLaw.count)
        #expect(try MetaConverse.error(of: channel, length: 6, atBits: 2, inputLaw: uniform) > converse.error + 1e-3)
        #expect(converse.inputTypes.count == 7 && converse.inputTypes.allSatisfy { $0.reduce(0, +) == 6 })
        #expect(converse.outputTypes.count == converse.logThresholds.count)
        #expect(throws: CouplingError.self) {
            try MetaConverse.error(of: channel, length: 6, atBits: 2, inputLaw: .init(uniformOver: 3))
        }
    }

    @Test("bad channels and parameters are named")
    func badInput() throws {
        #expect(throws: CouplingError.emptyDistribution(name: "channel")) { try DiscreteChannel(rows: []) }
        #expect(throws: CouplingError.lengthsDiffer(name: "channel row 1", count: 1, otherName: "row 0", otherCount: 2))
        {
            try DiscreteChannel(rows: [[0.5, 0.5], [1]])
        }
        #expect(throws: CouplingError.self) { try DiscreteChannel.binarySymmetric(crossover: 1.5) }
        let channel = try DiscreteChannel.binarySymmetric(crossover: 0.1)
        for length in [0, -1, .max] {
            #expect(throws: CouplingError.self) {
                try MetaConverse(channel, length: length, question: .rate(atError: 0.1))
            }
        }
        #expect(throws: CouplingError.self) { try MetaConverse(channel, question: .rate(atError: 0)) }
        #expect(throws: CouplingError.self) { try MetaConverse(channel, question: .rate(atError: .nan)) }
    }

    struct FailingSolver: LinearProgramSolver {
        let name = "failing"
        func solve(_ program: LinearProgram) throws(CouplingError) -> LinearProgram.Solution {
            throw .solverFailed(solver: name, reason: "by design")
        }
    }

    @Test("a solver that fails is reported as such")
    func failingSolver() throws {
        let channel = try Self.randomChannel(seed: 3, inputs: 3, outputs: 3)
        #expect(throws: CouplingError.solverFailed(solver: "failing", reason: "by design")) {
            try MetaConverse(channel, question: .rate(atError: 0.1), solver: FailingSolver())
        }
        let problem = try MultiDraftProblem(target: .init([0.5, 0.5]), draft: .init([0.2, 0.8]), count: 2)
        #expect(throws: CouplingError.solverFailed(solver: "failing", reason: "by design")) {
            try LinearProgramTransport(problem, solver: FailingSolver())
        }
    }
}
