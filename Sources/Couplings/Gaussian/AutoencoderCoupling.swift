import Platform

/// Algorithm 10 (DB25 App. G): Algorithm 9 with an autoencoder in the operator's place. `PΔ` becomes
///
///     Δ* = (g(f(m^p)) - g(f(m^q)))/s,      f the encoder, g the decoder,
///
/// so that differences which the autoencoder takes for noise are no reason to reject. For linear `f` and `g` this is
/// `g(f(Δ))`, as the algorithm is printed; a network is asked about the two means, which are states it knows. Not exact.
///
/// Where `⟨Δ, Δ*⟩ ≤ 0` the autoencoder says nothing about the direction and the step is decided by Algorithm 4.
public struct AutoencoderCoupling: VerificationRule {
    /// `g ∘ f`, from a state to its reconstruction of the same length.
    public let reconstruction: @Sendable ([Double]) throws -> [Double]

    /// - Parameters:
    ///   - encoder: `f`, from a state to its code.
    ///   - decoder: `g`, from a code to a state.
    public init(
        encoder: @escaping @Sendable ([Double]) throws -> [Double],
        decoder: @escaping @Sendable ([Double]) throws -> [Double]
    ) {
        self.init { try decoder(encoder($0)) }
    }

    /// - Parameter reconstruction: encoder and decoder in one.
    public init(reconstruction: @escaping @Sendable ([Double]) throws -> [Double]) {
        self.reconstruction = reconstruction
    }

    public var isExact: Bool { false }

    /// - Throws: what the autoencoder throws.
    public func verify(_ proposal: GaussianProposal, randomness: inout RandomStream) throws -> Verdict {
        let delta = proposal.discrepancy  // Δ
        let scale = 1 / proposal.standardDeviation
        let visible = try Vector.combine(
            scale, reconstruction(proposal.draftMean), -scale, reconstruction(proposal.targetMean))  // Δ*
        let agreement = Vector.dot(delta, visible)  // ⟨Δ, Δ*⟩
        guard agreement > 0, agreement.isFinite else {
            return ReflectionCoupling().verify(proposal, randomness: &randomness)
        }
        let projection = Vector.dot(proposal.noise, visible)  // ZᵀΔ*
        let isAccepted = randomness.accepts(logProbability: -(agreement / 2 + projection))
        return Verdict(
            state: isAccepted ? proposal.state : proposal.repaired(by: 2 * projection / agreement, along: delta),
            isAccepted: isAccepted, distance: Vector.squaredNorm(delta).squareRoot(),
            acceptance: StandardNormal.boundedExponentialMean(
                squaredScale: agreement, slope: Vector.squaredNorm(visible).squareRoot()))
    }
}
