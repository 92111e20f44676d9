import Platform

/// The processor cores that a process may fill.
public enum Processors {
    /// Those the system lets it use, and no more than its share where MPI has started several processes on this machine:
    /// two that spin on the same core are far slower than one.
    public static let available: Int = {
        let allowed = ProcessInfo.processInfo.activeProcessorCount
        let neighbours =
            localSizes.compactMap { ProcessInfo.processInfo.environment[$0].flatMap { Int($0) } }.first ?? 1
        return max(1, min(allowed, ProcessInfo.processInfo.processorCount / max(1, neighbours)))
    }()

    /// Where Open MPI and MPICH say how many processes share the machine.
    private static let localSizes = ["OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS"]
}
