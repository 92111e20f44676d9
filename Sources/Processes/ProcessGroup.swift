/// Processes that work at one computation, numbered from 0. What they tell each other are numbers; process 0 says what is
/// to be done, and has the results. `diffspec-mpi` implements it by MPI, the tests by threads.
///
/// None of it throws: a message that cannot be delivered means that a process is lost, and then the group ends as a whole.
public protocol ProcessGroup: Sendable {
    /// Of this process, in 0 ..< size.
    var rank: Int { get }
    /// How many processes there are, 1 or more.
    var size: Int { get }

    /// Gives all processes the numbers of process 0. Every process calls it, with equally many numbers.
    func broadcast(_ numbers: inout [Double])
    /// Puts the parts of all processes behind each other, by rank. Every process calls it.
    /// - Parameters:
    ///   - part: this process's numbers.
    ///   - counts: how many numbers each process has, known to all.
    /// - Returns: all of them at process 0; nothing elsewhere.
    func gather(_ part: [Double], counts: [Int]) -> [Double]
    /// Sends numbers to process 0 without waiting for it.
    func send(_ numbers: [Double])
    /// A message to process 0, if one has come.
    func receive() -> [Double]?

    /// The orderly end, which all processes must reach.
    func end()
    /// Ends this process and all others with an exit status.
    func abort(status: Int32) -> Never
}
