import ArgumentParser
import Jobs
import Models

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Say what is in a model folder, and check it.",
        discussion:
            "Reads every tensor: names, shapes and types against the architecture, and that all numbers are finite.")

    @Argument(help: .init("Model folder in diffusers' layout, or a bundled model's name.", valueName: "dir|name"))
    var model: String

    @OptionGroup(title: "Result") var result: ResultOptions

    func run() throws {
        try result.check()
        try result.show(InspectionResult(model))
    }
}
