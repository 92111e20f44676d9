import Couplings
import Diffusion
import Imaging
import Models
import Statistics
import Synchronization

/// Independent Langevin chains of an energy, and what they cost.
public struct LangevinRequest: Sendable {
    public var energy = EnergyRecipe()
    public var speculation = SpeculationRecipe()
    public var dynamics = Dynamics.overdamped
    /// `γ` of the dynamics with momenta; nil for 1.
    public var friction: Double?
    /// `γ` of overdamped dynamics, `h` of the others.
    public var stepSize = 1e-3
    /// `K`
    public var steps = 10_000
    public var chains = 100
    /// Energies are taken over so many last states of each chain; nil for 500, or half of the steps where that is fewer.
    public var tail: Int?
    public var seed: UInt64 = 0
    /// Chains that share their calls; changes no result.
    public var batch = 4
    public var threads = Processors.available

    public init() {}

    /// What moves the chains.
    public enum Dynamics: String, CaseIterable, Sendable {
        /// Of first order, by Euler's and Maruyama's step.
        case overdamped
        /// Of second order, with momenta.
        case aboba, obabo

        var scheme: UnderdampedLangevinChain.Scheme? { .init(rawValue: rawValue) }
    }

    private static let tracePoints = 200
    /// nil for dynamics without one.
    var effectiveFriction: Double? { dynamics.scheme.map { _ in friction ?? 1 } }
    var effectiveTail: Int { tail ?? min(500, max(1, steps / 2)) }

    public func validate() throws(RecipeError) {
        try energy.validate()
        guard stepSize > 0, stepSize.isFinite else {
            throw RecipeError("step", "must be a positive finite number, found \(stepSize).")
        }
        if let friction {
            guard dynamics.scheme != nil else {
                throw RecipeError(
                    "friction", "is for dynamics with momenta: add --dynamics aboba or obabo, or leave it out.")
            }
            guard friction > 0, friction.isFinite else {
                throw RecipeError("friction", "must be a positive finite number, found \(friction).")
            }
        }
        guard (1...1_000_000_000).contains(steps) else {
            throw RecipeError("steps", "must be from 1 to 1000000000, found \(steps).")
        }
        guard (1...10_000_000).contains(chains) else {
            throw RecipeError("count", "must be from 1 to 10000000, found \(chains).")
        }
        if let tail, !(1...steps).contains(tail) {
            throw RecipeError("tail", "must be from 1 to the number of steps, found \(tail).")
        }
        guard (1...4096).contains(batch) else { throw RecipeError("batch", "must be from 1 to 4096, found \(batch).") }
        guard (1...1024).contains(threads) else {
            throw RecipeError("threads", "must be from 1 to 1024, found \(threads).")
        }
    }

    /// - Throws: `DiffusionError` for a chain that diverges.
    public func run(monitor: any RunMonitor = NoMonitor()) throws -> LangevinResult {
        try validate()
        let energy = try energy.load()
        guard let scheme = dynamics.scheme, let friction = effectiveFriction else {
            let chain = try LangevinChain(energy: energy, stepCount: steps, stepSize: stepSize)
            return try run(chain, of: energy, monitor)
        }
        let chain = try UnderdampedLangevinChain(
            scheme, energy: energy, stepCount: steps, stepSize: stepSize, friction: friction)
        return try run(chain, of: energy, monitor)
    }

    private func run(
        _ chain: some LangevinDynamics, of energy: Energy, _ monitor: any RunMonitor
    ) throws -> LangevinResult {
        let sampler = try speculation.sampler(
            over: chain, companions: EnergyCompanions(chain: chain, energy: energy),
            random: RandomSource(seed: seed), lanes: batch, threads: threads)
        let stride = max(1, steps / Self.tracePoints)
        let clock = ContinuousClock.now
        let observations = try observe(sampler, energy, stride: stride, monitor)
        let seconds = (ContinuousClock.now - clock).seconds
        guard observations.allSatisfy({ ($0.tail + $0.trace).allSatisfy { abs($0) < 1e150 } }) else {
            throw DiffusionError(
                "energy of a chain", expected: "numbers that stay finite", found: "a chain that diverges",
                remedy: "take a smaller step size than \(stepSize)")
        }
        return LangevinResult(self, observations, isExact: sampler.isExact, stride: stride, seconds: seconds)
    }

    private func observe(
        _ sampler: some Sampler<some LangevinDynamics>, _ energy: Energy, stride: Int, _ monitor: any RunMonitor
    ) throws -> [EnergyObservation] {
        monitor.begin("langevin", total: Double(steps) * Double(chains))
        defer { monitor.end() }
        let done = Atomic<Int>(0)
        return try sampler.observe(
            energy, chains: 0..<chains, tail: effectiveTail, traceStride: stride, lanes: batch, threads: threads
        ) { count in
            try monitor.check()
            let done = done.wrappingAdd(count, ordering: .relaxed).newValue
            monitor.update(done: Double(done)) { "\((Double(done) / $0).formatted(digits: 0)) steps/s" }
        }
    }
}
