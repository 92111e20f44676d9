/// The header of a safetensors file: its length (8 bytes), then JSON. Nothing in it is believed before it is checked.
struct SafetensorsHeader {
    var entries: [String: SafetensorsFile.Entry] = [:]
    var metadata: [String: String] = [:]

    /// The format's own limit.
    private static let largestHeader = 100_000_000

    init(of file: MappedFile) throws(CheckpointError) {
        func malformed(_ message: String, tensor: String? = nil) -> CheckpointError {
            CheckpointError(
                .malformed, file: file.path, subject: tensor.map { "tensor \(CheckpointError.shortened($0))" }, message)
        }
        guard file.count >= 8 else {
            throw malformed("has \(file.count) bytes, too few for a safetensors header; download it again")
        }
        let length = file.withBytes(in: 0..<8) { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
        guard length <= UInt64(Self.largestHeader), length <= UInt64(file.count - 8) else {
            throw malformed(
                "claims a header of \(length) bytes in a file of \(file.count); not a safetensors file, or cut short")
        }
        let start = 8 + Int(length)
        let json: JSON
        do {
            // The format forbids a name given twice.
            json = try JSON(parsing: file.withBytes(in: 8..<start) { Array($0) }, repeatedKeys: .refused)
        } catch {
            throw malformed("header is \(error)")
        }
        guard case .object(let members) = json else { throw malformed("header is not a JSON object") }

        let dataCount = file.count - start
        for member in members {
            if member.key == "__metadata__" {
                // The safetensors library takes null for no metadata.
                if member.value == .null { continue }
                guard case .object(let pairs) = member.value else { throw malformed("__metadata__ is not an object") }
                for pair in pairs {
                    guard let text = pair.value.string else { throw malformed("__metadata__ holds more than strings") }
                    metadata[pair.key] = text
                }
                continue
            }
            let name = member.key
            guard let typeName = member.value["dtype"]?.string else { throw malformed("has no dtype", tensor: name) }
            guard let dtype = SafetensorsFile.DType(rawValue: typeName) else {
                throw CheckpointError(
                    .unsupported, file: file.path, subject: "tensor \(CheckpointError.shortened(name))",
                    "has type \(CheckpointError.shortened(typeName)); supported are F32, F16, BF16 and F64")
            }
            guard let dimensions = member.value["shape"]?.array else { throw malformed("has no shape", tensor: name) }
            var shape: [Int] = []
            var size = dtype.size
            for dimension in dimensions {
                guard case .integer(let extent) = dimension, extent >= 0 else {
                    throw malformed("has the dimension \(CheckpointError.shortened(dimension.text))", tensor: name)
                }
                let (product, overflow) = size.multipliedReportingOverflow(by: extent)
                guard !overflow else { throw malformed("has a shape too large to address", tensor: name) }
                size = product
                shape.append(extent)
            }
            guard let offsets = member.value["data_offsets"]?.array, offsets.count == 2,
                case .integer(let begin) = offsets[0], case .integer(let end) = offsets[1]
            else { throw malformed("has no pair of data_offsets", tensor: name) }
            guard 0 <= begin, begin <= end, end <= dataCount else {
                throw malformed(
                    "has data_offsets \(begin) to \(end), outside the \(dataCount) bytes of data; the file is cut short or garbled",
                    tensor: name)
            }
            guard end - begin == size else {
                throw malformed(
                    "has \(end - begin) bytes of data; \(typeName) of shape \(shape) takes \(size)", tensor: name)
            }
            entries[name] = .init(dtype: dtype, shape: shape, range: start + begin..<start + end)
        }

        // The tensors must tile the data section.
        var position = start
        let ordered = entries.sorted {
            ($0.value.range.lowerBound, $0.value.range.upperBound, $0.key)
                < ($1.value.range.lowerBound, $1.value.range.upperBound, $1.key)
        }
        for (name, entry) in ordered {
            let begin = entry.range.lowerBound
            guard begin >= position else {
                throw malformed("overlaps another tensor at data offset \(begin - start)", tensor: name)
            }
            guard begin == position else {
                throw malformed(
                    "begins at data offset \(begin - start), after a gap of \(begin - position) bytes", tensor: name)
            }
            position = entry.range.upperBound
        }
        guard position == file.count else {
            throw malformed("has \(file.count - position) bytes after the last tensor")
        }
    }
}
