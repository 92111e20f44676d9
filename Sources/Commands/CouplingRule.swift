import ArgumentParser
import Couplings
import LinearProgramming

/// The couplings that `couple` and `decode` know, by the names of the command line.
enum CouplingRule: String, CaseIterable, ExpressibleByArgument, Encodable {
    case maximal, gumbel, minhash
    case lowCommunication = "low-communication"
    case naive, kseq, specinfer, importance
    case importanceTruncated = "importance-truncated"
    case linearProgram = "lp"
    case maxFlow = "max-flow"
    case globalResolution = "global-resolution"

    /// What the rules' own parameters are.
    struct Parameters {
        /// τ of global resolution.
        var tolerance = 1e-4
        /// s of the truncated importance weights.
        var freeTokens = 64
    }

    /// The rule for several drafts; nil for the couplings of two parties without common knowledge, which look at one
    /// draft alone.
    func multiDraftRule(
        _ problem: MultiDraftProblem, _ parameters: Parameters = Parameters()
    ) throws -> (any MultiDraftRule)? {
        switch self {
        case .gumbel, .minhash, .lowCommunication: nil
        case .maximal, .naive: try NaiveRule(problem)
        case .kseq: try KSequentialRule(problem)
        case .specinfer: try RecursiveRejectionRule(problem)
        case .importance: try ImportanceWeightedRule(problem)
        case .importanceTruncated:
            try ImportanceWeightedRule(problem, method: .truncated(freeTokens: parameters.freeTokens))
        case .linearProgram: try LinearProgramTransport(problem, solver: PreferredSolver.make())
        case .maxFlow: try MaxFlowTransport(problem)
        case .globalResolution: try GlobalResolution(problem, configuration: .init(tolerance: parameters.tolerance))
        }
    }
}
