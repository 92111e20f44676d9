import Foundation
import NeuralNetwork
import Testing

/// A network that this file alone adds: it embeds token numbers, sums them over a sequence of any length, and sends the sum
/// through a hidden layer. It has neither times nor labels.
private struct TokenSummary: Network {
    struct Configuration: NetworkConfiguration {
        static let className = "TokenSummary"
        let vocabulary: Int
        let width: Int
        let outputs: Int

        init(_ reader: ConfigurationReader) throws(CheckpointError) {
            vocabulary = try reader.required(
                reader.integer("vocabulary", in: 1...1000), "vocabulary", "the number of tokens")
            width = try reader.required(reader.integer("width", in: 1...1000), "width", "the width of an embedding")
            outputs = try reader.integer("outputs", in: 1...1000) ?? 1
        }
    }

    /// Tokens of a row.
    struct Shape { let length: Int }

    let configuration: Configuration
    let resources: NetworkResources
    private let table: [Float]
    private let first: Linear
    private let second: Linear

    init(_ configuration: Configuration, _ reader: ParameterReader) throws(CheckpointError) {
        self.configuration = configuration
        table = try reader.read("tokens.weight", [configuration.vocabulary, configuration.width])
        first = try Linear(reader, "first", from: configuration.width, to: configuration.width)
        second = try Linear(reader, "second", from: configuration.width, to: configuration.outputs)
        resources = reader.resources
    }

    func inputDimensions(_ shape: Shape) -> [Int] { [shape.length] }
    func outputDimensions(_ shape: Shape) -> [Int] { [configuration.outputs] }
    func rowsPerPass(_ shape: Shape) -> Int { 8 }
    func floatingPointOperations(_ shape: Shape) -> Double { first.operations + second.operations }

    func check(_ shape: Shape) throws(NetworkInputError) {
        guard shape.length > 0 else { throw NetworkInputError("sequences of \(shape.length) tokens") }
    }

    func forward(
        _ sample: UnsafePointer<Int>, _ shape: Shape, _ conditioning: Void, into output: UnsafeMutablePointer<Float>,
        _ pass: Pass
    ) {
        let width = paddedChannels(configuration.width)
        let sums = pass.take(perRow: width)
        let hidden = pass.take(perRow: width)
        pass.timed("embedding") {
            pass.parallel(pass.count) { row, _ in
                for channel in 0..<configuration.width {
                    sums.pointer[row * width + channel] = (0..<shape.length).reduce(0) { sum, position in
                        sum + table[sample[row * shape.length + position] * configuration.width + channel]
                    }
                }
            }
        }
        let columns = paddedChannels(configuration.outputs)
        let result = pass.take(perRow: columns)
        pass.timed("layers", operations: Double(pass.count) * floatingPointOperations(shape)) {
            first(sums.pointer, stride: width, count: pass.count, into: hidden.pointer, pass)
            Activation.relu(hidden.pointer, count: pass.count * width)
            second(hidden.pointer, stride: width, count: pass.count, into: result.pointer, pass)
        }
        for row in 0..<pass.count {
            for index in 0..<configuration.outputs {
                output[row * configuration.outputs + index] = result.pointer[row * columns + index]
            }
        }
        for block in [sums, hidden, result] { pass.giveBack(block) }
    }
}

/// What the protocol gives to a network that no file of the module knows.
@Suite struct NetworkProtocolTests {
    private static let shapes = [
        ("tokens.weight", [5, 3]), ("first.weight", [3, 3]), ("first.bias", [3]), ("second.weight", [2, 3]),
        ("second.bias", [2]),
    ]

    /// Small whole numbers: their sums and products are exact, in any order.
    private static let weights = (0..<35).map { Float($0 * 7 % 11 - 5) }

