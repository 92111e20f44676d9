import Foundation
import Jobs
import Synchronization

/// Turns SIGINT and SIGTERM into an error at the next safe point. A second signal ends the program at once.
enum Interruption {
    private static let received = Atomic<Int32>(0)

    static func watch() {
        // A parent may have started us with the signals blocked, as programs do that start others from worker threads.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM] {
            sigaddset(&signals, number)
            signal(number) { number in
                Interruption.received.store(number, ordering: .relaxed)
                signal(number, SIG_DFL)
            }
        }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    static func check() throws {
        let number = received.load(ordering: .relaxed)
        guard number != 0 else { return }
        throw Interrupted(signal: number, name: number == SIGINT ? "Ctrl-C" : "signal \(number)")
    }
}
