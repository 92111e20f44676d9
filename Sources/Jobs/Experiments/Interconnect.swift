/// What connects processes, by the usual model of two numbers: a message of n bytes takes `α + n/B`. Collectives by the
/// algorithms that MPI libraries use (Thakur, Rabenseifner and Gropp, "Optimization of Collective Communication Operations
/// in MPICH", 2005, §§ 3 and 4).
public struct Interconnect: Sendable {
    /// `α`, seconds.
    public let latency: Double
    /// `B`, bytes a second.
    public let bandwidth: Double

    public init(latency: Double, bandwidth: Double) { (self.latency, self.bandwidth) = (latency, bandwidth) }

    /// The binomial tree for short messages, scatter and ring allgather for long ones: whichever is faster.
    func broadcast(bytes: Int, ranks: Int) -> Double {
        guard ranks > 1 else { return 0 }
        let (rounds, transfer, others) = (Self.rounds(ranks), Double(bytes) / bandwidth, Double(ranks - 1))
        let tree = rounds * (latency + transfer)
        let ring = (rounds + others) * latency + 2 * others / Double(ranks) * transfer
        return min(tree, ring)
    }

    /// The binomial tree.
    /// - Parameter bytes: of all processes.
    func gather(bytes: Int, ranks: Int) -> Double {
        guard ranks > 1 else { return 0 }
        return Self.rounds(ranks) * latency + Double(ranks - 1) / Double(ranks) * Double(bytes) / bandwidth
    }

    /// What a target call costs beyond its computing, as `DistributedDenoiser` makes it.
    /// - Parameters:
    ///   - rows: of this call.
    ///   - capacity: of the largest call, which every broadcast has room for.
    func call(rows: Int, capacity: Int, dimension: Int, ranks: Int) -> Double {
        broadcast(bytes: 8 * (1 + capacity * (2 + dimension)), ranks: ranks)
            + gather(bytes: 8 * (rows * dimension + ranks), ranks: ranks)
    }

    private static func rounds(_ ranks: Int) -> Double { Double(Int.bitWidth - (ranks - 1).leadingZeroBitCount) }
}
