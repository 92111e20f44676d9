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
            SampleCommand.self, CompareCommand.self, EvaluateCommand.self, InspectCommand.self, ModelsCommand.self,
            CoupleCommand.self, DecodeCommand.self, LimitCommand.self,
        ])

    /// Usage errors end as ArgumentParser ends them (64); a failure at run time in one line and 1.
    static func main() {
        LinearAlgebra.restartWithBestCore()
        let command: any ParsableCommand
        do { command = try parseAsRoot() } catch { exit(withError: error) }
        do {
            var command = command
            try command.run()
        } catch let error as Interrupted {
            fail(error.description, status: error.status)
        } catch let error where isArgumentParsers(error) {
            exit(withError: error)
        } catch {
            fail("\(error)", status: 1)
        }
    }

    private static func isArgumentParsers(_ error: any Error) -> Bool {
        error is ValidationError || error is CleanExit || error is ExitCode
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
