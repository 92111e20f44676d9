import Diffusion

/// What some drafts need beside the chain that they draft for. What a target does not have is nil.
public protocol DraftCompanions<Chain> {
    associatedtype Chain: GaussianChain
    /// The same chain over something cheaper of the same data: a smaller network, an energy's proxy.
    func cheaperChain() throws -> Chain?
    /// A draft from the second derivatives of the target's energy.
    func hessianDraft() throws -> HessianDraft?
    /// A network that was trained to correct the target's old answers.
    func corrector() throws -> (any Corrector)?
    /// A mixture of drafts whose weights were learnt for the target.
    func learntMixture() throws -> LearntMixture?
}

extension DraftCompanions {
    public func cheaperChain() throws -> Chain? { nil }
    public func hessianDraft() throws -> HessianDraft? { nil }
    public func corrector() throws -> (any Corrector)? { nil }
    public func learntMixture() throws -> LearntMixture? { nil }
}

/// Of a target that has none.
public struct NoCompanions<Chain: GaussianChain>: DraftCompanions {
    public init() {}
}

/// Of an energy: Algorithm 11's draft takes its gradient from the energy's cheap proxy.
public struct EnergyCompanions<Chain: LangevinDynamics>: DraftCompanions {
    public let chain: Chain
    public let energy: Energy

    public init(chain: Chain, energy: Energy) { (self.chain, self.energy) = (chain, energy) }

    public func cheaperChain() throws -> Chain? { try chain.proxyChain(of: energy) }
    public func hessianDraft() throws -> HessianDraft? { energy.hessianProduct.map(HessianDraft.init(product:)) }
}
