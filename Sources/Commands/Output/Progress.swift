import Foundation

/// How far a run is, how fast, and how long it will take: a line on a terminal that is written anew, once the work has taken two
/// seconds; elsewhere, as in a job's log, a line of its own twice a minute.
struct Progress {
    private let title: String
    private let total: Double
    private let terminal = Terminal.errors
    private let start = ContinuousClock.now
    private var fraction = 0.0
    private var detail = ""
    private var lastDetail, lastWritten: ContinuousClock.Instant?
    private var isOnScreen = false

    private static let (patience, interval) = (Duration.seconds(2), Duration.milliseconds(200))
    private static let logInterval = Duration.seconds(30)

    /// - Parameter total: the work, in any unit; 0 where nobody knows.
    init(_ title: String, total: Double) {
        self.title = title
        self.total = total
    }

    /// - Parameters:
    ///   - done: the work done so far.
    ///   - rate: what to say of the speed, given the seconds passed.
    mutating func update(done: Double, _ rate: (Double) -> String) {
        fraction = total > 0 ? min(max(done / total, 0), 1) : 0
        let now = ContinuousClock.now
        if lastDetail.map({ now - $0 >= Self.interval }) ?? true {
            (detail, lastDetail) = (rate(max(seconds, 1e-9)), now)
        }
        if isDue { write() }
    }

    /// Goes on with the clock, while nothing is new.
    mutating func beat() { if isDue { write() } }

    /// Takes the line away.
    mutating func finish() {
        if isOnScreen { print("\r\u{1B}[K") }
        isOnScreen = false
    }

    private var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }

    private var isDue: Bool {
        let now = ContinuousClock.now
        guard terminal.canRewrite else { return now - (lastWritten ?? start) >= Self.logInterval }
        return now - start >= Self.patience && now - (lastWritten ?? start) >= Self.interval
    }

    private mutating func write() {
        lastWritten = ContinuousClock.now
        if terminal.canRewrite {
            isOnScreen = true
            print("\r\u{1B}[K" + line(columns: (terminal.width ?? 80) - 1))
        } else {
            print(([title, percent] + parts).filter { !$0.isEmpty }.joined(separator: "  ") + "\n")
        }
    }

    private var percent: String { total > 0 ? "\(Int(fraction * 100)) %" : "" }

    /// What is said beside the bar, the most important last.
    private var parts: [String] {
        let left = fraction > 0 ? Duration.seconds(seconds * (1 - fraction) / fraction).clock + " left" : ""
        return [detail, left.isEmpty ? Duration.seconds(seconds).clock + " so far" : left]
    }

    /// Without its bar, and then without details, where they have no room.
    func line(columns: Int) -> String {
        let (detail, time) = (parts[0], parts[1])
        let words = [title, percent, detail, time].filter { !$0.isEmpty }.joined(separator: "  ")
        let room = total > 0 ? min(24, columns - words.count - 2) : 0
        if room >= 6 {
            let filled = Int((fraction * Double(room)).rounded())
            let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: room - filled)
            return [title, bar, percent, detail, time].filter { !$0.isEmpty }.joined(separator: "  ")
        }
        if words.count <= columns { return words }
        return String([title, percent, time].filter { !$0.isEmpty }.joined(separator: "  ").prefix(max(0, columns)))
    }

    private func print(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}

extension Duration {
    /// As 4:05 or 1:02:03.
    fileprivate var clock: String {
        let total = Int(min(components.seconds, 3_600_000)) + (components.attoseconds > 0 ? 1 : 0)
        let (hours, minutes, seconds) = (total / 3600, total / 60 % 60, total % 60)
        func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
        return hours > 0 ? "\(hours):\(two(minutes)):\(two(seconds))" : "\(minutes):\(two(seconds))"
    }
}
