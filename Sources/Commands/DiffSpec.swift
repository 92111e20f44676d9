import ArgumentParser
import Jobs
import Models
import Reports

/// The command line of `diffspec` and `diffspec-mpi`; see `main(in:)` for how a command is carried out.
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
            SurvivalCommand.self, PolicyCommand.self, EvaluateCommand.self, TokenizeCommand.self, InspectCommand.self,
            ModelsCommand.self,
            CalibrateCommand.self,
            RecordCommand.self, VerifyCommand.self, LangevinCommand.self, MixtureCommand.self, CoupleCommand.self,
            DecodeCommand.self, LimitCommand.self,
        ])

    public init() {}
}

/// A command as the user typed it.
struct ParsedCommand {
    let command: any ParsableCommand

    /// - Throws: what ArgumentParser ends with: bad usage, but also help and version.
    static func parse() throws -> ParsedCommand { ParsedCommand(command: try DiffSpec.parseAsRoot()) }

    /// What is thrown for the others.
    static let oneProcessIsEnough: any Error = ValidationError(
        "one process is enough for this command; several can sample together.")

    /// If several processes can carry it out together.
    var distributed: (any DistributedCommand)? { command as? any DistributedCommand }

    func run() throws {
        var command = command
        try command.run()
    }

    /// As it is called: the names of the commands that it is part of, and its own.
    var path: String {
        func path(from parent: any ParsableCommand.Type) -> [String]? {
            if parent == type(of: command) { return [parent._commandName] }
            return parent.configuration.subcommands.lazy.compactMap { path(from: $0) }.first.map {
                [parent._commandName] + $0
            }
        }
        return (path(from: DiffSpec.self) ?? [DiffSpec._commandName]).joined(separator: " ")
    }
}

/// How the program ends after an error: what it says, and its status. Usage errors end as ArgumentParser ends them (64); a
/// failure at run time in one line and 1.
struct Ending {
    let text: String
    let status: Int32
    /// Help and the like, which were asked for.
    var isAnswer: Bool { status == 0 }

    init(_ error: any Error, of parsed: ParsedCommand?, rank: Int) {
        let code = DiffSpec.exitCode(for: error)
        let usage = error as? ValidationError ?? (error as? RecipeError).map { ValidationError("--\($0)") }
        if let usage, let parsed {
            // Bad usage that only shows once a model is loaded ends as it does at parsing.
            let name = parsed.path
            text = "Error: \(usage.message)\nUsage: \(name) <options>\n  See '\(name) --help' for more information.\n"
            status = ExitCode.validationFailure.rawValue
        } else if parsed == nil || code != .failure {
            // What ArgumentParser knows as its own: help, version, bad usage.
            let message = DiffSpec.fullMessage(for: error)
            let suggestion = Suggestion(arguments: Array(CommandLine.arguments.dropFirst()))
            text = (code == .success ? message : suggestion.improving(message)) + "\n"
            status = code.rawValue
        } else {
            let line = "\(error)".split(whereSeparator: \.isNewline).joined(separator: " ")
            text = "error: \(rank > 0 ? "process \(rank): " : "")\(line)\n"
            status = (error as? Interrupted)?.status ?? 1
        }
    }
}
