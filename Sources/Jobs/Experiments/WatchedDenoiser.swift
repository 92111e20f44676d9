import Diffusion
import Statistics
import Synchronization

/// Tells a monitor of every call of another denoiser, for work that makes calls and knows of no monitor.
final class WatchedDenoiser: Denoiser {
    private let base: any Denoiser
    private let monitor: any RunMonitor
    private let rows = Atomic<Int>(0)

    init(_ base: any Denoiser, monitor: any RunMonitor) { (self.base, self.monitor) = (base, monitor) }

    var dimension: Int { base.dimension }

    func denoised(_ queries: [DenoiserQuery]) throws -> [[Double]] {
        try monitor.check()
        let answers = try base.denoised(queries)
        let rows = rows.add(queries.count, ordering: .relaxed).newValue
        monitor.update(done: Double(rows)) { "\((Double(rows) / $0).formatted(digits: 1)) rows/s" }
        return answers
    }
}
