import ArgumentParser
import Jobs
import Models

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Say what is in a model folder, and check it; or how a picture was made.",
        discussion: """
            Reads every tensor: names, shapes and types against the architecture, and that all numbers are finite. Of a \
            picture that diffspec wrote it prints model, seed and settings, and the command that made it.
            """)

    @Argument(
        help: .init(
            "Model folder in diffusers' layout, a bundled model's name, or a PNG.", valueName: "dir|name|image.png"))
    var model: String

    @OptionGroup(title: "Result") var result: ResultOptions

    func run() throws {
        try result.check()
        try result.show(result.console.during("reading \(model)") { try InspectionResult(model) })
    }
}
