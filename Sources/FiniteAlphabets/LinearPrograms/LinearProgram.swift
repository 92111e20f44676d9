/// A linear program: an objective over variables x ≥ 0 and constraints that bound linear forms.
public struct LinearProgram: Sendable {
    public enum Sense: Sendable { case minimise, maximise }
    public enum Relation: Sendable { case atMost, atLeast, equal }

    /// One coefficient of a row.
    public struct Term: Sendable {
        public let variable: Int
        public let coefficient: Double

        public init(_ variable: Int, _ coefficient: Double) {
            self.variable = variable
            self.coefficient = coefficient
        }
    }

    public struct Constraint: Sendable {
        public let terms: [Term]
        public let relation: Relation
        public let bound: Double
    }

    /// The coefficients of the objective; their number is the number of variables, all of them ≥ 0.
    public let objective: [Double]
    public let sense: Sense
    public private(set) var constraints: [Constraint] = []

    public init(objective: [Double], sense: Sense) {
        self.objective = objective
        self.sense = sense
    }

    public mutating func addConstraint(_ terms: [Term], atMost bound: Double) {
        constraints.append(Constraint(terms: terms, relation: .atMost, bound: bound))
    }

    public mutating func addConstraint(_ terms: [Term], atLeast bound: Double) {
        constraints.append(Constraint(terms: terms, relation: .atLeast, bound: bound))
    }

    public mutating func addConstraint(_ terms: [Term], equalTo bound: Double) {
        constraints.append(Constraint(terms: terms, relation: .equal, bound: bound))
    }

    /// An optimal solution.
    public struct Solution: Sendable {
        public let values: [Double]
        public let objective: Double
        /// The multiplier of each constraint: how the optimum changes with its bound.
        public let multipliers: [Double]

        public init(values: [Double], objective: Double, multipliers: [Double]) {
            self.values = values
            self.objective = objective
            self.multipliers = multipliers
        }
    }
}

/// Solves linear programs.
public protocol LinearProgramSolver: Sendable {
    /// Its name, for errors.
    var name: String { get }

    /// - Throws: `CouplingError.solverFailed` where the program is infeasible or unbounded, or the solver gives up.
    func solve(_ program: LinearProgram) throws(CouplingError) -> LinearProgram.Solution
}
