import Foundation

/// A line on stderr that tells how far a run is, how fast, and how long it will take. Silent unless stderr is a
/// terminal.
struct Progress {
    private let title: String
    private let total: Double
    private let isShown = isatty(STDERR_FILENO) == 1
    private let start = ContinuousClock.now
    private var lastDrawn: ContinuousClock.Instant?

    /// - Parameter total: the work, in any unit.
    init(_ title: String, total: Double) {
        self.title = title
        self.total = total
    }

    /// - Parameters:
    ///   - done: the work done so far.
    ///   - rate: what to say of the speed, given the seconds passed.
    mutating func update(done: Double, _ rate: (Double) -> String) {
        guard isShown else { return }
        let now = ContinuousClock.now
        if let lastDrawn, now - lastDrawn < .milliseconds(100) { return }
        lastDrawn = now
        let seconds = (now - start) / .seconds(1)
        let fraction = min(1, done / total)
        let left = fraction > 0 ? Duration.seconds(seconds * (1 - fraction) / fraction).clock : "?"
        let filled = Int((fraction * 24).rounded())
        let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: 24 - filled)
        write("\r\u{1B}[K\(title) \(bar) \(Int(fraction * 100)) %  \(rate(max(seconds, 1e-9)))  \(left) left")
    }

    /// Takes the line away.
    func finish() {
        if isShown { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}

extension Duration {
    /// As 4:05 or 1:02:03.
    fileprivate var clock: String {
        let total = Int(components.seconds) + (components.attoseconds > 0 ? 1 : 0)
        let (hours, minutes, seconds) = (total / 3600, total / 60 % 60, total % 60)
        func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(seconds))" : "\(minutes):\(two(seconds))"
    }
}
