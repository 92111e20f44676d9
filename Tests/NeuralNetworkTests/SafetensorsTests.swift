import Foundation
import NeuralNetwork
import Testing

/// A safetensors file from a header and data.
func safetensors(_ header: String, data: Int = 0, length: UInt64? = nil) -> Data {
    var file = Data()
    withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) { file.append(contentsOf: $0) }
    file.append(contentsOf: Array(header.utf8))
    file.append(Data(count: data))
    return file
}

@Suite struct SafetensorsTests {
    static let malformed: [(name: String, file: Data, says: String)] = [
        ("empty", Data(), "too few"),
        ("seven bytes", Data(count: 7), "too few"),
        ("terabytes", safetensors("{}", length: 1 << 42), "claims a header"),
        ("every bit", safetensors("{}", length: .max), "claims a header"),
        ("longer than the file", safetensors("{}", length: 3), "claims a header"),
        ("not JSON", safetensors("hello"), "not valid JSON"),
        ("not an object", safetensors("[1]"), "not a JSON object"),
        ("cut", safetensors(#"{"a":{"dtype":"F32""#), "not valid JSON"),
        ("deep", safetensors(String(repeating: "[", count: 100_000)), "not valid JSON"),
        (
            "twice",
            safetensors(
                #"{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}"#
            ), "twice"
        ),
        ("no dtype", safetensors(#"{"a":{"shape":[1],"data_offsets":[0,4]}}"#, data: 4), "dtype"),
        ("unknown dtype", safetensors(#"{"a":{"dtype":"F7","shape":[1],"data_offsets":[0,4]}}"#, data: 4), "F7"),
        ("no shape", safetensors(#"{"a":{"dtype":"F32","data_offsets":[0,4]}}"#, data: 4), "shape"),
        ("negative shape", safetensors(#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, data: 4), "-1"),
        ("fractional shape", safetensors(#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, data: 4), "1.5"),
        (
            "overflow",
            safetensors(
                #"{"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,4]}}"#, data: 4),
            "too large"
        ),
        ("wrong size", safetensors(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, data: 4), "takes 8"),
        ("half the size", safetensors(#"{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,8]}}"#, data: 8), "takes 4"),
        ("outside", safetensors(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, data: 4), "outside"),
        ("backwards", safetensors(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, data: 4), "outside"),
        (
            "negative offset", safetensors(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}"#, data: 4),
            "outside"
        ),
        (
            "huge offset",
            safetensors(
                #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[9223372036854775803,9223372036854775807]}}"#, data: 4),
            "outside"
        ),
        ("one offset", safetensors(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, data: 4), "data_offsets"),
        (
            "overlap",
            safetensors(
                #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#,
                data: 12), "overlaps"
        ),
        (
            "gap",
            safetensors(
                #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#,
                data: 12), "gap"
        ),
        ("rest", safetensors(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, data: 8), "after the last"),
    ]

    @Test(arguments: malformed.indices) func rejectsMalformedFiles(_ index: Int) throws {
        let (name, data, says) = Self.malformed[index]
        let folder = try TemporaryFolder()
        let path = try folder.write(data, "model.safetensors")
        let error = #expect(throws: CheckpointError.self, "\(name)") { try SafetensorsFile(path: path) }
        let text = error?.description ?? ""
        #expect(text.contains(says), "\(name): \(text)")
        #expect(text.hasPrefix(path) && !text.contains("\n"))
    }

    @Test func rejectsWhatIsNoFile() throws {
        let folder = try TemporaryFolder()
        #expect(throws: CheckpointError.self) { try SafetensorsFile(path: folder.path) }
        #expect(throws: CheckpointError.self) { try SafetensorsFile(path: folder.path + "/missing") }
    }

    /// The same values stored in every type that can hold them.
    @Test func readsEveryType() throws {
        var data = Data()
        func put(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { data.append(contentsOf: $0) }
        }
        let values: [Float] = [1.5, -0.25]
        for value in values { put(Double(value).bitPattern) }
        for value in values { put(value.bitPattern) }
        // Half precision: 1.5, -0.25, the smallest subnormal, infinity.
        for bits: UInt16 in [0x3E00, 0xB400, 0x0001, 0x7C00] { put(bits) }
        for value in values { put(UInt16(value.bitPattern >> 16)) }
        for value: Int64 in [7, -9] { put(value) }
        for value: Int32 in [7, -9] { put(value) }
        let header = """
            {"d":{"dtype":"F64","shape":[2],"data_offsets":[0,16]},"f":{"dtype":"F32","shape":[1,2],"data_offsets":[16,24]},\
            "h":{"dtype":"F16","shape":[4],"data_offsets":[24,32]},"b":{"dtype":"BF16","shape":[2],"data_offsets":[32,36]},\
            "i":{"dtype":"I64","shape":[2],"data_offsets":[36,52]},"j":{"dtype":"I32","shape":[2],"data_offsets":[52,60]},\
            "__metadata__":{"format":"pt"}}
            """
        let folder = try TemporaryFolder()
        // An odd header length, so that nothing is aligned.
        let path = try folder.write(
            safetensors(header + (header.utf8.count % 2 == 0 ? " " : "")) + data, "x.safetensors")
        let file = try SafetensorsFile(path: path)
        #expect(file.tensorNames == ["b", "d", "f", "h", "i", "j"])
        #expect(file.metadata == ["format": "pt"])
        #expect(try file.floats(named: "d") == values)
        #expect(try file.floats(named: "f", shape: [1, 2]) == values)
        #expect(try file.floats(named: "h") == [1.5, -0.25, 0x1p-24, .infinity])
        #expect(try file.floats(named: "b") == values)
        #expect(try file.integers(named: "i") == [7, -9])
        #expect(try file.integers(named: "j") == [7, -9])
        #expect(throws: CheckpointError.self) { try file.floats(named: "i") }
        #expect(throws: CheckpointError.self) { try file.integers(named: "f") }
        #expect(throws: CheckpointError.self) { try file.floats(named: "f", shape: [2]) }
        #expect(throws: CheckpointError.self) { try file.floats(named: "absent") }
    }

    @Test func writesWhatItReads() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/out.safetensors"
        let writer = try SafetensorsWriter(path: path, tensors: [("samples", [3, 2]), ("a \"b\"", [1])])
        try writer.append([1, 2, 3] as [Float])
        #expect(!FileManager.default.fileExists(atPath: path))
        try writer.append([4, 5, 6, 7] as [Float])
        #expect(throws: CheckpointError.self) { try writer.append([8] as [Float]) }
        try writer.finish()
        let file = try SafetensorsFile(path: path)
        #expect(try file.floats(named: "samples", shape: [3, 2]) == [1, 2, 3, 4, 5, 6])
        #expect(try file.floats(named: "a \"b\"") == [7])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["out.safetensors"])
    }

    @Test func leavesNothingHalfWritten() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/out.safetensors"
        do {
            let writer = try SafetensorsWriter(path: path, tensors: [("x", [2])])
            try writer.append([1] as [Float])
        }
        let short = try SafetensorsWriter(path: path, tensors: [("x", [2])])
        try short.append([1] as [Float])
        #expect(throws: CheckpointError.self) { try short.finish() }
        let cancelled = try SafetensorsWriter(path: path, tensors: [("x", [2])])
        cancelled.cancel()
        #expect(throws: CheckpointError.self) { try cancelled.append([1, 2] as [Float]) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
        #expect(throws: CheckpointError.self) { try SafetensorsWriter(path: folder.path + "/no/such", tensors: []) }
        #expect(throws: CheckpointError.self) { try SafetensorsWriter(path: path, tensors: [("x", [-1])]) }
        #expect(throws: CheckpointError.self) { try SafetensorsWriter(path: path, tensors: [("x", [.max, .max])]) }
    }
}
