import Foundation
import Jobs
import Synchronization

/// The user: sees how far a run is and what it warns of, and ends it by a signal.
final class Console: RunMonitor {
    private let isQuiet: Bool
    private let progress = Mutex<Progress?>(nil)
    private let hasHeart = Atomic<Bool>(false)

    init(isQuiet: Bool) { self.isQuiet = isQuiet }

    func begin(_ title: String, total: Double) {
        guard !isQuiet else { return }
        progress.withLock { $0 = Progress(title, total: total) }
        startHeart()
    }

    func update(done: Double, _ detail: (Double) -> String) {
        progress.withLock { $0?.update(done: done, detail) }
    }

    func end() {
        progress.withLock {
            $0?.finish()
            $0 = nil
        }
    }

    func warn(_ text: String) {
        guard !isQuiet else { return }
        let terminal = Terminal.errors
        // The line of progress is written anew by the next beat.
        progress.withLock { $0?.finish() }
        let line = "warning: \(text)".wrapped(to: terminal.width).dropFirst("warning:".count)
        FileHandle.standardError.write(Data("\(terminal.coloured("warning:", 33))\(line)\n".utf8))
    }

    /// Shows the clock while work is done that tells nothing of itself.
    func during<Result>(_ title: String, _ body: () throws -> Result) rethrows -> Result {
        begin(title, total: 0)
        defer { end() }
        return try body()
    }

    func check() throws { try Interruption.check() }

    /// The clock goes on while a run is within a long call, and so does the line.
    private func startHeart() {
        guard !hasHeart.exchange(true, ordering: .relaxed) else { return }
        Thread.detachNewThread { [weak self] in
            while let self {
                self.progress.withLock { $0?.beat() }
                Thread.sleep(forTimeInterval: 0.25)
            }
        }
    }
}
