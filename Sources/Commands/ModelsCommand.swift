import ArgumentParser
import Jobs

struct ModelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "List the bundled models.",
        discussion: "Any of the names can be given to --model and --draft-model of the command that samples its kind.")

    @OptionGroup(title: "Result") var result: ResultOptions

    func run() throws {
        try result.check()
        try result.show(ModelList())
    }
}
