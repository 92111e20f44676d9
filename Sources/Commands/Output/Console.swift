import Foundation
import Jobs
import Synchronization

/// The user: sees how far a run is and what it warns of, and ends it by a signal.
final class Console: RunMonitor {
    private let isQuiet: Bool
    private let progress = Mutex<Progress?>(nil)

    init(isQuiet: Bool) { self.isQuiet = isQuiet }

    func begin(_ title: String, total: Double) {
        guard !isQuiet else { return }
        progress.withLock { $0 = Progress(title, total: total) }
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
        FileHandle.standardError.write(Data("warning: \(text)\n".utf8))
    }

    func check() throws { try Interruption.check() }
}
