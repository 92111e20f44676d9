import FiniteAlphabets
import Testing

@Suite("The built-in simplex")
struct DenseSimplexTests {
    @Test("a textbook program, with multipliers")
    func textbook() throws {
        // max 3x + 5y, x ≤ 4, 2y ≤ 12, 3x + 2y ≤ 18: 36 at (2, 6), multipliers 0, 3/2, 1.
        var program = LinearProgram(objective: [3, 5], sense: .maximise)
        program.addConstraint([.init(0, 1)], atMost: 4)
        program.addConstraint([.init(1, 2)], atMost: 12)
        program.addConstraint([.init(0, 3), .init(1, 2)], atMost: 18)
        let solution = try DenseSimplex().solve(program)
        #expect(abs(solution.objective - 36) < 1e-12)
        #expect(abs(solution.values[0] - 2) < 1e-12)
        #expect(zip(solution.multipliers, [0, 1.5, 1]).allSatisfy { abs($0 - $1) < 1e-12 })
    }

    @Test("equations, lower bounds and negative bounds; strong duality", arguments: 0..<50 as Range<UInt64>)
    func duality(seed: UInt64) throws {
        var generator = TestProblems.stream(seed)
        let variables = Int.random(in: 2...6, using: &generator)
        // A feasible point is drawn first, so the program is feasible; costs are positive, so it is bounded.
        let point = (0..<variables).map { _ in Double.random(in: 0..<3, using: &generator) }
        var program = LinearProgram(
            objective: (0..<variables).map { _ in Double.random(in: 0.1..<1, using: &generator) }, sense: .minimise)
        for row in 0..<Int.random(in: 1...5, using: &generator) {
            let terms = (0..<variables).map { LinearProgram.Term($0, Double.random(in: -1..<1, using: &generator)) }
            let value = terms.reduce(0) { $0 + $1.coefficient * point[$1.variable] }
            switch row % 3 {
            case 0: program.addConstraint(terms, atLeast: value - Double.random(in: 0..<0.1, using: &generator))
            case 1: program.addConstraint(terms, equalTo: value)
            default: program.addConstraint(terms, atMost: value)
            }
        }
        let solution = try DenseSimplex().solve(program)
        let dual = zip(program.constraints, solution.multipliers).reduce(0) { $0 + $1.0.bound * $1.1 }
        #expect(abs(dual - solution.objective) < 1e-9)
        for constraint in program.constraints {
            let value = constraint.terms.reduce(0) { $0 + $1.coefficient * solution.values[$1.variable] }
            switch constraint.relation {
            case .atMost: #expect(value <= constraint.bound + 1e-9)
            case .atLeast: #expect(value >= constraint.bound - 1e-9)
            case .equal: #expect(abs(value - constraint.bound) < 1e-9)
            }
        }
    }

    @Test("infeasible, unbounded and malformed programs are errors")
    func failures() throws {
        var infeasible = LinearProgram(objective: [1], sense: .minimise)
        infeasible.addConstraint([.init(0, 1)], atMost: -1)
        #expect(throws: CouplingError.self) { try DenseSimplex().solve(infeasible) }
        var unbounded = LinearProgram(objective: [1], sense: .maximise)
        unbounded.addConstraint([.init(0, 1)], atLeast: 0)
        #expect(throws: CouplingError.self) { try DenseSimplex().solve(unbounded) }
        var malformed = LinearProgram(objective: [1], sense: .minimise)
        malformed.addConstraint([.init(3, 1)], atLeast: 0)
        #expect(throws: CouplingError.self) { try DenseSimplex().solve(malformed) }
        malformed = LinearProgram(objective: [1], sense: .minimise)
        malformed.addConstraint([.init(0, .nan)], atLeast: 0)
        #expect(throws: CouplingError.self) { try DenseSimplex().solve(malformed) }
    }
}
