import Foundation
import Processes

extension DiffSpec {
    /// The program, from its arguments to its exit status.
    /// - Parameter group: the processes that carry the command out.
    public static func main(in group: any ProcessGroup) {
        StandardStreams.prepare()
        var command: ParsedCommand?
        do {
            let parsed = try ParsedCommand.parse()
            command = parsed
            try run(parsed, in: group)
            try StandardStreams.flush()
            group.end()
        } catch {
            leave(after: error, of: command, in: group)
        }
    }

    public static func main() { main(in: SingleProcess()) }

    private static func run(_ command: ParsedCommand, in group: any ProcessGroup) throws {
        if let command = command.distributed { return try command.run(in: group) }
        guard group.size == 1 else { throw ParsedCommand.oneProcessIsEnough }
        try command.run()
    }

    private static func leave(after error: any Error, of command: ParsedCommand?, in group: any ProcessGroup) -> Never {
        // Nobody reads on, as in `| head`, and nobody wants to hear of it.
        if error is ReaderGone { group.abort(status: ReaderGone.status) }
        let ending = Ending(error, of: command, rank: group.rank)
        // Most often all processes fail alike; then the first speaks for them, and ends them.
        if group.rank > 0, !ending.isAnswer { usleep(2_000_000) }
        if ending.isAnswer {
            do {
                if group.rank == 0 { try StandardStreams.write(ending.text) }
                group.end()
                Foundation.exit(0)
            } catch {
                leave(after: error, of: command, in: group)
            }
        }
        let label = ending.text.prefix { $0 != ":" } + ":"
        let lines = ending.text.wrapped(to: Terminal.errors.width)
        let text = Terminal.errors.coloured(String(label), 31) + lines.dropFirst(label.count)
        try? FileHandle.standardError.write(contentsOf: Data(text.utf8))
        group.abort(status: ending.status)
    }
}
