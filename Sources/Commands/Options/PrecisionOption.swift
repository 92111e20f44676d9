import ArgumentParser
import NeuralNetwork

/// `--precision`
struct PrecisionOption: ParsableArguments {
    enum Choice: String, ExpressibleByArgument, CaseIterable {
        case f32, bf16
        /// Whichever is the faster on this processor.
        case auto

        var resolved: Precision { Precision(rawValue: rawValue) ?? .fastest }
    }

    @Option(
        help: .init(
            "What the network's large products multiply: f32, or bf16, which halves the weights' memory and is another network, near the first. auto is bf16 where the processor has instructions for it; for processes on machines of several kinds, name one.",
            valueName: "f32|bf16|auto"))
    var precision = Choice.f32
}
