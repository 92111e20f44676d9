#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where the processor time of a call goes, by kind and shape of layer.
public struct LayerTime: Sendable {
    /// For example "convolution 256→128, 32×32, F(4×4)".
    public let layer: String
    /// Layers of this kind that ran.
    public let calls: Int
    /// Processor time of all threads, their waiting for each other included.
    public let seconds: Double
    /// Floating-point operations as the textbook counts them, 0 where that means nothing.
    public let operations: Double
}

/// Collects times while a call runs; what runs inside something that is being timed belongs to that.
final class Profile {
    private var order: [String] = []
    private var times: [String: (calls: Int, seconds: Double, operations: Double)] = [:]
    private var isTiming = false

    func measure<Result>(_ layer: String, operations: Double, _ body: () -> Result) -> Result {
        guard !isTiming else { return body() }
        isTiming = true
        defer { isTiming = false }
        let start = processorSeconds()
        let result = body()
        let seconds = processorSeconds() - start
        if times[layer] == nil { order.append(layer) }
        let before = times[layer] ?? (0, 0, 0)
        times[layer] = (before.calls + 1, before.seconds + seconds, before.operations + operations)
        return result
    }

    /// In the order in which the layers first ran.
    var layers: [LayerTime] {
        order.compactMap { layer in
            guard let time = times[layer] else { return nil }
            return LayerTime(layer: layer, calls: time.calls, seconds: time.seconds, operations: time.operations)
        }
    }

    /// Unlike the clock, this does not count what other programs take.
    private func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}
