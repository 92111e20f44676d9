import Synchronization

/// A denoiser that notes the rows and the seconds of its calls. Measuring at the denoiser leaves the chain as it is: a
/// chain that wrapped another could lose what that one knows, its prior prediction for example.
public final class MeasuredDenoiser: Denoiser {
    public struct Call: Sendable {
        public let rows: Int
        public let seconds: Double
    }

    public let base: any Denoiser
    private let log = Mutex<[Call]>([])

    public init(_ base: any Denoiser) { self.base = base }

    public var dimension: Int { base.dimension }
    /// All calls so far, in order.
    public var calls: [Call] { log.withLock { $0 } }

    public func denoised(_ queries: [DenoiserQuery]) throws -> [[Double]] {
        let start = ContinuousClock.now
        let answers = try base.denoised(queries)
        let call = Call(rows: queries.count, seconds: (ContinuousClock.now - start).seconds)
        log.withLock { $0.append(call) }
        return answers
    }
}

extension Duration {
    package var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }
}
