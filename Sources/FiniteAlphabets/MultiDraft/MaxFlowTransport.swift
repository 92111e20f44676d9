/// Max-flow reduction of the relaxed OTLP (GR, Sections 5.2 and 5.3, Theorem 5.1).
///
/// source → token i with capacity q_i, i → every draft set that holds i, set → sink with capacity p(set). With H*
/// known, complementary slackness splits the network in two independent and smaller ones: tokens outside H* with the
/// sets not within H* (outer), tokens of H* with the sets within it (inner).
public struct MaxFlowTransport: FixedResidualRule {
    /// Whether the network is solved whole (Section 5.2) or split by H* (Section 5.3).
    public enum Network: Sendable { case whole, reduced }

    public let problem: MultiDraftProblem
    public var isExact: Bool { true }
    let transport: SetTransport

    /// - Parameters:
    ///   - problem: the target and the drafts' laws.
    ///   - network: `.reduced` needs H*; nil reduces where H* is known without the whole network.
    /// - Throws: `CouplingError.problemTooLarge`.
    public init(_ problem: MultiDraftProblem, network: Network? = nil) throws(CouplingError) {
        self.problem = problem
        let sets = try DraftSets(problem)
        var flows = Array(repeating: 0.0, count: sets.members.count)
        switch network ?? (OptimalAcceptance.isDirect(for: problem) ? .reduced : .whole) {
        case .whole:
            MaxFlowTransport.solve(sets, target: problem.target, into: &flows) { _, _ in true }
        case .reduced:
            let minimiser = try OptimalAcceptance(problem).isInMinimiser
            let isInner = (0..<sets.count).map { set in sets.tokens(of: set).allSatisfy { minimiser[Int($0)] } }
            MaxFlowTransport.solve(sets, target: problem.target, into: &flows) { !isInner[$0] && !minimiser[$1] }
            MaxFlowTransport.solve(sets, target: problem.target, into: &flows) { isInner[$0] && minimiser[$1] }
        }
        transport = try SetTransport(target: problem.target, sets: sets, flows: flows)
    }

    public var residual: FiniteDistribution? { transport.residual }

    public func takingProbabilities(of drafts: [Int]) -> [Double] { transport.takingProbabilities(of: drafts) }

    /// Σ S, without enumeration.
    public func acceptance() -> Double { transport.acceptance }

    /// Solves the network of the pairs (set, token) that `belongs` selects and writes their flows.
    private static func solve(
        _ sets: DraftSets, target: FiniteDistribution, into flows: inout [Double],
        where belongs: (_ set: Int, _ token: Int) -> Bool
    ) {
        let source = target.count + sets.count
        let sink = source + 1
        var network = MaximumFlow(nodeCount: sink + 1)
        var edgeOfPair: [(pair: Int, edge: Int)] = []
        var isUsed = Array(repeating: false, count: target.count)
        for set in 0..<sets.count {
            var hasToken = false
            for pair in sets.starts[set]..<sets.starts[set + 1] {
                let token = Int(sets.members[pair])
                guard target[token] > 0, belongs(set, token) else { continue }
                (hasToken, isUsed[token]) = (true, true)
                edgeOfPair.append((pair, network.addEdge(from: token, to: target.count + set, capacity: .infinity)))
            }
            if hasToken { network.addEdge(from: target.count + set, to: sink, capacity: sets.probabilities[set]) }
        }
        for token in 0..<target.count where isUsed[token] {
            network.addEdge(from: source, to: token, capacity: target[token])
        }
        network.maximise(from: source, to: sink)
        for (pair, edge) in edgeOfPair { flows[pair] = network.flow(on: edge) }
    }
}
