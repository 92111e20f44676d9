import Synchronization

/// `diffspec_predict` of `diffspec.h`.
public typealias PredictFunction =
    @convention(c) (
        _ context: UnsafeMutableRawPointer?, _ rows: Int64, _ dimension: Int64, _ states: UnsafePointer<Float>?,
        _ times: UnsafePointer<Double>?, _ samples: UnsafePointer<Int64>?, _ steps: UnsafePointer<Int32>?,
        _ answers: UnsafeMutablePointer<Float>?
    ) -> Int32

/// A network that another program runs: rows of states in, as many rows of answers out.
///
/// The function and its context are the caller's, who promises that they may be used on the threads that call the library.
struct ForeignNetwork: @unchecked Sendable {
    let function: PredictFunction
    let context: UnsafeMutableRawPointer?
    let cancellation: Cancellation

    /// One call.
    /// - Parameters:
    ///   - states: `[rows, dimension]`, row after row.
    ///   - times: what the network is told of the time, for each row.
    ///   - samples: which sample a row belongs to; of a row without its condition, -1 less that.
    ///   - steps: the chain's step that each row's state enters.
    /// - Returns: `[rows, dimension]`; what the caller left unwritten is not a number.
    /// - Throws: `Stop` if the caller asks for it.
    func answers(
        states: [Float], times: [Double], samples: [Int64], steps: [Int32], dimension: Int
    ) throws -> [Float] {
        try cancellation.check()
        var answers = [Float](repeating: .nan, count: states.count)
        let status = answers.withUnsafeMutableBufferPointer {
            function(
                context, Int64(times.count), Int64(dimension), states, times, samples, steps, $0.baseAddress)
        }
        guard status == 0 else { throw Stop.byNetwork(status) }
        try cancellation.check()
        return answers
    }
}

/// A run that was ended before its end.
enum Stop: Error, CustomStringConvertible {
    /// The network's function returned this instead of 0.
    case byNetwork(Int32)
    case cancelled

    var description: String {
        switch self {
        case .byNetwork(let status): "the network's function returned \(status)"
        case .cancelled: "cancelled"
        }
    }
}

/// Set from any thread, looked at before and after each call of the network.
final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    func cancel() { flag.store(true, ordering: .relaxed) }
    func check() throws { if flag.load(ordering: .relaxed) { throw Stop.cancelled } }
}
