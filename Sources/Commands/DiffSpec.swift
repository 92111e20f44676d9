import ArgumentParser
import Foundation
import Jobs
import Models
import NeuralNetwork
import Processes

/// The program: `diffspec`, and with a group of processes `diffspec-mpi`.
public struct DiffSpec: ParsableCommand {
    public static let configuration = CommandConfiguration(
        commandName: "diffspec",
        abstract: "Exact, fast sampling of diffusion models by speculation.",
        discussion: """
            A cheap draft proposes a window of states, the target network scores them all in one batched call, and \
            reflection maximal coupling accepts or repairs each. The samples have the same distribution as plain \
            sampling, from far fewer sequential network calls.

            Start with:   diffspec sample --steps 100 --window 20
            and compare:  diffspec compare --steps 100 --window 20 --count 64
            """,
        version: Version.current,
        subcommands: [
            SampleCommand.self, MergeCommand.self, CompareCommand.self, PlanCommand.self, SweepCommand.self,
            SurvivalCommand.self, PolicyCommand.self, EvaluateCommand.self, InspectCommand.self, ModelsCommand.self,
            CalibrateCommand.self,
            RecordCommand.self, VerifyCommand.self, LangevinCommand.self, MixtureCommand.self, CoupleCommand.self,
            DecodeCommand.self, LimitCommand.self,
        ])

    public init() {}

    /// Usage errors end as ArgumentParser ends them (64); a failure at run time in one line and 1.
    /// - Parameter group: the processes that carry the command out, made once it is certain that the program need not be
    ///   restarted.
    public static func main(in group: @autoclosure () -> any ProcessGroup) {
        LinearAlgebra.restartWithBestCore()
        StandardStreams.prepare()
        let group = group()
        var command: (any ParsableCommand)?
        do {
            let parsed = try parseAsRoot()
            command = parsed
            try run(parsed, in: group)
            try StandardStreams.flush()
            group.end()
        } catch {
            leave(Ending(error, command: command, group: group), in: group)
        }
    }

    public static func main() { main(in: SingleProcess()) }

    private static func run(_ command: any ParsableCommand, in group: any ProcessGroup) throws {
        if let command = command as? any DistributedCommand { return try command.run(in: group) }
        guard group.size == 1 else {
            throw ValidationError("one process is enough for this command; several can sample together.")
        }
        var command = command
        try command.run()
    }

    /// How the program ends after an error: what it says, and its status.
    private struct Ending {
        let text: String
        let status: Int32
        /// Nobody reads on, as in `| head`, and nobody wants to hear of it.
        let isSilent: Bool
        /// Help and the like, which were asked for.
        var isAnswer: Bool { status == 0 }

        init(_ error: any Error, command: (any ParsableCommand)?, group: any ProcessGroup) {
            let code = DiffSpec.exitCode(for: error)
            let usage = error as? ValidationError ?? (error as? RecipeError).map { ValidationError("--\($0)") }
            if let error = usage, let command {
                // Bad usage that only shows once a model is loaded ends as it does at parsing.
                let name = DiffSpec.path(to: type(of: command))
                text =
                    "Error: \(error.message)\nUsage: \(name) <options>\n  See '\(name) --help' for more information.\n"
                status = ExitCode.validationFailure.rawValue
            } else if command == nil || code != .failure {
                // What ArgumentParser knows as its own: help, version, bad usage.
                text = DiffSpec.fullMessage(for: error) + "\n"
                status = code.rawValue
            } else {
                let line = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
                text = "error: \(group.rank > 0 ? "process \(group.rank): " : "")\(line)\n"
                status = (error as? Interrupted)?.status ?? 1
            }
            isSilent = error is ReaderGone
        }
    }

    /// As it is called: the names of the commands that it is part of, and its own.
    private static func path(to command: any ParsableCommand.Type) -> String {
        func path(from parent: any ParsableCommand.Type) -> [String]? {
            if parent == command { return [parent._commandName] }
            return parent.configuration.subcommands.lazy.compactMap { path(from: $0) }.first.map {
                [parent._commandName] + $0
            }
        }
        return (path(from: DiffSpec.self) ?? [DiffSpec._commandName]).joined(separator: " ")
    }

    private static func leave(_ ending: Ending, in group: any ProcessGroup) -> Never {
        if ending.isSilent { group.abort(status: ReaderGone.status) }
        // Most often all processes fail alike; then the first speaks for them, and ends them.
        if group.rank > 0, !ending.isAnswer { usleep(2_000_000) }
        if ending.isAnswer {
            do {
                if group.rank == 0 { try StandardStreams.write(ending.text) }
                group.end()
                Foundation.exit(0)
            } catch {
                leave(Ending(error, command: DiffSpec(), group: group), in: group)
            }
        }
        try? FileHandle.standardError.write(contentsOf: Data(ending.text.utf8))
        group.abort(status: ending.status)
    }
}
