import ArgumentParser
import Foundation
import NeuralNetwork

@main
struct DiffSpec: ParsableCommand {
    static let configuration = CommandConfiguration(
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
            SampleCommand.self, CompareCommand.self, PlanCommand.self, PolicyCommand.self, SweepCommand.self,
            SurvivalCommand.self, EvaluateCommand.self, InspectCommand.self, ModelsCommand.self, CalibrateCommand.self, RecordCommand.self,
            VerifyCommand.self, LangevinCommand.self, MixtureCommand.self, CoupleCommand.self, DecodeCommand.self, LimitCommand.self,
        ])

    /// Usage errors end as ArgumentParser ends them (64); a failure at run time in one line and 1.
    static func main() {
        LinearAlgebra.restartWithBestCore()
        var command: any ParsableCommand
        do { command = try parseAsRoot() } catch { exit(withError: error) }
        do {
            try command.run()
        } catch let error as Interrupted {
            fail(error.description, status: error.status)
        } catch {
            // What ArgumentParser knows as its own (help, version, bad usage) it ends itself; all else is a failure.
            if let error = error as? ValidationError { refuse(error, type(of: command)) }
            if exitCode(for: error) != .failure { exit(withError: error) }
            fail("\(error)", status: 1)
        }
    }

    /// Bad usage that only shows once a model is loaded ends as it does at parsing.
    private static func refuse(_ error: ValidationError, _ command: any ParsableCommand.Type) -> Never {
        let name = "\(_commandName) \(command._commandName)"
        let text = "Error: \(error.message)\nUsage: \(name) <options>\n  See '\(name) --help' for more information.\n"
        FileHandle.standardError.write(Data(text.utf8))
        Foundation.exit(ExitCode.validationFailure.rawValue)
    }

    private static func fail(_ message: String, status: Int32) -> Never {
        let line = message.split(whereSeparator: \.isNewline).joined(separator: " ")
        FileHandle.standardError.write(Data("error: \(line)\n".utf8))
        Foundation.exit(status)
    }
}

enum Version {
    static let current = "0.1.0"
}
