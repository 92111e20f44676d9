/// The relaxed optimal-transport linear program (GR, Section 3.2, (2); Sun et al. 2023), by a linear-programming
/// solver.
///
/// max Σ S_{i,A} over S ≥ 0 with Σ_A S_{i,A} ≤ q_i and Σ_{i∈A} S_{i,A} ≤ p(A), the sums over sets A of drafted tokens
/// that hold i.
public struct LinearProgramTransport: FixedResidualRule {
    public let problem: MultiDraftProblem
    public var isExact: Bool { true }
    private let transport: SetTransport

    /// - Throws: `CouplingError.problemTooLarge`, or `.solverFailed` as the solver reports it.
    public init(_ problem: MultiDraftProblem, solver: some LinearProgramSolver) throws(CouplingError) {
        self.problem = problem
        let sets = try DraftSets(problem, limit: 2e5)
        var program = LinearProgram(
            objective: Array(repeating: 1, count: sets.members.count), sense: .maximise)
        var tokenRows = Array(repeating: [LinearProgram.Term](), count: problem.vocabularySize)
        for set in 0..<sets.count {
            let pairs = sets.starts[set]..<sets.starts[set + 1]
            program.addConstraint(pairs.map { .init($0, 1) }, atMost: sets.probabilities[set])
            for pair in pairs { tokenRows[Int(sets.members[pair])].append(.init(pair, 1)) }
        }
        for (token, row) in tokenRows.enumerated() where !row.isEmpty {
            program.addConstraint(row, atMost: problem.target[token])
        }
        let solution = try solver.solve(program)
        transport = try SetTransport(target: problem.target, sets: sets, flows: solution.values)
    }

    public var residual: FiniteDistribution? { transport.residual }

    public func takingProbabilities(of drafts: [Int]) -> [Double] { transport.takingProbabilities(of: drafts) }

    public func acceptance() -> Double { transport.acceptance }
}
