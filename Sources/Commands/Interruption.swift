import Foundation
import Synchronization

/// Thrown between two network calls once a signal has come, so that open files are cleared away on the way out.
struct Interrupted: Error, CustomStringConvertible {
    let signal: Int32
    /// What became of the work.
    var outcome = "no file was left half-written"
    var description: String { "stopped by \(signal == SIGINT ? "Ctrl-C" : "signal \(signal)"); \(outcome)" }
    /// By the shell's convention.
    var status: Int32 { 128 + signal }

    func adding(_ outcome: String) -> Interrupted { Interrupted(signal: signal, outcome: outcome) }
}

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
        if number != 0 { throw Interrupted(signal: number) }
    }
}
