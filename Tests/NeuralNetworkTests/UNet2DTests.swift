import Foundation
import NeuralNetwork
import Testing

@Suite struct UNet2DTests {
    /// Every fixture agrees with diffusers. The bound is the package's promise; float32 alone accounts for about 1e-6.
    @Test(arguments: Fixture.all) func agreesWithDiffusers(_ fixture: Fixture) throws {
        let golden = try fixture.goldenCase()
        let network = try UNet2D(folder: fixture.folder)
        let output = try network.run(golden, rows: Array(0..<golden.batch), threads: 2)
        let error = relativeError(output, golden.output)
        #expect(error < 1e-4)
        if ProcessInfo.processInfo.environment["DIFFSPEC_VERBOSE"] != nil { print("\(fixture): error \(error)") }
    }

    /// A row's bits depend neither on the batch, nor on its place in it, nor on the threads.
    @Test(arguments: Fixture.all) func isBatchInvariant(_ fixture: Fixture) throws {
        let golden = try fixture.goldenCase()
        let network = try UNet2D(folder: fixture.folder)
        try expectBatchInvariance(golden.batch, calls: [(33, 1), (33, 2), (2, 2), (7, 2), (1, 2), (5, 3), (40, 2)]) {
            try network.run(golden, rows: $0, threads: $1)
        }
    }

    @Test func countsParameters() throws {
        let fixture = try Fixture.named("class-conditional-28")
        let network = try UNet2D(folder: fixture.folder)
        let file = try SafetensorsFile(path: fixture.folder + "/diffusion_pytorch_model.safetensors")
        let inFile = file.tensorNames.reduce(0) { $0 + (file.shape(of: $1) ?? []).reduce(1, *) }
        #expect(network.parameterCount == inFile)
        #expect(network.parameters.count == file.tensorNames.count)
    }

    @Test func rejectsBadInputs() throws {
        let fixture = try Fixture.named("class-conditional-28")
        let network = try UNet2D(folder: fixture.folder)
        let sample = [Float](repeating: 0, count: 28 * 28)
        func call(_ sample: [Float], _ size: Int = 28, timesteps: [Float] = [1], labels: [Int]? = [0]) throws {
            _ = try network(
                sample: sample, batch: 1, height: size, width: size, timesteps: timesteps, classLabels: labels,
                threads: 1)
        }
        #expect(throws: NetworkInputError.self) { try call(Array(sample.dropLast())) }
        #expect(throws: NetworkInputError.self) { try call([Float](repeating: 0, count: 27 * 27), 27) }
        #expect(throws: NetworkInputError.self) { try call(sample, timesteps: []) }
        #expect(throws: NetworkInputError.self) { try call(sample, labels: nil) }
        #expect(throws: NetworkInputError.self) { try call(sample, labels: [11]) }
        #expect(throws: NetworkInputError.self) { try call(sample, labels: [-1]) }
        #expect(throws: NetworkInputError.self) { try call([], 0) }
    }

    /// NaN and infinite inputs and times end in NaN outputs, not in a trap.
    @Test func survivesNonFiniteInputs() throws {
        let fixture = try Fixture.named("one-level")
        let network = try UNet2D(folder: fixture.folder)
        for value in [Float.nan, .infinity, -.infinity, .greatestFiniteMagnitude] {
            let output = try network(
                sample: [Float](repeating: value, count: 4 * 64), batch: 1, height: 8, width: 8, timesteps: [value],
                threads: 2)
            #expect(output.count == 4 * 64)
        }
    }
}
