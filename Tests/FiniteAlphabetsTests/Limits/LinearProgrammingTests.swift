import FiniteAlphabets
import Testing

@Suite("The solver of this build")
struct LinearProgrammingTests {
    @Test("agrees with the built-in simplex on optimal transports", arguments: 0..<20 as Range<UInt64>)
    func transport(seed: UInt64) throws {
        let (q, p) = try TestProblems.pair(seed: seed)
        let problem = try MultiDraftProblem(target: q, draft: p, count: 3)
        let rule = try LinearProgramTransport(problem, solver: PreferredSolver.make())
        #expect(abs(rule.acceptance() - (try OptimalAcceptance(problem).value)) < 1e-9)
        #expect(TestProblems.l1(try rule.outputLaw(), q.probabilities) < 1e-9)
    }

    @Test("certifies saddle points", arguments: 0..<20 as Range<UInt64>)
    func saddlePoint(seed: UInt64) throws {
        let channel = try MetaConverseTests.randomChannel(seed: seed, inputs: 6, outputs: 6)
        let converse = try MetaConverse(channel, question: .rate(atError: 0.05), solver: PreferredSolver.make())
        #expect(converse.certificate.gap < 1e-9)
    }

    @Test("reports infeasible, unbounded and malformed programs")
    func failures() {
        let solver = PreferredSolver.make()
        var infeasible = LinearProgram(objective: [1], sense: .minimise)
        infeasible.addConstraint([.init(0, 1)], atMost: -1)
        #expect(throws: CouplingError.solverFailed(solver: solver.name, reason: "the program is infeasible")) {
            try solver.solve(infeasible)
        }
        var unbounded = LinearProgram(objective: [1], sense: .maximise)
        unbounded.addConstraint([.init(0, 1)], atLeast: 0)
        #expect(throws: CouplingError.self) { try solver.solve(unbounded) }
        var malformed = LinearProgram(objective: [1], sense: .minimise)
        malformed.addConstraint([.init(7, 1)], atLeast: 0)
        #expect(throws: CouplingError.self) { try solver.solve(malformed) }
    }
}
