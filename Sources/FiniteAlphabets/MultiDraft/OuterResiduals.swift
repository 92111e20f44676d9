import Platform

/// Theorem 6.2 with Lemma 6.3 (GR, Section 6.1): H*, and feasible shares p_i of the tokens outside it.
///
/// The share p_i ≤ q_i is what token i receives from draft sets not within H*; q_i - p_i is its outer residual.
struct OuterResiduals: Sendable {
    /// α* and H*.
    let optimum: OptimalAcceptance
    /// p_i for i outside H*, q_i within it: what each token is to be accepted with.
    let shares: [Double]

    /// - Complexity: O(V log V).
    init(target: FiniteDistribution, draft: FiniteDistribution, problem: MultiDraftProblem) throws(CouplingError) {
        let optimum = try OptimalAcceptance(problem)
        let q = target.probabilities
        let p = draft.probabilities
        let n = Double(problem.draftCount)
        // v_1 … v_k: the tokens outside H* by increasing p/q; H_i = H* ∪ {v_i … v_k}.
        let outside = LikelihoodOrder.decreasing(numerator: p, denominator: q).reversed()
            .filter { !optimum.isInMinimiser[$0] }
        var targetMass = 0.0
        var draftMass = 0.0
        var psi: [Double] = []
        for token in optimum.isInMinimiser.indices where optimum.isInMinimiser[token] {
            targetMass += q[token]
            draftMass += p[token]
        }
        psi.append(targetMass - pow(draftMass, n))
        for token in outside.reversed() {
            targetMass += q[token]
            draftMass += p[token]
            psi.append(targetMass - pow(draftMass, n))
        }
        // psi[k - i + 1] = ψ(H_i); cumulative minima from H_1 = V down to H_{k+1} = H*.
        var shares = q
        var minimum = psi[psi.count - 1]
        for (position, token) in outside.enumerated() {
            let next = min(minimum, psi[psi.count - 2 - position])
            shares[token] = min(q[token], max(0, q[token] + next - minimum))
            minimum = next
        }
        self.optimum = optimum
        self.shares = shares
    }
}