    /// A checkpoint of those weights.
    private static func folder(
        className: String = "TokenSummary", _ shapes: [(String, [Int])] = shapes
    ) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let text = "{\"_class_name\": \"\(className)\", \"vocabulary\": 5, \"width\": 3, \"outputs\": 2}"
        _ = try folder.write(Data(text.utf8), "config.json")
        let writer = try SafetensorsWriter(
            path: folder.path + "/diffusion_pytorch_model.safetensors", tensors: shapes)
        try writer.append(Array(weights.prefix(shapes.reduce(0) { $0 + $1.1.reduce(1, *) })))
        try writer.finish()
        return folder
    }

    /// The output of one row by the formula, with the parameters where the file has them.
    private static func expected(_ tokens: [Int]) -> [Float] {
        func dot(_ x: [Float], _ first: Int) -> Float { x.indices.reduce(0) { $0 + weights[first + $1] * x[$1] } }
        let sum = (0..<3).map { channel in tokens.reduce(Float(0)) { $0 + weights[$1 * 3 + channel] } }
        let hidden = (0..<3).map { max(0, dot(sum, 15 + $0 * 3) + weights[24 + $0]) }
        return (0..<2).map { dot(hidden, 27 + $0 * 3) + weights[33 + $0] }
    }

    private static func input(rows: Int, length: Int) -> TokenSummary.Input {
        .init((0..<rows * length).map { $0 * 3 % 5 }, rows: rows, shape: .init(length: length), conditioning: ())
    }

    /// 20 rows are three passes of at most eight.
    @Test(arguments: [(1, 1), (8, 2), (9, 1), (20, 3), (17, 1)]) func runsInPasses(rows: Int, threads: Int) throws {
        let folder = try Self.folder()
        let network = try TokenSummary(folder: folder.path)
        // The second call has other rows, in memory that the first one used.
        for length in [4, 4, 7, 2] {
            var input = Self.input(rows: rows, length: length)
            for _ in 0..<2 {
                let output = try network(input, threads: threads)
                for row in 0..<rows {
                    let tokens = Array(input.sample[row * length..<(row + 1) * length])
                    #expect(Array(output[2 * row..<2 * row + 2]) == Self.expected(tokens), "row \(row)")
                }
                input.sample.reverse()
            }
        }
        #expect(try network(Self.input(rows: 0, length: 4), threads: threads).isEmpty)
    }

    /// Every parameter is accounted for, before and after it is read.
    @Test func accountsForParameters() throws {
        let folder = try Self.folder()
        let network = try TokenSummary(folder: folder.path)
        #expect(network.parameterCount == 35)
        #expect(network.parameters.map(\.name) == Self.shapes.map(\.0))
        #expect(network.parameters.map(\.shape) == Self.shapes.map(\.1))
        #expect(try TokenSummary.parameters(of: network.configuration) == network.parameters)

        var shapes = Self.shapes
        shapes[2].0 = "first.bios"
        let renamed = try Self.folder(shapes)
        let missing = #expect(throws: CheckpointError.self) { try TokenSummary(folder: renamed.path) }
        #expect(
            missing?.description.contains("1 parameters are missing: first.bias; 1 are unexpected: first.bios") == true)
        shapes[2] = ("first.bias", [1, 3])
        let reshaped = try Self.folder(shapes)
        let other = #expect(throws: CheckpointError.self) { try TokenSummary(folder: reshaped.path) }
        #expect(other?.description.contains("first.bias: has shape [1, 3]; config.json asks for [3]") == true)
    }

    @Test func refusesAnotherArchitecture() throws {
        let folder = try Self.folder(className: "UNet2DModel")
        let error = #expect(throws: CheckpointError.self) { try TokenSummary(folder: folder.path) }
        #expect(error?.description.contains("_class_name") == true)
        #expect(error?.description.contains("supported: TokenSummary") == true)
    }

    @Test func countsAndProfiles() throws {
        let folder = try Self.folder()
        let network = try TokenSummary(folder: folder.path)
        #expect(network.floatingPointOperations(.init(length: 4)) == Double(2 * (3 * 3 + 3 * 2)))
        let layers = try network.profile(Self.input(rows: 20, length: 4), threads: 2)
        #expect(layers.map(\.layer) == ["embedding", "layers"])
        // Each ran once in each of the three passes of the one call that is measured.
        #expect(layers.map(\.calls) == [3, 3])
        #expect(layers.map(\.operations) == [0, 20 * network.floatingPointOperations(.init(length: 4))])
    }

    @Test func checksInputs() throws {
        let folder = try Self.folder()
        let network = try TokenSummary(folder: folder.path)
        for (count, rows, length) in [(7, 2, 4), (8, -1, 4), (0, .max, 4), (0, 2, 0), (8, .min, 4)] {
            let input = TokenSummary.Input(
                [Int](repeating: 0, count: count), rows: rows, shape: .init(length: length), conditioning: ())
            #expect(throws: NetworkInputError.self) { try network(input, threads: 1) }
            #expect(throws: NetworkInputError.self) { try network.profile(input, threads: 1) }
        }
    }
}
